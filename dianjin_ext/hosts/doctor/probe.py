"""Import one host and look at what is registered: `python -m …probe NAME RESULT.json`.

Runs in a process of its own (see run.py); an exception while importing becomes a finding.
"""

import json
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict
from importlib import import_module
from pathlib import Path

from dianjin_ext.hosts.doctor.findings import Finding

_PLUGIN = "dianjin_ext.hosts.verl.plugin"
_AUTOLOAD = "TORCH_DEVICE_BACKEND_AUTOLOAD"
_POLICY = "VERL_USE_EXTERNAL_PLUGINS"


def _torch() -> Iterator[Finding]:
    import torch

    yield Finding("ok", "torch", f"{torch.__version__} imports")
    if not torch.cuda.is_available():
        yield Finding("info", "GPU", "none visible; the quickstart runs without, the recipes don't")
        return
    for index in range(torch.cuda.device_count()):
        device = torch.cuda.get_device_properties(index)
        yield Finding(
            "info", f"GPU {index}", f"{device.name}, {device.total_memory / 2**30:.0f} GiB"
        )


def _verl() -> Iterator[Finding]:
    import verl  # loads the plug-ins and hides their exceptions

    yield Finding("ok", "verl", f"{verl.__version__} imports")
    policy = os.environ.get(_POLICY, "auto").strip().lower()
    allowed = [name.strip() for name in policy.split(",")]
    if policy != "auto" and "dianjin" not in allowed:
        mend = f"unset {_POLICY}, or add dianjin to it"
        yield Finding("problem", "verl plug-in", f"kept out by {_POLICY}={policy}", mend)
        return
    if _PLUGIN not in sys.modules:
        try:
            import_module(_PLUGIN)
        except Exception as error:
            yield Finding("problem", "verl plug-in", f"failed to load: {_line(error)}", _REPORT)
        else:
            mend = "reinstall dianjin-ext: its entry point is missing or broken"
            yield Finding("problem", "verl plug-in", "verl did not load it", mend)
        return
    try:
        from verl.experimental.reward_loop.reward_manager import get_reward_manager_cls

        manager = get_reward_manager_cls("dianjin")
    except Exception as error:
        yield Finding("problem", "verl plug-in", f"no reward manager: {_line(error)}", _REPORT)
    else:
        text = f"loaded, reward manager dianjin is {manager.__name__}"
        yield Finding("ok", "verl plug-in", text)
    try:
        from verl.trainer.ppo.v1 import get_trainer_cls

        trainer = get_trainer_cls("dianjin_sync")
    except Exception as error:
        mend = "pip install 'dianjin-ext[verl]': verl imports packages that it does not declare"
        yield Finding("problem", "verl trainer", f"does not import: {_line(error)}", mend)
    else:
        yield Finding("ok", "verl trainer", f"dianjin_sync is {trainer.__name__}")


def _llamafactory() -> Iterator[Finding]:
    import torch  # noqa: F401  (calls the hook)

    from dianjin_ext.hosts.llamafactory import hook

    off = os.environ.get(_AUTOLOAD, "1") == "0"
    if off:
        text = f"switched off by {_AUTOLOAD}=0: no template, no data-set names"
        yield Finding("problem", "LLaMA-Factory hook", text, f"unset {_AUTOLOAD}")
    elif not hook.status().installed:
        text = f"not installed by import torch: {hook.status().last_error or 'never called'}"
        mend = "reinstall dianjin-ext; torch must be 2.5 or newer"
        yield Finding("problem", "LLaMA-Factory hook", text, mend)

    from llamafactory.data import parser, template
    from llamafactory.extras import env, misc

    yield Finding("ok", "llamafactory", f"{env.VERSION} imports")
    try:
        misc.check_dependencies()
    except Exception as error:
        yield Finding("problem", "llamafactory", f"refuses to start: {_line(error)}", _VERSIONS)
    if off or not hook.status().installed:
        return
    status = hook.status()
    missing = {parser.__name__, template.__name__} - set(status.registered)
    if missing or status.last_error:
        text = status.last_error or f"nothing registered in {', '.join(sorted(missing))}"
        yield Finding("problem", "LLaMA-Factory hook", text, _REPORT)
    else:
        yield Finding("ok", "LLaMA-Factory hook", "template and data-set names are registered")


def _evalscope() -> Iterator[Finding]:
    from evalscope.api.registry import get_benchmark
    from evalscope.version import __version__ as version

    from dianjin_ext.evaluation.benchmarks import BENCHMARKS
    from dianjin_ext.hosts.evalscope import adapter_name

    for name in BENCHMARKS:
        get_benchmark(adapter_name(name))
    yield Finding("ok", "evalscope", f"{version} takes our {len(BENCHMARKS)} benchmarks")


def _inspect_ai() -> Iterator[Finding]:
    from inspect_ai import __version__ as version
    from inspect_ai._util.registry import registry_lookup

    from dianjin_ext.evaluation.benchmarks import BENCHMARKS

    missing = [
        name for name in BENCHMARKS if registry_lookup("task", f"dianjin_ext/{name}") is None
    ]
    if missing:
        text = f"finds no task dianjin_ext/{missing[0]}"
        yield Finding("problem", "inspect-ai", text, _REPORT)
    else:
        yield Finding("ok", "inspect-ai", f"{version} takes our {len(BENCHMARKS)} benchmarks")


_REPORT = "reinstall dianjin-ext with the host's version that its extra names"
_VERSIONS = "install the version it asks for: pip install 'dianjin-ext[llamafactory]'"
_PROBES: dict[str, Callable[[], Iterator[Finding]]] = {
    "torch": _torch,
    "verl": _verl,
    "llamafactory": _llamafactory,
    "evalscope": _evalscope,
    "inspect-ai": _inspect_ai,
}


def _line(error: BaseException) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}"[:500]


def main(name: str, result: Path) -> None:
    """Write the findings of one probe as JSON."""
    findings: list[Finding] = []
    try:
        for finding in _PROBES[name]():
            findings.append(finding)  # one by one: what came before an exception is kept
    except Exception as error:
        text = f"does not import: {_line(error)}"
        extra = name.removesuffix("-ai")
        findings.append(Finding("problem", name, text, f"pip install 'dianjin-ext[{extra}]'"))
    result.write_text(json.dumps([asdict(finding) for finding in findings]), "utf-8")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
