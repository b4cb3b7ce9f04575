"""What the quickstart's recipes teach, and what they take, for several seeds.

`python benchmarks/quickstart.py --seeds 0 1 2 --out runs/recipes` runs every recipe, and that of
DianJin-R1 with each of three methods, prints a table, and writes recipes.json. It exits with 1
unless each time the 95 % interval of held-out accuracy after RL lies above that before it, no run
takes more than twice the processor seconds of the default recipe, and none more than 10 GiB.
Interrupted, the same command goes on. It needs LLaMA-Factory's environment, as the quickstart does,
and five to fifteen minutes a run on two cores; `--only fino1 lora` runs some.
"""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from dianjin_ext.errors import DianjinError
from dianjin_ext.files import write_json
from dianjin_ext.quickstart.run import run

DEFAULT: Final = "dianjin_r1"
METHODS: Final = ("lora", "dapo", "gspo")
LEARNED: Final[dict[str, tuple[str, str]]] = {
    DEFAULT: ("sft", "grpo"),
    "fin_r1": ("sft", "grpo"),
    "fino1": ("sft", "ppo"),
    "deepseek_r1_zero": ("base", "grpo"),
    "deepseek_r1": ("cold_start", "grpo"),
    **dict.fromkeys(METHODS, ("sft", "grpo")),
}
"""The model before RL and the one after it, by recipe, or by method on the default recipe."""

MOST_GIB: Final = 10
MOST_TIMES: Final = 2


def main(names: Sequence[str], seeds: Sequence[int], out: Path) -> int:
    """Run, print, write; returns the exit code."""
    out.mkdir(parents=True, exist_ok=True)
    found: list[dict[str, Any]] = []
    for name in names:
        for seed in seeds:
            found.append(measured(name, seed, out / f"{name}-{seed}"))
            write_json(out / "recipes.json", found)
            print(line(found[-1]), flush=True)
    print("\n".join(["", *HEAD, *map(line, found)]))
    most = next((MOST_TIMES * f["processor_seconds"] for f in found if f["name"] == DEFAULT), None)
    fine = [
        each["apart"]
        and each["peak_memory_gib"] <= MOST_GIB
        and (most is None or each["processor_seconds"] <= most)
        for each in found
    ]
    return 0 if all(fine) else 1


def measured(name: str, seed: int, out: Path) -> dict[str, Any]:
    """Run a recipe, or a method on the default one; return what is measured."""
    method = name in METHODS
    recipe, methods = (DEFAULT, (name,)) if method else (name, ())
    if not (out / "summary.json").is_file():
        run(out, recipe=recipe, methods=methods, seed=seed, resume=out.exists())
    summary = json.loads((out / "summary.json").read_text(encoding="utf-8"))
    before, after = (summary[model] for model in LEARNED[name])
    return {
        "name": name,
        "seed": seed,
        "models": summary["models"],
        "apart": after["accuracy_low"] > before["accuracy_high"],
        "seconds": summary["seconds"],
        "processor_seconds": summary["processor_seconds"],
        "peak_memory_gib": max(of["peak_memory_gib"] for of in summary["stages"].values()),
    }


HEAD: Final = (
    "| recipe or method | seed | accuracy, % [95 %] | apart | seconds | processor seconds | GiB |",
    "|---|---:|---|---|---:|---:|---:|",
)


def line(of: Mapping[str, Any]) -> str:
    """Return a run as a line of the table."""
    models = ", ".join(
        f"{m['name']} {100 * m['accuracy']:.1f} "
        f"[{100 * m['accuracy_low']:.1f}, {100 * m['accuracy_high']:.1f}]"
        for m in of["models"]
    )
    return (
        f"| {of['name']} | {of['seed']} | {models} | {'yes' if of['apart'] else 'NO'} "
        f"| {of['seconds']:.0f} | {of['processor_seconds']:.0f} | {of['peak_memory_gib']:.1f} |"
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--only", nargs="+", choices=list(LEARNED), default=list(LEARNED))
    parser.add_argument("--out", type=Path, required=True, help="the same folder goes on")
    given = parser.parse_args()
    try:
        sys.exit(main(given.only, given.seeds, given.out.absolute()))
    except DianjinError as error:
        sys.exit(str(error))
