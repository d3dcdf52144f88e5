"""Writes the derivations that docs/derivations.md shows, between comments that say which.

``<!-- derivation: circuit -->`` stands before the Markdown of the derivation of that model,
``<!-- end of derivation -->`` behind it; options of `derive` follow the name, as in ``circuit, notation=index``. The
page has a title of its own for each, and its headings are two levels down.
"""

import re
from pathlib import Path
from typing import Any

import symback as sb
from models_derived import MODELS, OPTIONS

PAGE = Path(__file__).parents[1] / "docs" / "derivations.md"
SHOWN = re.compile(r"(<!-- derivation: ([^\n]+) -->\n).*?(\n<!-- end of derivation -->)", re.DOTALL)


def page() -> str:
    """Return the page with each derivation as symback prints it now."""
    return SHOWN.sub(lambda found: f"{found[1]}\n{shown(found[2])}\n{found[3]}", PAGE.read_text(encoding="utf-8"))


def shown(what: str) -> str:
    """Return the Markdown of a derivation, given its model and options, without its title."""
    name, *options = what.split(", ")
    (model,) = [model for model in MODELS if model.__name__ == name]
    pairs = [option.split("=") for option in options]
    given: dict[str, Any] = {key: int(value) if value.isdigit() else value for key, value in pairs}
    text = sb.derive(*model(), **{**OPTIONS.get(name, {}), **given}).markdown()
    return re.sub(r"^(?=##+ )", "##", text.partition("\n")[2].strip(), flags=re.MULTILINE)


def models_shown() -> list[str]:
    """Return the names of the models on the page."""
    return [found[2].split(", ")[0] for found in SHOWN.finditer(PAGE.read_text(encoding="utf-8"))]
