"""Write the table of docs/verl_keys.md from the checks.

python scripts/verl_keys.py
"""

from pathlib import Path

from dianjin_ext.hosts.verl.dead_keys import DEAD_KEYS

PAGE = Path(__file__).resolve().parents[1] / "docs/verl_keys.md"
_BEGIN, _END = "<!-- written by scripts/verl_keys.py -->\n", "<!-- end -->\n"


def table() -> str:
    """Return the table of the keys."""
    rows = [
        f"| `{dead.key}` | {dead.refused} | {dead.effect} | {_cell(dead.instead)} |"
        for dead in DEAD_KEYS
    ]
    head = ["| key | refused when | what verl 0.9.1 does | use instead |", "|---|---|---|---|"]
    return "\n".join([*head, *rows]) + "\n"


def filled(page: str) -> str:
    """Return the page with the table as it is now."""
    before, _, rest = page.partition(_BEGIN)
    _, _, after = rest.partition(_END)
    return f"{before}{_BEGIN}\n{table()}\n{_END}{after}"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("*", "\\*")


if __name__ == "__main__":
    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
