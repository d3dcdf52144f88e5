"""Functions that have a name, or a class of SymPy's, and no declaration: they and their partial derivatives are nodes.

There is one primitive for all of them, ``undefined``, whose parameters say which function it is and how often it is
differentiated by each of its arguments. `FAMILIES` makes the declaration of each from its parameters, so that
the table of primitives holds none of them.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from typing import Any, NamedTuple, cast

import numpy as np
import sympy
from sympy.core.function import ArgumentIndexError
from sympy.printing.latex import LatexPrinter
from sympy.printing.precedence import PRECEDENCE

from symback.errors import functions as messages
from symback.nodes.apply import SIGNATURES, TITLES, Map, Operation
from symback.nodes.dtypes import promote, to_float
from symback.nodes.leaves import as_node
from symback.nodes.looks import NAME, latex_name
from symback.nodes.node import HOOKS, METHODS, Node
from symback.nodes.shapes import Shape, broadcast_shapes
from symback.op.held import checked_derivative
from symback.op.table import FAMILIES, Primitive
from symback.ops.numerics.bound import entry_by_entry

UNDEFINED = "undefined"
"""The name of the primitive of all functions without a declaration."""

BY_ORDERS = "_by_orders_"
"""The attribute of a class that gives the NumPy function of any of its derivatives."""

_MOST_PRIMES = 3
_MOST_ORDERS = 1000


class Partial(NamedTuple):
    """A function without a declaration, or a partial derivative of one.

    Attributes:
        head: The name of the function, or the class of SymPy's that it is.
        orders: How often it is differentiated by each of its arguments.
        facts: What SymPy assumes of its values, as words: ``"real"``, ``"not_zero"``.
    """

    head: Any
    orders: tuple[int, ...]
    facts: tuple[str, ...] = ()

    @classmethod
    def of(cls, node: Map) -> "Partial":
        """Return the function that a node applies."""
        head, orders, *facts = node.operation.parameters
        return cls(head, orders, tuple(facts))

    @property
    def name(self) -> str:
        """The name of the function."""
        return self.head if isinstance(self.head, str) else self.head.__name__

    @property
    def order(self) -> int:
        """How often it is differentiated."""
        return sum(self.orders)

    @property
    def places(self) -> tuple[int, ...]:
        """The arguments that it is differentiated by, counted from 1: (1, 1, 2) twice by the first."""
        return tuple(k + 1 for k, count in enumerate(self.orders) for _ in range(count))

    @property
    def title(self) -> str:
        """Its name in text: ``f'``, ``f_12``."""
        if not self.order:
            return self.name
        if len(self.orders) > 1:
            return f"{self.name}_{_joined(self.places)}"
        return f"{self.name}{chr(39) * self.order}" if self.order <= _MOST_PRIMES else f"{self.name}^({self.order})"

    @property
    def word(self) -> str:
        """Its name in code: ``df``, ``d2f``, ``f_12``."""
        if not self.order or len(self.orders) > 1:
            return self.title
        return f"d{'' if self.order == 1 else self.order}{self.name}"

    @property
    def latex(self) -> str:
        r"""Its look in print: ``f''``, ``\partial_{1} \partial_{2} f``."""
        look = latex_name(self.name)
        if len(self.orders) == 1:
            order = self.order
            return f"{look}{chr(39) * order}" if order <= _MOST_PRIMES else f"{look}^{{({order})}}"
        signs = [f"\\partial_{{{k + 1}}}" + (f"^{{{n}}}" if n > 1 else "") for k, n in enumerate(self.orders) if n]
        return " ".join([*signs, look])

    @property
    def words(self) -> str:
        """What it is: "the second derivative of f"."""
        if not self.order:
            return f"the function {self.name}"
        if len(self.orders) == 1:
            return f"the {_ordinal(self.order)}derivative of {self.name}"
        by = ", ".join(map(str, self.places))
        return f"the partial derivative of {self.name} by argument{'s' if self.order > 1 else ''} {by}"

    @property
    def has_rule(self) -> bool:
        """Is this a class that states its derivative, by `fdiff`?"""
        return not isinstance(self.head, str) and not self.order and self.head.fdiff is not sympy.Function.fdiff

    def by(self, place: int) -> "Partial":
        """Return the partial derivative by one argument, counted from 0."""
        return self._replace(orders=tuple(n + (k == place) for k, n in enumerate(self.orders)))

    def __call__(self, *values: Any) -> Any:
        """Refuse: there is no value.

        Raises:
            UsageError: Always.
        """
        raise messages.no_value(self)


