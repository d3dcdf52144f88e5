"""What makes an emitted module complete: random arguments that fit, a check of the gradient, and a run of both."""

import re
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import sympy

from symback.codegen.source.gradient_check import (
    Claim,
    Pairs,
    Scalar,
    check_text,
    helpless_text,
    main_text,
    paired,
    statements,
)
from symback.codegen.source.loading import run_module
from symback.codegen.source.naming import Names
from symback.codegen.source.text import dtype_name, size_text, string_text
from symback.nodes.apply import Named
from symback.nodes.dtypes import is_float
from symback.nodes.leaves import Variable
from symback.nodes.node import Node
from symback.nodes.shapes import SizeExpr, size_symbols
from symback.structure import Nested, Packed, leaves_of

_ON_COPIES = "_on_copies"

OWN_NAMES = frozenset({"check_gradient", "example_arguments"})
"""The functions that a complete module has beside the emitted one and helpers; no name of a user's begins with _."""

_SMALLEST = 3, 8, 20, 64
"""The smallest of the symbolic sizes that are tried; the others follow it, upwards and then downwards."""

_REALS = {
    "normal": "random.normal(size=@)",
    "positive": "random.uniform(0.5, 1.5, size=@)",
    "inner": "random.uniform(0.1, 0.9, size=@)",
    "large": "random.uniform(1.5, 2.5, size=@)",
}
_DRAWN = {"b": "random.random(size=@) < 0.5", "i": "random.integers(HIGH, size=@)"}
_FORMS = (
    ("normal", False), ("positive", False), ("inner", False), ("normal", True), ("positive", True), ("large", False),
)  # fmt: skip
"""How numbers are drawn: the kind of them, and whether square matrices are made positive definite."""

_INTEGERS = 3, 2, 1
"""Integers are drawn from 0 to below one of these."""


@dataclass(frozen=True)
class Argument:
    """An argument of an emitted function: its name, its dtype, and its sizes as they are written."""

    name: str
    dtype: str
    sizes: tuple[str, ...]

    @property
    def is_matrix(self) -> bool:
        """Is it square, or a stack of square matrices?"""
        square = len(self.sizes) > 1 and self.sizes[-1] == self.sizes[-2]
        return square and np.dtype(self.dtype).kind == "f"


@dataclass(frozen=True)
class Interface:
    """What an emitted function takes and returns, as text.

    Attributes:
        name: The name of the function.
        arguments: Its arguments.
        sizes: The names of the symbolic sizes.
        losses: Scalars among its results that others may be gradients of.
        gradients: Results that have the name and the shape of a gradient.
        updated: The names of the arguments that it writes to.
    """

    name: str
    arguments: tuple[Argument, ...]
    sizes: tuple[str, ...]
    losses: tuple[Scalar, ...]
    gradients: tuple[Claim, ...]
    updated: tuple[str, ...] = ()


def interface_of(name: str, inputs: Sequence[Variable], outputs: Nested, updated: Sequence[Variable] = ()) -> Interface:
    """Return what the function of these inputs takes and returns, under the names that it is emitted with."""
    names = Names({name})
    written = {variable: names.claim(variable.name) for variable in inputs}
    symbols = dict.fromkeys(symbol.name for v in inputs for size in v.shape for symbol in size_symbols(size))
    own = Names({"random", "seed", "arguments", "name", "matrix"})
    sizes = {symbol: own.claim(symbol) for symbol in symbols}
    arguments = [
        Argument(text, v.dtype.name, tuple(_size_text(size, sizes) for size in v.shape)) for v, text in written.items()
    ]
    losses: list[Scalar] = []
    gradients: dict[Node, Claim] = {}
    by_name = {f"d_{v.name}": v for v in inputs if is_float(v.dtype)}
    for node, index in _indexed(outputs, ""):
        label = node.label if isinstance(node, Named) else None
        adjoint = label is not None and label.kind == "adjoint"
        of = by_name.get(label.name) if label is not None and adjoint else None
        if of is not None and (node.shape, node.dtype) == (of.shape, of.dtype):
            gradients.setdefault(node, Claim(written[of], index))
        elif not adjoint and not node.shape and is_float(node.dtype):
            losses.append(Scalar(label.name if label is not None else "the loss", index))
    changed = tuple(written[variable] for variable in updated)
    return Interface(name, tuple(arguments), tuple(sizes.values()), tuple(losses), tuple(gradients.values()), changed)


