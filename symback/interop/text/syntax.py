"""Text to a syntax tree of bounded length and depth, and the places in it."""

import ast
import re
import warnings
from collections.abc import Iterator

from symback.errors import text as messages
from symback.errors.text import Place

MOST_CHARACTERS = 20_000
MOST_DEPTH = 1_000
_MOST_OPEN = 90
"""How many brackets may be open at a place: Python's own parser gives up at 200."""

_READ = (
    ast.Module, ast.Expr, ast.Assign, ast.Name, ast.Constant, ast.BinOp, ast.UnaryOp, ast.Compare, ast.Attribute,
    ast.Call, ast.keyword, ast.Subscript, ast.Slice, ast.Tuple, ast.List, ast.expr_context, ast.operator, ast.UAdd,
    ast.USub, ast.Invert, ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Eq, ast.NotEq,
)  # fmt: skip
"""The whitelist."""
_REFUSED: dict[type[ast.AST], str] = {
    ast.Lambda: "a lambda", ast.NamedExpr: "an assignment by :=", ast.JoinedStr: "an f-string", ast.Dict: "a dict",
    ast.Set: "a set", ast.ListComp: "a comprehension", ast.SetComp: "a comprehension", ast.DictComp: "a comprehension",
    ast.GeneratorExp: "a comprehension", ast.Await: "await", ast.Yield: "yield", ast.YieldFrom: "yield",
    ast.Starred: "*", ast.AugAssign: "an assignment in place", ast.AnnAssign: "an annotation",
}  # fmt: skip
_INSTEAD: dict[type[ast.AST], str] = {
    ast.IfExp: "if and else are not read in a formula; write where(condition, x, y)",
    ast.BoolOp: "and, or are not read in a formula; write logical_and(a, b), logical_or(a, b)",
    ast.Not: "not is not read in a formula; write logical_not(a)",
    **dict.fromkeys((ast.In, ast.NotIn, ast.Is, ast.IsNot), "only <, <=, >, >=, == and != compare in a formula"),
}


class Source:
    """A formula with its statements.

    Args:
        text: Expressions and assignments, one a line or divided by semicolons.

    Raises:
        InputError: If it is no formula; the message says where.
    """

    def __init__(self, text: str) -> None:
        self._lines = re.split(r"\r\n|\r|\n", text)  # as Python does
        self.statements = self._parsed(text)

    def _parsed(self, text: str) -> list[ast.stmt]:
        if len(text) > MOST_CHARACTERS:
            raise messages.too_long(len(text), MOST_CHARACTERS)
        if not _is_unicode(text):
            raise messages.refused(
                "the text is not in the encoding of the terminal; write it in UTF-8", Place(1, 0, 1, "")
            )
        if _open_brackets(text) > _MOST_OPEN:
            raise messages.too_deep()
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                tree = ast.parse(text, "<formula>")
        except SyntaxError as error:
            reason = str(error.msg).partition(";")[0]  # what follows is about Python's settings
            raise messages.refused(f"{reason}; write it as in Python", self._of_error(error)) from None
        except (RecursionError, MemoryError):
            raise messages.too_deep() from None
        except ValueError as error:  # a null byte, an integer of more than 4300 digits
            raise messages.refused(str(error), Place(1, 0, 1, self._lines[0])) from None
        if not tree.body:
            raise messages.empty()
        if _depth(tree) > MOST_DEPTH:
            raise messages.too_deep()
        self._check_kinds(tree)
        return tree.body

    def _check_kinds(self, tree: ast.Module) -> None:
        for node in ast.walk(tree):
            if not isinstance(node, _READ):
                where = node if hasattr(node, "lineno") else _parent(tree, node)
                raise messages.refused(refusal(node), self.place(where))

    def _of_error(self, error: SyntaxError) -> Place:
        line = min(max(error.lineno or 1, 1), len(self._lines))
        start = max((error.offset or 1) - 1, 0)
        end = (error.end_offset or 0) - 1 if error.end_lineno == error.lineno else start + 1
        return Place(line, start, max(end, start + 1), self._lines[line - 1])

    def place(self, node: ast.AST) -> Place:
        """Return where a node of the tree stands; of one on several lines the part on the first."""
        line: int = getattr(node, "lineno", 1)
        text = self._lines[line - 1] if line <= len(self._lines) else ""
        start = _characters(text, getattr(node, "col_offset", 0))
        end_line: int = getattr(node, "end_lineno", line)
        end = _characters(text, getattr(node, "end_col_offset", 0)) if end_line == line else len(text)
        return Place(line, start, end, text)

    def segment(self, node: ast.AST) -> str:
        """Return the text of a node on its first line."""
        place = self.place(node)
        return place.text[place.start : place.end]


def refusal(node: ast.AST) -> str:
    """Return why a kind of node is not read, and what to write instead."""
    kind = type(node)
    if kind in _INSTEAD:
        return _INSTEAD[kind]
    what = _REFUSED.get(kind, f"a statement ({kind.__name__})" if isinstance(node, ast.stmt) else f"{kind.__name__}")
    return f"{what} is not read in a formula: it has names, numbers, operators, calls, indices and assignments by ="


def _parent(tree: ast.AST, child: ast.AST) -> ast.AST:
    """Return the node that holds an operator, which has no place of its own."""
    return next(node for node in ast.walk(tree) if any(part is child for part in ast.iter_child_nodes(node)))


def _characters(line: str, offset: int) -> int:
    """Turn an offset in bytes of UTF-8 into one in characters."""
    return len(line.encode("utf-8", "replace")[:offset].decode("utf-8", "ignore"))


def _is_unicode(text: str) -> bool:
    """Whether a text has no bytes in it that the terminal's encoding does not have."""
    return not any("\ud800" <= sign <= "\udfff" for sign in text)


def _open_brackets(text: str) -> int:
    """Return how many brackets are open at once, at most."""
    deepest = depth = 0
    for sign in text:
        depth += (sign in "([{") - (sign in ")]}")
        deepest = max(deepest, depth)
    return deepest


def _depth(tree: ast.AST) -> int:
    """Return how deep a tree is."""
    depth, level = 0, [tree]
    while level:
        depth += 1
        level = [child for node in level for child in ast.iter_child_nodes(node)]
    return depth


def dotted(node: ast.expr) -> tuple[str, ...] | None:
    """Return the parts of ``a.b.c``; None if it begins with anything but a name."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return (node.id, *reversed(parts)) if isinstance(node, ast.Name) else None


def read_names(statements: list[ast.stmt]) -> Iterator[tuple[str, ast.Name]]:
    """Yield the names that stand for values, with where they stand, in the order of the text."""
    called = set()
    for statement in statements:
        for node in ast.walk(statement):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                called.add(node.func)
    nodes = [
        node
        for statement in statements
        for node in ast.walk(statement)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node not in called
    ]
    for node in sorted(nodes, key=lambda n: (n.lineno, n.col_offset)):
        yield node.id, node
