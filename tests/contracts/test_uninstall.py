"""Uninstalling the package leaves torch and the host working, in an environment made afresh."""

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HOSTS = {
    "llamafactory": [["llamafactory-cli", "version"]],
    "verl": [["python", "-c", "import verl; print(verl.__version__)"]],
}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Build the wheel from a copy of the sources, so that nothing is left in the checkout."""
    if not shutil.which("uv"):
        pytest.skip("uv is not installed")
    source, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    files = subprocess.check_output(["git", "ls-files", "-z"], cwd=ROOT, text=True).split("\0")
    for file in filter(lambda file: (ROOT / file).is_file() or (ROOT / file).is_symlink(), files):
        (source / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / file, source / file, follow_symlinks=False)
    build = ["uv", "build", "--wheel", "--no-build-isolation", "--python", sys.executable]
    subprocess.run([*build, "--out-dir", out, source], check=True, capture_output=True, text=True)
    return next(out.glob("*.whl"))


@pytest.mark.slow
@pytest.mark.parametrize("host", HOSTS)
def test_uninstall_leaves_torch_and_host_working(host, wheel, tmp_path):
    if importlib.util.find_spec(host) is None:
        pytest.skip(f"{host} is not installed in this environment")
    # This environment's versions, hard links from uv's cache: no download, hardly any disk.
    freeze = ["uv", "pip", "freeze", "--python", sys.executable]
    frozen = subprocess.check_output(freeze, text=True)
    requirements = tmp_path / "requirements.txt"
    pins = [line for line in frozen.splitlines() if "==" in line and "dianjin" not in line]
    requirements.write_text("\n".join(pins), encoding="utf-8")
    fresh = tmp_path / "env"
    binaries = fresh / "bin"
    python = binaries / "python"
    subprocess.run(["uv", "venv", "-q", "--python", sys.executable, fresh], check=True)
    install = ["uv", "pip", "install", "-q", "--offline", "--no-deps", "--python", python]
    filled = subprocess.run([*install, "-r", requirements], capture_output=True, text=True)
    if filled.returncode:
        pytest.skip(f"uv's cache can't make a second {host} environment: {filled.stderr[:300]}")
    subprocess.run([*install, wheel], check=True)

    def run(*command):
        process = subprocess.run(
            [binaries / command[0], *command[1:]],
            env={"PATH": f"{binaries}:{os.environ['PATH']}", "HOME": str(tmp_path)},
            cwd=tmp_path,
            capture_output=True,
            text=True,
        )
        assert process.returncode == 0, process.stderr
        return process.stdout

    hooked = "import sys, torch; print('dianjin_ext' in sys.modules)"
    assert run("python", "-c", hooked) == "True\n"
    with_package = [run(*command) for command in HOSTS[host]]

    uninstall = ["uv", "pip", "uninstall", "-q", "--python", python, "dianjin-ext"]
    subprocess.run(uninstall, check=True)
    assert run("python", "-c", hooked) == "False\n"
    assert [run(*command) for command in HOSTS[host]] == with_package
    leftovers = [path for path in fresh.rglob("*dianjin*") if path.name != "__pycache__"]
    assert leftovers == []
