"""Where to find the left sides of rules that no single pattern says."""

from collections import Counter
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import count, permutations
from itertools import product as pairs
from typing import Any, NamedTuple

import sympy

from symback.nodes.add import Plus, add, split_coefficient
from symback.nodes.apply import Apply
from symback.nodes.contract import Contract, Labels, Parts, contract
from symback.nodes.leaves import Constant, Exact, Size, exact, exact_from_sympy
from symback.nodes.node import METHODS, Node
from symback.nodes.products import hadamard, scale, sum_axes
from symback.nodes.shapes import product
from symback.rewrite.facts import has_logarithm
from symback.rewrite.notation import hypot, log_of_number, norm, root_of_number
from symback.rewrite.parts import aligned, function_of, reduction_of, sum_of
from symback.rewrite.pattern import MOST_TERMS, Match, Scope
from symback.rewrite.views import View, is_view, split_views


def logarithm_of_views(node: Node, scope: Scope) -> Iterator[Match]:
    """Yield the logarithm of a view of what has one that is stable."""
    (operand,) = node.operands
    if is_view(scope.bare(operand)) and operand not in scope.barriers and has_logarithm(operand):
        core, view = split_views(operand, scope.bare)
        yield Match({"x": core, "view": view})


def logarithms_of_determinants(node: Node, scope: Scope) -> Iterator[Match]:
    """Yield the logarithm of a determinant, which overflows where its logarithm does not."""
    yield from _determinant(node.operands[0], scope)


def logarithms_of_sizes_of_determinants(node: Node, scope: Scope) -> Iterator[Match]:
    """Yield the logarithm of the absolute value of a determinant."""
    bare = scope.bare(node.operands[0])
    if function_of(bare) == "abs" and bare not in scope.barriers:
        yield from _determinant(bare.operands[0], scope)


def _determinant(node: Node, scope: Scope) -> Iterator[Match]:
    bare = scope.bare(node)
    if isinstance(bare, Apply) and bare.operation.name == "det_of" and bare not in scope.barriers:
        yield Match({"matrix": bare.operands[0]})


def sums_of_exponentials(node: Node, scope: Scope) -> Iterator[Match]:
    """Yield the logarithm of a sum of exponentials and positive numbers, with one of the exponentials split off."""
    bare = scope.bare(node.operands[0])
    if not isinstance(bare, Plus) or bare in scope.barriers or not has_logarithm(bare):
        return
    terms = scope.terms(bare)
    for place, (core, factor) in enumerate(terms):
        inner = None if core is None else scope.bare(core)
        rest = sum_of(terms[:place] + terms[place + 1 :])
        if inner is not None and function_of(inner) == "exp" and rest is not None:
            exponent = inner.operands[0] if factor == 1 else add(inner.operands[0], log_of_number(exact(factor)))
            yield Match({"x": exponent, "y": rest})


def weighted_exponentials(node: Node, scope: Scope) -> Iterator[Match]:
    """Yield the logarithm of a sum over axes of an exponential times something else, of a matrix product too."""
    bare = scope.bare(node.operands[0])
    if not isinstance(bare, Contract) or bare in scope.barriers:
        return
    if (reduced := reduction_of(bare)) is not None and reduced[0] == "sum":
        factors = scope.factors(reduced[1])
        parts = Parts(factors.coefficient, [(core, _last_labels(core, reduced[1])) for core in factors.cores], (), ())
        axes, whole = reduced[2], tuple(range(len(reduced[1].shape)))
    else:
        parts = bare.parts()
        whole = tuple(dict.fromkeys(label for _, labels in parts.cores for label in labels))
        axes = tuple(place for place, label in enumerate(whole) if label not in parts.out)
        if parts.ones or tuple(label for label in whole if label in parts.out) != parts.out:
            return
    for place, (core, labels) in enumerate(parts.cores):
        inner = scope.bare(core)
        others = parts.cores[:place] + parts.cores[place + 1 :]
        if function_of(inner) == "exp" and labels == whole and others and axes:
            weights = contract([(exact(parts.coefficient), ()), *others], _covered(others, whole))
            yield Match({"x": inner.operands[0], "y": aligned(weights, _covered(others, whole), whole), "axis": axes})
            return


def _last_labels(core: Node, whole: Node) -> Labels:
    rank = len(whole.shape)
    return tuple(range(rank - len(core.shape), rank))


def _covered(terms: Sequence[tuple[Node, Labels]], whole: Labels) -> Labels:
    return tuple(label for label in whole if any(label in labels for _, labels in terms))


