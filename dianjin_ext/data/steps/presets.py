"""How large the sets of the papers are, by source.

A source is a data source of the rewards, or a data set as readers name it; `*` stands for any text.
"""

from collections.abc import Mapping
from typing import Any, Final

from dianjin_ext.errors import DianjinError

PRESETS: Final[Mapping[str, Mapping[str, Any]]] = {
    # https://arxiv.org/abs/2504.15716, table 1. FinQA: 4,581 in the README, 4,851 in the paper,
    # and only the latter fits the 36,560 rows of the published set.
    "dianjin_r1": {
        "sft": {"cflue_mcq": 26672, "cflue_oe": 5045, "finqa": 4581, "ccc": 1800},
        "rl": {"cflue_mcq": 4096},
    },
    # https://arxiv.org/abs/2503.16252, table 1: Fin-R1-Data after its filters. FinCorpus, FinPEE
    # and FinanceQT have no reader here. The size of its RL set is not published.
    "fin_r1": {
        "sft": {
            "finance_instruct": 11300,
            "convfinqa": 7629,
            "finqa": 2948,
            "financeiq": 2596,
            "tfns": 2451,
            "fincuge": 2000,
            "fineva": 1548,
        },
        "rl": {},
    },
    # https://arxiv.org/abs/2502.08127: 5,499 paths of FinQA; of its successor FinCoT 7,686 rows
    # for SFT and 1,500 for RL, from how many of each set is not published.
    "fino1": {"sft": {"finqa": 5499, "*": 2187}, "rl": {"*": 1500}},
    # https://arxiv.org/abs/2501.12948, section 2.3.3: 600,000 of reasoning and 200,000 others.
    # Which of its sources are finance is not said, so the two are told apart by the reward.
    "deepseek_r1": {"sft": {"finance_instruct": 200_000, "*": 600_000}, "rl": {}},
}


def sizes(preset: str, side: str, given: Mapping[str, float]) -> Mapping[str, float]:
    """Return what is given for a side, else what the preset has.

    Raises:
        DianjinError: There is no such preset.
    """
    if given or not preset:
        return given
    if preset not in PRESETS:
        raise DianjinError(f"preset {preset!r} is not known; known: {', '.join(PRESETS)}")
    found: Mapping[str, float] = PRESETS[preset][side]
    return found
