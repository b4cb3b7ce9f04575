"""The commands of a stage as words, and the programs that read them."""

import importlib.util
from pathlib import Path

import pytest

from dianjin_ext.recipes import Run, commands, get_recipe

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def typed():
    """Return the commands of a stage, as lists of words without the shell's quoting."""

    def typed(name, stage, *extra, model=None, root=ROOT, **given):
        recipe = get_recipe(name)
        run = Run(**({"size": next(iter(recipe.base)), "root": root} | given))
        return [list(each.argv()) for each in commands(recipe, stage, run, extra, model=model)]

    return typed


@pytest.fixture(scope="session")
def values():
    """Return what words of the form key=value say."""
    return lambda words: dict(word.split("=", 1) for word in words if "=" in word)


@pytest.fixture(scope="session")
def root():
    """The checkout."""
    return ROOT


@pytest.fixture
def parsed_sft(tmp_path, monkeypatch):
    """Have LLaMA-Factory read commands of SFT; returns its arguments of data, training, method."""
    pytest.importorskip("llamafactory")
    from llamafactory.hparams import get_infer_args, get_train_args
    from llamafactory.hparams.parser import read_args

    def parse(made):
        train, *export = made
        monkeypatch.setattr("sys.argv", list(train.words[1:]))
        given = read_args()  # what `llamafactory-cli train` reads: the file, then key=value
        given |= {"use_cpu": True, "output_dir": str(tmp_path / "out")}
        given.pop("deepspeed", None)  # wants a launcher and a GPU
        _, data, training, finetuning, _ = get_train_args(given)
        assert training.learning_rate == float(given["learning_rate"])
        for command in export:
            monkeypatch.setattr("sys.argv", list(command.words[1:]))
            exported, again, _, _ = get_infer_args()
            assert exported.export_dir.endswith("/merged") and again.template == data.template
        return data, training, finetuning

    return parse


@pytest.fixture(scope="session")
def rank_files(tmp_path_factory):
    """A checkpoint of a size, with an adapter or without; headers only."""
    pytest.importorskip("torch")
    path = Path(__file__).with_name("rank_files.py")
    spec = importlib.util.spec_from_file_location("rank_files", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    made = {}

    def make(size, *, adapter=False):
        if (size, adapter) not in made:
            folder = tmp_path_factory.mktemp("rank_files") / "global_step_1"
            module.write_rank_files(folder, size, adapter=adapter)
            made[size, adapter] = folder
        return made[size, adapter]

    return make
