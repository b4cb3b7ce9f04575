"""What a training says: on the console and in the file beside the model."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from rich.console import Console

from dianjin_ext.verifier.labelled import Gathered, Labelled, counted
from dianjin_ext.verifier.measure import Measured
from dianjin_ext.verifier.settings import VerifierSettings

_PARTS: Final = {"all": "held-out answers", "open": "of these, left open by rules"}


def tell(lines: Iterable[str]) -> None:
    """Print lines."""
    console = Console(highlight=False, emoji=False)
    for line in lines:
        console.print(line, markup=False, soft_wrap=True)


def about(
    gathered: Gathered, trained: Sequence[Labelled], heldout: Sequence[Labelled]
) -> list[str]:
    """Return lines about the answers."""
    lines = [
        f"{name}: {_listed(counted(part))} answers to {_questions(part)} questions"
        for name, part in (("trained on", trained), ("held out", heldout))
    ]
    lines.append(f"labelled by: {_listed(_by([*trained, *heldout]))}")
    if left := _left_out(gathered):
        lines.append(f"left out: {_listed(left)}")
    return lines


def said(found: Mapping[str, Measured], settings: VerifierSettings) -> list[str]:
    """Return lines about a trained verifier."""
    lines = []
    for name, what in _PARTS.items():
        if (own := found.get(name)) is None:
            lines.append(f"{what}: none")
            continue
        lines += [
            f"{what}:",
            f"  accuracy                  {own.accuracy}",
            f"  always the commoner label {own.commoner}",
            f"  precision of right        {own.precision}",
            f"  recall of right           {own.recall}",
        ]
    if "open" not in found:
        lines.append(
            "Rules decided all answers, and a judge is asked about others: nothing shows how good "
            "it is on those"
        )
    if not all(own.better for own in found.values()):
        lines.append(
            "It is not shown to be better than always saying the commoner label: don't train with "
            "it; more answers, a larger model or more epochs may help"
        )
    own_template = "" if settings.template is None else ", judge.template as in verifier.json"
    threshold = f"judge.threshold={settings.threshold:g}"
    lines.append(f"{settings.out}: for judge.kind=classifier, {threshold}{own_template}")
    return lines


def as_json(
    settings: VerifierSettings,
    gathered: Gathered,
    trained: Sequence[Labelled],
    heldout: Sequence[Labelled],
    found: Mapping[str, Measured],
) -> dict[str, Any]:
    """Return what is written beside the model."""
    parts = {"trained": trained, "heldout": heldout}
    return {
        "template": settings.template,
        "threshold": settings.threshold,
        "heldout": {name: own.as_json() for name, own in found.items()},
        "answers": {
            name: counted(part) | {"questions": _questions(part)} for name, part in parts.items()
        },
        "labelled_by": _by([*trained, *heldout]),
        "left_out": _left_out(gathered),
        "settings": settings.model_dump(mode="json"),
    }


def _questions(part: Sequence[Labelled]) -> int:
    return len({each.question.id for each in part})


def _by(part: Iterable[Labelled]) -> dict[str, int]:
    return dict(Counter(each.by for each in part).most_common())


def _left_out(gathered: Gathered) -> dict[str, int]:
    return {reason: number for reason, number in gathered.left_out.items() if number}


def _listed(numbers: dict[str, int]) -> str:
    return ", ".join(f"{number:,} {name}" for name, number in numbers.items())