def _joined(places: Sequence[int]) -> str:
    return ("_" if max(places) > 9 else "").join(map(str, places))


def _ordinal(order: int) -> str:
    return {1: "", 2: "second ", 3: "third "}.get(order, f"{order}th ")


def applied(function: Partial, operands: Sequence[Any]) -> Node:
    """Apply a function entry by entry, with broadcasting; all arrays are brought to the float of the result."""
    nodes = [as_node(operand) for operand in operands]
    dtype = _dtype(nodes)
    kept = [x if x.is_weak or x.dtype == dtype else METHODS["astype"](x, dtype) for x in nodes]
    return Map(Operation(UNDEFINED, function.head, function.orders, *function.facts), *kept)


def _dtype(operands: Sequence[Node]) -> np.dtype[Any]:
    return to_float(promote(operands))


def _signature(parameters: Sequence[Any], operands: Sequence[Node]) -> tuple[Shape, np.dtype[Any]]:
    head, orders, *facts = parameters if len(parameters) > 1 else (None, ())
    named = (isinstance(head, str) and NAME.match(head)) or (isinstance(head, type) and not facts)
    counted = isinstance(orders, tuple) and all(type(n) is int and 0 <= n <= _MOST_ORDERS for n in orders)
    if not named or not counted or not all(isinstance(fact, str) for fact in facts):
        raise messages.bad_parameters(parameters)
    if not operands or len(orders) != len(operands):
        raise messages.wrong_arity(Partial(head, orders), len(operands))
    shape = operands[0].shape if len(operands) == 1 else broadcast_shapes(UNDEFINED, operands)
    return shape, _dtype(operands)


# -- print ------------------------------------------------------------------------------------------------


class _Argument(sympy.Dummy):  # type: ignore[misc]
    """What stands for an operand where a class of SymPy's prints itself: its text, and how tightly that binds."""

    def __new__(cls, text: Any) -> "_Argument":
        made: _Argument = super().__new__(cls, real=True)
        made.text = text
        return made

    @property
    def precedence(self) -> int:
        """How tightly the text binds, by SymPy's table."""
        text = self.text
        level: int = PRECEDENCE["Atom" if text.atom == text else "Mul" if text.factor == text else "Add"]
        return level

    def _latex(self, printer: LatexPrinter) -> str:
        return str(self.text)


def _look(function: Partial) -> str | Callable[..., str]:
    """Return a look in print: that which a class of SymPy's has by its method `_latex`, else that of the name."""
    head = function.head
    if isinstance(head, str) or function.order or not hasattr(head, "_latex"):
        return function.latex.replace("{", "{{").replace("}", "}}")
    return lambda texts, parameters: str(LatexPrinter().doprint(head(*map(_Argument, texts), evaluate=False)))


# -- what is known of a function --------------------------------------------------------------------------


@lru_cache(maxsize=4096)
def declaration(head: Any, orders: tuple[int, ...], *facts: str) -> Primitive:
    """Return what is known of a function, or of a partial derivative of one."""
    function = Partial(head, orders, facts)
    value, digits = _values(function)
    return Primitive(
        name=function.title,
        kind="elementwise",
        arity=len(orders),
        numpy=cast(Callable[..., Any], function),
        latex=_look(function),
        doc=f"{function.words[:1].upper()}{function.words[1:]}, which has no declaration.",
        derivative=checked_derivative(function.title, len(orders), _derivative(function)),
        value=value,
        mpmath=digits,
        domain=((-1.0, 1.0),) * len(orders),
    )


