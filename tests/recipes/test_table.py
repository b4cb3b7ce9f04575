"""docs/recipes.md: what it says is tested is what the tests are parametrized with."""

import ast
import importlib.util
import re
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/recipes.md").read_text(encoding="utf-8")


def loaded(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def parameters(file, test):
    """Return the list that a test is parametrized with, as it is written there."""
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    (found,) = (node for node in tree.body if getattr(node, "name", "") == test)
    (decorator,) = found.decorator_list
    assert ast.unparse(decorator.func) == "pytest.mark.parametrize"
    given = decorator.args[1]
    if isinstance(given, ast.Call) and ast.unparse(given.func) == "shared":  # marks some long
        given = given.args[0]
    return ast.unparse(given)


def test_the_tables_are_those_of_the_tests():
    table = loaded(ROOT / "scripts/recipe_table.py")
    assert table.filled(PAGE) == PAGE, "python scripts/recipe_table.py"
    rows = [line for line in PAGE.splitlines() if re.match(r"\| `\w+` \| .*\d+b: ", line)]
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]
    assert len(cells) == len(table.cells.STAGES) + len(table.cells.METHOD_STAGES) + 1
    assert all(all(row) for row in cells)


def test_no_stage_at_any_size_is_without_a_test():
    cells = loaded(Path(__file__).with_name("cells.py"))
    assert parameters(cells.RUN, "test_a_stage_runs") == "cells.STAGES"
    assert parameters(cells.RUN, "test_methods_run") == "cells.METHOD_RUNS"
    assert parameters(cells.COMPOSED, "test_a_stage_is_composed") == "cells.CELLS"
    assert parameters(cells.COMPOSED, "test_a_method_is_composed") == "cells.METHOD_CELLS"
    whole = {
        (file.stem, stage, size)
        for file in (ROOT / "configs/stages").glob("*.yaml")
        for given in [yaml.safe_load(file.read_text(encoding="utf-8"))]
        for stage in given["stages"]
        for size in given["base"]
    }
    assert set(cells.CELLS) == whole
    assert set(cells.STAGES) == {cell[:2] for cell in whole}
    methods = {path.stem for path in (ROOT / "configs/method").glob("*.yaml")}
    assert set(cells.METHOD_STAGES) == methods
    sizes = {path.stem for path in (ROOT / "configs/size").glob("*.yaml")} - {"tiny"}
    assert set(cells.METHOD_SIZES) == sizes
    assert set(cells.METHOD_CELLS) == {
        (method, stage, size)
        for method, stages in cells.METHOD_STAGES.items()
        for stage in stages
        for size in sizes
    }
    for method, stages in cells.METHOD_STAGES.items():
        ran = {stage for methods, stage in cells.METHOD_RUNS if method in methods}
        assert ran >= set(stages)


def test_each_kind_of_stage_has_both_tests():
    cells = loaded(Path(__file__).with_name("cells.py"))
    composed = (ROOT / cells.COMPOSED).read_text(encoding="utf-8")
    run = (ROOT / cells.RUN).read_text(encoding="utf-8")
    (runs,) = re.findall(r"^RUNS = \{(.*?)\}", run, re.MULTILINE | re.DOTALL)
    for kind in cells.KINDS:
        assert f"def {kind}_reads(" in composed and f'"{kind}": ' in runs
