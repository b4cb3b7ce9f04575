"""The wheel, built from the source archive and installed into an environment of its own."""

import importlib.util
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SOURCES = (
    "dianjin_ext",
    "configs",
    "examples",
    "pyproject.toml",
    "setup.py",
    "README.md",
    "LICENSE",
)


def call(*command, check=True):
    done = subprocess.run(
        list(map(str, command)), capture_output=True, text=True, timeout=600, check=False
    )
    if check:
        assert done.returncode == 0, done.stdout + done.stderr
    return done


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """Return the wheel, and the folder of commands where it is installed without any host."""
    uv = shutil.which("uv")
    if not uv and not importlib.util.find_spec("pip"):
        pytest.skip("neither uv nor pip is here to build and install the package")
    directory = tmp_path_factory.mktemp("packaging")
    source = directory / "source"  # a copy, because a build writes into its tree
    source.mkdir()
    junk = shutil.ignore_patterns("__pycache__")
    for name in SOURCES:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, source / name, symlinks=True, ignore=junk)
        else:
            shutil.copy(ROOT / name, source)
    dist, venv = directory / "dist", directory / "venv"
    python = venv / "bin" / "python"
    if uv:
        call(uv, "build", "--out-dir", dist, source)  # source archive first, then wheel from it
        call(uv, "venv", "--python", sys.executable, venv)
        install = [uv, "pip", "install", "--python", python]
    else:
        call(sys.executable, "-m", "pip", "wheel", "--no-deps", "--wheel-dir", dist, source)
        call(sys.executable, "-m", "venv", venv)
        install = [python, "-m", "pip", "install"]
    (wheel,) = dist.glob("*.whl")
    call(*install, wheel)
    return wheel, venv / "bin"


@pytest.mark.slow
def test_the_wheel_carries_package_recipes_and_scripts(installed):
    names = set(zipfile.ZipFile(installed[0]).namelist())
    for folder in ("configs", "examples", "dianjin_ext"):
        prefix = "" if folder == "dianjin_ext" else "dianjin_ext/"
        expected = {
            prefix + path.relative_to(ROOT).as_posix()
            for path in (ROOT / folder).rglob("*")
            if path.is_file() and "__pycache__" not in path.parts
        }
        assert expected
        assert expected <= names
    outside = {name.split("/")[0] for name in names}
    assert {name for name in outside if not name.endswith(".dist-info")} == {"dianjin_ext"}


@pytest.mark.slow
def test_commands_work_without_a_host(installed, tmp_path):
    dianjin = installed[1] / "dianjin"
    assert "doctor" in call(dianjin, "--help").stdout
    call(dianjin, "init", tmp_path)
    for name in ("configs/sft.yaml", "configs/rl.yaml"):
        assert (tmp_path / name).read_bytes() == (ROOT / name).read_bytes()

    done = call(dianjin, "doctor", check=False)
    assert done.returncode == 1
    assert "hosts: neither verl nor LLaMA-Factory is installed" in done.stdout
    assert done.stdout.splitlines()[-1] == "1 problem found"


@pytest.mark.slow
def test_prepare_without_pyarrow_says_what_to_install(installed, tmp_path):
    rows = [
        f'{{"task": "判断题", "question": "{chr(0x4E00 + i) * 9}", "answer": "A", '
        f"\"choices\": \"{{'A': '对', 'B': '错'}}\", \"analysis\": \"是\"}}"
        for i in range(40)
    ]
    file = tmp_path / "knowledge.json"
    file.write_text(f"[{','.join(rows)}]", encoding="utf-8")
    done = call(
        installed[1] / "dianjin", "prepare", "cflue", file, "--out", tmp_path / "out", check=False
    )
    assert done.returncode == 1
    assert "needs pyarrow; pip install 'dianjin-ext[data]'" in done.stderr
    assert not [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
