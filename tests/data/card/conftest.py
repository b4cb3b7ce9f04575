"""The set that made.py makes, for the tests of its card."""

import importlib.util
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def made():
    """The functions of made.py."""
    spec = importlib.util.spec_from_file_location("made", Path(__file__).with_name("made.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def built(made, tmp_path_factory):
    """A folder with a set of 200 candidates; read it only."""
    folder = tmp_path_factory.mktemp("built")
    made.built(folder)
    return folder
