"""Write a report: the page, Markdown in two languages, and the facts as JSON."""

from collections.abc import Sequence
from importlib.resources import files as resources
from pathlib import Path
from typing import Any, Final

from dianjin_ext.errors import DianjinError
from dianjin_ext.evaluation.report.examples import examples
from dianjin_ext.evaluation.report.facts import gather
from dianjin_ext.evaluation.report.samples import embedded, samples
from dianjin_ext.evaluation.report.sections import page
from dianjin_ext.files import replacing, write_json
from dianjin_ext.pages.html import html
from dianjin_ext.pages.markdown import markdown
from dianjin_ext.pages.words import KINDS, LANGUAGES, REASONS

_PACKAGE: Final = "dianjin_ext.evaluation.report"
_NEEDS: Final = "reports need jinja2; pip install 'dianjin-ext[eval]'"


def write_report(paths: Sequence[Path], out: Path, *, workers: int = 1) -> dict[str, Any]:
    """Write the report of some folders, and replace an earlier one.

    Args:
        paths: Folders of `dianjin eval` or `dianjin quickstart`; also of training runs and builds,
            for their curves and cards. Models are compared in this order.
        out: The page, named in .html; the other files lie beside it, see `files`.
        workers: Processes that read the responses. Rewards are known to them that are built in or
            come from plug-ins.

    Returns:
        The facts, as the JSON file has them.

    Raises:
        DianjinError: A folder can't be read or has nothing for a report, or jinja2 or scipy is
            missing.
    """
    texts, facts = _texts(paths, out, workers)
    for path, text in texts.items():
        with replacing(path) as temporary:
            temporary.write_text(text, encoding="utf-8")
    write_json(files(out)[-1], facts)
    return facts


def files(out: Path) -> tuple[Path, Path, Path, Path]:
    """Return the files of a report: page, Markdown in English and in Chinese, facts.

    Raises:
        DianjinError: `out` is not named as a page.
    """
    if out.suffix != ".html":
        raise DianjinError(f"{out}: expected a name that ends in .html; the rest goes beside it")
    chinese = out.with_name(f"{out.stem}_zh.md")
    return out, out.with_suffix(".md"), chinese, out.with_suffix(".json")


def _texts(
    paths: Sequence[Path], out: Path, workers: int
) -> tuple[dict[Path, str], dict[str, Any]]:
    whole, english, chinese, _ = files(out)
    facts, runs, known = gather(paths, workers=workers)
    shown = samples([run.name for run in runs], runs, known)
    content = page(facts)
    words = {**REASONS, **KINDS, **LANGUAGES}
    text = html(
        content,
        needs=_NEEDS,
        templates=(_PACKAGE, "report.html.j2"),
        script=resources(_PACKAGE).joinpath("templates/report.js").read_text(encoding="utf-8"),
        browser=shown,
        data=embedded({**shown, "words": {name: list(said) for name, said in words.items()}}),
    )
    told = content._replace(sections=[*content.sections, *examples(shown)])
    texts = {
        whole: text,
        english: markdown(told, "en", other=chinese.name),
        chinese: markdown(told, "zh", other=english.name),
    }
    return texts, facts
