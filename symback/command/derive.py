"""``derive``: the derivation of a gradient as a page."""

import argparse
from collections.abc import Callable
from typing import Any

from symback.command.given import Target
from symback.command.output import say, say_json, write_file, writing
from symback.errors import command as messages

_SUFFIXES = {
    "text": (".txt",), "latex": (".tex",), "document": (".tex",), "markdown": (".md",), "html": (".html",),
    "pdf": (".pdf",),
}  # fmt: skip
_BY_SUFFIX = {".txt": "text", ".tex": "document", ".md": "markdown", ".html": "html", ".pdf": "pdf"}


def derive(given: argparse.Namespace, target: Target, *, derivation_of: Callable[..., Any]) -> int:
    """Print the derivation, or write it to a file.

    Returns:
        0.

    Raises:
        InputError: If the file has the wrong suffix or cannot be written.
        VerificationError: If a line does not hold.
    """
    form = _form(given)
    derivation = derivation_of(
        target.loss, list(target.wrt), notation=given.notation, adjoint=given.adjoint, layout=given.layout,
        order=given.order,
    )  # fmt: skip
    options = {"verified": True} if given.verify else {}
    if form == "pdf":
        with writing(given.output):
            derivation.save(given.output, **options)
        whole = ""
    else:
        whole = getattr(derivation, form)(**options)
        if given.output:
            write_file(given.output, whole)
    if given.json:
        say_json({"form": form, "wrt": [node.name for node in target.wrt], "verified": given.verify, "page": whole,
                  "saved": given.output})  # fmt: skip
    elif not given.output:
        say(whole.rstrip("\n"))
    return 0


def _form(given: argparse.Namespace) -> str:
    """Return the form that is asked for, or that the name of the file says."""
    if not given.output:
        if given.form == "pdf":
            raise messages.pdf_needs_file()
        return given.form or "text"
    suffix = "." + given.output.rpartition(".")[2].lower() if "." in given.output else ""
    if given.form:
        if suffix not in _SUFFIXES[given.form]:
            raise messages.bad_suffix(given.output, given.form, _SUFFIXES[given.form])
        return str(given.form)
    if suffix not in _BY_SUFFIX:
        raise messages.unknown_suffix(given.output, list(_BY_SUFFIX))
    return _BY_SUFFIX[suffix]
