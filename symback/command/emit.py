"""``emit``: the NumPy code of value and gradient, or their formulas."""

import argparse
from collections.abc import Callable
from typing import Any

from symback.command.formulas import formulas
from symback.command.given import Target
from symback.command.output import form_of, say, say_json, write_file, writing
from symback.page.blocks import Page
from symback.page.html import html
from symback.page.tex import document, fragment

_SUFFIXES = {"python": (".py",), "latex": (".tex",), "html": (".html", ".htm")}


def emit(
    given: argparse.Namespace,
    target: Target,
    *,
    grad: Callable[..., Any],
    lambdify: Callable[..., Any],
    settle: Callable[..., Any],
) -> int:
    """Print the code or the formulas, or write them to a file.

    Returns:
        0.

    Raises:
        InputError: If the file has the wrong suffix or cannot be written.
    """
    form = form_of(given, _SUFFIXES, "python")
    gradients = [] if given.what == "value" else grad(target.loss, list(target.wrt))
    if form == "python":
        return _code(given, target, gradients, lambdify)
    wanted = [*([] if given.what == "gradient" else [target.loss]), *gradients]
    settled, _ = settle(wanted)
    value = None if given.what == "gradient" else settled[0]
    page = formulas(value, settled[len(settled) - len(gradients) :], target.wrt, target.loss)
    return _page(given, form, page)


def _code(given: argparse.Namespace, target: Target, gradients: list[Any], lambdify: Callable[..., Any]) -> int:
    outputs: Any = {"value": target.loss, "gradient": gradients, "both": [target.loss, *gradients]}[given.what]
    function = lambdify(list(target.inputs), outputs, style=given.style, name=given.name)
    if given.output:
        with writing(given.output):
            function.save(given.output)
    if given.json:
        say_json({"name": function.name, "arguments": [node.name for node in target.inputs],
                  "wrt": [node.name for node in target.wrt], "what": given.what, "source": function.source,
                  "saved": given.output})  # fmt: skip
    elif not given.output:
        say(function.source.rstrip("\n"))
    return 0


def _page(given: argparse.Namespace, form: str, page: Page) -> int:
    whole = html(page) if form == "html" else document(page) if given.output else fragment(page)
    if given.output:
        write_file(given.output, whole)
    if given.json:
        say_json({"form": form, "wrt": given.wrt, "what": given.what, "page": whole, "saved": given.output})
    elif not given.output:
        say(whole.rstrip("\n"))
    return 0
