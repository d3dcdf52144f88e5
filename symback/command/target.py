"""What a command is about: a loss as a node, with its inputs, from a formula or from a function of NumPy arrays."""

import argparse
import inspect
import re
from collections.abc import Mapping, Sequence
from typing import Any, cast

from symback.command.given import Target
from symback.command.loading import load, names_function, users_code
from symback.command.pairs import dtypes_of, shapes_of, sizes_of
from symback.errors import command as messages
from symback.errors.kinds import UsageError
from symback.graph import toposort
from symback.interop.text.formula import from_text
from symback.interop.tracing import from_function
from symback.nodes.dtypes import is_float
from symback.nodes.leaves import Variable, variable
from symback.nodes.node import Node
from symback.nodes.shapes import Shape, size_symbols
from symback.structure import leaves_of

_DOTTED = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)+\Z")


def target_of(given: argparse.Namespace) -> Target:
    """Return what the arguments of a command are about.

    Raises:
        InputError: If a name is unknown or missing, or the target is none.
        UserCodeError: If the function raises.
    """
    if given.target is None:
        raise messages.no_target(given.shape)
    text = given.target.strip()
    shapes = shapes_of(given.shape)
    if names_function(text) and not given.formula:
        loss, inputs = _of_function(text, shapes, given.dtype)
    else:
        loss, inputs = _of_formula(text, shapes, given.dtype)
    wrt = _wrt(given.wrt, loss, inputs)
    return _sized(Target(loss, inputs, wrt), given.size)


def _of_formula(text: str, shapes: Mapping[str, Shape], dtypes: Sequence[str]) -> tuple[Node, tuple[Variable, ...]]:
    if _DOTTED.match(text) and text.partition(".")[0] not in shapes:
        *folders, name = text.split(".")
        raise messages.usage(f"{text!r} is no formula; a function of a module is written {'.'.join(folders)}:{name}")
    kinds = dtypes_of(dtypes, list(shapes))
    loss = from_text(text, shapes, dtypes=kinds)
    unused = [name for name in shapes if not re.search(rf"\b{re.escape(name)}\b", text)]
    if unused:
        used = sorted(node.name for node in toposort([loss]) if isinstance(node, Variable))
        raise messages.unknown_names("--shape", unused, used, "the formula has")
    return loss, tuple(variable(name, shape, kinds[name]) for name, shape in shapes.items())


def _of_function(text: str, shapes: Mapping[str, Shape], dtypes: Sequence[str]) -> tuple[Node, tuple[Variable, ...]]:
    function = load(text)
    if isinstance(function, Node):
        if shapes or dtypes:
            raise messages.usage(
                f"{text} is a graph, whose variables have shapes and dtypes; leave out --shape, --dtype"
            )
        return function, _inputs_of_graph(function)
    if not callable(function):
        raise messages.not_callable(text, type(function).__name__)
    places, named = _parameters(function, text, shapes)
    kinds = dtypes_of(dtypes, list(shapes))
    inputs = {name: variable(name, shapes[name], kinds[name]) for name in (*places, *named)}
    try:
        with users_code(text):
            found = from_function(function, *(inputs[name] for name in places), **{n: inputs[n] for n in named})
    except UsageError as error:
        raise messages.not_traced(error) from error
    results = leaves_of(found)
    if len(results) != 1:
        raise messages.several_results(text, len(results))
    return results[0], tuple(inputs.values())


def _inputs_of_graph(loss: Node) -> tuple[Variable, ...]:
    return tuple(sorted((node for node in toposort([loss]) if isinstance(node, Variable)), key=lambda node: node.name))


def _parameters(function: Any, text: str, shapes: Mapping[str, Shape]) -> tuple[list[str], list[str]]:
    """Return the parameters that are passed by place and by name: all without a default, and those with a shape."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        raise messages.not_callable(text, type(function).__name__) from None
    known = [p.name for p in parameters]
    many = [p for p in parameters if p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
    missing = [p.name for p in parameters if p.default is p.empty and p.name not in shapes and p not in many]
    if missing:
        raise messages.missing_shapes(text, missing, [name for name in known if name in shapes])
    unknown = [name for name in shapes if name not in known]
    if unknown and not any(p.kind is p.VAR_KEYWORD for p in many):
        if many:
            raise messages.variadic(text, str(many[0]))
        raise messages.unknown_names("--shape", unknown, known, f"{text} has the parameters")
    by_place = [p for p in parameters if p.kind is p.POSITIONAL_ONLY and p.name in shapes]
    rest = [name for name in (*known, *unknown) if name in shapes and name not in [p.name for p in by_place]]
    return [p.name for p in by_place], list(dict.fromkeys(rest))


def _wrt(items: Sequence[str], loss: Node, inputs: Sequence[Variable]) -> tuple[Variable, ...]:
    """Return the variables that ``--wrt`` names, or all float variables that the loss depends on."""
    names = [name.strip() for item in items for name in item.split(",") if name.strip()]
    by_name = {node.name: node for node in inputs}
    used = {node for node in toposort([loss]) if isinstance(node, Variable)}
    if not names:
        return tuple(node for node in inputs if is_float(node.dtype) and node in used)
    unknown = [name for name in names if name not in by_name]
    if unknown:
        raise messages.unknown_names("--wrt", unknown, list(by_name), "the arrays are")
    repeated = [name for place, name in enumerate(names) if name in names[:place]]
    if repeated:
        raise messages.twice("--wrt", repeated[0])
    return tuple(by_name[name] for name in names)


def _sized(target: Target, items: Sequence[str]) -> Target:
    """Put integers in the place of symbolic sizes."""
    symbols = {symbol.name for node in target.inputs for size in node.shape for symbol in size_symbols(size)}
    sizes = sizes_of(items, sorted(symbols))
    if not sizes:
        return target
    return Target(
        target.loss.subs(sizes),
        tuple(cast(Variable, node.subs(sizes)) for node in target.inputs),
        tuple(cast(Variable, node.subs(sizes)) for node in target.wrt),
    )
