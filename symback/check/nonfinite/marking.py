"""Each sub-expression of a function's syntax tree wrapped in a call that is told its value.

What is evaluated, and in which order, stays the same: ``np.log(x) + y`` becomes
``see(2, see(1, enter(1, np.log)(see(0, x))) + see(3, y))``, with a number for each site.
"""

import ast
from dataclasses import dataclass
from typing import Any, TypeGuard, TypeVar

NAME, PASSING, OPERATION, STORE = "name", "passing", "operation", "store"

FRAME = "__frame__"
"""The name by which a function under watch knows its frame; Python mangles no name that ends like that."""

T = TypeVar("T", bound=ast.AST)


@dataclass
class Site:
    """A sub-expression: its node as written, what it is, and the sites of its operands.

    Attributes:
        node: Where it stands; only the place is read.
        kind: ``"name"``, ``"passing"`` (computes nothing), ``"operation"``, ``"store"``.
        operands: The numbers of the sites of its operands.
        operator: The class of the operator of a sum, a product, ... .
        out: Whether the result is written to an array that is given.
        targets: What the whole is assigned to.
        by_zero: Whether it is divided by a zero that is written there.
    """

    node: Any
    kind: str
    operands: tuple[int, ...]
    operator: type[ast.operator] | None = None
    out: bool = False
    targets: str = ""
    by_zero: bool = False


