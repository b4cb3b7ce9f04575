"""Grading batches for hosts that would lose a run to one exception."""

import asyncio
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

from dianjin_ext.errors import DianjinError
from dianjin_ext.evaluation.settings_file import split_judge
from dianjin_ext.hosts.failures import Failures
from dianjin_ext.rewards.grader import Grader, Row
from dianjin_ext.rewards.judged import require_judge

__all__ = ["HostGrader", "Response"]


class Response(NamedTuple):
    """One response and what it is graded by."""

    data_source: str
    text: str
    ground_truth: Any
    extra_info: Mapping[str, Any]


class HostGrader:
    """Grades batches; what a reward raises is logged, and the other responses are graded.

    Args:
        settings: As for `dianjin_ext.rewards.compute_score`, and `judge`, as for
            `dianjin_ext.rewards.judged.compute_score_with_judge`.
        can_skip: Whether the host can leave a response out.

    Raises:
        DianjinError: A setting is not known, the judge could not be asked, or its outages are to
            be skipped by a host that can't.
    """

    def __init__(self, settings: Mapping[str, Any], *, can_skip: bool) -> None:
        self._settings, self._judge = split_judge(settings)
        self._grader = Grader(self._settings)
        self._failures = Failures()
        skips = self._judge is not None and self._judge.get("on_outage", "skip") == "skip"
        if skips and not can_skip:
            raise DianjinError(
                "judge.on_outage is 'skip', and this host can't leave a response out; set it to "
                "neutral or raise"
            )
        if self._judge is not None:
            require_judge(self._judge)

    def __call__(self, responses: Sequence[Response]) -> list[Row | None]:
        """Grade responses, in their order; None where the reward raised.

        Failures are logged as `dianjin_ext.hosts.failures.Failures` says.

        Raises:
            DianjinError: An unknown data source, or another error of the set-up that every other
                response would have too; or 64 failures in a row in one data source.
        """
        if self._judge is None:
            return [self._by_rules(response) for response in responses]
        # In a thread of its own, since the host may have an event loop in this one.
        with ThreadPoolExecutor(1) as thread:
            return thread.submit(asyncio.run, self._judged(responses, self._judge)).result()

    def _by_rules(self, response: Response) -> Row | None:
        try:
            row = self._grader(*response)
        except DianjinError:
            raise
        except Exception as error:  # a reward of a plug-in may raise anything
            self._failures.failed(response.data_source, error)
            return None
        self._failures.graded(response.data_source)
        return row

    async def _judged(
        self, responses: Sequence[Response], judge: Mapping[str, Any]
    ) -> list[Row | None]:
        from dianjin_ext.rewards.judged import compute_score_with_judge

        async def grade(response: Response) -> Row | None:
            try:
                row = await compute_score_with_judge(*response, judge=judge, **self._settings)
            except DianjinError:
                raise
            except Exception as error:
                self._failures.failed(response.data_source, error)
                return None
            self._failures.graded(response.data_source)
            return row

        return await asyncio.gather(*map(grade, responses))
