"""The names of a traced function's local variables become the names of its expressions.

While the function runs, the interpreter reports each of its lines, and arrays that local variables hold take their
names. A name is given when the array is used: what is only on its way to a final value has none.
"""

import sys
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from types import CodeType, FrameType, FunctionType, MethodType
from typing import Any

from symback.graph import toposort
from symback.interop.tracer import Tracer
from symback.nodes.apply import Named, unnamed
from symback.nodes.labels import Label
from symback.nodes.leaves import Variable
from symback.nodes.looks import NAME
from symback.nodes.node import Node

Local = Callable[[FrameType, str, Any], Any]


class Names:
    """The names of one trace: each for one expression, a second one for an expression that has a name is an alias."""

    def __init__(self, known: Iterable[Node]) -> None:
        self._owners: dict[str, Node] = {}
        self._named: dict[Node, Named] = {}
        for node in toposort(list(known)):
            if isinstance(node, (Variable, Named)):
                self._owners[node.name] = unnamed(node)
            if isinstance(node, Named):
                self._named.setdefault(unnamed(node), node)

    def __call__(self, wanted: str, node: Node) -> Node:
        """Return a node under a name, numbered if the name is that of another expression."""
        if isinstance(node, Named) or not node.operands:
            return node
        if node in self._named:
            return self._named[node]
        name, number = wanted, 1
        while name in self._owners:
            number += 1
            name = f"{wanted}_{number}"
        named = Named(Label(name), node)
        self._owners[name] = node
        self._named[node] = named
        return named


def safe_name(name: str) -> str:
    """Return an ASCII name for that of a local variable; empty if it has none: ``θ`` is ``theta``.

    Example:
        >>> from symback.interop.naming import safe_name
        >>> safe_name("θ"), safe_name("Δx"), safe_name("_hidden")
        ('theta', 'Deltax', 'hidden')
    """
    spelled = "".join(map(_spelled, name)).strip("_")
    return spelled if NAME.match(spelled) else ""


def _spelled(character: str) -> str:
    if character.isascii():
        return character
    kind, _, letter = unicodedata.name(character, "").partition(" LETTER ")
    if kind in ("GREEK SMALL", "GREEK CAPITAL"):
        word = letter.split()[0].lower().replace("final", "sigma").replace("lamda", "lambda")
        return word if kind == "GREEK SMALL" else word.capitalize()
    return unicodedata.normalize("NFKD", character).encode("ascii", "ignore").decode()


def codes_of(code: CodeType) -> Iterator[CodeType]:
    """Yield the code of a function and of the functions defined in it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from codes_of(constant)


@contextmanager
def naming_locals(codes: Iterable[CodeType]) -> Iterator[None]:
    """Let arrays take the names of the local variables that hold them, in frames of the given code.

    What traces already (a debugger, coverage written in Python) is told of all that it would be told of, and is put
    back at the end. A tracer in C is put back, and sees nothing of the traced function.
    """
    watched = frozenset(codes)
    before = sys.gettrace()
    other: Local | None = before if isinstance(before, (FunctionType, MethodType)) else None

    def watch(frame: FrameType, event: str, argument: Any) -> Any:
        theirs = other(frame, event, argument) if other is not None else None
        return _line_watcher(theirs) if frame.f_code in watched else theirs

    sys.settrace(watch)
    try:
        yield
    finally:
        if sys.gettrace() is watch:
            sys.settrace(before)


def _line_watcher(theirs: Local | None) -> Local:
    """Return what is called at each line of a watched frame; `theirs` is what was told of it before."""

    def watch(frame: FrameType, event: str, argument: Any) -> Any:
        nonlocal theirs
        if event in ("line", "return"):
            for name, value in frame.f_locals.items():
                if type(value) is Tracer:
                    label = safe_name(name)
                    if label:
                        value.suggest(label)
        if theirs is not None:
            theirs = theirs(frame, event, argument)
        return watch

    return watch
