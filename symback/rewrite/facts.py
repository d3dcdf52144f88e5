"""What is known of the values of an expression from the way it is written: conditions of rules."""

from collections.abc import Callable, Iterable

from symback.nodes.add import Plus, split_coefficient
from symback.nodes.apply import Apply, unnamed
from symback.nodes.classify import classify
from symback.nodes.contract import Contract
from symback.nodes.leaves import Constant, Exact, Ones, Size
from symback.nodes.node import Node
from symback.rewrite.views import is_view, viewed

_DEPTH = 8
"""How far down an expression is looked at: rules ask of small expressions, at every node of large ones."""

_POSITIVE = {"exp", "exp2", "sigmoid", "softplus", "softmax_over", "cosh", "erfc", "ndtr", "erfcx"}
"""Functions whose mathematical value is positive wherever their operand is finite."""

_NONNEGATIVE = {"abs", "fabs", "sqrt", "norm_over", "hypot", "var_over", "std_over", "relu"}
_WITH_LOGARITHM = {"exp", "sigmoid", "softmax_over", "erfc", "ndtr"}
"""Functions whose logarithm is right where they underflow."""


def is_positive(node: Node, depth: int = _DEPTH) -> bool:
    """Is this greater than zero wherever it is a number (rounding apart)?"""
    return _signed(node, True, depth)


def is_nonnegative(node: Node, depth: int = _DEPTH) -> bool:
    """Is this never less than zero?"""
    return _signed(node, False, depth)


def _signed(node: Node, strict: bool, depth: int) -> bool:
    node = unnamed(node)
    if depth == 0:
        return False
    if isinstance(node, Exact):
        return bool(node.value > 0) or (not strict and bool(node.value == 0))
    if isinstance(node, (Ones, Size)):
        return True
    if isinstance(node, Constant):
        return bool((node.array > 0).all() if strict else (node.array >= 0).all())
    if is_view(node):
        return _signed(viewed(node), strict, depth - 1)
    if isinstance(node, Plus):
        return _signed_sum(node, strict, depth)
    if isinstance(node, Contract):
        return _signed_product(node, strict, depth)
    return isinstance(node, Apply) and _signed_function(node, strict, depth)


def _signed_sum(node: Plus, strict: bool, depth: int) -> bool:
    signs = [_signed(term, False, depth - 1) for term in node.operands]
    return all(signs) and (not strict or any(_signed(term, True, depth - 1) for term in node.operands))


def _signed_product(node: Contract, strict: bool, depth: int) -> bool:
    parts = node.parts()
    summed = any(label not in parts.out for _, labels in parts.cores for label in labels)
    if not parts.coefficient > 0 or (strict and summed and not _has_entries(node)):
        return False
    cores = [unnamed(core) for core, _ in parts.cores]
    pair = len(cores) == 2 and cores[0] is cores[1] and parts.cores[0][1] == parts.cores[1][1]
    return (pair and not strict) or all(_signed(core, strict, depth - 1) for core in cores)


def _has_entries(node: Contract) -> bool:
    """Is there at least one entry in each sum?"""
    product = classify(node)
    return all(not isinstance(size, int) or size > 0 for size in product.sizes.values())


def _signed_function(node: Apply, strict: bool, depth: int) -> bool:
    name = node.operation.name
    if name in _POSITIVE or (name in _NONNEGATIVE and not strict):
        return True
    if name in ("divide", "maximum", "hypot"):
        several = [_signed(operand, strict, depth - 1) for operand in node.operands]
        return any(several) if name != "divide" else all(several)
    if name in ("sqrt", "power"):
        return _signed(node.operands[0], strict, depth - 1)
    return False


def has_logarithm(node: Node, depth: int = _DEPTH) -> bool:
    """Is there a form of log(node) that is right where the node itself overflows, underflows or is close to 1?"""
    node = unnamed(node)
    if depth == 0:
        return False
    if is_view(node):
        return has_logarithm(viewed(node), depth - 1)
    if isinstance(node, Plus):
        terms = [split_coefficient(unnamed(term)) for term in node.operands]
        positive = all(factor > 0 for _, factor in terms)
        return positive and all(core is None or _is_exponential(core, depth - 1) for core, _ in terms)
    if isinstance(node, Contract):
        parts = node.parts()
        return any(has_logarithm(core, depth - 1) for core, _ in parts.cores)
    if not isinstance(node, Apply):
        return False
    if node.operation.name in ("divide", "sqrt", "power"):
        return any(has_logarithm(operand, depth - 1) for operand in node.operands)
    return node.operation.name in _WITH_LOGARITHM


def _is_exponential(node: Node, depth: int) -> bool:
    """Is this an exponential, or a sum of exponentials and positive numbers?"""
    node = unnamed(node)
    return _name(node) == "exp" or (isinstance(node, Plus) and has_logarithm(node, depth))


def _name(node: Node) -> str:
    return node.operation.name if isinstance(node, Apply) else ""


def is_sum_of_squares(node: Node) -> bool:
    """Is this a square, or a sum of squares, over axes too?"""
    node = unnamed(node)
    if isinstance(node, Plus):
        return all(is_sum_of_squares(term) or is_nonnegative(term, 1) for term in node.operands)
    if not isinstance(node, Contract):
        return False
    parts = node.parts()
    cores = [unnamed(core) for core, _ in parts.cores]
    if len(cores) == 1 and any(label not in parts.out for label in parts.cores[0][1]):
        return is_sum_of_squares(cores[0])
    return len(cores) == 2 and cores[0] is cores[1] and parts.cores[0][1] == parts.cores[1][1]


def is_constant_along(node: Node, like: Node, axes: tuple[int, ...]) -> bool:
    """Is an operand of one size along these axes of the array that it broadcasts with?"""
    node = unnamed(node)
    if isinstance(node, Plus):
        return all(is_constant_along(term, like, axes) for term in node.operands)
    shape: list[object] = list(node.shape)
    if isinstance(node, Contract):
        parts = node.parts()
        shape = [1 if label in parts.ones else size for label, size in zip(parts.out, shape, strict=True)]
    rank = len(like.shape)
    shape = [1] * (rank - len(shape)) + shape
    return len(shape) == rank > max(axes, default=0) and all(shape[axis] == 1 for axis in axes)


def textbook_complements(nodes: Iterable[Node]) -> Callable[[Node, Node | None], bool]:
    """Return whether a node is 1 - a beside the logistic function a in a product, as its derivative has them.

    Asked of a sum, which may have the node among its terms, and of what the sum is an operand of.
    """
    found = {core for node in nodes for core in _complements_in(node)}

    def exempt(node: Node, user: Node | None) -> bool:
        return not found.isdisjoint((node, *node.operands)) or (user is not None and node in _complements_in(user))

    return exempt


def _complements_in(node: Node) -> list[Node]:
    if not isinstance(node, Contract):
        return []
    cores = [core for core, _ in node.parts().cores]
    bare = [unnamed(core) for core in cores]
    pairs = zip(cores, bare, strict=True)
    return [core for core, inner in pairs if isinstance(inner, Plus) and _complemented(inner) in bare]


def _complemented(node: Plus) -> Node | None:
    """Return a where a node is 1 - a and a is the logistic function."""
    number, function = None, None
    for term in node.operands:
        core, coefficient = split_coefficient(unnamed(term))
        if core is None:
            number = coefficient
        elif _name(unnamed(core)) == "sigmoid" and coefficient == -1:
            function = unnamed(core)
    return function if len(node.operands) == 2 and number == 1 else None
