import pytest

pytest.importorskip("torch")

HOOK = "import dianjin_ext.hosts.llamafactory.hook as hook\n"


def lines(process):
    assert process.returncode == 0, process.stderr
    return process.stdout.splitlines()


def warnings(process):
    return [line for line in process.stderr.splitlines() if "dianjin_ext" in line]


def test_registers_in_both_modules_and_keeps_the_loader():
    pytest.importorskip("llamafactory")
    from importlib.machinery import SourceFileLoader

    from llamafactory.data import parser, template

    from dianjin_ext.hosts.llamafactory import hook

    status = hook.status()
    assert status.installed
    assert set(status.registered) == {"llamafactory.data.template", "llamafactory.data.parser"}
    assert status.last_error is None
    assert "dianjin" in template.TEMPLATES
    assert type(parser.__spec__.loader) is type(template.__spec__.loader) is SourceFileLoader


def test_off_switch(run_python):
    code = HOOK + "import torch\nprint(hook.status())"
    process = run_python(code, TORCH_DEVICE_BACKEND_AUTOLOAD="0")
    assert lines(process) == ["Status(installed=False, registered=(), last_error=None)"]


def test_install_is_idempotent(run_python):
    code = "import sys, torch\nbefore = list(sys.meta_path)\nhook.install()\n"
    assert lines(run_python(HOOK + code + "print(sys.meta_path == before)")) == ["True"]


def test_failed_installation_does_not_break_torch(run_python):
    sabotage = """
class Broken(hook._Finder):
    def __init__(self):
        raise OSError("no\\nspace")
hook._Finder = Broken
"""
    process = run_python(HOOK + sabotage + "import torch\nprint(hook.status())")
    error = "installation: OSError: no space"
    assert lines(process) == [f"Status(installed=False, registered=(), last_error={error!r})"]
    (warning,) = warnings(process)
    assert error in warning and "dianjin doctor" in warning


@pytest.mark.slow
def test_failed_registration_does_not_break_llamafactory(run_python):
    pytest.importorskip("llamafactory")
    code = """
hook._REGISTRARS["llamafactory.data.template"] = "dianjin_ext.nowhere"
import llamafactory.data.template
print(hook.status().registered)
print(hook.status().last_error)
"""
    process = run_python(HOOK + code)
    registered, last_error = lines(process)
    assert registered == "('llamafactory.data.parser',)"
    assert last_error.startswith("llamafactory.data.template: ModuleNotFoundError: ")
    (warning,) = warnings(process)
    assert last_error in warning


def test_import_torch_needs_the_standard_library_only(run_python):
    # A missing or broken dependency of ours must not take torch down with it.
    code = """
import os, sys
os.environ["TORCH_DEVICE_BACKEND_AUTOLOAD"] = "0"
import torch
before = set(sys.modules)
torch._import_device_backends()
new = {name.partition(".")[0] for name in set(sys.modules) - before}
print(sorted(new - set(sys.stdlib_module_names)))
from dianjin_ext.hosts.llamafactory import hook
print(hook.status().installed)
"""
    assert lines(run_python(code)) == ["['dianjin_ext']", "True"]
