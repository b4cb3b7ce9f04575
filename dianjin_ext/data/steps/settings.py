"""The settings of every step: as keys of a pipeline, and as options of a command."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


def _of(default: Any, text: str) -> Any:
    return field(default=default, metadata={"help": text})


@dataclass(frozen=True, slots=True, kw_only=True)
class Rewrite:
    """Multiple choice to open question, as DianJin-R1 makes CFLUE_OE."""

    max_tokens: int = _of(2048, "Most tokens of a reply.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Distill:
    """Reasoning and answer from a teacher. The defaults are DeepSeek-R1's advice for itself."""

    samples: int = _of(1, "Responses to each question.")
    temperature: float = _of(0.6, "As DeepSeek-R1 recommends.")
    top_p: float = _of(0.95, "As DeepSeek-R1's evaluation.")
    max_tokens: int = _of(16384, "Most tokens of a response, reasoning included.")
    seed: int = _of(0, "Seed of the first sample; the others count on.")
    prefill: bool = _of(False, "Begin the reply with <think>; for servers that can, such as vLLM.")
    tags: str = _of("dianjin_r1", "Layout of the set: dianjin_r1, think_only, channels.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Verify:
    """Whether the answer is right: rules first, a judge for what they leave open."""

    reasoning: bool = _of(False, "The judge checks the reasoning too, as DianJin-R1 does.")
    agreement: float = _of(0.0, "Share of the rows decided by rules that the judge sees too.")
    max_tokens: int = _of(1024, "Most tokens of a verdict.")
    tags: str = _of("dianjin_r1", "Layout that is graded: dianjin_r1, think_only, channels.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Select:
    """The quality of right answers' reasoning, by Fin-R1's seven criteria."""

    least: int = _of(7, "How many of the seven criteria must hold.")
    judged: bool = _of(True, "Ask the judge; without, the rules below alone decide.")
    min_steps: int = _of(0, "Fewest steps that the rules must find; 0 for a measure only.")
    min_overlap: float = _of(0.0, "Smallest share of the question's terms in the reasoning.")
    max_repetition: float = _of(1.0, "Largest share of repeated n-grams.")
    min_language: float = _of(0.0, "Smallest share of words in the question's language.")
    max_tokens: int = _of(1024, "Most tokens of a judgement.")
    tags: str = _of("dianjin_r1", "Layout of the set: dianjin_r1, think_only, channels.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """Thinking that is verified and taken up again, after HuatuoGPT-o1 and Fino1."""

    rounds: int = _of(3, "Most new thoughts after the first, before it starts again.")
    attempts: int = _of(3, "Most starts; then the question is given up.")
    tell_gold: bool = _of(False, "Tell the gold answer when all attempts failed; flagged.")
    temperature: float = _of(0.6, "Of thoughts.")
    top_p: float = _of(0.95, "Of thoughts.")
    max_tokens: int = _of(4096, "Most tokens of a thought.")
    seed: int = _of(0, "Seed of the strategies and of the samples.")
    tags: str = _of("dianjin_r1", "Layout of the set: dianjin_r1, think_only, channels.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """Answers from your own checkpoint, the right ones kept: DeepSeek-R1's rejection sampling."""

    samples: int = _of(4, "Responses to each question.")
    temperature: float = _of(0.6, "As DeepSeek-R1's evaluation.")
    top_p: float = _of(0.95, "As DeepSeek-R1's evaluation.")
    max_tokens: int = _of(4096, "Most tokens of a response; the longest of the training.")
    seed: int = _of(0, "Seed of the first sample; the others count on.")
    system: str = _of("", "System message, where the model was trained with one.")
    strictness: str = _of("strict", "How answers are found: strict, lenient, dianjin.")
    min_language: float = _of(0.9, "Smallest share of words in the question's language.")
    max_paragraph: int = _of(500, "Longest paragraph of reasoning, in tokens, about.")
    tags: str = _of("dianjin_r1", "Layout that the model was trained in.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bands:
    """Questions of a difficulty that is worth training on, by pass rate."""

    low: float = _of(0.1, "Drop questions with a pass rate up to this; open-r1's bound.")
    high: float = _of(0.9, "Drop questions with a pass rate from this on; open-r1's bound.")


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeAgents:
    """The steps of a multi-agent workflow to one reasoning and result: DianJin-R1's CCC."""

    temperature: float = _of(0.0, "Of the reply.")
    max_tokens: int = _of(4096, "Most tokens of a reply.")
    tags: str = _of("dianjin_r1", "Layout of the set: dianjin_r1, think_only, channels.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Decontaminate:
    """Remove what an evaluation set asks too."""

    against: tuple[Path, ...] = _of((), "questions.parquet of sets kept for evaluation.")