def _size_text(size: SizeExpr, names: dict[str, str]) -> str:
    return names[size.name] if isinstance(size, sympy.Symbol) else size_text(size, names).text


def _indexed(outputs: Any, index: str) -> Iterator[tuple[Any, str]]:
    """Yield each output that is a node with the text of its place in the result."""
    if isinstance(outputs, Packed):
        return
    if isinstance(outputs, dict):
        for key, item in outputs.items():
            yield from _indexed(item, f"{index}[{string_text(key) if isinstance(key, str) else repr(key)}]")
    elif isinstance(outputs, (list, tuple)):
        for place, item in enumerate(outputs):
            yield from _indexed(item, f"{index}[{place}]")
    else:
        yield outputs, index


def complete_module(source: str, interface: Interface) -> str:
    """Return a module with what shows it at work behind it.

    Arguments are drawn so that the results are finite numbers, if that is found by trying. A gradient is checked
    against the first of the scalars that it is the gradient of: if need be with an argument that is moved as a
    symmetric matrix, which the arguments then hold.
    """
    name = interface.name
    found = next((text for text in _arguments_texts(interface) if _is_finite(source, text, interface)), None)
    if found is None:
        note = ["No arguments were found for which all results are finite: these are for you to replace."]
        return _joined(source, [next(_arguments_texts(interface, note)), helpless_text(name)])
    definite = _definite(source, interface) or found
    called, copies = (_ON_COPIES, [_copies_text(interface)]) if interface.updated else ("", [])

    def with_check(pairs: Pairs) -> str:
        arguments = definite if any(claim.symmetric for _, claim in pairs.checked) else found
        checks = check_text(name, pairs, called) if pairs.checked else []
        return _joined(source, [arguments, *(copies if checks else ()), *checks, main_text(name, pairs, called)])

    square = [argument.name for argument in interface.arguments if argument.is_matrix]
    pairs = paired(interface.gradients, interface.losses, square, lambda tried: _passes(with_check(tried)))
    if pairs.checked and not _passes(
        with_check(pairs)
    ):  # each alone at its own arguments, but not all at those of symmetric matrices
        pairs = Pairs((), interface.gradients)
    return with_check(pairs)


def _copies_text(interface: Interface) -> str:
    """Write the function as one that leaves its arguments alone, so that it can be called again and again."""
    names = ", ".join(f'"{name}"' for name in interface.updated)
    return statements(
        f"def {_ON_COPIES}(**arguments):",
        f'    """Call {interface.name} with copies of the arguments that it updates."""',
        f"    for name in [{names}]:",
        "        arguments[name] = np.array(arguments[name])",
        f"    return {interface.name}(**arguments)",
    )


def _definite(source: str, interface: Interface) -> str | None:
    """Return arguments with positive definite matrices, if the results are finite for such."""
    if not interface.gradients or not any(argument.is_matrix for argument in interface.arguments):
        return None
    texts = (text for text in _arguments_texts(interface) if "# positive definite" in text)
    return next((text for text in texts if _is_finite(source, text, interface)), None)


def _joined(source: str, parts: Sequence[str]) -> str:
    return "\n\n\n".join([source.rstrip("\n"), *parts]) + "\n"


# -- arguments ---------------------------------------------------------------------------------------------


