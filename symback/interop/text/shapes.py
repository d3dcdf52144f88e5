"""Shapes in text: ``h,n``, ``2*n+1``, nothing for a number."""

import ast
from typing import Any

from symback.errors import text as messages
from symback.errors.kinds import SymbackError
from symback.interop.text.evaluation import Evaluator
from symback.interop.text.syntax import Source, read_names
from symback.nodes.shapes import Shape, as_shape, size_symbol


def shape_from_text(text: str) -> Shape:
    """Return the shape that a text says, in the syntax of formulas.

    Args:
        text: Sizes, divided by commas: integers, names, sums of products of them; empty for a number.

    Raises:
        InputError: If it is no shape.

    Example:
        >>> shape_from_text("h, 2*n+1"), shape_from_text("")
        ((h, 2*n + 1), ())
    """
    if not text.strip():
        return ()
    try:
        source = Source(text.strip())
        if len(source.statements) > 1 or not isinstance(source.statements[0], ast.Expr):
            raise messages.bad_shape(text, "it is no list of sizes")
        sizes = {name: size_symbol(name) for name, _ in read_names(source.statements)}
        value: Any = Evaluator(source, {}, sizes)(source.statements[0].value)
        return as_shape(value)
    except SymbackError as error:
        reason = str(error).splitlines()[0].partition(": ")
        raise messages.bad_shape(text, (reason[2] or reason[0]).partition(";")[0]) from None
