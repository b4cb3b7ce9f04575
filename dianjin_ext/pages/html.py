"""A document as one HTML page: nothing from elsewhere, two languages by a switch, light and dark.

Without a script of its own a page runs none; what a script may be is said to the browser by its
hash, so that nothing in a text can become one.
"""

import base64
import hashlib
from typing import Any

from dianjin_ext.errors import DianjinError
from dianjin_ext.pages.blocks import Page, say
from dianjin_ext.pages.svg import curves
from dianjin_ext.visible import visible

_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def html(
    page: Page, *, needs: str, templates: tuple[str, str] | None = None, script: str = "", **of: Any
) -> str:
    """Return a document as a page.

    Args:
        page: What it says.
        needs: What to say where jinja2 is missing.
        templates: Package and name of a template that extends `page.html.j2`.
        script: The script of the page, for that template.
        of: Other values for it.

    Raises:
        DianjinError: jinja2 is missing.
    """
    try:
        import jinja2
    except ModuleNotFoundError as error:
        raise DianjinError(needs) from error
    packages = [*([templates[0]] if templates else []), "dianjin_ext.pages"]
    environment = jinja2.Environment(
        loader=jinja2.ChoiceLoader([jinja2.PackageLoader(each, "templates") for each in packages]),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )
    environment.filters["kind"] = lambda block: type(block).__name__.lower()
    environment.filters["svg"] = curves
    template = environment.get_template(templates[1] if templates else "page.html.j2")
    return template.render(
        page=page,
        name=say(page.title, page.language),
        policy=_policy(script),
        script=script,
        **of,
    )


def _policy(script: str) -> str:
    if not script:
        return _POLICY
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return f"{_POLICY}; script-src 'sha256-{digest}'"


def _shown(value: Any) -> Any:
    """Return what the page shows of a value; marked text is ours and stays."""
    return visible(value) if type(value) is str else value