def _arguments_texts(interface: Interface, note: Sequence[str] = ()) -> Iterator[str]:
    """Yield ways to draw arguments, the plainest first."""
    dtypes = [np.dtype(argument.dtype).kind for argument in interface.arguments]
    forms = _FORMS if "f" in dtypes else _FORMS[:1]
    highest = _INTEGERS if {"i", "u"} & set(dtypes) else _INTEGERS[:1]
    count = len(interface.sizes)
    ranges = [range(first, first + count) for first in _SMALLEST] if count else [range(0)]
    ranges += [numbers[::-1] for numbers in ranges if count > 1]
    for numbers, form, high in product(ranges, forms, highest):
        yield _arguments_text(interface, dict(zip(interface.sizes, numbers, strict=True)), form, high, note)


def _arguments_text(
    interface: Interface, sizes: dict[str, int], form: tuple[str, bool], high: int, note: Sequence[str]
) -> str:
    values = {argument: _value_text(argument, form[0], high) for argument in interface.arguments}
    values |= {argument: f"np.array({text})" for argument, text in values.items() if argument.name in interface.updated
               and not argument.sizes}  # fmt: skip
    said = ['    """Return random arguments of sizes that fit."""']
    if note:
        said = ['    """Return random arguments of sizes that fit.', "", *(f"    {row}" for row in note), '    """']
    used = set(re.findall(r"\w+", " ".join(values.values())))
    lines = ["    random = np.random.default_rng(seed)"] if values else []
    lines += [f"    {name} = {size}" for name, size in sizes.items() if name in used]
    entries = ", ".join(f'"{argument.name}": {text}' for argument, text in values.items())
    matrices = ", ".join(f'"{argument.name}"' for argument in values if form[1] and argument.is_matrix)
    if not matrices:
        return statements("def example_arguments(seed=0):", *said, *lines, f"    return {{{entries}}}")
    return statements(
        "def example_arguments(seed=0):",
        *said,
        *lines,
        f"    arguments = {{{entries}}}",
        f"    for name in [{matrices}]:  # positive definite",
        "        matrix = arguments[name]",
        "        size = matrix.shape[-1]",
        "        matrix = matrix @ np.swapaxes(matrix, -1, -2)",
        "        arguments[name] = matrix + size * np.eye(size, dtype=matrix.dtype)",
        "    return arguments",
    )


def _value_text(argument: Argument, form: str, high: int) -> str:
    """Return how an argument is drawn: an array of its dtype, or a number of NumPy's."""
    shape = argument.sizes[0] if len(argument.sizes) == 1 else f"({', '.join(argument.sizes)})"
    kind = np.dtype(argument.dtype).kind
    template = _REALS[form] if kind == "f" else _DRAWN["b" if kind == "b" else "i"].replace("HIGH", str(high))
    dtype = dtype_name(np.dtype(argument.dtype))
    if not argument.sizes:
        return f"np.{dtype}({re.sub(r'(, )?size=@', '', template)})"
    text = template.replace("@", shape)
    return text if argument.dtype in ("float64", "int64", "bool") else f"{text}.astype(np.{dtype})"


# -- trying ---------------------------------------------------------------------------------------------------


def _is_finite(source: str, arguments: str, interface: Interface) -> bool:
    """Does the function run on these arguments without a warning, and are all its results finite?"""
    module = run_module("example", _joined(source, [arguments]))
    try:
        with warnings.catch_warnings(), np.errstate(all="warn", under="ignore"):
            warnings.simplefilter("error")
            results = module[interface.name](**module["example_arguments"]())
    except (ValueError, ArithmeticError, LookupError, Warning):
        return False
    return all(np.all(np.isfinite(array)) for result in leaves_of(results) for array in _arrays_of(result))


def _arrays_of(result: Any) -> Iterator[Any]:
    """Yield a result, or the arrays that one made of several holds."""
    if isinstance(result, (np.ndarray, np.generic)):
        yield result
    elif isinstance(result, (list, tuple)):
        yield from (array for item in result for array in _arrays_of(item))
    else:
        yield from (array for item in getattr(result, "__dict__", {}).values() for array in _arrays_of(item))


def _passes(text: str) -> bool:
    check: Callable[[], object] = run_module("example", text)["check_gradient"]
    try:
        check()
    except (AssertionError, ValueError, ArithmeticError):
        return False
    return True
