"""The made-up questions as files, laid out as `dianjin prepare` lays out real ones.

`python -m dianjin_ext.quickstart.datasets OUT SEED` writes

    sft/cflue_mcq.json    rl/train.parquet    rl/val.parquet    heldout.parquet
"""

import random
import sys
from pathlib import Path

from dianjin_ext.data.prompts import format_response, multiple_choice_prompt
from dianjin_ext.data.schema import Row, sft_row, verl_row, write_parquet, write_sft
from dianjin_ext.quickstart import world

DATA_SOURCE = "cflue_mcq"
SFT_ROWS, RL_ROWS, VAL_ROWS, HELDOUT_ROWS = 9000, 2000, 128, 1000


def write_world(out: Path, *, seed: int) -> dict[str, int]:
    """Write the made-up questions; no question is in two files. Returns rows per file."""
    hard = world.hard_titles(seed=seed)
    rng = random.Random(seed)
    pool = iter(world.questions(SFT_ROWS + RL_ROWS + VAL_ROWS + HELDOUT_ROWS, seed=seed))
    sft = []
    for _ in range(SFT_ROWS):
        question = next(pool)
        sft.append(sft_row(_prompt(question), format_response(*world.trace(question, hard, rng))))
    write_sft(sft, out / "sft" / "cflue_mcq.json")
    counts = {"sft": SFT_ROWS}
    for name, rows in {
        "rl/train": RL_ROWS,
        "rl/val": VAL_ROWS,
        "heldout": HELDOUT_ROWS,
    }.items():
        split = name.rpartition("/")[2]
        write_parquet(
            [_rl_row(next(pool), split, index) for index in range(rows)], out / f"{name}.parquet"
        )
        counts[split] = rows
    return counts


def _prompt(question: world.Question) -> str:
    return multiple_choice_prompt(
        question.text,
        question.choices,
        language=question.language,
        multiple=question.multiple,
    )


def _rl_row(question: world.Question, split: str, index: int) -> Row:
    return verl_row(
        DATA_SOURCE,
        _prompt(question),
        question.gold,
        split=split,
        index=index,
        question=question.text,
        choices=question.choices,
    )


if __name__ == "__main__":
    print(write_world(Path(sys.argv[1]), seed=int(sys.argv[2])))
