r"""What a result becomes under a condition that a reader has in mind and the graph does not know.

The derivative of ``-sum(y * log(softmax(z)))`` is :math:`(\mathbf{1}^{\top} y) p - y`. Where the entries of y
add up to 1, as probabilities do, that is :math:`p - y`; it is said with the condition, for the result holds without.
"""

from collections.abc import Callable

from symback.derivation.emitted import Names
from symback.graph import replaced, toposort
from symback.latex.printer import Printer
from symback.nodes.add import with_coefficient
from symback.nodes.apply import Apply, unnamed
from symback.nodes.classify import classify
from symback.nodes.contract import Contract, contract
from symback.nodes.leaves import Variable, ones_of
from symback.nodes.node import Node
from symback.nodes.products import full

_PROBABILITIES = frozenset({"softmax_over"})


def remark(value: Node, printer: Printer, shown: Callable[[Node], str]) -> str:
    """Return a sentence on what a derivative is where the entries of a variable add up to 1, ``""`` if it has none.

    Args:
        value: The derivative, in which probabilities are multiplied by the sums.
        printer: Writes the sums.
        shown: Writes a derivative in the layout that is wanted.
    """
    inside = toposort([value], stops=Names())
    if not any(_is_probability(node) for node in inside):
        return ""
    sums: dict[Node, Node] = {}
    given: dict[Node, Node] = {}
    for node in inside:
        found = _summed(node)
        if found is not None:
            total, rest = found
            sums[total] = total
            given[node] = rest
    if len(sums) != 1:
        return ""
    (total,) = sums
    closed = replaced([value], given)
    one = r"\mathbf{1}" if total.shape else "1"
    return (
        f"Where ${printer.write(total)} = {one}$, as for probabilities and one-hot labels, this is "
        f"${shown(closed[value])}$."
    )


def _multiple_summed(node: Contract) -> tuple[Node, Node] | None:
    """Return the sum of a variable that a node is a multiple of, and the multiple of ones."""
    product = classify(node)
    ((core, labels),) = product.cores
    factors, number = [core], product.coefficient
    if isinstance(core, Contract) and classify(core).kind in ("scale", "hadamard") and not classify(core).ones:
        factors, number = [inner for inner, _ in classify(core).cores], number * classify(core).coefficient
    arrays = [factor for factor in factors if factor.shape]
    if len(arrays) != 1 or not isinstance(arrays[0], Variable) or product.ones:
        return None
    total = contract([(arrays[0], labels)], product.out)
    scalars = [(factor, ()) for factor in factors if not factor.shape]
    ones = full(node.shape, 1, node)
    return total, with_coefficient(contract([*scalars, (ones, product.out)], product.out), number)


def _is_probability(node: Node) -> bool:
    bare = unnamed(node)
    return isinstance(bare, Apply) and bare.operation.name in _PROBABILITIES


def _summed(node: Node) -> tuple[Node, Node] | None:
    """Return the sum of a variable that a product contains, and the product without it."""
    if not isinstance(node, Contract):
        return None
    product = classify(node)
    if product.kind == "sum":
        return _multiple_summed(node)
    if not any(_is_probability(core) for core, _ in product.cores):
        return None
    for place, (core, labels) in enumerate(product.cores):
        others = [pair for k, pair in enumerate(product.cores) if k != place]
        elsewhere = {*product.out, *(label for _, given in others for label in given)}
        kept = tuple([label for label in labels if label in elsewhere])
        if isinstance(core, Variable) and len(kept) < len(labels):
            total = contract([(core, labels)], kept)
            ones = (ones_of(total.shape, total.dtype), kept)
            rest = contract([*others[:place], ones, *others[place:]], product.out)
            return (total, rest) if product.coefficient == 1 else None
    return None
