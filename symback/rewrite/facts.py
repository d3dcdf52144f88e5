"""What is known of the values of an expression from the way it is written: conditions of rules."""

from collections.abc import Callable, Iterable

from symback.nodes.add import Plus, split_coefficient
from symback.nodes.apply import Apply, unnamed
from symback.nodes.classify import classify
from symback.nodes.contract import Contract, Parts
from symback.nodes.leaves import Constant, Exact, Ones, Size
from symback.nodes.node import Node
from symback.rewrite.parts import function_of
from symback.rewrite.views import is_view, viewed

_DEPTH = 8
"""How far down an expression is looked at: rules ask of small expressions, at every node of large ones."""

_POSITIVE = {"exp", "exp2", "sigmoid", "softplus", "softmax_over", "cosh", "erfc", "ndtr", "erfcx"}
"""Functions whose mathematical value is positive wherever their operand is finite."""

_NONNEGATIVE = {"abs", "fabs", "sqrt", "norm_over", "hypot", "var_over", "std_over", "relu"}
_WITH_LOGARITHM = {"exp", "sigmoid", "softmax_over", "erfc", "ndtr"}
"""Functions whose logarithm is right where they underflow."""


Known = dict[tuple[Node, bool], bool]
"""What is known of the signs of the parts of an expression; True stands for: not zero either."""


def is_positive(node: Node) -> bool:
    """Is this greater than zero wherever it is a number (rounding apart)?"""
    return _signed(node, True, _DEPTH, {})


def is_nonnegative(node: Node) -> bool:
    """Is this never less than zero?"""
    return _signed(node, False, _DEPTH, {})


def _signed(node: Node, strict: bool, depth: int, known: Known) -> bool:
    node = unnamed(node)
    if (node, strict) not in known:
        known[node, strict] = depth > 0 and _sign_of(node, strict, depth, known)
    return known[node, strict]


def _sign_of(node: Node, strict: bool, depth: int, known: Known) -> bool:
    if isinstance(node, Exact):
        return bool(node.value > 0) or (not strict and bool(node.value == 0))
    if isinstance(node, (Ones, Size)):
        return True
    if isinstance(node, Constant):
        return bool((node.array > 0).all() if strict else (node.array >= 0).all())
    if is_view(node):
        return _signed(viewed(node), strict, depth - 1, known)
    if isinstance(node, Plus):
        signs = [_signed(term, False, depth - 1, known) for term in node.operands]
        return all(signs) and (not strict or any(_signed(term, True, depth - 1, known) for term in node.operands))
    if isinstance(node, Contract):
        return _sign_of_product(node, strict, depth, known)
    return isinstance(node, Apply) and _sign_of_function(node, strict, depth, known)


def _sign_of_product(node: Contract, strict: bool, depth: int, known: Known) -> bool:
    parts = node.parts()
    summed = any(label not in parts.out for _, labels in parts.cores for label in labels)
    if not parts.coefficient > 0 or (strict and summed and not _has_entries(node)):
        return False
    return (not strict and _is_pair(parts)) or all(_signed(core, strict, depth - 1, known) for core, _ in parts.cores)


def _is_pair(parts: Parts) -> bool:
    """Is this the square of one operand, summed or not?"""
    cores = [unnamed(core) for core, _ in parts.cores]
    return len(cores) == 2 and cores[0] is cores[1] and parts.cores[0][1] == parts.cores[1][1]


def _has_entries(node: Contract) -> bool:
    """Is there at least one entry in each sum?"""
    product = classify(node)
    return all(not isinstance(size, int) or size > 0 for size in product.sizes.values())


def _sign_of_function(node: Apply, strict: bool, depth: int, known: Known) -> bool:
    name = node.operation.name
    if name in _POSITIVE or (name in _NONNEGATIVE and not strict):
        return True
    if name in ("divide", "maximum", "hypot"):
        several = [_signed(operand, strict, depth - 1, known) for operand in node.operands]
        return any(several) if name != "divide" else all(several)
    if name in ("sqrt", "power"):
        return _signed(node.operands[0], strict, depth - 1, known)
    return False


def has_logarithm(node: Node) -> bool:
    """Is there a form of log(node) that is right where the node itself overflows, underflows or is close to 1?"""
    return _has_logarithm(node, _DEPTH, {})


