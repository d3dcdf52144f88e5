"""``derive``: the derivation of a gradient as a page."""

import argparse
from collections.abc import Callable
from typing import Any

from symback.command.given import Target
from symback.command.output import form_of, say, say_json, write_file, writing
from symback.errors import command as messages

_SUFFIXES = {
    "text": (".txt",), "document": (".tex",), "latex": (".tex",), "markdown": (".md",), "html": (".html",),
    "pdf": (".pdf",),
}  # fmt: skip


def derive(given: argparse.Namespace, target: Target, *, derivation_of: Callable[..., Any]) -> int:
    """Print the derivation, or write it to a file.

    Returns:
        0.

    Raises:
        InputError: If the file has the wrong suffix or cannot be written.
        VerificationError: If a line does not hold.
    """
    if given.form == "pdf" and not given.output:
        raise messages.pdf_needs_file()
    form = form_of(given, _SUFFIXES, "text")
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
