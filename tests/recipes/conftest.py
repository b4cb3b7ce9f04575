"""The commands of a stage as words."""

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
