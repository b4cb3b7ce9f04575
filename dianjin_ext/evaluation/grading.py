"""From a reply to a graded row: by the rules of training, and where it is wanted, a judge."""

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from dianjin_ext.evaluation.protocol import Rules
from dianjin_ext.inference.answer import Answer
from dianjin_ext.inference.asking import Asking, NoReply
from dianjin_ext.inference.faults import Outage
from dianjin_ext.inference.request import Request
from dianjin_ext.questions.prompts import gold_text, with_options
from dianjin_ext.questions.question import Question
from dianjin_ext.rewards.base import short_pred
from dianjin_ext.rewards.components import Sample
from dianjin_ext.rewards.format import extract
from dianjin_ext.rewards.grader import Grader
from dianjin_ext.rewards.judge.cleaning import clean, says_nothing

if TYPE_CHECKING:
    from dianjin_ext.rewards.judge.judge import Judge

__all__ = ["EXTRACTOR", "Grading"]

EXTRACTOR: Final = "extractor"
"""The role of the model that takes final answers out of responses."""

_UNANSWERABLE: Final = {"content_filter": "content_filter", "refused": "refused"}
_FIELDS: Final = ("score", "acc", "format", "pred", "reason")
_BOX: Final = r"\boxed{{{}}}"


class Grading:
    """Grades the replies to the questions of one benchmark under one protocol.

    Args:
        rules: What the protocol says of the benchmark.
        judge: Who decides where the protocol or the rules leave it to a judge; None for nobody.
        extracting: Whether there is a model that extracts, in the role `EXTRACTOR`.
    """

    def __init__(
        self, rules: Rules, *, judge: "Judge | None" = None, extracting: bool = False
    ) -> None:
        self.rules = rules
        self._grader = Grader(rules.grading)
        self._judge = judge
        self._extracting = extracting and rules.judge == "extract"

    async def grade(self, question: Question, answer: Answer, asking: Asking) -> dict[str, Any]:
        """Return `score`, `acc`, `format`, `pred`, `reason` of a reply, and what a judge said.

        `judged` is 1.0 where a model decided, 0.0 where it was asked and did not, or had nothing to
        decide; `rule_acc` is then what the rules said. Both are absent where none may be asked.
        `silent` is true where a model was asked and gave no reply that can be read.

        Raises:
            NoReply: The judge can't be asked now.
            DianjinError: It refuses every request.
        """
        if answer.reply is None:
            reason = _UNANSWERABLE[answer.outcome]
            return {"score": 0.0, "acc": 0.0, "format": 0.0, "pred": "", "reason": reason}
        sample = await self._by_rules(question, answer.reply.text)
        row = self._row(question, sample)
        if self._extracting:
            return await self._extracted(question, answer, row, asking)
        if self._judge is None or sample.score.reason == "gold_unusable":
            return row
        if self.rules.judge != "verdict" and sample.score.reason != "undecided":
            return row
        return await self._judged(question, sample, row, self._judge)

    async def _by_rules(self, question: Question, text: str) -> Sample:
        given = question.data_source, text, question.answer, question.extra_info
        if question.kind == "math":  # waits for a process of its own
            return await asyncio.to_thread(self._grader.judge_by_rules, *given)
        return self._grader.judge_by_rules(*given)

    def _row(self, question: Question, sample: Sample) -> dict[str, Any]:
        row = self._grader.compose(question.data_source, sample)
        return {field: row[field] for field in _FIELDS}

    async def _judged(
        self, question: Question, sample: Sample, row: Mapping[str, Any], judge: "Judge"
    ) -> dict[str, Any]:
        policy = self._grader.policy(question.data_source)
        answer = extract(sample.text, policy, needs_box=False).text
        undecided = {**row, "judged": 0.0, "rule_acc": row["acc"]}
        if says_nothing(answer):
            reason = "no_answer" if row["reason"] == "undecided" else row["reason"]
            return {**undecided, "reason": reason}
        if len(answer) > judge.settings.max_answer_chars:
            return undecided
        try:
            said = await judge.decide(with_options(question), gold_text(question), answer)
        except Outage as error:
            raise NoReply(f"the judge: {error}") from None
        if said is None:
            return {**undecided, "silent": True}
        if said == "undecided":
            return undecided
        right = said == "correct"
        return {
            **undecided,
            "score": float(right),
            "acc": float(right),
            "pred": row["pred"] or short_pred(answer),
            "reason": "correct" if right else "wrong",
            "judged": 1.0,
        }

    async def _extracted(
        self, question: Question, answer: Answer, row: Mapping[str, Any], asking: Asking
    ) -> dict[str, Any]:
        assert answer.reply is not None
        request = Request(
            f"{question.id}#{answer.sample}/extract",
            self.rules.extraction(question, clean(answer.reply.content or answer.reply.text)),
            options={"temperature": 0.0, "max_tokens": 512},
        )
        found = (await asking.one(EXTRACTOR, request)).reply
        text = " ".join(found.content.split()) if found is not None else ""
        asked = {"judged": float(bool(text)), "rule_acc": row["acc"]}
        if not text:
            return {**row, **asked, "silent": True}
        tags = self._grader.policy(question.data_source).tags
        boxed = text if "\\boxed" in text else _BOX.format(text)
        sample = await self._by_rules(question, tags.wrap("\n", boxed))
        return {**self._row(question, sample), "format": row["format"], **asked}
