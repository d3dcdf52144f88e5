"""The node: an immutable, interned `sympy.Basic` with a shape and a dtype."""

import sys
from numbers import Number
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, Self, cast

import numpy as np
import sympy

from symback.errors import numpy as numpy_errors
from symback.errors import usage
from symback.graph import toposort
from symback.nodes.display import HOOKS, Displayed
from symback.nodes.interned import Interned, Param, set_args
from symback.nodes.methods import ArrayMethods
from symback.nodes.operators import METHODS

__all__ = ["HOOKS", "METHODS", "Interned", "Node", "Param"]


class Node(Displayed, ArrayMethods["Node"], Interned):
    """A vertex of an expression graph: an operation, or a leaf, with its shape and dtype.

    Nodes are made by functions (`sb.tensor`, `sb.exp`, …) and operators, never changed, and there is
    one for each expression: ``a is b`` says that two expressions are the same.
    """

    __slots__ = ("dtype", "shape")
    shape: tuple[int | sympy.Expr, ...]
    dtype: np.dtype[Any]

    is_commutative = False
    is_weak: ClassVar[bool] = False
    __array_priority__ = 1000

    @classmethod
    def make(cls, args: tuple[Any, ...], shape: tuple[int | sympy.Expr, ...], dtype: np.dtype[Any]) -> Self:
        """Return the node of these arguments, which the caller has checked and normalised."""
        entry = cls._table.get(args)
        if entry is not None:
            found = entry()
            if found is not None:
                return cast(Self, found)
        made = object.__new__(cls)
        set_args(made, args)
        _set_shape(made, shape)
        _set_dtype(made, dtype)
        return cls.enter(args, made)

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in _OF_SYMPY:
            raise usage.immutable(self, name)
        object.__setattr__(self, name, value)

    def __delattr__(self, name: str) -> NoReturn:
        raise usage.immutable(self, name)

    # -- structure --------------------------------------------------------------------------

    @property
    def args(self) -> tuple[Any, ...]:
        """What SymPy makes this node of: its operation, then its operands."""
        # before sympy.lambdify prints anything, it walks all paths of an expression: of a graph there are 2**n
        if sys._getframe(1).f_code.co_name == "_imp_namespace":
            self._no_code(None)
        return cast(tuple[Any, ...], self._args)

    @property
    def operands(self) -> tuple["Node", ...]:
        """The nodes this one is computed from, in order."""
        return cast(tuple["Node", ...], self._args[1:])

    def with_operands(self, operands: tuple["Node", ...]) -> "Node":
        """Return the same operation on other operands."""
        if operands == self.operands:
            return self
        return cast("Node", self.func(self._args[0], *operands))

    @property
    def own_sizes(self) -> tuple[int | sympy.Expr, ...]:
        """The sizes that say what this node is: those of its shape, or the size whose value it is."""
        return self.shape

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    def short(self) -> str:
        """Return a few words that name this node in a message."""
        return cast(str, HOOKS["short"](self))

    # -- operators and methods: see `ArrayMethods` --------------------------------------------

    def _apply(self, name: str, *operands: Any, **options: Any) -> "Node":
        if options:
            options = {option: value for option, value in options.items() if value is not None and value is not False}
        function = METHODS.get(name)
        if function is None or options:
            return cast(Node, HOOKS["method"](name, operands, options))
        return cast(Node, function(*operands))

    def _refuse(self, name: str, cure: str) -> NoReturn:
        raise usage.no_operator(name, cure)

    def __pos__(self) -> "Node":
        return self

    def __getitem__(self, index: Any) -> "Node":
        return cast(Node, METHODS["getitem"](self, index))

    def __setitem__(self, index: Any, value: Any) -> NoReturn:
        raise usage.no_operator("x[index] = value", "x = sb.set_at(x, index, value), or trace it by sb.from_function")

    @property
    def size(self) -> Any:
        """The number of entries: an integer, or an expression of symbolic sizes."""
        return HOOKS["size"](self.shape)

    # -- what a node is not -----------------------------------------------------------------

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if isinstance(other, _VALUES) and not isinstance(other, sympy.Basic):
            raise usage.no_equality(self, other)
        return False

    def __ne__(self, other: object) -> bool:
        return not self.__eq__(other)

    __hash__ = object.__hash__

    def __bool__(self) -> NoReturn:
        raise usage.no_truth_value(self)

    def __float__(self) -> NoReturn:
        raise usage.no_number(self, "float")

    def __int__(self) -> NoReturn:
        raise usage.no_number(self, "int")

    def __complex__(self) -> NoReturn:
        raise usage.no_number(self, "complex")

    def __index__(self) -> NoReturn:
        raise usage.no_number(self, "integer")

    def __array__(self, dtype: Any = None, copy: Any = None) -> NoReturn:
        raise numpy_errors.no_array(self, METHODS)

    def __len__(self) -> int:
        if not self.shape or not isinstance(self.shape[0], int):
            raise usage.no_iteration(self)
        return self.shape[0]

    def __iter__(self) -> Any:
        if not self.shape or not isinstance(self.shape[0], int):
            raise usage.no_iteration(self)
        return (self[i] for i in range(self.shape[0]))

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        return HOOKS["ufunc"](ufunc, method, inputs, options)

    def __array_function__(self, function: Any, types: Any, args: Any, options: Any) -> Any:
        return HOOKS["array_function"](function, args, options)

    # -- SymPy's protocol, iterative and with sharing ---------------------------------------

    @property
    def free_symbols(self) -> set[Any]:
        """The variables this node depends on, and the symbolic sizes of their shapes or used as values."""
        leaves = [node for node in toposort([self]) if not node.operands]
        sizes = {
            s for leaf in leaves for size in leaf.own_sizes if isinstance(size, sympy.Expr) for s in size.free_symbols
        }
        return {leaf for leaf in leaves if leaf.is_Symbol} | sizes

    def atoms(self, *types: Any) -> set[Any]:
        """Return the leaves, or the nodes of the given classes."""
        nodes = toposort([self])
        if not types:
            return {node for node in nodes if not node.operands}
        kinds = tuple(t if isinstance(t, type) else type(t) for t in types)
        return {node for node in nodes if isinstance(node, kinds)}

    def has(self, *patterns: Any) -> bool:
        """Does the graph contain one of these nodes, sizes or classes of nodes?"""
        classes = tuple(p for p in patterns if isinstance(p, type))
        wanted = {p for p in patterns if not isinstance(p, type)}
        return bool(wanted & self.free_symbols) or any(
            node in wanted or isinstance(node, classes) for node in toposort([self])
        )

    def count_ops(self, visual: Any = None) -> int:
        """Return the number of operations, shared ones counted once."""
        return sum(bool(node.operands) for node in toposort([self]))

    def xreplace(self, rule: Any, **unused: Any) -> "Node":
        """Replace nodes, symbols and expressions of SymPy, or sizes by others of the same shape, all at once."""
        return cast(Node, HOOKS["substitute"](self, dict(rule)))

    def subs(self, *args: Any, **unused: Any) -> "Node":
        """Replace nodes, SymPy symbols and expressions, or sizes (by name too), all at once.

        ``subs(old, new)`` or ``subs({old: new})``. A symbol stands for the variable or the size of its name, an
        expression for the node that it is converted to, wherever that node is in the graph; a value may be a node,
        a number, an array or an expression. With one pair, what the graph does not have is an error.

        Example:
            >>> import sympy, symback as sb
            >>> x, y = sympy.symbols("x y")
            >>> sb.sin(sb.from_sympy(x * y)).subs(x, y + 1)
            sin((y + 1)*y)
        """
        pairs = {args[0]: args[1]} if len(args) == 2 else dict(args[0])
        return cast(Node, HOOKS["substitute"](self, pairs, strict=len(args) == 2))

    def _subs(self, old: Any, new: Any, **unused: Any) -> "Node":  # what SymPy asks of the parts of its expressions
        return self.xreplace({old: new})

    def _xreplace(self, rule: Any) -> tuple["Node", bool]:  # likewise
        new = self.xreplace(rule)
        return new, new is not self

    def evalf(self, n: int = 15, subs: Any = None) -> sympy.Basic:
        """Return the value of the graph in `n` digits: a number, for rank 2 a matrix, else an array of SymPy.

        Args:
            n: How many significant digits.
            subs: Values of variables and of sizes, by node, name or SymPy symbol; numbers of SymPy keep their digits.

        Raises:
            InputError: If a variable has no value.
            UsageError: If a function has no value in many digits.

        Example:
            >>> import sympy, symback as sb
            >>> (sb.exp(sb.tensor("x")) - 1).evalf(30, subs={"x": sympy.Rational(1, 3)})
            0.395612425086089528628125319603
        """
        return cast(sympy.Basic, HOOKS["evalf"](self, n, {} if subs is None else subs))

    n = evalf

    def replace(self, query: Any, value: Any = None, *args: Any, **unused: Any) -> "Node":
        """Replace a node or a size by another; SymPy's classes and patterns, which are also asked for, match none."""
        return self.subs(query, value) if isinstance(query, (Node, str, sympy.Symbol)) else self

    def doit(self, **hints: Any) -> "Node":
        """Return the node itself: nothing is left unevaluated."""
        return self

    def diff(self, *symbols: Any, **unused: Any) -> NoReturn:
        """Refuse: SymPy's derivative has no sharing; `sb.grad` has."""
        raise usage.use_instead("node.diff", "sb.grad(node, wrt) or sb.jacobian(node, wrt)")

    def _eval_simplify(self, **unused: Any) -> NoReturn:
        raise usage.use_instead("sympy.simplify", "sympy.simplify(sb.to_sympy(node)) for a scalar")

    def _eval_Abs(self) -> NoReturn:  # SymPy asks for it by this name
        raise usage.use_instead("sympy.Abs", "abs(node)")

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> NoReturn:
            """Say what to do where SymPy's constructors and functions ask for what only its scalars have."""
            if hasattr(sympy.Expr, name):
                raise usage.no_sympy(name)
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def __reduce_ex__(self, protocol: Any) -> Any:
        return HOOKS["unpickle"], HOOKS["pickle"](self)

    # -- display ----------------------------------------------------------------------------

    def _no_code(self, printer: Any) -> NoReturn:
        raise usage.use_instead(
            "sympy.lambdify, as every code printer of SymPy,", "sb.lambdify(inputs, outputs).source"
        )

    _pythoncode = _numpycode = _scipycode = _lambdacode = _mpmathcode = _ccode = _fcode = _no_code
    _javascript = _julia = _octave = _rcode = _rust_code = _tensorflowcode = _jaxcode = _torchcode = _no_code
    _maple = _mcode = _smtlib = _glsl = _cxxcode = _numexprcode = _cmathcode = _no_code

    def _sympyrepr(self, printer: Any) -> NoReturn:
        raise usage.use_instead("sympy.srepr", "sb.dumps(node), which sb.loads reads, or str(node)")

    def _no_mathml(self, printer: Any) -> NoReturn:
        raise usage.use_instead("sympy.mathml", "sympy.latex(node), or the page that sb.derive writes as HTML")

    _mathml_content = _mathml_presentation = _no_mathml


_set_shape, _set_dtype = (vars(Node)[name].__set__ for name in ("shape", "dtype"))
_OF_SYMPY = frozenset({"_assumptions", "_mhash"})
"""What SymPy caches on an object; all else is set once, when a node is made."""

_VALUES = (Number, np.ndarray, np.generic, list, tuple)
"""What a node is compared with elementwise, never by ``==``; SymPy compares with its own numbers, and is told False."""