def _has_logarithm(node: Node, depth: int, known: dict[Node, bool]) -> bool:
    node = unnamed(node)
    if node not in known:
        known[node] = depth > 0 and _logarithm_is_seen(node, depth, known)
    return known[node]


def _logarithm_is_seen(node: Node, depth: int, known: dict[Node, bool]) -> bool:
    if is_view(node):
        return _has_logarithm(viewed(node), depth - 1, known)
    if isinstance(node, Plus):
        terms = [split_coefficient(unnamed(term)) for term in node.operands]
        return all(factor > 0 for _, factor in terms) and all(
            core is None or name_of(core) == "exp" or (_is_plus(core) and _has_logarithm(core, depth - 1, known))
            for core, _ in terms
        )
    if isinstance(node, Contract):
        return any(_has_logarithm(core, depth - 1, known) for core, _ in node.parts().cores)
    if name_of(node) in ("divide", "sqrt", "power"):
        return any(_has_logarithm(operand, depth - 1, known) for operand in node.operands)
    return name_of(node) in _WITH_LOGARITHM


def name_of(node: Node) -> str:
    """Return the name of the primitive that a node applies, names looked through; empty if it is none."""
    return function_of(unnamed(node))


def _is_plus(node: Node) -> bool:
    return isinstance(unnamed(node), Plus)


def is_sum_of_squares(node: Node) -> bool:
    """Is this a square, or a sum of squares, over axes too?"""
    return _is_of_squares(node, _DEPTH)


def _is_of_squares(node: Node, depth: int) -> bool:
    node = unnamed(node)
    if isinstance(node, Plus):
        squares = len(node.operands) <= _DEPTH and depth > 0
        return squares and all(_is_of_squares(term, depth - 4) or is_nonnegative(term) for term in node.operands)
    if not isinstance(node, Contract):
        return False
    parts = node.parts()
    if len(parts.cores) == 1 and any(label not in parts.out for label in parts.cores[0][1]):
        return depth > 0 and _is_of_squares(parts.cores[0][0], depth - 1)
    return _is_pair(parts)


def is_given(node: Node) -> bool:
    """Is this data as the caller gives it: a leaf, or entries of one, in whatever dtype?"""
    node = unnamed(node)
    for _ in range(_DEPTH):
        if is_view(node) or name_of(node) == "astype":
            node = unnamed(viewed(node))
    return not node.operands


def is_constant_along(node: Node, like: Node, axes: tuple[int, ...]) -> bool:
    """Is an operand constant along these axes of an array that it broadcasts with, and that has their full size?"""
    node = unnamed(node)
    if isinstance(node, Plus):
        return all(is_constant_along(term, like, axes) for term in node.operands)
    sizes: list[object] = list(node.shape)
    repeated = [False] * len(sizes)
    if isinstance(node, Contract):
        parts = node.parts()
        repeated = [label in parts.ones for label in parts.out]
    missing = len(like.shape) - len(sizes)
    if missing < 0 or len(like.shape) <= max(axes, default=0):
        return False
    sizes, repeated = [1] * missing + sizes, [True] * missing + repeated
    return all(sizes[axis] == 1 or (repeated[axis] and sizes[axis] == like.shape[axis]) for axis in axes)


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
        elif name_of(core) == "sigmoid" and coefficient == -1:
            function = unnamed(core)
    return function if len(node.operands) == 2 and number == 1 else None


def shared_logistics(nodes: Iterable[Node], outputs: Iterable[Node]) -> Callable[[Node, Node | None], bool]:
    """Return whether a sum has 2a - 1 or 1 - 2a of a logistic function a that something else needs too.

    Then a tanh would be one function more, as in the second derivative of a, a*(1 - a)*(1 - 2*a).
    """
    shared = set(map(unnamed, outputs)).union(
        operand
        for node in nodes
        for operand in map(unnamed, node.operands)
        if name_of(operand) == "sigmoid" and split_coefficient(node) not in ((operand, 2), (operand, -2))
    )

    def exempt(node: Node, user: Node | None) -> bool:
        terms = [split_coefficient(unnamed(term)) for term in node.operands] if isinstance(node, Plus) else []
        return any(core is not None and abs(factor) == 2 and unnamed(core) in shared for core, factor in terms)

    return exempt
