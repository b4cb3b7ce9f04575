"""Every stage of every recipe at every size, read by the program that would run it."""

import importlib.util
import json
import os
import subprocess
from pathlib import Path

import pytest

from dianjin_ext.recipes import Run, commands, get_recipe

_SPEC = importlib.util.spec_from_file_location("cells", Path(__file__).with_name("cells.py"))
cells = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(cells)


def shared(rows, quick):
    """Return the rows, those that are not quick marked long."""
    return [row if quick(*row) else pytest.param(*row, marks=pytest.mark.long) for row in rows]


@pytest.mark.parametrize(
    ("name", "stage", "size"),
    shared(
        cells.CELLS,
        lambda name, stage, size: (
            get_recipe(name).stages[stage].do != "merge"
            or (name == cells.METHOD_RECIPE and stage == "merge" and size != "32b")
        ),
    ),
)
def test_a_stage_is_composed(reads, name, stage, size):
    reads(name, stage, size=size)


@pytest.mark.parametrize(
    ("method", "stage", "size"),
    shared(cells.METHOD_CELLS, lambda method, stage, size: size == "7b"),
)
def test_a_method_is_composed(reads, method, stage, size):
    reads(cells.METHOD_RECIPE, stage, size=size, methods=(method,))


@pytest.mark.parametrize(
    ("platform", "size"),
    shared(
        [("megatron", size) for size in cells.METHOD_SIZES], lambda platform, size: size == "7b"
    ),
)
def test_a_platform_is_composed(reads, platform, size):
    reads(cells.METHOD_RECIPE, "rl", size=size, platform=platform)


@pytest.mark.parametrize(
    ("name", "stage"),
    shared(
        [cell for cell in cells.STAGES if get_recipe(cell[0]).stages[cell[1]].do == "rl"],
        lambda name, _: name == "fino1",  # with a critic and without
    ),
)
def test_the_few_steps_of_a_run_on_a_cpu_are_composed(reads, name, stage):
    reads(name, stage, *cells.RL_WORDS, size="tiny", platform="cpu", base="model")


@pytest.fixture
def reads(desk, request):
    """Have a stage read by its program."""

    def reads(name, stage, *extra, **how):
        recipe = get_recipe(name)
        run = Run(root=desk, **how)
        made = commands(recipe, stage, run, extra)
        request.getfixturevalue(f"{recipe.stages[stage].do}_reads")(made, run)

    return reads


@pytest.fixture
def desk(tmp_path, root, monkeypatch):
    """The folder that a user is in, with what `dianjin init` puts there."""
    for name in ("configs", "examples"):
        (tmp_path / name).symlink_to(root / name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def finqa(desk):
    """A file of FinQA's form."""
    page = {"pre_text": ["The bank reports."], "post_text": [], "table": [["", "x"], ["a", "1"]]}
    rows = [
        {**page, "id": f"BANK/2020/page_{n}.pdf-1",
         "qa": {"question": f"what is the profit of branch {n}?", "exe_ans": 60.0 + n}}
        for n in range(4)
    ]  # fmt: skip
    (desk / "finqa.json").write_text(json.dumps(rows))
    return "finqa.json"


@pytest.fixture
def data_reads(finqa):
    pytest.importorskip("omegaconf")
    from typer.testing import CliRunner

    from dianjin_ext.cli import app

    def reads(made, run):
        words = [*made[0].words[1:], f"files.finqa={finqa}", "--dry-run"]
        done = CliRunner().invoke(app, words, catch_exceptions=False)
        assert done.exit_code == 0 and "nothing is asked" in done.output

    return reads


@pytest.fixture
def sft_reads(parsed_sft):
    def reads(made, run):
        data, _, finetuning = parsed_sft(made)
        assert finetuning.finetuning_type == ("lora" if run.adapter else "full")
        assert data.template.startswith("dianjin")
        assert len(made) == 1 + run.adapter  # and the export

    return reads


@pytest.fixture
def verifier_reads(desk):
    pytest.importorskip("pyarrow")
    from dianjin_ext.data.candidate import Candidate, write_candidates
    from dianjin_ext.questions.question import Question
    from dianjin_ext.verifier.labelled import counted, gather
    from dianjin_ext.verifier.settings import read_settings

    def reads(made, run):
        assert made[0].words[:2] == ("dianjin", "train-verifier")
        settings = read_settings(desk / made[0].words[2], made[0].words[3:])
        question = Question(id="1", data_source="finqa", question="?", kind="number", answer="5")
        rounds = [{"answer": "4", "verdict": "wrong"}, {"answer": "5", "verdict": "correct"}]
        row = Candidate(question=question, response="5", notes={"search": {"rounds": rounds}})
        for path in settings.answers:
            write_candidates([row], path)
        assert counted(gather(settings).answers) == {"right": 1, "wrong": 1}
        assert settings.model == "meta-llama/Llama-3.2-3B-Instruct" and settings.bf16
        assert settings.out.name == "verifier" and run.size.upper() in str(settings.out)

    return reads


@pytest.fixture
def rl_reads(passes_verl):
    pytest.importorskip("hydra")
    from hydra import compose, initialize_config_dir

    def reads(made, run):
        words = list(made[0].words)
        folder = words[words.index("--config-path") + 1]
        with initialize_config_dir(folder, version_base=None):
            config = compose("rl", overrides=words[words.index("rl") + 1 :])
        passes_verl(config)
        assert config.trainer.device == ("cpu" if run.platform == "cpu" else "cuda")
        assert config.trainer.experiment_name.endswith(run.size.upper())

    return reads


@pytest.fixture
def merge_reads(rank_files):
    from typer.testing import CliRunner

    from dianjin_ext.cli import app

    def reads(made, run):
        words = list(made[0].words)
        words[2] = str(rank_files(run.size, adapter=run.adapter))
        assert ("--merge-lora" in words) == run.adapter
        done = CliRunner().invoke(app, [*words[1:], "--dry-run"], catch_exceptions=False)
        assert done.exit_code == 0, done.output
        assert "ranks in" in " ".join(done.output.split())

    return reads


@pytest.fixture
def eval_reads(finqa, monkeypatch):
    """`dianjin eval` up to where it would ask."""
    pytest.importorskip("scipy")
    from typer.testing import CliRunner

    from dianjin_ext.cli import app
    from dianjin_ext.evaluation import command

    asked = []
    monkeypatch.setattr(command, "evaluate", lambda *given, **how: asked.append((given, how)))
    monkeypatch.setattr(command, "show", lambda *_: None)

    def reads(made, run):
        words = list(made[0].words)
        model = Path(words[words.index("--model") + 1])
        model.mkdir(parents=True)
        words += ["finqa", "--data", finqa]
        done = CliRunner().invoke(app, words[1:], catch_exceptions=False)
        assert done.exit_code == 0, done.output
        (((task,), settings, out), how) = asked[0]
        assert (settings.model, str(out)) == (str(model), words[words.index("--out") + 1])
        assert task.found.questions == 4
        assert task.rules.judge is None or how["judge"].model

    return reads


@pytest.fixture
def serve_reads(desk):
    def reads(made, run):
        given = made[0].environment
        (desk / given["MODEL"]).mkdir(parents=True)
        (desk / given["MODEL"] / "config.json").write_text("{}")
        done = subprocess.run(
            made[0].words,
            env={**os.environ, **given, "DRY_RUN": "1"},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith(f"vllm serve {given['MODEL']} ")

    return reads