def _derivative(function: Partial) -> Callable[..., tuple[Node, ...]]:
    def derivative(y: Node, *operands: Node) -> tuple[Node, ...]:
        return tuple(_partial(function, place, operands) for place in range(len(operands)))

    return derivative


def _partial(function: Partial, place: int, operands: Sequence[Node]) -> Node:
    """Return a partial derivative: by the method `fdiff` of a class, else a function without a declaration too."""
    found = _by_fdiff(function.head, place, len(operands)) if function.has_rule else None
    if found is None:
        return applied(function.by(place), operands)
    expression, symbols = found
    made: Node = HOOKS["sympy_with"](expression, dict(zip(symbols, operands, strict=True)))
    return made


def _by_fdiff(head: Any, place: int, arity: int) -> tuple[sympy.Expr, list[sympy.Dummy]] | None:
    symbols = [sympy.Dummy(f"x_{k + 1}", real=True) for k in range(arity)]
    try:
        found = head(*symbols, evaluate=False).fdiff(place + 1)
    except ArgumentIndexError:
        return None
    slope = sympy.sympify(found, strict=True) if isinstance(found, (sympy.Basic, int, float)) else None
    if not isinstance(slope, sympy.Expr) or slope.is_Matrix:
        raise messages.bad_derivative(head, found)
    return slope, symbols


def implementation(function: Partial) -> Callable[..., Any] | None:
    """Return the NumPy function that a class brings along, as `implemented_function` makes them; None if none."""
    if hasattr(function.head, BY_ORDERS):
        given: Callable[..., Any] | None = getattr(function.head, BY_ORDERS)(function.orders)
        return given
    found: Callable[..., Any] | None = getattr(function.head, "_imp_", None)
    return None if function.order else found


def _values(function: Partial) -> tuple[Callable[..., Any] | None, Callable[..., Any] | None]:
    """Return what evaluates a function in NumPy and in mpmath, None where nothing does."""
    own, head = implementation(function), function.head
    value = _of_operands(entry_by_entry(function.word, own), len(function.orders)) if own else None
    if isinstance(head, str) or function.order or not _has_digits(head):
        return value, None if value else lambda mp, *scalars: function(*scalars)
    return value or _in_floats(head, len(function.orders)), partial(_in_digits, head)


def _of_operands(call: Any, arity: int) -> Callable[..., Any]:
    """Leave out the parameters, which say which function it is."""
    return lambda *given: call(*given[:arity])


def _in_digits(head: Any, mp: Any, *scalars: Any) -> Any:
    """Return the value of a class of SymPy's at numbers of mpmath."""
    found = sympy.sympify(head(*[sympy.Float(x, mp.dps) for x in scalars]), strict=True).evalf(mp.dps)
    return mp.mpf(found._to_mpmath(mp.prec)) if found.is_Float or found.is_Rational else mp.nan


def _in_floats(head: Any, arity: int) -> Callable[..., Any]:
    """Return the value of a class of SymPy's on arrays, number by number."""

    def entry(*numbers: Any) -> float:
        found = sympy.sympify(head(*[sympy.Float(float(x)) for x in numbers]), strict=True).evalf()
        return float(found) if found.is_Float or found.is_Rational else float("nan")

    call = np.frompyfunc(entry, arity, 1)
    return _of_operands(lambda *arrays: np.asarray(call(*arrays), np.result_type(*arrays, 1.0)), arity)


def _has_digits(head: Any) -> bool:
    return head._eval_evalf is not sympy.Function._eval_evalf or hasattr(head, "_eval_mpmath")


SIGNATURES[UNDEFINED] = _signature
FAMILIES[UNDEFINED] = declaration
TITLES[UNDEFINED] = lambda head, orders, *facts: Partial(head, orders).title