def sums_of_squares(node: Node, scope: Scope) -> Iterator[Match]:
    """Yield the root of a sum of squares, of sums of squares over axes and of positive numbers."""
    bare = scope.bare(node.operands[0])
    if not isinstance(bare, Plus) or bare in scope.barriers:
        return
    sides = [_side(core, factor, scope) for core, factor in scope.terms(bare)]
    known = [side for side in sides if side is not None]
    if len(known) == len(sides) and not all(isinstance(side, Exact) for side in known):
        while len(known) > 2:
            known[:2] = [hypot(*known[:2])]
        yield Match({"x": known[0], "y": known[1]})


def _side(core: Node | None, factor: Any, scope: Scope) -> Node | None:
    """Return what a term is the square of, None if that is not seen."""
    if not factor > 0:
        return None
    length = root_of_number(exact(factor))
    if core is None:
        return length
    inner, view = split_views(core, scope.bare)
    root = scope.root(inner)
    if root is None and (reduced := reduction_of(inner)) is not None and reduced[0] == "sum":
        root = scope.root(reduced[1])
        root = None if root is None else norm(root, axis=reduced[2])
    return None if root is None else hadamard(length, view(root))


class _Average(NamedTuple):
    """A term that is a number times sums over axes: what is summed, over which axes, and how that is viewed."""

    summands: list[Node]
    axes: tuple[int, ...]
    factor: sympy.Expr
    view: View


def averages_of_squares(node: Node, scope: Scope) -> Iterator[Match]:
    """Yield the average of a square less the square of the average, among the terms of a sum."""
    if sum(map(_is_quotient, map(scope.bare, node.operands))) < 2:
        return
    averages = [(term, found) for term in node.operands if (found := _average(term, scope)) is not None]
    squares = [(term, found, root) for term, found in averages if (root := _root(found, scope)) is not None]
    for (one, first, root), (other, second) in pairs(squares, averages):
        alike = [scope.bare(x) for x in second.summands] == [root, root] and first.axes == second.axes
        if one is not other and alike and _same_view(first, second, root):
            count = _expression(product(root.shape[axis] for axis in first.axes))
            times = sympy.simplify(first.factor * count)
            if times.is_Rational and times != 0 and sympy.simplify(second.factor * count**2 + times) == 0:
                rest = [term for term in node.operands if term is not one and term is not other]
                number = exact_from_sympy(times).value
                yield Match({"x": root, "axis": first.axes, "view": first.view}, number, add(*rest) if rest else None)


def _is_quotient(node: Node) -> bool:
    return isinstance(node, Contract) or function_of(node) == "divide"


def _same_view(first: _Average, second: _Average, root: Node) -> bool:
    total = sum_axes(root, first.axes)
    return first.view(total) is second.view(total)


def _root(average: _Average, scope: Scope) -> Node | None:
    """Return what an average is the average of the squares of."""
    root = scope.root(average.summands[0]) if len(average.summands) == 1 else None
    return None if root is None else scope.bare(root)


def _average(term: Node, scope: Scope) -> _Average | None:
    """Read a term as a number times one sum, or times the product of two sums that are viewed alike."""
    core, number = split_coefficient(scope.bare(term))
    if core is None or not isinstance(number, (int, Fraction)):
        return None
    inside, outer = split_views(core, scope.bare)
    found = scope.factors(inside)
    times = _expression(number) * _expression(found.coefficient)
    summands, axes, views = [], set(), []
    for factor in found.cores:
        inner, view = split_views(factor, scope.bare)
        while function_of(inner) == "divide":
            below = scope.bare(inner.operands[1])
            if not isinstance(below, (Exact, Size)):
                return None
            times = times / _expression(below.size if isinstance(below, Size) else below.value)
            inner, within = split_views(inner.operands[0], scope.bare)
            view = _composed(view, within)
        reduced = reduction_of(inner)
        if reduced is None or reduced[0] != "sum":
            return None
        summands.append(reduced[1])
        axes.add(reduced[2])
        views.append(_composed(outer, view))
    alike = len(axes) == 1 and len(summands) <= 2
    return _Average(summands, axes.pop(), times, views[0]) if alike else None


class _Flat(NamedTuple):
    """A product with all that is multiplied or summed within it: its number, its factors with labels, its axes.

    The number that it is divided by stands apart: None if there is none.
    """

    coefficient: Any
    cores: list[tuple[Node, Labels]]
    out: Labels
    below: Node | None


def cross_entropies(node: Node, scope: Scope) -> Iterator[Match]:
    """Yield the two halves of a cross-entropy among the terms of a sum: each entry by entry, or summed over axes."""
    terms = scope.terms(node)
    if len(terms) > MOST_TERMS:
        return
    flat = [(place, found) for place, term in enumerate(terms) if (found := _with_softplus(*term, scope)) is not None]
    matches = []
    for (one, first), (other, second) in permutations(flat, 2):
        if (match := _cross_entropy(first, second, scope)) is not None:
            others = [term for place, term in enumerate(terms) if place not in (one, other)]
            matches.append(Match(match, first.coefficient, sum_of(others)))
    yield from sorted(matches, key=lambda match: split_coefficient(match.found["x"])[1] < 0)


