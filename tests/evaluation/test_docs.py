"""docs/benchmarks.md and docs/protocols.md: their tables are what the package has."""

import importlib.util
import re
from pathlib import Path

import pytest

from dianjin_ext.evaluation.protocol import get_protocol

ROOT = Path(__file__).resolve().parents[2]
_spec = importlib.util.spec_from_file_location("tables", ROOT / "scripts/evaluation_tables.py")
script = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(script)


def page(name):
    return (ROOT / "docs" / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", script.TABLES)
def test_the_tables_are_as_python_scripts_evaluation_tables_writes_them(name):
    assert page(name) == script.filled(name, page(name))
    assert page(name).count("\n| `") >= 15


def test_a_change_would_show():
    text = page("benchmarks.md").replace("| `aime_2024` |", "| `aime_2023` |")
    assert text != script.filled("benchmarks.md", text)


@pytest.mark.parametrize("name", script.TABLES)
def test_pages_that_are_linked_exist(name):
    links = re.findall(r"\]\((?!https)([^)#]+)", page(name))
    assert links and all((ROOT / "docs" / link).exists() for link in links)


def test_the_protocol_of_ones_own_on_the_page_can_be_used(tmp_path):
    (text,) = re.findall(r"```yaml\n(about:.*?)```", page("evaluation.md"), re.DOTALL)
    path = tmp_path / "desk.yaml"
    path.write_text(text, encoding="utf-8")
    protocol = get_protocol(str(path))
    assert protocol.name == "desk"
    assert (protocol.of("finqa").judge, protocol.of("tfns").judge) == ("verdict", None)
    assert (protocol.of("convfinqa").history, protocol.common.history) == ("own", "given")
