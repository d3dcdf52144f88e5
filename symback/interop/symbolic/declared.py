"""What the whole of an expression says about its symbols: which are sizes, and the shapes of indexed names."""

from collections.abc import Callable, Mapping

import sympy
from sympy.concrete.expr_with_intlimits import ExprWithIntLimits
from sympy.tensor.array.expressions import ArraySymbol

from symback.errors import symbolic_sums as errors
from symback.nodes.node import Node

Scope = Mapping[sympy.Basic, tuple[sympy.Expr, sympy.Expr]]
"""The indices that the sums around bind, with their limits."""


class Declared:
    """What has been read so far.

    Attributes:
        sizes: The symbols for sizes: what stands in the shape of a matrix, of an array or of an indexed name, or in
            the limits of a sum.
    """

    def __init__(self, size: Callable[[sympy.Basic], object]) -> None:
        """Start with nothing; `size` is called with each size."""
        self.sizes: set[sympy.Basic] = set()
        self._size = size
        self._arrays: dict[str, tuple[sympy.Expr, ...]] = {}
        self._read: dict[int, sympy.Basic] = {}
        self._outer: set[int] = set()  # the parts that have been read outside of sums
        self._seen: dict[sympy.IndexedBase, list[set[sympy.Expr]]] = {}

    def read(self, root: sympy.Basic) -> None:
        """Read an expression, without recursion; what has been read is not read again."""
        if id(root) in self._read:
            return
        self._read[id(root)] = root  # held, so that no other object gets its id
        scopes: list[Scope] = [{}]
        stack: list[tuple[sympy.Basic, int]] = [(root, 0)]
        inner: dict[int, set[int]] = {}
        while stack:
            part, scope = item = stack.pop()
            known = inner.setdefault(scope, set()) if scope else self._outer
            if id(part) in known or isinstance(part, Node):
                continue
            known.add(id(part))
            if isinstance(part, ExprWithIntLimits):
                scopes.append(self._bound(part, scopes[scope]))
                stack.append((part.function, len(scopes) - 1))
            elif isinstance(part, sympy.Indexed):
                self._used(part, scopes[scope])
            else:
                self._shape(part)
                stack.extend((argument, item[1]) for argument in part.args)

    def _bound(self, part: ExprWithIntLimits, outer: Scope) -> Scope:
        scope = dict(outer)
        for index, *ends in reversed(part.limits):
            for end in ends:
                self._are_sizes(end, scope)
            if len(ends) == 2:
                scope[index] = (ends[0], ends[1])
        return scope

    def _shape(self, part: sympy.Basic) -> None:
        if not _is_named(part):
            return
        for size in part.shape or ():
            self._are_sizes(size, {})
        if isinstance(part, ArraySymbol):
            self._arrays[str(part.name)] = tuple(part.shape)

    def _are_sizes(self, size: sympy.Basic, scope: Scope) -> None:
        for symbol in size.free_symbols if isinstance(size, sympy.Expr) else ():
            if isinstance(symbol, sympy.Symbol) and symbol not in scope:
                self.sizes.add(symbol)
                self._size(symbol)

    def _used(self, part: sympy.Indexed, scope: Scope) -> None:
        """Note which sizes the indices suggest that run over whole axes from 0."""
        self._shape(part.base)
        seen = self._seen.setdefault(part.base, [set() for _ in part.indices])
        if len(seen) != len(part.indices):
            raise errors.two_ranks(part)
        for index, sizes in zip(part.indices, seen, strict=True):
            low, high = scope.get(index) or _own_range(index)
            if isinstance(index, sympy.Idx):
                self._are_sizes(high, scope)
            if low == 0 and high is not None and not any(high.has(other) for other in scope):
                sizes.add(sympy.expand(high + 1))

    def shape(self, base: sympy.IndexedBase) -> tuple[sympy.Expr, ...]:
        """Return the shape of an indexed name: as it was given, or as its indices tell.

        Raises:
            UsageError: If they do not.
        """
        if base.shape is not None:
            return tuple(base.shape)
        axes = self._seen.get(base)
        if axes is None and str(base.name) in self._arrays:
            return self._arrays[str(base.name)]
        if axes is None or not all(len(sizes) == 1 for sizes in axes):
            raise errors.unknown_shape(base, axes)
        return tuple(size for (size,) in axes)


def _is_named(part: sympy.Basic) -> bool:
    """Is this a name for numbers with a shape, or a special matrix of a shape?"""
    if isinstance(part, sympy.MatrixExpr):
        return not any(isinstance(argument, sympy.MatrixExpr) for argument in part.args)
    return isinstance(part, (sympy.IndexedBase, ArraySymbol))


def _own_range(index: sympy.Basic) -> tuple[sympy.Expr | None, sympy.Expr | None]:
    return (index.lower, index.upper) if isinstance(index, sympy.Idx) else (None, None)
