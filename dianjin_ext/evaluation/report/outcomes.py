"""What became of each question, without its texts."""

import json
from pathlib import Path
from typing import NamedTuple
from zlib import crc32

from dianjin_ext.evaluation.report.runs import Row, rows


class Outcome(NamedTuple):
    """A question that a model answered.

    Attributes:
        right: Of each sample whether it is right: 1.0 or 0.0.
        category: Of the question.
        kind: Of the question.
        language: Of the question.
        stated: Samples whose reasoning states an answer.
        contradicts: Samples whose answer is another.
        contradicts_right: Those of them that are right all the same.
        asked: Digest of question, options and gold answer: files may differ under the same ids.
    """

    right: tuple[float, ...]
    category: str
    kind: str
    language: str
    stated: int = 0
    contradicts: int = 0
    contradicts_right: int = 0
    asked: int = 0

    @property
    def share(self) -> float:
        """The share of samples that are right."""
        return sum(self.right) / len(self.right)


def outcomes(path: Path) -> dict[str, Outcome]:
    """Return what became of the questions of a file of graded responses, by id.

    Raises:
        DianjinError: The file can't be read.
    """
    found: dict[str, Outcome] = {}
    for row in rows(path):
        right = 1.0 if row["acc"] == 1.0 else 0.0
        contradicts = bool(row.get("contradicts"))
        known = found.get(row["id"])
        if known is None:
            known = Outcome((), row["category"], row["kind"], row["language"], asked=_asked(row))
        found[row["id"]] = known._replace(
            right=(*known.right, right),
            stated=known.stated + (row.get("stated") is not None),
            contradicts=known.contradicts + contradicts,
            contradicts_right=known.contradicts_right + (contradicts and right == 1.0),
        )
    return found


def _asked(row: Row) -> int:
    parts = [row.get(key) for key in ("question", "choices", "ground_truth")]
    return crc32(json.dumps(parts, sort_keys=True).encode())
