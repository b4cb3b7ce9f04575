"""In what two evaluations under a protocol of one name were not asked or graded alike."""

from collections.abc import Mapping
from typing import Any, Final

from dianjin_ext.pages.blocks import Words

__all__ = ["PARTS", "apart"]

PARTS: Final = {
    "sampling": Words("sampling", "采样参数"),
    "grading": Words("grading", "评分设置"),
    "rules": Words("prompt or who decides", "提示词或判分方式"),
    "judge": Words("judge", "裁判模型"),
}
"""What can differ."""

_OF_NO_WEIGHT: Final = ("samples", "seed")

Result = Mapping[str, Any]


def apart(before: Result, after: Result) -> list[str]:
    """Return which of `PARTS` differ between two results of summary.json.

    What one of them doesn't say, such as that of a quickstart, is taken as alike; so is another
    number of samples, or another seed.
    """
    sides = [_said(result) for result in (before, after)]
    return [
        part
        for part in PARTS
        if all(part in side for side in sides) and sides[0][part] != sides[1][part]
    ]


def _said(result: Result) -> dict[str, Any]:
    said = {key: result[key] for key in ("grading", "rules") if key in result}
    if sampling := result.get("sampling"):
        said["sampling"] = {k: v for k, v in sampling.items() if k not in _OF_NO_WEIGHT}
    if "judge" in result:
        judge = result["judge"] or {}
        said["judge"] = [judge.get("model"), judge.get("kind")]
    return said
