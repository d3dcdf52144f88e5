"""What is said of a hazard: for which operands, what comes out, and what helps."""

from symback.check.domain.analysis import Found
from symback.check.domain.causes import CASES
from symback.check.domain.elementwise import RULES
from symback.check.domain.interval import Interval, Limits, limits_of
from symback.check.domain.pieces import PIECES
from symback.nodes.add import Plus
from symback.nodes.apply import Apply, unnamed
from symback.nodes.contract import Contract
from symback.nodes.leaves import Constant, Variable
from symback.nodes.node import Node
from symback.nodes.shapes import size_symbols
from symback.op.table import primitive_of

_OVERFLOW = {"exp": (709.782712893384, 88.72283), "expm1": (709.782712893384, 88.72283), "exp2": (1024.0, 128.0)}
_OVERFLOW_BOTH = {"sinh": (710.4758600739439, 89.41599), "cosh": (710.4758600739439, 89.41599)}


def shown(node: Node) -> str:
    """Return a few words for an operand."""
    return node.short()


def when_of(found: Found, scale: str) -> str:
    """Say for which operands something goes wrong, and what comes out."""
    node, limits = found.node, limits_of(found.node.dtype)
    if isinstance(node, Constant):
        return f"the array holds {_flags(found.result)}"
    if found.passed:
        return f"an infinity that is written in the graph, or lies in the domain, comes out: {_flags(found.result)}"
    if scale == "empty":
        sizes = " or ".join(f"{name} = 0" for name in sizes_of(node)) or "no entries"
        return f"an empty axis ({sizes}) gives {_flags(found.result)}"
    name = node.operation.name if isinstance(node, Apply) else ""
    texts = [shown(operand) for operand in node.operands]
    cases = [text.format(*texts) for applies, text in CASES.get(name, ()) if applies(found.operands)]
    threshold = _threshold(name, limits)
    if threshold and (found.operands[0].high > threshold or name in _OVERFLOW_BOTH):
        left = f"abs({texts[0]})" if name in _OVERFLOW_BOTH else texts[0]
        cases.append(f"{left} > {threshold:.6g} gives {_flags(found.result)}")
    if cases:
        return "; ".join(cases)
    return _in_general(found, limits, name)


def _threshold(name: str, limits: Limits) -> float:
    pair = _OVERFLOW.get(name) or _OVERFLOW_BOTH.get(name)
    return 0.0 if pair is None else pair[limits.bits == 32]


def _in_general(found: Found, limits: Limits, name: str) -> str:
    """Say what there is to say of any operation."""
    node, result = found.node, _flags(found.result)
    defined = primitive_of(node).defined if isinstance(node, Apply) and name not in CASES else ""
    beyond = f"beyond {limits.largest:.3g}"
    if isinstance(node, (Plus, Contract)):
        if any(operand.up or operand.down for operand in found.operands):
            return f"{'infinities of both signs' if isinstance(node, Plus) else '0 times infinity'} gives {result}"
        return f"a {'sum' if isinstance(node, Plus) or node.subscripts.summed else 'product'} {beyond} gives {result}"
    if defined:
        return f"outside of its domain ({defined.replace('$', '')}), or {beyond}: {result}"
    if name in CASES or (not found.result.nan and name in (*RULES, *PIECES)):
        return f"a result {beyond} gives {result}"
    return f"a result {beyond}, or operands for which it is not defined: {result}"


def _flags(result: Interval) -> str:
    names = ["inf"] * result.up + ["-inf"] * result.down + ["NaN"] * result.nan
    return " or ".join(names)


def outcome_of(found: Found) -> str:
    """Return what comes out: ``"NaN"``, ``"inf"``, ``"-inf"``, or several of them."""
    raises = isinstance(found.node, Apply) and found.node.operation.name == "cholesky_of"
    return "LinAlgError" if raises else _flags(found.result)


def sizes_of(node: Node) -> list[str]:
    """Return the symbolic sizes of the operands of a node, by name."""
    nodes = [node, *node.operands, *(inner for operand in node.operands for inner in operand.operands)]
    own = [
        symbol.name
        for other in nodes
        for size in (*other.shape, getattr(other, "size", 1))
        for symbol in size_symbols(size)
    ]
    return list(dict.fromkeys(own))


def argument_of(found: Found) -> str:
    """Say where the operands lie."""
    node = found.node
    if not node.operands or (isinstance(node, Contract) and len(node.operands) > 3):
        return ""
    parts = [
        f"{shown(operand)} in {value}"
        for operand, value in zip(node.operands[:3], found.operands, strict=False)
        if operand.operands or isinstance(operand, Variable)
    ]
    return ", ".join(dict.fromkeys(parts))


_POSITIVE = {"log", "log2", "log10", "gammaln", "gamma", "digamma", "loggamma", "log1mexp"}
_CURES = {
    "exp": "clip what it is taken of; in a quotient or a logarithm use softmax, logsumexp, logaddexp or sigmoid",
    "expm1": "bound what it is taken of",
    "softmax_over": "leave at least one entry of each row finite, or use a large negative number for -inf",
    "inv_of": "use solve, and add a multiple of the identity",
    "solution": "add a multiple of the identity to the matrix",
    "over_gaps": "derivatives of eigenvectors need eigenvalues that differ",
}


def cure_of(found: Found, scale: str) -> str:
    """Say what helps."""
    node = found.node
    name = node.operation.name if isinstance(node, Apply) else ""
    if scale == "empty":
        sizes = sizes_of(node)
        return (
            f"give domain={{{', '.join(f'{n!r}: [1, None]' for n in sizes)}}}" if sizes else "do not give empty arrays"
        )
    if isinstance(node, Constant):
        return "give finite numbers"
    if found.passed:
        return "write a large finite number for the infinity, or give domain=... without it"
    if scale == "extreme" and name not in ("log", "sqrt") and not _poles(found, name):
        return _bounded(node)
    if name in _POSITIVE or name == "sqrt":
        return _kept(unnamed(node.operands[0]), 0, name == "sqrt")
    if name in ("divide", "remainder", "fmod", "floor_divide", "xdivy", "xlogy") and found.operands[1].has_zero:
        return _kept(unnamed(node.operands[1]), 0, False, divisor=True)
    if name in ("arcsin", "arccos", "arctanh", "logit", "ndtri", "erfinv"):
        least = -1 if name.startswith("arc") or name == "erfinv" else 0
        operand = unnamed(node.operands[0])
        return (
            f"give domain={{{operand.name!r}: ({least}, 1)}}"
            if isinstance(operand, Variable)
            else f"clip it to ({least}, 1)"
        )
    return _CURES.get(name) or _bounded(node)


def _poles(found: Found, name: str) -> bool:
    return name in ("divide", "power") and found.operands[-1 if name == "divide" else 0].has_zero


def _kept(operand: Node, least: int, closed: bool, *, divisor: bool = False) -> str:
    """Say how to keep an operand positive, or a divisor away from 0."""
    interval = f"[{least}, None]" if closed else f"({least}, None)"
    if isinstance(operand, Variable):
        return f"give domain={{{operand.name!r}: {interval}}}, or choose by sb.where"
    what = shown(operand)
    if divisor:
        return f"add a small number to {what}, or sb.where({what} != 0, ...)"
    return f"add a small number to {what}, or sb.where({what} > 0, ...)"


def _bounded(node: Node) -> str:
    names = [operand.name for operand in map(unnamed, node.operands) if isinstance(operand, Variable)]
    if not names:
        return "bound the variables by domain=..."
    return f"give domain={{{', '.join(f'{name!r}: [-1e6, 1e6]' for name in dict.fromkeys(names))}}}"
