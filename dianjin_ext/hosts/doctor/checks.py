"""The checks of `dianjin doctor`, from the cheap ones to those that start a host."""

import platform
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import entry_points

from dianjin_ext import __version__
from dianjin_ext.errors import DianjinError
from dianjin_ext.hosts.doctor.evaluators import EVALUATORS, check_antlr, check_evaluators
from dianjin_ext.hosts.doctor.findings import Finding
from dianjin_ext.hosts.doctor.requirements import check_host, check_optional, installed
from dianjin_ext.hosts.doctor.run import run_probe
from dianjin_ext.questions.prompts import format_response
from dianjin_ext.resources import FOLDERS, folder
from dianjin_ext.rewards.plugins import GROUP, load_plugins

HOSTS = ("verl", "llamafactory")
_ENTRY_POINTS = {"verl": "verl.plugins", "llamafactory": "torch.backends"}
_REINSTALL = "reinstall dianjin-ext"


def diagnose() -> Iterator[Finding]:
    """Run every check; the ones that import a host run in processes of their own."""
    yield from _package()
    yield _probe_score()
    yield from _plugins()
    hosts = [host for host in HOSTS if installed(host)]
    yield from _environment(hosts)
    for host in hosts:
        yield _entry_point(host)
        yield from _requirements(host)
    yield from check_evaluators()
    yield from check_optional()
    probes = [name for name in ("torch", *hosts, *EVALUATORS) if installed(name)]
    with ThreadPoolExecutor() as pool:
        for findings in pool.map(run_probe, probes):
            yield from findings


def _package() -> Iterator[Finding]:
    python = platform.python_version()
    if (3, 11) <= sys.version_info < (3, 13):
        yield Finding("ok", "Python", f"{python} ({sys.executable})")
    else:
        yield Finding("problem", "Python", python, "make an environment with Python 3.11 or 3.12")
    yield Finding("ok", "dianjin-ext", __version__)
    for name in FOLDERS:
        try:
            files = sum(path.is_file() for path in folder(name).rglob("*"))
        except DianjinError as error:
            yield Finding("problem", name, str(error), _REINSTALL)
        else:
            yield Finding("ok", name, f"{files} files in the package; `dianjin init` copies them")


def _probe_score() -> Finding:
    """Grade one right and one wrong response."""
    try:
        from dianjin_ext.rewards import compute_score

        scores = [
            compute_score("cflue_mcq", format_response("1 + 1 = 2", letter), "A")["score"]
            for letter in "AB"
        ]
    except Exception as error:
        return Finding("problem", "rewards", f"{type(error).__name__}: {error}", _REINSTALL)
    text = f"a right response scores {scores[0]}, a wrong one {scores[1]}"
    if scores == [1.0, 0.0]:
        return Finding("ok", "rewards", text)
    return Finding("problem", "rewards", text, _REINSTALL)


def _plugins() -> Iterator[Finding]:
    """Say of each reward plug-in whether it can be loaded."""
    failed = load_plugins()
    for point in entry_points(group=GROUP):
        if why := failed.get(point.name):
            mend = f"mend or uninstall the package that has {point.value}"
            yield Finding("problem", "rewards", f"plug-in {point.name}: {why}", mend)
        else:
            yield Finding("ok", "rewards", f"plug-in {point.name} ({point.value}) loaded")


def _environment(hosts: list[str]) -> Iterator[Finding]:
    for host in HOSTS:
        if host in hosts:
            yield Finding("ok", host, f"{installed(host)} found")
        elif hosts:
            yield Finding("info", host, "not in this environment; it belongs into another one")
    if not hosts and not any(map(installed, EVALUATORS)):
        yield Finding(
            "problem",
            "hosts",
            "neither verl nor LLaMA-Factory is installed",
            "pip install 'dianjin-ext[verl]' or 'dianjin-ext[llamafactory]', one an environment; "
            "to evaluate, 'dianjin-ext[evalscope]' in a third",
        )
    elif len(hosts) > 1:
        yield Finding(
            "problem",
            "hosts",
            "verl and LLaMA-Factory share one environment: LLaMA-Factory declares "
            "accelerate<=1.11.0, with which verl's FSDP fails on two or more ranks in "
            "init_empty_weights (verl needs >=1.13); "
            f"accelerate {installed('accelerate')} is installed",
            "make one environment for each host and install dianjin-ext into both",
        )


def _entry_point(host: str) -> Finding:
    group = _ENTRY_POINTS[host]
    found = [point.value for point in entry_points(group=group) if point.name == "dianjin"]
    if len(found) == 1:
        return Finding("ok", host, f"entry point {group} -> {found[0]}")
    if not found:
        return Finding("problem", host, f"no entry point in group {group}", _REINSTALL)
    mend = "uninstall dianjin-ext until it is gone, then install it once"
    return Finding("problem", host, f"{len(found)} installations of dianjin-ext", mend)


def _requirements(host: str) -> Iterator[Finding]:
    try:
        yield from check_host(host)
        if host == "verl":
            yield from check_antlr()
    except ModuleNotFoundError:
        yield Finding("problem", "packaging", f"missing; {host} needs it", "pip install packaging")