class Marker(ast.NodeTransformer):
    """Wraps the expressions of one function, and lists their sites."""

    def __init__(self) -> None:
        self.sites: list[Site] = []
        self._seen: list[int] = []

    # -- expressions --------------------------------------------------------------------------------

    def visit(self, node: ast.AST) -> Any:
        """Mark a node; what is assigned to, patterns, annotations and strings stay."""
        if not isinstance(getattr(node, "ctx", ast.Load()), ast.Load) or isinstance(node, (ast.JoinedStr, ast.pattern)):
            return node
        return super().visit(node)

    def visit_Name(self, node: ast.Name) -> Any:
        """A name is kept as an operand."""
        return self._site(node, node, NAME, ())

    def visit_Attribute(self, node: ast.Attribute) -> Any:
        """An attribute hands on what the object has."""
        return self._expression(node, PASSING)

    def visit_Subscript(self, node: ast.Subscript) -> Any:
        """An index picks entries; it is itself no operand."""
        place, written = _position(node), node
        written.value, seen = self._apart(node.value)
        written.slice, _ = self._apart(node.slice)
        return self._site(place, written, PASSING, seen)

    def visit_IfExp(self, node: ast.IfExp) -> Any:
        """A conditional hands on one of two values."""
        place = _position(node)
        node.test, _ = self._apart(node.test)
        node.body, first = self._apart(node.body)
        node.orelse, second = self._apart(node.orelse)
        return self._site(place, node, PASSING, first + second)

    def visit_BoolOp(self, node: ast.BoolOp) -> Any:
        """So do `and` and `or`."""
        return self._expression(node, PASSING)

    def visit_NamedExpr(self, node: ast.NamedExpr) -> Any:
        """An assignment within an expression."""
        return self._expression(node, PASSING)

    def visit_ListComp(self, node: ast.ListComp) -> Any:
        """A list of what has been computed within."""
        return self._expression(node, PASSING)

    def visit_SetComp(self, node: ast.SetComp) -> Any:
        """A set."""
        return self._expression(node, PASSING)

    def visit_DictComp(self, node: ast.DictComp) -> Any:
        """A dict."""
        return self._expression(node, PASSING)

    def visit_GeneratorExp(self, node: ast.GeneratorExp) -> Any:
        """What is drawn from it is watched, item by item."""
        place = _position(node)
        inner, seen = self._apart_generic(node)
        return self._each(self._new(place, PASSING, seen), inner)

    def visit_Compare(self, node: ast.Compare) -> Any:
        """A comparison is boolean, and no operand."""
        return self._apart_generic(node)[0]

    def visit_BinOp(self, node: ast.BinOp) -> Any:
        """A sum, a product, ... ."""
        return self._expression(node, OPERATION, operator=type(node.op), by_zero=_is_zero(node.right))

    def visit_UnaryOp(self, node: ast.UnaryOp) -> Any:
        """A sign."""
        return self._expression(node, OPERATION)

    def visit_Call(self, node: ast.Call) -> Any:
        """A call: the object of a method is an operand, the array that is written to is none."""
        place = _position(node)
        out = next((ast.unparse(word.value) for word in node.keywords if word.arg == "out"), "")
        by_zero = len(node.args) > 1 and _is_zero(node.args[1])
        number = self._new(place, OPERATION, (), out=bool(out), targets=out, by_zero=by_zero)
        function, seen = self._function(node.func)
        node.func = _call("enter", place, number, function)
        arguments = [self._apart(argument) for argument in node.args]
        node.args = [argument for argument, _ in arguments]
        for _, own in arguments:
            seen += own
        for word in node.keywords:
            word.value, own = self._apart(word.value)
            if word.arg == "out":
                word.value = _call("out", place, number, word.value)
            else:
                seen += own
        self.sites[number].operands = tuple(seen)
        self._seen.append(number)
        return _call("see", place, number, node)

    def visit_Lambda(self, node: ast.Lambda) -> Any:
        """What a function within computes is watched; the function is no operand."""
        return self._apart_generic(node)[0]

    def visit_arguments(self, node: ast.arguments) -> Any:
        """Defaults are computed, annotations are not."""
        node.defaults = [self._apart(default)[0] for default in node.defaults]
        node.kw_defaults = [default and self._apart(default)[0] for default in node.kw_defaults]
        return node

    def visit_comprehension(self, node: ast.comprehension) -> Any:
        """What is iterated over is watched item by item."""
        node.iter = self._iterated(node.iter)
        node.ifs = [self._apart(condition)[0] for condition in node.ifs]
        return node

    # -- statements -----------------------------------------------------------------------------------

    def visit_Assign(self, node: ast.Assign) -> Any:
        """An assignment: a name for the value, or entries of an array."""
        return self._assigned(node, node.targets)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> Any:
        """An assignment with an annotation."""
        return self._assigned(node, [node.target]) if node.value else node

    def visit_AugAssign(self, node: ast.AugAssign) -> Any:
        """An assignment in place: the operand on the left is gone afterwards, so it is copied before."""
        place, by_zero = _position(node), _is_zero(node.value)
        node.value, seen = self._apart(node.value)
        if not _is_simple(node.target):
            return node
        targets = ast.unparse(node.target)
        number = self._new(place, OPERATION, (), operator=type(node.op), targets=targets, by_zero=by_zero)
        left = self._new(_position(node.target), NAME, ())
        self.sites[number].operands = (left, *seen)
        node.value = _call("before", place, left, _loaded(node.target), node.value)
        return [node, ast.Expr(_call("see", place, number, _loaded(node.target)))]

    def visit_For(self, node: ast.For) -> Any:
        """A loop: what comes out of an iterable comes from where that comes."""
        place, node.iter = _position(node.iter), self._iterated(node.iter)
        node.body = [*self._unpacked([node.target], place, (len(self.sites) - 1,)), *self.block(node.body)]
        node.orelse = self.block(node.orelse)
        return node

    def visit_FunctionDef(self, node: Any) -> Any:
        """A function within shares the frame of the one around it."""
        node.decorator_list = [self._apart(decorator)[0] for decorator in node.decorator_list]
        node.args = self.visit_arguments(node.args)
        node.body = self.block(node.body)
        return node

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> Any:
        """A coroutine within, likewise."""
        return self.visit_FunctionDef(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> Any:
        """A class within is left alone."""
        return node

    def visit_Delete(self, node: ast.Delete) -> Any:
        """Nothing is computed."""
        return node

    # -- how -----------------------------------------------------------------------------------------

    def _new(self, place: ast.expr, kind: str, operands: Any, **more: Any) -> int:
        self.sites.append(Site(place, kind, tuple(operands), **more))
        return len(self.sites) - 1

    def _site(self, place: Any, node: ast.expr, kind: str, operands: Any, **more: Any) -> ast.expr:
        number = self._new(_position(place), kind, operands, **more)
        self._seen.append(number)
        return _call("see", place, number, node)

    def _expression(self, node: ast.expr, kind: str, **more: Any) -> ast.expr:
        place = _position(node)
        inner, seen = self._apart_generic(node)
        return self._site(place, inner, kind, seen, **more)

    def _apart(self, node: ast.expr) -> tuple[Any, list[int]]:
        """Mark an expression, and return it with the sites that its value consists of."""
        outer, self._seen = self._seen, []
        marked = self.visit(node)
        seen, self._seen = self._seen, outer
        return marked, seen

    def _apart_generic(self, node: T) -> tuple[T, list[int]]:
        outer, self._seen = self._seen, []
        self.generic_visit(node)
        seen, self._seen = self._seen, outer
        return node, seen

    def block(self, statements: list[ast.stmt]) -> list[Any]:
        """Mark a block of statements."""
        marked: list[Any] = []
        for statement in statements:
            found = self.visit(statement)
            marked += found if isinstance(found, list) else [found]
        return marked

    def _function(self, node: ast.expr) -> tuple[ast.expr, list[int]]:
        """Mark what is called: of ``x.dot``, x is an operand."""
        if isinstance(node, ast.Name):
            return node, []
        if isinstance(node, ast.Attribute):
            node.value, seen = self._apart(node.value)
            return node, seen
        return self._apart(node)[0], []

    def _iterated(self, node: ast.expr) -> ast.expr:
        place = _position(node)
        marked, seen = self._apart(node)
        return self._each(self._new(place, PASSING, seen), marked, keep=False)

    def _each(self, number: int, node: ast.expr, *, keep: bool = True) -> ast.expr:
        if keep:
            self._seen.append(number)
        return _call("each", self.sites[number].node, number, node)

    def _assigned(self, node: Any, targets: list[ast.expr]) -> Any:
        """Name the value by its target, and look at arrays whose entries are assigned."""
        node.value, seen = self._apart(node.value)
        named = ast.unparse(targets[0])
        whole = isinstance(node.value, ast.Call) and bool(seen) and _is_call_of(node.value, "see", seen[-1])
        if whole and isinstance(targets[0], (ast.Name, ast.Tuple)):
            self.sites[seen[-1]].targets = named.strip("()")
        stores = [target for target in targets if isinstance(target, ast.Subscript) and _is_simple(target)]
        after = []
        for target in stores:
            number = self._new(_position(node), STORE, seen, targets=ast.unparse(target))
            after.append(ast.Expr(_call("stored", node, number, _loaded(target.value), _loaded(target))))
        return [node, *self._unpacked(targets, _position(node), seen), *after]

    def _unpacked(self, targets: list[ast.expr], place: Any, seen: Any) -> list[ast.stmt]:
        """Look at the names to which the parts of a value are given."""
        apart = [target for target in targets if isinstance(target, (ast.Tuple, ast.List))]
        names = [node.id for target in apart for node in ast.walk(target) if _is_stored(node)]
        number = self._new(place, STORE, seen) if names else 0
        return [ast.Expr(_call("unpacked", place, number, ast.Name(name, ast.Load()))) for name in names]


def _call(method: str, place: Any, number: int, *values: ast.expr) -> ast.Call:
    """Write ``frame.method(number, values)`` at a place."""
    function = ast.Attribute(ast.Name(FRAME, ast.Load()), method, ast.Load())
    call = ast.Call(function, [ast.Constant(number), *values], [])
    for node in ast.walk(function):
        ast.copy_location(node, place)
    ast.copy_location(call.args[0], place)
    return ast.copy_location(call, place)


def _is_call_of(node: ast.Call, method: str, number: int) -> bool:
    function, first = node.func, node.args[0] if node.args else None
    written = isinstance(function, ast.Attribute) and function.attr == method and isinstance(first, ast.Constant)
    return written and first is not None and getattr(first, "value", None) == number


def _position(node: Any) -> Any:
    """Return a node that stands where another does, and stays as it is when that is rewritten."""
    return ast.copy_location(ast.Pass(), node)


def _is_stored(node: ast.AST) -> TypeGuard[ast.Name]:
    return isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)


def _is_zero(node: ast.expr) -> bool:
    """Whether a zero is written there; False is none."""
    return isinstance(node, ast.Constant) and type(node.value) in (int, float) and node.value == 0


def _is_simple(target: ast.expr) -> bool:
    """Whether a target can be evaluated twice: nothing in it is called or assigned."""
    active = (ast.Call, ast.Await, ast.Yield, ast.YieldFrom, ast.NamedExpr)
    return not any(isinstance(node, active) for node in ast.walk(target))


def _loaded(target: ast.expr) -> ast.expr:
    """Return an expression that reads what a target writes."""
    copy = ast.parse(ast.unparse(target), mode="eval").body
    for node in ast.walk(copy):
        ast.copy_location(node, target)
    return copy
