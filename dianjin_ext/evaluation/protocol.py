"""Protocols: how a published system was evaluated, as data.

A protocol is a YAML file: what is asked and how it is sampled, read and judged. One that is shipped
is named; one of your own is a path. `benchmarks` holds what differs for one benchmark.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal, Self

import yaml
from pydantic import Field, NonNegativeFloat, PositiveInt, field_validator, model_validator

from dianjin_ext.errors import DianjinError
from dianjin_ext.questions.prompts import prompt, task
from dianjin_ext.questions.question import Question
from dianjin_ext.rewards.policy import Model, build
from dianjin_ext.rewards.score import grader_for
from dianjin_ext.rewards.settings import Settings, read_settings
from dianjin_ext.yaml_keys import UniqueKeys

Judging = Literal["verdict", "extract"]

FOLDER: Final = Path(__file__).with_name("protocols")
_FIELD: Final = re.compile(r"\{(task|question|context)\}")
_LOOSE: Final = re.compile(r"\{(question|response)\}")


class Texts(Model):
    """A text in two languages; questions take that of their own."""

    zh: str
    en: str

    def of(self, question: Question) -> str:
        """Return the text in the language of a question."""
        return self.zh if question.language == "zh" else self.en


class Sampling(Model):
    """How replies are sampled.

    Attributes:
        temperature: 0 is greedy.
        top_p: Nucleus.
        max_tokens: Of a reply, thinking included.
        samples: Replies a question.
    """

    temperature: NonNegativeFloat = 0.0
    top_p: float = Field(default=1.0, gt=0, le=1)
    max_tokens: PositiveInt = 4096
    samples: PositiveInt = 1


class Rows(Model):
    """Which rows are asked: all of a set below `all_below`, else `sample`, stratified."""

    all_below: PositiveInt
    sample: PositiveInt


class Rules(Model):
    """What a protocol says of one benchmark.

    Attributes:
        system: The system message; None sends none.
        prompt: The user turn, with `{task}` (the question and all that belongs to it; see
            `dianjin_ext.questions.prompts.task`), or `{question}` and `{context}`. None is the
            prompt of training.
        sampling: How replies are sampled.
        grading: Settings of `compute_score`.
        rows: Which rows are asked; None is all.
        history: Whether a conversation shows the earlier gold answers, or the model's own.
        judge: None: the rules decide, and a judge where they leave it open. `verdict`: a judge
            decides on every answer. `extract`: a model takes the final answer out of the response,
            and the rules compare it.
        extract: What the model is asked for that, with `{question}` and `{response}`.
    """

    system: Texts | None = None
    prompt: Texts | None = None
    sampling: Sampling = Sampling()
    grading: dict[str, Any] = Field(default_factory=dict)
    rows: Rows | None = None
    history: Literal["given", "own"] = "given"
    judge: Judging | None = None
    extract: Texts | None = None

    @field_validator("grading")
    @classmethod
    def _gradable(cls, value: dict[str, Any]) -> dict[str, Any]:
        try:
            read_settings(value)
        except DianjinError as error:
            raise ValueError(str(error)) from None
        return value

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if (self.judge == "extract") != (self.extract is not None):
            raise ValueError("extract is the prompt for judge: extract; give both or neither")
        for text in (self.extract.zh, self.extract.en) if self.extract else ():
            if "{response}" not in text:
                raise ValueError("extract has no {response}")
        for text in (self.prompt.zh, self.prompt.en) if self.prompt else ():
            if not {"{task}", "{question}"} & set(re.findall(r"\{\w+\}", text)):
                raise ValueError("prompt has neither {task} nor {question}")
        return self

    @property
    def settings(self) -> Settings:
        """The grading, read."""
        return grader_for(self.grading).settings

    @property
    def digest(self) -> str:
        """A name of what is asked and who decides, by which changed rules are told apart."""
        said = self.model_dump_json(exclude={"sampling", "grading", "rows"})
        return hashlib.sha256(said.encode("utf-8", "surrogatepass")).hexdigest()[:12]

    def messages(self, question: Question) -> list[dict[str, str]]:
        """Return what is sent for a question.

        Raises:
            DianjinError: It has options or earlier turns, for which the prompt has no place.
        """
        if self.prompt is None:
            user = prompt(question, self.settings.tags)
        else:
            if (question.choices or question.turns) and "{task}" not in self.prompt.of(question):
                raise DianjinError(
                    f"the prompt of the protocol has no {{task}}, so that the model would not see "
                    f"the {'options' if question.choices else 'earlier turns'} of {question.id}"
                )
            parts = {
                "task": task(question),
                "question": question.question,
                "context": question.context,
            }
            user = _FIELD.sub(lambda found: parts[found[1]], self.prompt.of(question))
        messages = [{"role": "user", "content": user}]
        if self.system is not None:
            messages.insert(0, {"role": "system", "content": self.system.of(question)})
        return messages

    def extraction(self, question: Question, response: str) -> list[dict[str, str]]:
        """Return what is sent to have the final answer taken out of a response."""
        assert self.extract is not None
        parts = {"question": question.question, "response": response}
        text = _LOOSE.sub(lambda found: parts[found[1]], self.extract.of(question))
        return [{"role": "user", "content": text}]


class Protocol(Model):
    """A protocol.

    Attributes:
        name: The file's.
        about: What it is, in a sentence.
        source: Where it is published.
        common: What it says of every benchmark.
        benchmarks: What differs, by benchmark.
    """

    name: str
    about: str
    source: str
    common: Rules
    benchmarks: Mapping[str, Rules]

    def of(self, benchmark: str) -> Rules:
        """Return what it says of a benchmark."""
        return self.benchmarks.get(benchmark, self.common)


def protocol_names() -> list[str]:
    """Return the names of the protocols that are shipped."""
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


def get_protocol(name: str) -> Protocol:
    """Return a protocol by its name, or that of a file.

    Raises:
        DianjinError: There is none, or something in it is wrong; the message names file and key.
    """
    path = Path(name)
    if name in protocol_names():
        path = FOLDER / f"{name}.yaml"
    elif path.suffix not in (".yaml", ".yml"):
        raise DianjinError(
            f"protocol {name!r} is not known; known: {', '.join(protocol_names())}; "
            "one of your own is a file in .yaml"
        )
    return _load(path.absolute())


@cache
def _load(path: Path) -> Protocol:
    shown = path.name if path.parent == FOLDER else str(path)
    try:
        given = yaml.load(path.read_text(encoding="utf-8"), Loader=UniqueKeys)
    except (OSError, UnicodeDecodeError, yaml.YAMLError, RecursionError) as error:
        why = " ".join(str(error).split())
        raise DianjinError(f"{shown}: can't be read as YAML: {why}") from None
    if not isinstance(given, dict):
        raise DianjinError(f"{shown}: expected a mapping, found {type(given).__name__}")
    texts = {}
    for key in ("about", "source"):
        texts[key] = given.pop(key, None)
        if not isinstance(texts[key], str) or not texts[key].strip():
            raise DianjinError(f"{shown}: {key} is expected as text")
    own = given.pop("benchmarks", None) or {}
    if not isinstance(own, dict) or not all(isinstance(each, dict) for each in own.values()):
        raise DianjinError(f"{shown}: benchmarks is expected as a mapping of benchmarks")
    common = build(Rules, given, shown, also=("about", "source", "benchmarks"))
    return Protocol(
        name=path.stem,
        common=common,
        benchmarks={
            name: build(Rules, _merged(given, each), f"{shown}: benchmarks.{name}")
            for name, each in own.items()
        },
        **texts,
    )


def _merged(common: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """Lay what differs over what is common; `sampling` and `grading` key by key."""
    merged = {**common, **own}
    for key in ("sampling", "grading"):
        parts: Sequence[Any] = (common.get(key) or {}, own.get(key) or {})
        if all(isinstance(part, dict) for part in parts) and any(parts):
            merged[key] = {**parts[0], **parts[1]}
    if merged.get("judge") != "extract" and "extract" not in own:
        merged.pop("extract", None)
    return merged
