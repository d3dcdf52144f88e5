"""Functions that SymPy does not define: undefined ones, and subclasses of `sympy.Function`."""

from collections.abc import Mapping, Sequence
from typing import Any

import sympy
from sympy.core.function import AppliedUndef, UndefinedFunction

from symback import errors
from symback.errors import functions as messages
from symback.interop.symbolic.rule import Given, Rule, refusal
from symback.nodes.apply import Map
from symback.nodes.looks import NAME
from symback.nodes.node import Node
from symback.nodes.rows import postorder
from symback.ops.undefined import Partial, applied

_NOT = "not_"
_ASSUMPTIONS = frozenset(sympy.Symbol("x", positive=True).assumptions0) | {
    "algebraic", "antihermitian", "composite", "even", "integer", "irrational", "noninteger", "nonpositive", "negative",
    "odd", "polar", "prime", "rational", "transcendental", "extended_negative", "extended_nonpositive",
}  # fmt: skip
"""What SymPy can assume of the values of a function."""


def is_own(part: sympy.Basic) -> bool:
    """Is this a function that SymPy does not define: an undefined one, or one of the user's classes?"""
    if isinstance(part, AppliedUndef):
        return True
    return isinstance(part, sympy.Function) and not str(type(part).__module__).startswith("sympy.")


def _convert(part: Any, given: Given) -> Node:
    if not is_own(part):
        raise refusal(part)
    function = function_of(type(part), len(part.args))
    return applied(function, [given.node(argument) for argument in part.args])


def function_of(kind: Any, arity: int) -> Partial:
    """Return what a class of SymPy's is as a function of ours: its name and what is assumed of it, or the class."""
    name = kind.__name__
    if not NAME.match(name):
        raise errors.bad_name(name, "it is no ASCII identifier")
    if not arity:
        raise messages.wrong_arity(Partial(name, ()), 0)
    unreal = getattr(kind, "is_extended_real", None) is False
    if unreal or getattr(kind, "is_commutative", None) is False:
        raise messages.not_real(name)
    orders = (0,) * arity
    if not isinstance(kind, UndefinedFunction):
        return Partial(kind, orders)
    facts: dict[str, Any] = kind._kwargs
    if not facts.keys() <= _ASSUMPTIONS:
        return Partial(kind, orders)
    return Partial(name, orders, tuple(sorted(key if value else _NOT + key for key, value in facts.items())))


def into_sympy(node: Map, arguments: Sequence[sympy.Expr]) -> sympy.Expr:
    """Return an application of a function, or of a derivative of one, as SymPy writes it.

    Args:
        node: The application.
        arguments: What its operands are in SymPy.

    Returns:
        ``f(x)``; ``Derivative(f(x), x)`` by an argument that is a symbol or an application of an undefined function,
        and stands in no other argument; else a `Subs` of the derivative by a symbol of its own.
    """
    function = Partial.of(node)
    kind = _class_of(function)
    if not function.order:
        return kind(*arguments)
    by = [_variable(place, arguments) if count else x for place, (x, count) in enumerate(_pairs(function, arguments))]
    counts = [(symbol, count) for symbol, (_, count) in zip(by, _pairs(function, arguments), strict=True) if count]
    derivative = sympy.Derivative(kind(*by, evaluate=False), *counts)
    put = [(new, old) for new, old in zip(by, arguments, strict=True) if new is not old]
    return sympy.Subs(derivative, *map(tuple, zip(*put, strict=True))) if put else derivative


def _pairs(function: Partial, arguments: Sequence[sympy.Expr]) -> list[tuple[sympy.Expr, int]]:
    return list(zip(arguments, function.orders, strict=True))


def _class_of(function: Partial) -> Any:
    if not isinstance(function.head, str):
        return function.head
    facts = {fact.removeprefix(_NOT): not fact.startswith(_NOT) for fact in function.facts}
    if not facts.keys() <= _ASSUMPTIONS:
        raise messages.bad_parameters((function.head, function.orders, *function.facts))
    return sympy.Function(function.head, **facts)


def _variable(place: int, arguments: Sequence[sympy.Expr]) -> sympy.Expr:
    """Return what is differentiated by: the argument, or a symbol in its place, as SymPy names it."""
    argument = arguments[place]
    others = [part for k, other in enumerate(arguments) if k != place for part in postorder(other)]
    if argument._diff_wrt and not any(type(part) is type(argument) and part == argument for part in others):
        return argument
    return sympy.Dummy(f"xi_{place + 1}", dummy_index=hash(argument))


FUNCTIONS: Mapping[type, Rule] = {sympy.Function: Rule(_convert), AppliedUndef: Rule(_convert)}
"""The rule of functions that have no other."""
