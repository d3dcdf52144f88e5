"""Graphs whose undefined functions have values: what `functions=` gives, as classes that bring their numbers along."""

from collections.abc import Callable, Sequence
from functools import partial
from types import new_class
from typing import Any

import sympy

from symback.codegen.bound import Functions, given_for
from symback.errors import functions as messages
from symback.graph import rebuild, toposort
from symback.nodes.apply import Map
from symback.nodes.node import Node
from symback.ops.undefined import BY_ORDERS, UNDEFINED, Partial, applied, implementation


def with_values(nodes: Sequence[Node], functions: Functions) -> list[Node]:
    """Return nodes in which the functions that are given have values, and so have their derivatives.

    Raises:
        InputError: If a function or a derivative is needed of which `functions` has others only.
    """
    if not functions:
        return list(nodes)
    classes: dict[Partial, type] = {}

    def remade(node: Node, operands: tuple[Node, ...]) -> Node:
        if isinstance(node, Map) and node.operation.name == UNDEFINED:
            function = Partial.of(node)
            if function.name in functions:
                return applied(_head(function, functions, classes), operands)
        return node.with_operands(operands)

    found = rebuild(nodes, remade, {})
    return checked_values([found[node] for node in nodes])


def checked_values(nodes: Sequence[Node]) -> list[Node]:
    """Return nodes, of which none applies a function that is given without this derivative."""
    for node in _applications(nodes):
        function = Partial.of(node)
        if hasattr(function.head, BY_ORDERS) and implementation(function) is None:
            raise messages.missing(function, "check_grad")
    return list(nodes)


def _applications(nodes: Sequence[Node]) -> list[Map]:
    return [node for node in toposort(nodes) if isinstance(node, Map) and node.operation.name == UNDEFINED]


def _head(function: Partial, functions: Functions, classes: dict[Partial, type]) -> Partial:
    """Return what stands for a function: a class of its name, or a subclass of its own, that has its callables."""
    whole = function._replace(orders=(0,) * len(function.orders))
    if whole not in classes:
        base = sympy.Function if isinstance(function.head, str) else function.head
        given: Callable[[tuple[int, ...]], Any] = partial(_given, function, functions)
        body = {BY_ORDERS: staticmethod(given), "_eval_evalf": sympy.Function._eval_evalf}
        classes[whole] = new_class(function.name, (base,), exec_body=lambda namespace: namespace.update(body))
    return Partial(classes[whole], function.orders)


def _given(function: Partial, functions: Functions, orders: tuple[int, ...]) -> Callable[..., Any] | None:
    return given_for(function._replace(orders=orders), functions)
