"""Write into docs/recipes.md what is tested, from the lists that the tests are parametrized with.

python scripts/recipe_table.py
"""

import importlib.util
from pathlib import Path

from dianjin_ext.recipes import get_recipe

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs/recipes.md"
_BEGIN, _END = "<!-- written by scripts/recipe_table.py -->\n", "<!-- end -->\n"
_SPEC = importlib.util.spec_from_file_location("cells", ROOT / "tests/recipes/cells.py")
assert _SPEC is not None and _SPEC.loader is not None
cells = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(cells)


def stages() -> str:
    """Return the table of recipes and stages."""
    lines = ["| recipe | stage | run on a CPU, size `tiny` | composed at |", "|---|---|---|---|"]
    for name, stage in cells.STAGES:
        tested = cells.KINDS[get_recipe(name).stages[stage].do]
        sizes = ", ".join(size for *cell, size in cells.CELLS if cell == [name, stage])
        lines.append(f"| `{name}` | `{stage}` | {tested.run} | {sizes}: {tested.composed} |")
    return "\n".join(lines) + "\n"


def methods() -> str:
    """Return the table of methods."""
    lines = ["| method | run on a CPU, size `tiny` | composed at |", "|---|---|---|"]
    for method, own in cells.METHOD_STAGES.items():
        ran = [(names, stage) for names, stage in cells.METHOD_RUNS if method in names]
        others = [f"`{name}`" for name in ran[0][0] if name != method]
        run = ", ".join(f"`{stage}`" for _, stage in ran if stage in own)
        run += f", with {' and '.join(others)}" if others else ""
        sizes = ", ".join(dict.fromkeys(s for name, _, s in cells.METHOD_CELLS if name == method))
        at = ", ".join(f"`{stage}`" for stage in own)
        lines.append(f"| `{method}` | {run} | {sizes}: {at} |")
    sizes = ", ".join(cells.METHOD_SIZES)
    lines.append(f"| `megatron` | {cells.MEGATRON} | {sizes}: `rl` |")
    return "\n".join(lines) + "\n"


def filled(page: str) -> str:
    """Return the page with the tables as they are now."""
    before, _, rest = page.partition(_BEGIN)
    _, _, after = rest.partition(_END)
    return f"{before}{_BEGIN}\n{stages()}\n{methods()}\n{_END}{after}"


if __name__ == "__main__":
    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
