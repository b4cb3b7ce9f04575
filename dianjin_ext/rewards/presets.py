"""The rewards of published systems, as settings of `compute_score`.

Each is the published formula over this package's own reading of answers, not a copy of a published
parser; `strictness: dianjin` is the one that is kept bit for bit.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

PRESETS: Final[Mapping[str, Mapping[str, Any]]] = MappingProxyType(
    {
        # 1 if the format and the answer are both right, else 0 (arXiv:2504.15716).
        "dianjin_r1": {"weights": {"acc": 1.0}, "gate": True},
        # Format and accuracy, each 0 or 1, are added (arXiv:2503.16252). Its verifier takes 0.2 and
        # 20 % for the same, as our default does.
        "fin_r1": {
            "strictness": "lenient",
            "layout": "strict",
            "weights": {"acc": 1.0, "format": 1.0},
        },
        # 1 for a right answer, 0.1 for a wrong one in the right format, 0 without an answer: the
        # values of HuatuoGPT-o1's code (https://github.com/FreedomIntelligence/HuatuoGPT-o1),
        # which Fino1 trains with (arXiv:2502.08127).
        "fino1": {"weights": {"acc": 1.0}, "gate": True, "values": {"wrong": 0.1}},
        # Accuracy and format are added (arXiv:2501.12948, 2.2.2).
        "deepseek_r1_zero": {
            "strictness": "lenient",
            "layout": "strict",
            "weights": {"acc": 1.0, "format": 1.0},
        },
        # The share of the target language in the reasoning comes on top (arXiv:2501.12948, 2.3.2).
        "deepseek_r1": {
            "strictness": "lenient",
            "layout": "strict",
            "weights": {"acc": 1.0, "format": 1.0, "language": 1.0},
        },
    }
)
