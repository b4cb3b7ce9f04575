"""EvalScope and inspect-ai: whether they are here, and whether EvalScope breaks verl."""

from collections.abc import Iterator
from importlib.metadata import entry_points, requires

from dianjin_ext.hosts.doctor.findings import Finding
from dianjin_ext.hosts.doctor.requirements import installed

EVALUATORS = ("evalscope", "inspect-ai")
"""Distributions; the extras that bring them are `evalscope` and `inspect`."""

_ANTLR = "antlr4-python3-runtime"
_OWN = "make an environment of its own: pip install 'dianjin-ext[evalscope]'"


def check_evaluators() -> Iterator[Finding]:
    """Say of each evaluation framework whether it is here and finds our benchmarks."""
    if version := installed("evalscope"):
        text = f"{version} found; python -m dianjin_ext.hosts.evalscope runs our benchmarks"
        yield Finding("ok", "evalscope", text)
    else:
        text = "not in this environment; it belongs into one of its own"
        yield Finding("info", "evalscope", f"{text} (optional: dianjin-ext[evalscope])")
    if version := installed("inspect-ai"):
        if any(point.name == "dianjin_ext" for point in entry_points(group="inspect_ai")):
            yield Finding("ok", "inspect-ai", f"{version} found; inspect eval dianjin_ext/NAME")
        else:
            mend = "reinstall dianjin-ext"
            yield Finding("problem", "inspect-ai", "no entry point in group inspect_ai", mend)
    else:
        yield Finding("info", "inspect-ai", "not installed (optional: dianjin-ext[inspect])")


def check_antlr() -> Iterator[Finding]:
    """Say whether EvalScope is, or was, in verl's environment.

    EvalScope needs an antlr4 that hydra, which reads verl's configurations, can't use; pip and uv
    replace it all the same, and it stays when EvalScope is uninstalled.
    """
    from packaging.requirements import Requirement

    found = installed(_ANTLR)
    declared = [Requirement(text) for text in requires("hydra-core") or ()]
    wanted = next((str(r.specifier) for r in declared if r.name == _ANTLR), "")
    if (version := installed("evalscope")) is not None:
        text = (
            f"verl and EvalScope {version} share one environment: EvalScope brings an antlr4 with "
            f"which verl's hydra (antlr4{wanted}) reads no configuration; {found} is installed"
        )
        mend = f"pip uninstall evalscope, pip install '{_ANTLR}{wanted}', and {_OWN}"
        yield Finding("problem", "evalscope", text, mend)
    elif wanted and not (
        found and Requirement(f"{_ANTLR}{wanted}").specifier.contains(found, prereleases=True)
    ):
        text = f"{found or 'nothing'} is installed, but hydra, which verl uses, needs {wanted}"
        yield Finding("problem", _ANTLR, text, f"pip install '{_ANTLR}{wanted}'")
