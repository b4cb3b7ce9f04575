"""Write the card of a set: card.md, card_zh.md, card.html, and the facts as card.json."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from dianjin_ext.data.card.facts import gather
from dianjin_ext.data.card.sections import card
from dianjin_ext.data.card.source import find
from dianjin_ext.errors import DianjinError
from dianjin_ext.files import replacing, write_json
from dianjin_ext.pages.html import html
from dianjin_ext.pages.markdown import markdown

_HUB: Final = {
    "MIT": "mit",
    "Apache-2.0": "apache-2.0",
    "CC BY 4.0": "cc-by-4.0",
    "CC BY-SA 4.0": "cc-by-sa-4.0",
    "CC BY-NC 4.0": "cc-by-nc-4.0",
    "CC BY-NC-SA 4.0": "cc-by-nc-sa-4.0",
}
"""What Hugging Face's hub calls licences, by what sources state."""

_SIZES: Final = (
    (1_000, "n<1K"),
    (10_000, "1K<n<10K"),
    (100_000, "10K<n<100K"),
    (1_000_000, "100K<n<1M"),
    (10_000_000, "1M<n<10M"),
)


def write_card(
    target: Path, *, truth: Path | None = None, out: Path | None = None
) -> dict[str, Any]:
    """Write the card of a set, and replace an earlier one. The same set gives the same card.

    Args:
        target: A folder that `dianjin build` or `dianjin prepare` wrote, or a parquet file of
            questions or candidates.
        truth: Labels of a part of the rows, as JSON lines: `id`, `sample`, `right`, `sound`. The
            card then says how good `verify` and `select` are.
        out: Where the card goes; card.md in the folder, or beside the file, by default. The page,
            the Chinese card and the facts lie beside it.

    Returns:
        The facts, as card.json has them.

    Raises:
        DianjinError: The target, the labels or the manifest can't be read, or jinja2 or pyarrow is
            missing.
    """
    source = find(target)
    facts = gather(source, truth)
    written, head = card(facts), _head(facts)
    english, chinese, page, numbers = files(out or source.card)
    texts = {
        english: markdown(written, "en", other=chinese.name, head=head),
        chinese: markdown(written, "zh", other=english.name, head=head),
        page: html(written, needs="cards need jinja2; pip install 'dianjin-ext[data]'"),
    }
    for path, text in texts.items():
        with replacing(path) as temporary:
            temporary.write_text(text, encoding="utf-8")
    write_json(numbers, facts)
    return facts


def files(out: Path) -> tuple[Path, Path, Path, Path]:
    """Return the files of a card: English, Chinese, page, facts.

    Raises:
        DianjinError: `out` is not named as Markdown.
    """
    if out.suffix != ".md":
        raise DianjinError(f"{out}: expected a name that ends in .md; the page goes beside it")
    chinese = out.with_name(f"{out.stem}_zh.md")
    return out, chinese, out.with_suffix(".html"), out.with_suffix(".json")


def _head(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return the front matter that Hugging Face's hub reads."""
    stated = {each["stated"] for each in facts["licences"]["sources"] if each["trained"]}
    number = sum(facts["used"][use] for use in facts["trained"])
    return {
        "pretty_name": facts["name"],
        "language": sorted(facts["by"].get("language", {})) or ["zh", "en"],
        "license": _HUB.get(stated.pop(), "other") if len(stated) == 1 else "other",
        "size_categories": [next((name for end, name in _SIZES if number < end), "n>10M")],
        "task_categories": ["question-answering", "text-generation"],
        "tags": ["finance", "reasoning"],
    }
