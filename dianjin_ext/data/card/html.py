"""A card as one HTML page: no script, nothing from elsewhere, two languages by a switch."""

from typing import Any

from dianjin_ext.data.card.blocks import Card
from dianjin_ext.data.card.markdown import visible
from dianjin_ext.errors import DianjinError


def html(card: Card) -> str:
    """Return a card as a page.

    Raises:
        DianjinError: jinja2 is missing.
    """
    try:
        import jinja2
    except ModuleNotFoundError as error:
        raise DianjinError("cards need jinja2; pip install 'dianjin-ext[data]'") from error
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("dianjin_ext.data", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )
    environment.filters["kind"] = lambda block: type(block).__name__.lower()
    return environment.get_template("card.html.j2").render(card=card)


def _shown(value: Any) -> Any:
    """Return what the page shows of a value; marked text is ours and stays."""
    return visible(value) if type(value) is str else value
