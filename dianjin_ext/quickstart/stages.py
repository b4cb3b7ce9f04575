"""The stages of a run: a recipe's, at `size=tiny platform=cpu`, and those around them."""

from collections.abc import Iterator
from typing import Any, Final

from dianjin_ext.quickstart import around
from dianjin_ext.quickstart.plan import QUESTIONS, Plan
from dianjin_ext.quickstart.progress import of_sft, of_verl
from dianjin_ext.quickstart.sizes import BELIEF, BELIEFS, DATA
from dianjin_ext.quickstart.stage import Stage
from dianjin_ext.quickstart.teacher.beside import URL
from dianjin_ext.recipes import Command, asking, commands
from dianjin_ext.recipes.recipe import BASE
from dianjin_ext.recipes.recipe import Stage as Recipes

_TEACHER: Final = "teacher"
_VALIDATION_ROWS: Final = 128
_ALGORITHMS: Final = {"grpo": "grpo", "gae": "ppo"}


def stages(plan: Plan) -> list[Stage]:
    """Return the stages of a run, in order."""
    found = [around.questions(plan), *around.base(plan), around.evaluation(plan, BASE, BASE)]
    for name, stage in plan.of.stages.items():
        found += _MAKERS[stage.do](plan, name, stage) if stage.do in _MAKERS else ()
    return found


def _data(plan: Plan, name: str, stage: Recipes) -> Iterator[Stage]:
    asked = asking(plan.of, name, plan.run, url=URL, model=_TEACHER)
    sampled = stage.model is not None

    def make() -> Command:
        (command,) = commands(
            plan.of, name, plan.run, (*_world(plan, stage), *DATA.get(plan.recipe, ()), *asked)
        )
        return _beside_teacher(plan, command) if asked else command

    title = "sample the checkpoint, keep what is right" if sampled else "make the training set"
    yield Stage(name, title, make)
    if asked or sampled:
        yield around.labels(plan, name, plan.run.built(stage))


def _world(plan: Plan, stage: Recipes) -> Iterator[str]:
    """Yield what a pipeline is told of the questions: which of its files they are."""
    steps: dict[str, dict[str, Any]] = plan.config("data", stage.config)["steps"]
    reads = {name: step for name, step in steps.items() if step["step"] == "read"}
    files = {
        str(s["files"]).removeprefix("${files.").removesuffix("}"): n for n, s in reads.items()
    }
    given = {"cflue" if "cflue" in files else next(iter(files)): "questions"}
    given |= {plan.open_file: "open"} if plan.open_file in files else {}
    for file, made in given.items():
        yield f"files.{file}={QUESTIONS}/{made}.parquet"
        yield from (f"steps.{files[file]}.dataset=''", f"steps.{files[file]}.splits=[]")
    for name, step in steps.items():
        if step["step"] == "mix":
            yield from (f"steps.{name}.preset=''", f"steps.{name}.val_rows={_VALIDATION_ROWS}")
            yield f"steps.{name}.seed={plan.seed}"
        if step["step"] == "sample" and not step.get("optional"):
            yield f"steps.{name}.max_tokens={plan.max_response}"


def _sft(plan: Plan, name: str, stage: Recipes) -> Iterator[Stage]:
    output = plan.run.trained(plan.of, name)

    def make(index: int = 0) -> Command:
        extra = (*plan.sft, *around.sft_words(plan, output))
        command = commands(plan.of, name, plan.run, extra)[index]
        return Command(command.words, {**command.environment, "NPROC_PER_NODE": "2"})

    progress = of_sft(plan.out / output / "trainer_log.jsonl")
    yield Stage(name, "SFT with LLaMA-Factory on two ranks", make, progress)
    if plan.run.adapter:
        yield Stage(f"{name}-export", "put the adapter into the model", lambda: make(1))
    yield around.evaluation(plan, name, plan.run.model(plan.of, name))


def _rl(plan: Plan, name: str, stage: Recipes) -> Iterator[Stage]:
    asked = asking(plan.of, name, plan.run, url=URL, model=_TEACHER)
    output = plan.run.trained(plan.of, name)
    attempt = len(list((plan.out / output).glob("metrics-*.jsonl")))  # verl would empty an old file
    metrics = f"{output}/metrics-{attempt}.jsonl"
    own = (
        f"data.seed={plan.seed}",
        f"actor_rollout_ref.rollout.seed={plan.seed}",
        f"actor_rollout_ref.actor.fsdp_config.seed={plan.seed}",
        f"trainer.validation_data_dir={output}/validation",  # the responses behind val-core
        "trainer.logger=[console,file,tensorboard]",
        f"hydra.run.dir={output}/hydra",
    )

    def make() -> Command:
        (command,) = commands(plan.of, name, plan.run, (*plan.sizes.rl, *own, *asked))
        shown = ("-m", "dianjin_ext.hosts.verl.console", f"{output}/verl.log", "python", "-u")
        words = (command.words[0], *shown, *command.words[1:])
        folder = plan.out / output
        variables = {
            "VERL_FILE_LOGGER_PATH": str(plan.out / metrics),
            "TENSORBOARD_DIR": str(folder / "tensorboard"),
        }
        command = Command(words, {**command.environment, **variables})
        return _beside_teacher(plan, command) if asked else command

    yield Stage(
        name,
        f"{_algorithm(plan, stage).upper()} with verl, FSDP2 on two ranks",
        make,
        of_verl(plan.out / metrics, plan.out / "logs" / f"{name}.log"),
    )


def _merge(plan: Plan, name: str, stage: Recipes) -> Iterator[Stage]:
    def make() -> Command:
        (command,) = commands(plan.of, name, plan.run, ("--overwrite",))
        return command

    yield Stage(name, "merge the shards of the two ranks", make)
    trained = stage.model or ""
    called = trained
    if trained.startswith("rl"):  # a name that says less than what was done
        called = _algorithm(plan, plan.of.stage(trained))
    yield around.evaluation(plan, called, plan.run.model(plan.of, name))


_MAKERS: Final = {"data": _data, "sft": _sft, "rl": _rl, "merge": _merge}
"""How a stage of each kind is run; those that are not here are served and evaluated otherwise."""


def _algorithm(plan: Plan, stage: Recipes) -> str:
    algorithm = plan.rl(stage.config)["algorithm"]
    return _ALGORITHMS[algorithm["adv_estimator"]]


def _beside_teacher(plan: Plan, command: Command) -> Command:
    """Return a command that is run beside a teacher, which doesn't know all titles."""
    words = ["python", "-m", "dianjin_ext.quickstart.teacher.beside", "--seed", str(plan.seed)]
    if plan.data is None:
        words += ["--guess", "1", "--belief", str(BELIEFS.get(plan.recipe, BELIEF))]
    else:
        words += ["--questions", f"{QUESTIONS}/questions.parquet"]
    return Command((*words, "--", *command.words), command.environment)
