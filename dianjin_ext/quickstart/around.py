"""The stages that no recipe has: questions, a base model, evaluations, the truth about a set."""

from pathlib import Path
from typing import Final

from dianjin_ext.quickstart.plan import QUESTIONS, Plan
from dianjin_ext.quickstart.progress import of_sft
from dianjin_ext.quickstart.sizes import OPEN_QUESTIONS
from dianjin_ext.quickstart.sizes import QUESTIONS as MADE_UP
from dianjin_ext.quickstart.stage import Stage
from dianjin_ext.recipes import Command
from dianjin_ext.recipes.recipe import BASE

_TEXTS: Final = f"{QUESTIONS}/sft/cflue_mcq.json"
_MADE_UP: Final = 3000  # where no other number is named
_OPEN: Final = 1000
_RANDOM: Final = "random"


def questions(plan: Plan) -> Stage:
    """Return the stage that writes the questions."""
    own = ["--seed", str(plan.seed), "--layout", plan.layout]
    own += ["--max-tokens", str(plan.max_response)]
    if plan.data is None:
        own += ["--questions", str(MADE_UP.get(plan.recipe, _MADE_UP))] + ["--opened"] * plan.opens
        own += ["--open", str(OPEN_QUESTIONS.get(plan.recipe, _OPEN))] if plan.open_file else []
    else:
        name, _, file = plan.data.partition(":")
        own += ["--published", f"{name}:{Path(file).absolute()}"]
    command = Command(("python", "-m", "dianjin_ext.quickstart.datasets", QUESTIONS, *own))
    title = "make up questions" if plan.data is None else "read the questions"
    return Stage("questions", title, lambda: command)


def base(plan: Plan) -> list[Stage]:
    """Return the stages that make the base model, pretrained where the recipe needs that."""
    sizes = plan.sizes
    out = BASE if plan.pretrained is None else _RANDOM
    own = ["--vocabulary", str(sizes.vocabulary), "--seed", str(plan.seed)]
    own += ["--template", plan.pretrained] if plan.pretrained is not None else []
    made = Command(("python", "-m", "dianjin_ext.quickstart.model", _TEXTS, out, *own))
    stages = [Stage("model", "build a tiny Qwen2 model and tokenizer", lambda: made)]
    if plan.pretrained is not None:
        words = [
            *("llamafactory-cli", "train", f"{plan.run.configs}/sft_tiny.yaml"),
            *(f"model_name_or_path={_RANDOM}", f"dataset_dir={QUESTIONS}", f"output_dir={BASE}"),
            f"template={plan.pretrained}",
            *sizes.sft,
            *sft_words(plan, BASE),
        ]
        command = Command(tuple(words), SFT_ENVIRONMENT)
        progress = of_sft(plan.out / BASE / "trainer_log.jsonl")
        stages.append(Stage("pretrain", "pretrain it on raw text", lambda: command, progress))
    return stages


SFT_ENVIRONMENT: Final = {"FORCE_TORCHRUN": "1", "NPROC_PER_NODE": "2"}


def sft_words(plan: Plan, output: str) -> list[str]:
    """Return what a run of SFT is told beside its configuration."""
    # without a checkpoint there is nothing to go on from, and LLaMA-Factory would refuse
    anew = not any((plan.out / output).glob("checkpoint-*"))
    return [f"seed={plan.seed}", f"overwrite_output_dir={anew}"]


def evaluation(plan: Plan, name: str, model: str) -> Stage:
    """Return the stage that asks a model the held-out questions."""
    command = Command(
        (
            *("dianjin", "eval", "own:heldout", "--data", f"{QUESTIONS}/heldout.jsonl"),
            *("--map", f"{QUESTIONS}/heldout.yaml", "--protocol", f"{QUESTIONS}/greedy.yaml"),
            *("--settings", f"{QUESTIONS}/settings.yaml"),
            *("--model", model, "--out", f"evaluation/{name}"),
        )
    )
    title = f"ask the held-out questions: {name}"
    return Stage(f"evaluate-{name}", title, lambda: command, model=name)


def labels(plan: Plan, name: str, built: str) -> Stage:
    """Return the stage that measures the filters of a set against the truth."""
    command = Command(("python", "-m", "dianjin_ext.quickstart.truth", built))
    return Stage(f"{name}-truth", "measure the filters against the truth", lambda: command)
