"""One line of the diagnosis, the verdict over all of them, and how they are shown."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from rich.console import Console

_STYLES = {"ok": "green", "info": "dim", "warning": "yellow", "problem": "bold red"}


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found.

    Attributes:
        level: `info` is neither good nor bad; a `problem` makes the installation broken.
        subject: The package or part that was checked.
        text: What was found.
        mend: What to do about it, for warnings and problems.
    """

    level: Literal["ok", "info", "warning", "problem"]
    subject: str
    text: str
    mend: str = ""


def healthy(findings: Iterable[Finding]) -> bool:
    """Return whether nothing is broken; having no host at all is a problem of its own."""
    return all(finding.level != "problem" for finding in findings)


def show(findings: Iterable[Finding], *, fine: str = "the installation is fine") -> list[Finding]:
    """Print each finding as soon as it is there, then the verdict; return all of them.

    Args:
        findings: What was found.
        fine: The verdict where nothing is broken.
    """
    console = Console(highlight=False)
    shown: list[Finding] = []
    for finding in findings:
        style = _STYLES[finding.level]
        line = f"{finding.subject}: {finding.text}"
        console.print(f"[{style}]{finding.level:<8}[/]", end="")
        console.print(line, markup=False, soft_wrap=True)
        if finding.mend:
            console.print(f"        -> {finding.mend}", markup=False, soft_wrap=True)
        shown.append(finding)
    problems = sum(finding.level == "problem" for finding in shown)
    if problems:
        console.print(f"{problems} problem{'s' * (problems > 1)} found", style="bold red")
    else:
        console.print(fine, style="bold green")
    return shown