def _with_softplus(core: Node | None, coefficient: Any, scope: Scope) -> _Flat | None:
    """Read a term as a product of factors, one of them softplus."""
    bare, below = None if core is None else scope.bare(core), None
    if bare is not None and function_of(bare) == "divide" and not bare.operands[1].shape:  # a mean
        bare, below = map(scope.bare, bare.operands)
    if not isinstance(bare, Contract) or not isinstance(coefficient, (int, Fraction)):
        return None
    found = _Flat(coefficient, [], bare.parts().out, below)
    fresh = count(len(bare.label_sizes()))
    pending = [(bare, found.out)]
    while pending:
        inner, labels = pending.pop()
        inside = scope.bare(inner)
        parts = inside.parts() if isinstance(inside, Contract) and inside not in scope.barriers else None
        if parts is None or parts.ones or len({*parts.out}) < len(parts.out) or len(found.cores) > MOST_TERMS:
            found.cores.append((inner, labels))
            continue
        names = dict(zip(parts.out, labels, strict=True))
        for each, own in parts.cores[::-1]:
            pending.append((each, tuple([names[k] if k in names else names.setdefault(k, next(fresh)) for k in own])))
        found = found._replace(coefficient=found.coefficient * parts.coefficient)
    has = any(_is_softplus(factor, scope) for factor, _ in found.cores)
    return found if has and isinstance(found.coefficient, (int, Fraction)) else None


def _is_softplus(node: Node, scope: Scope) -> bool:
    bare = scope.bare(node)
    return function_of(bare) == "softplus" and bare not in scope.barriers


def _cross_entropy(first: _Flat, second: _Flat, scope: Scope) -> dict[str, Any] | None:
    """Return x and y, if the first is y softplus(-x) and the second (1 - y) softplus(x), with other factors alike."""
    if first.coefficient != second.coefficient or first.below is not second.below:
        return None
    (one, labels), *rest = _softplus_first(first, scope)
    (other, places), *others = _softplus_first(second, scope)
    x = scope.bare(other).operands[0]
    if scale(-1, x) is not scope.bare(one).operands[0] or len({*labels}) + len({*places}) < 2 * len(labels):
        return None
    renamed = dict(zip(places, labels, strict=True))
    if not {k for _, own in others for k in own} <= {*places} or tuple(map(renamed.get, second.out)) != first.out:
        return None
    left = Counter((scope.bare(core), own) for core, own in rest)
    right = Counter((scope.bare(core), tuple([renamed[k] for k in own])) for core, own in others)
    mine, theirs = [*(left - right).elements()], [*(right - left).elements()]
    if len(mine) != 1 or len(theirs) != 1 or mine[0][1] != theirs[0][1] or not {*mine[0][1]} <= {*labels}:
        return None
    if not _adds_up_to_one(mine[0][0], theirs[0][0], scope):
        return None
    weights = [*(left & right).elements()]
    target = next(core for core, own in rest if (scope.bare(core), own) == mine[0])
    target = target if target.dtype.kind == "f" else METHODS["astype"](target, x.dtype)

    def view(loss: Node) -> Node:
        whole = contract([*weights, (loss, labels)], first.out)
        return whole if first.below is None else METHODS["divide"](whole, first.below)

    return {"x": x, "y": aligned(target, mine[0][1], labels), "view": view}


def _softplus_first(found: _Flat, scope: Scope) -> list[tuple[Node, Labels]]:
    return sorted(found.cores, key=lambda core: not _is_softplus(core[0], scope))


def _adds_up_to_one(one: Node, other: Node, scope: Scope) -> bool:
    """Are these y and 1 - y?"""
    if isinstance(one, Constant) and isinstance(other, Constant):
        return one.shape == other.shape and bool((one.array + other.array == 1).all())
    total: dict[Node | None, Any] = {None: 0}
    for core, number in (*scope.terms(one), *scope.terms(other)):
        bare = None if core is None else scope.bare(core)
        total[bare] = total.get(bare, 0) + number
    return total.pop(None) == 1 and not any(total.values())


def _expression(value: Any) -> sympy.Expr:
    """Return an exact number or a size as a SymPy expression."""
    return value if isinstance(value, sympy.Expr) else sympy.Rational(value)


def _composed(outer: View, inner: View) -> View:
    return lambda node: outer(inner(node))
