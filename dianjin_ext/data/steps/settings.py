"""The settings of every step: as keys of a pipeline, and as options of a command."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Final

from annotated_types import Ge, Interval

_SHARE: Final = Interval(ge=0, le=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """The files of a published data set, or of one's own, to questions that can be trained on."""

    dataset: Annotated[str, "As in `dianjin prepare DATASET`; `own` with `map`."] = ""
    map: Annotated[Path | None, "With `own`: which column is what."] = None
    on_error: Annotated[str, "Bad rows: stop or skip."] = "stop"
    gold: Annotated[bool, "Leave out questions without a gold answer: nothing can verify them."] = (
        True
    )
    splits: Annotated[tuple[str, ...], "Published splits to take; all where none is named."] = ()
    as_split: Annotated[str, "Take each question as published for this split."] = ""
    rows: Annotated[int | None, "Most questions, drawn at random."] = None
    seed: Annotated[int, "Seed of that draw."] = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Rewrite:
    """Multiple choice to open question, as DianJin-R1 makes CFLUE_OE."""

    max_tokens: Annotated[int, "Most tokens of a reply.", Ge(1)] = 2048


@dataclass(frozen=True, slots=True, kw_only=True)
class Distill:
    """Reasoning and answer from a teacher. The defaults are DeepSeek-R1's advice for itself."""

    samples: Annotated[int, "Responses to each question.", Ge(1)] = 1
    temperature: Annotated[float, "As DeepSeek-R1 recommends.", Ge(0)] = 0.6
    top_p: Annotated[float, "As DeepSeek-R1's evaluation.", _SHARE] = 0.95
    max_tokens: Annotated[int, "Most tokens of a response, reasoning included.", Ge(1)] = 16384
    seed: Annotated[int, "Seed of the first sample; the others count on."] = 0
    prefill: Annotated[bool, "Begin the reply with <think>, where the server can."] = False
    tags: Annotated[str, "Layout of the set: dianjin_r1, think_only, channels."] = "dianjin_r1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verify:
    """Whether the answer is right: rules first, a judge for what they leave open."""

    reasoning: Annotated[bool, "The judge checks the reasoning too, as DianJin-R1 does."] = False
    agreement: Annotated[
        float, "Share of the rows decided by rules that the judge sees too.", _SHARE
    ] = 0.0
    max_tokens: Annotated[int, "Most tokens of a verdict.", Ge(1)] = 1024
    tags: Annotated[str, "Layout that is graded: dianjin_r1, think_only, channels."] = "dianjin_r1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Select:
    """The quality of right answers' reasoning, by Fin-R1's seven criteria."""

    least: Annotated[int, "How many of the seven criteria must hold.", Interval(ge=0, le=7)] = 7
    judged: Annotated[bool, "Ask the judge; without, the rules below alone decide."] = True
    min_steps: Annotated[
        int, "Fewest steps that the rules must find; 0 for a measure only.", Ge(0)
    ] = 0
    min_overlap: Annotated[
        float, "Smallest share of the question's terms in the reasoning.", _SHARE
    ] = 0.0
    max_repetition: Annotated[float, "Largest share of repeated n-grams.", _SHARE] = 1.0
    min_language: Annotated[
        float, "Smallest share of words in the question's language.", _SHARE
    ] = 0.0
    max_tokens: Annotated[int, "Most tokens of a judgement.", Ge(1)] = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """Thinking that is verified and taken up again, after HuatuoGPT-o1 and Fino1."""

    rounds: Annotated[int, "Most new thoughts after the first, before it starts again.", Ge(0)] = 3
    attempts: Annotated[int, "Most starts; then the question is given up.", Ge(1)] = 3
    tell_gold: Annotated[bool, "Tell the gold answer when all attempts failed; flagged."] = False
    temperature: Annotated[float, "Of thoughts.", Ge(0)] = 0.6
    top_p: Annotated[float, "Of thoughts.", _SHARE] = 0.95
    max_tokens: Annotated[int, "Most tokens of a thought.", Ge(1)] = 4096
    seed: Annotated[int, "Seed of the strategies and of the samples."] = 0
    tags: Annotated[str, "Layout of the set: dianjin_r1, think_only, channels."] = "dianjin_r1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """Answers from your own checkpoint, the right ones kept: DeepSeek-R1's rejection sampling."""

    samples: Annotated[int, "Responses to each question.", Ge(1)] = 4
    temperature: Annotated[float, "As DeepSeek-R1's evaluation.", Ge(0)] = 0.6
    top_p: Annotated[float, "As DeepSeek-R1's evaluation.", _SHARE] = 0.95
    max_tokens: Annotated[int, "Most tokens of a response; the longest of the training.", Ge(1)] = (
        4096
    )
    seed: Annotated[int, "Seed of the first sample; the others count on."] = 0
    system: Annotated[str, "System message, where the model was trained with one."] = ""
    strictness: Annotated[str, "How answers are found: strict, lenient, dianjin."] = "strict"
    min_language: Annotated[
        float, "Smallest share of words in the question's language.", _SHARE
    ] = 0.9
    max_paragraph: Annotated[int, "Longest paragraph of reasoning, in tokens, about.", Ge(1)] = 500
    tags: Annotated[str, "Layout that the model was trained in."] = "dianjin_r1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bands:
    """Questions of a difficulty that is worth training on, by pass rate."""

    low: Annotated[float, "Drop questions with a pass rate up to this; open-r1's bound."] = 0.1
    high: Annotated[float, "Drop questions with a pass rate from this on; open-r1's bound."] = 0.9


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeAgents:
    """The steps of a multi-agent workflow to one reasoning and result: DianJin-R1's CCC."""

    temperature: Annotated[float, "Of the reply.", Ge(0)] = 0.0
    max_tokens: Annotated[int, "Most tokens of a reply.", Ge(1)] = 4096
    tags: Annotated[str, "Layout of the set: dianjin_r1, think_only, channels."] = "dianjin_r1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decontaminate:
    """Remove what an evaluation set asks too."""

    against: Annotated[tuple[Path, ...], "questions.parquet of sets kept for evaluation."] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Mix:
    """An SFT set and an RL set, from candidates and questions.

    Hard are questions with a pass rate below 1/3, easy those from 2/3 on.
    """

    preset: Annotated[str, "Sizes of a paper: dianjin_r1, fin_r1, fino1, deepseek_r1."] = ""
    sft: Annotated[Mapping[str, float], "Source to most rows, or to its share of sft_rows."] = (
        field(default_factory=dict)
    )
    sft_rows: Annotated[int | None, "Rows of the SFT set in all."] = None
    rl: Annotated[Mapping[str, float], "Source to most rows, or to its share of rl_rows."] = field(
        default_factory=dict
    )
    rl_rows: Annotated[int | None, "Rows of the RL set in all; else a quarter."] = None
    rl_inputs: Annotated[tuple[Path, ...], "What RL is drawn from; else all inputs."] = ()
    rl_from: Annotated[str, "all, rejected by select, or unsolved: none stands."] = "all"
    difficulty: Annotated[Mapping[str, float], "Shares of RL: hard, medium, easy."] = field(
        default_factory=dict
    )
    val_rows: Annotated[
        int, "Most rows for validation; a tenth of the questions at most.", Ge(0)
    ] = 500
    choose: Annotated[str, "Of several responses: first, shortest, longest, random, all."] = "first"
    min_tokens: Annotated[int, "Shortest prompt and response together, for SFT.", Ge(0)] = 0
    max_tokens: Annotated[int, "Longest of them; the training's cutoff_len.", Ge(1)] = 16384
    max_prompt: Annotated[
        int, "Longest RL prompt; the training's data.max_prompt_length.", Ge(1)
    ] = 1024
    tokenizer: Annotated[Path | None, "Folder of the tokenizer that counts; else an estimate."] = (
        None
    )
    overlap: Annotated[bool, "Whether SFT may have questions that RL has."] = False
    seed: Annotated[int, "Seed of the draw."] = 0
    tags: Annotated[str, "Layout of the set: dianjin_r1, think_only, channels."] = "dianjin_r1"
