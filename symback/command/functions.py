"""``check`` of a function as it runs, not traced: loops over values, branches, JAX or torch inside of it."""

import argparse
import inspect
from collections.abc import Callable, Collection
from functools import partial
from typing import Any

from symback.command.check import finish, options_of, point_of
from symback.command.loading import by_names, load, load_gradient, names_function, users_code
from symback.errors import command as messages
from symback.nodes.node import Node


def check_function(given: argparse.Namespace, *, check_grad: Callable[..., Any]) -> int | None:
    """Check the gradient that one function claims to be of another, and print the report.

    Returns:
        As `check` does; None if the command is about a graph.

    Raises:
        InputError: If the point does not fit the function, or the gradient cannot be read.
        UserCodeError: If one of the two leaves Python.
    """
    function = _function_of(given)
    if function is None:
        return None
    if given.dtype or given.size:
        raise messages.usage("--dtype and --size go with --shape; without it, arrays are taken as --at has them")
    text, point = given.target.strip(), point_of(given.at)
    _check_names(function, text, point)
    gradient = load_gradient(given.against)
    wrt = [name.strip() for item in given.wrt for name in item.split(",") if name.strip()]
    unknown = [name for name in wrt if name not in point]
    if unknown:
        raise messages.unknown_names("--wrt", unknown, list(point), "the arrays of --at are")
    fixed = {name: array for name, array in point.items() if wrt and name not in wrt}
    moving = {name: array for name, array in point.items() if name not in fixed}
    with users_code(text):
        report = check_grad(
            fun=partial(function, **fixed), grad=partial(by_names(gradient), **fixed), at=moving, **options_of(given)
        )
    return finish(report, given)


def _function_of(given: argparse.Namespace) -> Callable[..., Any] | None:
    """Return the function that is checked as it runs: with a point and a gradient, and no shapes to trace it with."""
    wanted = given.command == "check" and given.at and given.against and given.target and not given.shape
    if not wanted or given.formula or not names_function(given.target.strip()):
        return None
    function = load(given.target.strip())
    return function if callable(function) and not isinstance(function, Node) else None


def _check_names(function: Callable[..., Any], text: str, point: Collection[str]) -> None:
    """Hold the names of the arrays against the parameters."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return
    known = [p.name for p in parameters]
    alone = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.VAR_POSITIONAL)]
    if alone:
        raise messages.only_by_place(text, alone[0])
    missing = [p.name for p in parameters if p.default is p.empty and p.kind is not p.VAR_KEYWORD]
    missing = [name for name in missing if name not in point]
    if missing:
        raise messages.missing_arrays(text, missing, list(point))
    unknown = [name for name in point if name not in known]
    if unknown and not any(p.kind is p.VAR_KEYWORD for p in parameters):
        raise messages.unknown_names("--at", unknown, known, f"{text} has the parameters")
