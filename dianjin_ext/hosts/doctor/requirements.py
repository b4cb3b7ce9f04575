"""Installed versions against what a host declares and what it was tested with here."""

from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires, version
from typing import TYPE_CHECKING

from dianjin_ext.hosts.doctor.findings import Finding

if TYPE_CHECKING:
    from packaging.requirements import Requirement

OPTIONAL = ("vllm", "flash-attn", "deepspeed")


def installed(distribution: str) -> str | None:
    """Return the version of a distribution, or None where it is not installed."""
    try:
        return version(distribution)
    except PackageNotFoundError:
        return None


def check_host(host: str) -> Iterator[Finding]:
    """Check the direct requirements of `verl` or `llamafactory`.

    What the host itself declares must hold. So must the lower bounds of our extra of the same
    name: verl imports TransferQueue and cachetools without declaring them. Our `==` pins only
    say what was tested.
    """
    from packaging.requirements import Requirement

    declared = [(host, Requirement(text)) for text in requires(host) or ()]
    declared = [(host, r) for host, r in declared if r.marker is None or r.marker.evaluate()]
    declared += [(f"dianjin-ext[{host}]", r) for r in _extra(host)]
    fine = True
    for owner, requirement in declared:
        found = installed(requirement.name)
        if found is None:
            text = f"not installed, but {owner} needs it"
        elif not requirement.specifier.contains(found, prereleases=True):
            text = f"{found} is installed, but {owner} needs {requirement.specifier}"
        else:
            continue
        fine = False
        tested_only = found and owner != host and "==" in str(requirement.specifier)
        yield Finding(
            "warning" if tested_only else "problem",
            requirement.name,
            text,
            f"pip install '{requirement.name}{requirement.specifier}'",
        )
    if fine:
        names = ("torch", "transformers", "accelerate")
        found_versions = ", ".join(f"{name} {installed(name)}" for name in names)
        yield Finding("ok", host, f"requirements hold ({found_versions})")


def check_optional() -> Iterator[Finding]:
    """Report the optional packages; a version outside our extra is a warning."""
    for name in OPTIONAL:
        found = installed(name)
        if found is None:
            yield Finding("info", name, f"not installed (optional: dianjin-ext[{name}])")
            continue
        try:
            outside = [r for r in _extra(name) if not r.specifier.contains(found, prereleases=True)]
        except ModuleNotFoundError:  # packaging comes with either host
            outside = []
        if outside:
            wanted = str(outside[0].specifier)
            mend = f"pip install '{name}{wanted}'"
            yield Finding("warning", name, f"{found} is installed, tested with {wanted}", mend)
        else:
            yield Finding("info", name, found)


def _extra(name: str) -> "list[Requirement]":
    from packaging.requirements import Requirement

    ours = [Requirement(text) for text in requires("dianjin-ext") or ()]
    return [r for r in ours if r.marker is not None and r.marker.evaluate({"extra": name})]
