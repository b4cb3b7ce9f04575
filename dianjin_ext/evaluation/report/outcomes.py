"""What became of each question, without its texts."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple
from zlib import crc32

from dianjin_ext.errors import DianjinError
from dianjin_ext.evaluation.batches import Batch, batches, worked
from dianjin_ext.evaluation.contradiction import Stated, stated
from dianjin_ext.evaluation.report.progress import telling
from dianjin_ext.evaluation.report.rows import Row, observed, read_row
from dianjin_ext.evaluation.report.runs import Key, Run
from dianjin_ext.jsonl import Lines

_WORTH_A_PROCESS: Final = 4 << 20
"""Bytes of responses for which starting a process pays."""


class Outcome(NamedTuple):
    """A question that a model answered.

    Attributes:
        right: Of each sample whether it is right: 1.0 or 0.0.
        category: Of the question.
        kind: Of the question.
        language: Of the question.
        conversation: Whose turn it is; None for a question by itself.
        asked: Digest of question, options and gold answer: files may differ under the same ids.
        said: Of each sample what its reasoning states, and whether its answer is another.
    """

    right: tuple[float, ...]
    category: str
    kind: str
    language: str
    conversation: str | None
    asked: int
    said: tuple[Stated, ...]

    def plus(self, other: "Outcome") -> "Outcome":
        """Return it with the samples of another."""
        return self._replace(right=self.right + other.right, said=self.said + other.said)

    @property
    def share(self) -> float:
        """The share of samples that are right."""
        return sum(self.right) / len(self.right)

    @property
    def stated(self) -> int:
        """Samples whose reasoning states an answer."""
        return sum(each.answer is not None for each in self.said)

    @property
    def contradicts(self) -> int:
        """Samples whose answer is another."""
        return sum(each.contradicts for each in self.said)

    @property
    def contradicts_right(self) -> int:
        """Those of them that are right all the same."""
        of = zip(self.said, self.right, strict=True)
        return sum(each.contradicts and right == 1.0 for each, right in of)


Known = dict[Key, dict[str, Outcome]]


class _Job(NamedTuple):
    """Lines of a file of responses, and the settings by which they were graded."""

    run: int
    key: Key
    path: Path
    grading: Mapping[str, Any]
    batch: Batch


class _Found(NamedTuple):
    """What a job came to: what became of each response by the question's id, and its bytes."""

    run: int
    key: Key
    samples: list[tuple[str, Outcome]]
    size: int


def outcomes(runs: Sequence[Run], *, workers: int = 1) -> list[Known]:
    """Return of each model what became of the questions, by id.

    Args:
        runs: The models.
        workers: Processes that read the responses, where these are many.

    Raises:
        DianjinError: A file can't be read, or a row not be graded here.
    """
    known: list[Known] = [{key: {} for key in run.responses} for run in runs]
    size = sum(file.stat().st_size for run in runs for file in run.responses.values())
    few = max(1, min(workers, size // _WORTH_A_PROCESS))
    with telling(size) as tell:
        for found in worked(_read, _jobs(runs), workers=few):
            of = known[found.run][found.key]
            for name, new in found.samples:
                of[name] = of[name].plus(new) if name in of else new
            tell(found.size)
    return known


def _jobs(runs: Sequence[Run]) -> Iterator[_Job]:
    for nth, run in enumerate(runs):
        for key, path in run.responses.items():
            for batch in batches(Lines(path)):
                yield _Job(nth, key, path, run.grading[key], batch)


def _read(job: _Job) -> _Found:
    samples = []
    for number, line in enumerate(job.batch.lines, job.batch.first):
        row = read_row(line, job.path, number)
        try:
            said = observed(stated, row, job.grading)
        except DianjinError as error:
            raise DianjinError(f"{job.path}, line {number}: {error}") from None
        right = 1.0 if row["acc"] == 1.0 else 0.0
        facets = row["category"], row["kind"], row["language"], row.get("conversation")
        samples.append((row["id"], Outcome((right,), *facets, _asked(row), (said,))))
    return _Found(job.run, job.key, samples, sum(map(len, job.batch.lines)))


def _asked(row: Row) -> int:
    parts = [row.get(key) for key in ("question", "choices", "ground_truth")]
    return crc32(json.dumps(parts, sort_keys=True).encode())
