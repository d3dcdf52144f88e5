"""Nodes that stay in a graph while it is differentiated by them, and the result differentiated again.

Multiples and views, as ``2*x`` and ``x.T``, dissolve in products: ``(2*x)*(2*x)`` is ``4*x*x``, in which ``2*x`` is
found no more. So what is differentiated by twice is given a name meanwhile, which products do not look through.
"""

from collections.abc import Callable, Sequence

from symback.derive.paths import fresh_names
from symback.graph import rebuild
from symback.nodes.apply import Named
from symback.nodes.contract import Contract
from symback.nodes.labels import Label
from symback.nodes.node import Node

Release = Callable[[Sequence[Node]], list[Node]]


def kept(outputs: Sequence[Node], wrt: Sequence[Node]) -> tuple[list[Node], list[Node], Release]:
    """Return outputs and variables in which those variables that could dissolve have names, and what takes these off.

    Args:
        outputs: What is to be differentiated.
        wrt: Variables or intermediate nodes.
    """
    loose = [node for node in dict.fromkeys(wrt) if isinstance(node, Contract)]
    if not loose:
        return list(outputs), list(wrt), list
    names = fresh_names("kept", [*outputs, *wrt])
    labels = {node: Label(name) for node, name in zip(loose, names, strict=False)}
    own = {f"{lead}{label.name}" for label in labels.values() for lead in ("", "d_")}

    def name(node: Node, operands: tuple[Node, ...]) -> Node:
        new = node.with_operands(operands)
        return Named(labels[node], new) if node in labels else new

    def bare(node: Node, operands: tuple[Node, ...]) -> Node:
        return operands[0] if isinstance(node, Named) and node.name in own else node.with_operands(operands)

    def release(found: Sequence[Node]) -> list[Node]:
        forms = rebuild(found, bare)
        return [forms[node] for node in found]

    named = rebuild([*outputs, *wrt], name)
    return [named[node] for node in outputs], [named[node] for node in wrt], release
