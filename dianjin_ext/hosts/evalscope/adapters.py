"""One adapter for all benchmarks: prompts, sampling and verdicts are those of `dianjin eval`."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from evalscope.api.benchmark import BenchmarkMeta, DefaultDataAdapter
from evalscope.api.dataset import DatasetDict, MemoryDataset, Sample
from evalscope.api.evaluator import TaskState
from evalscope.api.messages import ChatMessage, ChatMessageSystem, ChatMessageUser
from evalscope.api.metric import AggScore, SampleScore, Score
from evalscope.api.metric.semantics import MetricSelector
from evalscope.api.model import GenerateConfig, Model, ModelOutput
from evalscope.api.registry import register_benchmark

from dianjin_ext.errors import DianjinError
from dianjin_ext.evaluation.benchmarks import BENCHMARKS
from dianjin_ext.evaluation.benchmarks.base import OWN
from dianjin_ext.evaluation.plan import Choices, plan
from dianjin_ext.evaluation.task import Task
from dianjin_ext.hosts.asked import (
    TEXTS,
    HostGrading,
    Said,
    judge_of,
    label,
    options_of,
    questions_of,
)
from dianjin_ext.questions.question import Question
from dianjin_ext.rewards.policy import build

__all__ = ["PARAMETERS", "DianjinAdapter", "adapter_name"]

PARAMETERS: Final[dict[str, Any]] = {
    "benchmark": "",
    "protocol": "dianjin_r1",
    "data": [],
    "map": None,
    "settings": None,
    "choices": {},
}
"""What `extra_params` may say, all as in `dianjin eval`: the name of the benchmark (for `dj_own`
alone), the protocol, files and folders, the mapping of `own:NAME`, the file that names a judge, and
fields of `dianjin_ext.evaluation.plan.Choices`. `limit` and `repeats` are EvalScope's own."""

_HOST: Final = "EvalScope"
_ACCURACY: Final = "accuracy"
_SUBSET: Final = "default"
_MESSAGES: Final = {"system": ChatMessageSystem, "user": ChatMessageUser}


def adapter_name(benchmark: str) -> str:
    """Return what a benchmark is called in EvalScope; `dj_own` for any of one's own."""
    return f"dj_{benchmark.partition(':')[0]}"


class DianjinAdapter(DefaultDataAdapter):
    """A benchmark under a protocol.

    Raises:
        DianjinError: A name is not known, or a file can't be used.
    """

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        if self._task_config is None:
            return  # asked for its description
        self._task = self._planned()
        self._judge = judge_of(_path(self.extra_params["settings"]), _HOST)
        self._questions = {each.id: each for each in questions_of(self._task, _HOST)}
        self._grading: HostGrading | None = None
        meta = self._benchmark_meta
        named = label(self._task, judged=self._judge is not None)
        meta.pretty_name = f"{self._task.benchmark.name} ({named})"
        # part of what a run must have in common with the one whose replies it takes over
        meta.dataset_revision = self._fingerprint()

    def load(self) -> tuple[DatasetDict, None]:
        """Return the samples, those of a question one after another."""
        self._grading = HostGrading(self._task, Path(self.output_dir), self._judge)
        category = self._task.benchmark.category
        samples = [
            Sample(
                input=self._messages(question),
                target=question.answer or "",
                metadata={"id": question.id, "category": category(question)},
            )
            for question in self._questions.values()
            for _ in range(self.repeats)
        ]
        dataset = MemoryDataset(samples, name=self.name)
        dataset.reindex(group_size=self.repeats)
        return DatasetDict({_SUBSET: dataset}), None

    def _on_inference(self, model: Model, sample: Sample) -> ModelOutput:
        options = options_of(self._task, self._number(sample.id))
        return model.generate(input=sample.input, config=GenerateConfig(**options))

    def match_score(
        self,
        original_prediction: str,
        filtered_prediction: str,
        reference: str,
        task_state: TaskState,
    ) -> Score:
        """Return the verdict on a reply; its metadata is the row of `dianjin eval`, less texts."""
        assert self._grading is not None
        output = task_state.output
        usage = output.usage
        tokens = (usage.input_tokens, usage.output_tokens) if usage else (0, 0)
        said = Said(task_state.model, output.message, output.stop_reason, *tokens)
        question = self._questions[task_state.metadata["id"]]
        row = self._grading.row(question, self._number(task_state.sample_id), said)
        return Score(
            value={_ACCURACY: row["acc"]},
            extracted_prediction=row["pred"],
            prediction=row["response"],
            explanation=row["reason"],
            metadata={name: value for name, value in row.items() if name not in TEXTS},
        )

    def aggregate_scores(self, sample_scores: list[SampleScore]) -> list[AggScore]:
        """See `DefaultDataAdapter.aggregate_scores`.

        Raises:
            DianjinError: Every request was refused, so that there is no number.
        """
        rows = [each.score.metadata for each in sample_scores]
        if rows and all(row["outcome"] == "refused" for row in rows):
            raise DianjinError(f"{self.name}: every request was refused: {rows[0]['error']}")
        found: list[AggScore] = super().aggregate_scores(sample_scores)
        return found

    def finalize(self, *args: Any, **kwargs: Any) -> None:
        """Close what a judge was asked through."""
        super().finalize(*args, **kwargs)
        if self._grading is not None:
            self._grading.close()

    def _planned(self) -> Task:
        given = self.extra_params
        name = given["benchmark"] or self.name.removeprefix("dj_")
        data = [given["data"]] if isinstance(given["data"], str) else list(given["data"])
        if Path(self.dataset_id).exists():  # local_path
            data.append(self.dataset_id)
        plans = {**given["choices"], "samples": self.repeats}

        def planned(limit: int | None) -> Task:
            choices = build(Choices, {**plans, "limit": limit}, "choices")
            (task,) = plan(
                [name],
                [given["protocol"]],
                data=data,
                mapping=_path(given["map"]),
                choices=choices,
            )
            return task

        if isinstance(self.limit, float):
            return planned(max(1, int(self.limit * planned(None).subset.questions)))
        return planned(self.limit)

    def _number(self, sample_id: int) -> int:
        return sample_id % int(self.repeats)

    def _messages(self, question: Question) -> list[ChatMessage]:
        messages = self._task.rules.messages(question)
        return [_MESSAGES[each["role"]](content=each["content"]) for each in messages]

    def _fingerprint(self) -> str:
        said = self._task.rules, self._judge
        how = [None if each is None else each.model_dump(mode="json") for each in said]
        digest = hashlib.sha256(json.dumps(how).encode())
        for question in self._questions.values():
            asked = question.id, self._task.rules.messages(question), question.answer
            digest.update(json.dumps(asked).encode())
        return digest.hexdigest()[:32]


def _path(name: str | None) -> Path | None:
    return None if name is None else Path(name)


def _register(names: Sequence[str]) -> None:
    for name in names:
        known = BENCHMARKS.get(name)
        meta = BenchmarkMeta(
            name=adapter_name(name),
            dataset_id=(known.hub if known else None) or name,
            description=known.about if known else "questions of one's own, by a mapping",
            subset_list=[_SUBSET],
            default_subset=_SUBSET,
            few_shot_mode="disabled",
            metric_list=[_ACCURACY],
            primary_metric=MetricSelector(name=_ACCURACY, aggregation="mean"),
            extra_params=dict(PARAMETERS),
        )
        register_benchmark(meta)(DianjinAdapter)


_register([*BENCHMARKS, OWN])
