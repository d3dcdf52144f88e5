"""Graphs as JSON text: `dumps` and `loads`.

A document is an object with a format name, a version, the rows of the graph (see `symback.nodes.rows`) and
the structure of lists, tuples and dicts around the roots. It is rebuilt from a table of node kinds and never
executed or parsed as mathematics, so it may come from a stranger.
"""

import json
from collections.abc import Sequence
from typing import Any, NoReturn

from symback import errors
from symback.graph import toposort
from symback.nodes.apply import Apply, Map
from symback.nodes.node import Node
from symback.nodes.rows import from_rows, to_rows
from symback.op.table import FAMILIES, primitive_of

FORMAT = "symback graph"
VERSION = 1

_MOST_NESTED = 64


def dumps(nodes: Any) -> str:
    """Write nodes as JSON text; what their graphs share is written once.

    Args:
        nodes: A node, or a list, tuple or dict (with string keys) of nodes, nested.

    Returns:
        ASCII text of one line. The same graph always gives the same text.

    Raises:
        UsageError: If `nodes` holds something else, or a graph holds a constant that has no written form.

    Example:
        >>> import symback as sb
        >>> x = sb.tensor("x", ("n",))
        >>> loads(dumps({"loss": sb.sum(x**2), "input": x}))["input"] is x
        True
    """
    roots: dict[Node, int] = {}
    structure = _write_structure(nodes, roots, 0)
    document = {"format": FORMAT, "version": VERSION, "structure": structure, "rows": to_rows(roots)}
    return json.dumps(document, separators=(",", ":"), allow_nan=False)


def loads(text: str) -> Any:
    """Rebuild the nodes that `dumps` wrote, in the structure they had.

    In the process that wrote them, while they are alive, the very same nodes come back. Primitives of
    one's own must be declared before their graphs are read.

    Args:
        text: A document, which need not be trusted.

    Raises:
        InputError: If the text is no document of this version, or its graph is not valid.

    Example:
        >>> import symback as sb
        >>> x = sb.tensor("x")
        >>> loads(dumps([x + 1, (x,)]))[1][0] is x
        True
    """
    document = _parse(text)
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise errors.bad_document(f"its format is not {FORMAT!r}")
    version = document.get("version")
    if type(version) is not int or version != VERSION:
        raise errors.bad_document(f"its version is {str(version)[:20]}; this release reads version {VERSION}")
    if document.keys() != {"format", "version", "structure", "rows"}:
        raise errors.bad_document("it must have a format, a version, a structure and rows")
    roots = from_rows(document["rows"])
    _check_primitives(roots)
    return _read_structure(document["structure"], roots, 0)


def _parse(text: Any) -> Any:
    if not isinstance(text, str):
        raise errors.bad_document(f"it is {type(text).__name__}, not text")
    try:
        return json.loads(text, parse_float=_no_float, parse_constant=_no_float)
    except errors.SymbackError:
        raise
    except (ValueError, RecursionError) as reason:
        raise errors.bad_document(f"it is no JSON ({str(reason)[:200]})") from None


def _no_float(text: str) -> NoReturn:
    raise errors.bad_document(f"it holds the float {text[:40]}; documents hold integers and strings")


def _check_primitives(roots: Sequence[Node]) -> None:
    """Check that each primitive stands in its own kind of node, with as many operands as it takes."""
    for node in toposort(roots):
        if isinstance(node, Apply):
            name, parameters = node.operation.name, node.operation.parameters
            declared = primitive_of(node)
            unasked = parameters and isinstance(node, Map) and name not in FAMILIES
            if isinstance(node, Map) != (declared.kind == "elementwise") or unasked:
                raise errors.bad_document(f"{name} is applied as another kind of primitive than it is")
            if declared.arity not in (None, len(node.operands)):
                raise errors.bad_document(f"{name} takes {declared.arity} operands, not {len(node.operands)}")


# -- the structure around the roots -------------------------------------------------------------------


def _write_structure(value: Any, roots: dict[Node, int], nested: int) -> Any:
    if isinstance(value, Node):
        return roots.setdefault(value, len(roots))
    if nested < _MOST_NESTED:
        if type(value) in (list, tuple):
            return [type(value).__name__, *[_write_structure(item, roots, nested + 1) for item in value]]
        if type(value) is dict and all(isinstance(key, str) for key in value):
            items = [[key, _write_structure(item, roots, nested + 1)] for key, item in value.items()]
            return ["dict", *items]
    raise errors.not_convertible(
        "dumps", value, f"give nodes, or lists, tuples and dicts with string keys, nested at most {_MOST_NESTED} deep"
    )


def _read_structure(value: Any, roots: Sequence[Node], nested: int) -> Any:
    if type(value) is int and 0 <= value < len(roots):
        return roots[value]
    if isinstance(value, list) and value and nested < _MOST_NESTED:
        kind, *items = value
        if kind == "dict" and all(isinstance(i, list) and len(i) == 2 and isinstance(i[0], str) for i in items):
            return {key: _read_structure(item, roots, nested + 1) for key, item in items}
        if kind in ("list", "tuple"):
            read = [_read_structure(item, roots, nested + 1) for item in items]
            return tuple(read) if kind == "tuple" else read
    raise errors.bad_document(f"its structure holds {str(value)[:40]}")
