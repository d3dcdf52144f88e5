"""The NumPy spelling of products, one function for each kind of `symback.nodes.classify`."""

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

from symback.codegen.outer import repeats_blocks
from symback.codegen.source.text import (
    ATOM,
    LETTERS,
    MATMUL,
    POWER,
    PRODUCT,
    Text,
    call,
    coefficient_factor,
    deepest,
    dtype_argument,
    dtype_name,
    exact_text,
)
from symback.nodes.classify import Product
from symback.nodes.contract import Contract, Labels
from symback.nodes.leaves import ExactValue
from symback.nodes.shapes import SizeExpr

ShapeText = Callable[[Sequence[SizeExpr]], str]


def product_text(node: Contract, p: Product, texts: Sequence[Text], inverse: Sequence[bool], shape: ShapeText) -> Text:
    """Write a product of the operands `texts`; those marked `inverse` (in products entry by entry) divide."""
    as_float = node.dtype.kind == "f" and not any(core.dtype.kind == "f" for core, _ in p.cores)
    if p.kind == "fill":
        return _fill(node, p, shape)
    kinds = [core.dtype.kind for core, _ in p.cores]
    if p.kind not in ("hadamard", "scale"):
        masks = set(kinds) == {"b"} and p.kind not in ("sum", "trace")
        text = _SPELLINGS[p.kind](p, texts, shape)
        return _whole(multiplied(p.coefficient, [text], [], to_float=as_float, masks=masks), kinds[0])
    if repeats_blocks(p) and not any(inverse):
        return _blocks(p, texts)
    order = sorted(range(len(texts)), key=lambda k: ("u", "b").index(kinds[k]) + 1 if kinds[k] in "ub" else 0)
    factors = [aligned(texts[k], p.cores[k][1], p, full=bool(p.ones) and k == order[0]) for k in order]
    over = [factor for factor, k in zip(factors, order, strict=True) if inverse[k]]
    above = [factor for factor, k in zip(factors, order, strict=True) if not inverse[k]]
    above = above if "b" in kinds else _squares(above)
    text = multiplied(p.coefficient, above, over, to_float=as_float, masks=set(kinds) == {"b"})
    return _repeated(_whole(text, kinds[order[0]]), p, shape)


def _blocks(p: Product, texts: Sequence[Text]) -> Text:
    """Write an outer product with einsum; the coefficient goes to the operand with fewer axes."""
    small = min((0, 1), key=lambda k: len(p.cores[k][1]))
    scaled = list(texts)
    scaled[small] = multiplied(p.coefficient, [texts[small]], [], to_float=False)
    return _einsum(p, scaled, lambda shape: "")


def _whole(text: Text, kind: str) -> Text:
    """Put a quotient in parentheses whose sign would go to unsigned integers."""
    bare = text.negative and text.precedence == PRODUCT and kind == "u"
    return Text(f"({text.text})", ATOM, True, text.depth) if bare else text


def _repeated(text: Text, p: Product, shape: ShapeText) -> Text:
    """Repeat an array along the axes that only ones have, unless they are of size 1."""
    if all(p.sizes[label] == 1 for label in p.ones):
        return text
    wanted = shape([p.sizes[label] for label in p.out])
    return Text(f"np.broadcast_to({text.signed()}, {wanted})", ATOM, False, text.depth + 1)


def multiplied(
    coefficient: ExactValue, factors: Sequence[Text], over: Sequence[Text], *, to_float: bool, masks: bool = False
) -> Text:
    """Write coefficient * factors / over, with the signs taken together.

    `to_float` keeps a factor 1.0, which makes integers floats; `masks` says that all factors are boolean and
    cannot carry a sign.
    """
    negative, times, bottom = coefficient_factor(coefficient)
    parts: list[Text] = []
    for factor in factors:
        negative ^= factor.negative
        parts.append(factor._replace(negative=False))
    divisors: list[Text] = []
    for factor in [*over, *([Text(bottom)] if bottom else [])]:
        negative ^= factor.negative
        divisors.append(factor._replace(negative=False))
    if times is not None or not parts or (to_float and not divisors) or (masks and negative):
        parts.insert(0, Text(times or ("1.0" if to_float or (not parts and not divisors) else "1")))
    if len(parts) == 1 and not divisors:
        return parts[0]._replace(negative=negative)
    first, *rest = parts
    text = first.wrapped(PRODUCT)
    for part in rest:
        text += f" * {part.wrapped(PRODUCT + (part.precedence == PRODUCT))}"
    for divisor in divisors:
        text += f" / {divisor.wrapped(PRODUCT + 1)}"
    return Text(text, PRODUCT, negative, deepest([*parts, *divisors]))


def _squares(factors: Sequence[Text]) -> list[Text]:
    """Write a factor that stands twice as a square."""
    result: list[Text] = []
    for factor in factors:
        plain = factor._replace(negative=False)
        if plain in result:
            result[result.index(plain)] = Text(f"{factor.wrapped(POWER + 1, signed=False)}**2", POWER, factor.negative,
                                               factor.depth + 1)  # fmt: skip
        else:
            result.append(factor)
    return result


def aligned(text: Text, labels: Labels, p: Product, *, full: bool = False) -> Text:
    """Write an operand so that NumPy's broadcasting puts its axes where the output has them.

    With `full` it gets all axes of the output, also leading ones that it would not need for that.
    """
    distinct = tuple(dict.fromkeys(labels))
    if len(distinct) < len(labels):
        text, labels = _diagonal_text(text, labels), distinct
    offset = len(p.out) - len(labels)
    if offset >= 0 and all(label not in p.out or p.out[offset + k] == label for k, label in enumerate(labels)):
        missing = offset if full else 0
        return indexed(text, [None] * missing + [slice(None)] * len(labels)) if missing else text
    text = indexed(text, [slice(None) if label in p.out else 0 for label in labels])
    kept = [label for label in labels if label in p.out]
    ordered = [label for label in p.out if label in kept]
    text = permuted(text, kept, ordered)
    first = 0 if full else p.out.index(ordered[0]) if ordered else len(p.out)
    return indexed(text, [slice(None) if label in kept else None for label in p.out[first:]])


def _diagonal_text(text: Text, labels: Labels) -> Text:
    if len(labels) == 2:
        return Text(f"{text.wrapped(ATOM)}.diagonal()", ATOM, False, text.depth + 1)
    letters: dict[int, str] = {}
    group = "".join(letters.setdefault(label, LETTERS[len(letters)]) for label in labels)
    return call("np.einsum", f'"{group}->{"".join(letters.values())}"', text.signed(), depth=text.depth)


def indexed(text: Text, index: Sequence[Any]) -> Text:
    """Write an index made of full slices, None and integers; nothing if it changes nothing."""
    entries = list(index)
    if text.reduced and text.reduced == tuple(k for k, entry in enumerate(entries) if entry is None):
        return _keeping_axes(text)
    while entries and entries[-1] == slice(None):
        entries.pop()
    if not entries:
        return text
    shown = ", ".join(":" if entry == slice(None) else str(entry) for entry in entries)
    return Text(f"{text.wrapped(ATOM)}[{shown}]", ATOM, False, text.depth)


def _keeping_axes(text: Text) -> Text:
    """Write a reduction that leaves its axes with size 1."""
    between = "" if text.text.endswith("()") else ", "
    return text._replace(text=f"{text.text[:-1]}{between}keepdims=True)", reduced=())


def permuted(text: Text, labels: Sequence[int], wanted: Sequence[int]) -> Text:
    """Write an operand with its axes in another order."""
    order = [list(labels).index(label) for label in wanted]
    if order == sorted(order):
        return text
    atom = text.wrapped(ATOM)
    if order == list(range(len(order)))[::-1]:
        return Text(f"{atom}.T", ATOM, False, text.depth)
    return Text(f"{atom}.transpose({', '.join(map(str, order))})", ATOM, False, text.depth)


def _fill(node: Contract, p: Product, shape: ShapeText) -> Text:
    is_float = node.dtype.kind == "f"
    exact_value = p.coefficient
    value = exact_text(Fraction(exact_value) if is_float and isinstance(exact_value, int) else exact_value)
    if not p.out:
        return value if node.dtype.name == "float64" else call(f"np.{dtype_name(node.dtype)}", value.signed())
    dtype = dtype_argument(node.dtype)
    if p.coefficient in (0, 1):
        return call("np.ones" if p.coefficient == 1 else "np.zeros", f"{shape(node.shape)}{dtype}")
    return call("np.full", shape(node.shape), f"{value.signed()}{dtype}")


def _scale(p: Product, texts: Sequence[Text], shape: ShapeText) -> Text:
    return texts[0]


def _transpose(p: Product, texts: Sequence[Text], shape: ShapeText) -> Text:
    labels = p.cores[0][1]
    text = indexed(texts[0], [slice(None) if label in p.out else 0 for label in labels])
    return permuted(text, [label for label in labels if label in p.out], p.out)


def _broadcast(p: Product, texts: Sequence[Text], shape: ShapeText) -> Text:
    spread = any(p.sizes[label] != 1 for label in p.ones)
    return _repeated(aligned(texts[0], p.cores[0][1], p, full=not spread), p, shape)


def _diagonal(p: Product, texts: Sequence[Text], shape: ShapeText) -> Text:
    labels = p.cores[0][1]
    if p.ones:
        return _broadcast(p, texts, shape)
    return _diagonal_text(texts[0], labels) if p.out == tuple(dict.fromkeys(labels)) else _einsum(p, texts, shape)


def _trace(p: Product, texts: Sequence[Text], shape: ShapeText) -> Text:
    if len(p.cores[0][1]) != 2:
        return _einsum(p, texts, shape)
    return call("np.trace", texts[0].signed(), *_own_dtype(p), depth=texts[0].depth)


def _own_dtype(p: Product) -> list[str]:
    """Write the dtype of small integers and booleans, which NumPy would sum in 64 bits, if the result has it."""
    small = p.dtype.kind == "b" or (p.dtype.kind in "iu" and p.dtype.itemsize < 8)
    return [f"dtype=np.{dtype_name(p.dtype)}"] if small else []


def _sum(p: Product, texts: Sequence[Text], shape: ShapeText) -> Text:
    labels = p.cores[0][1]
    axes = [k for k, label in enumerate(labels) if label not in p.out]
    kept = [label for label in labels if label in p.out]
    in_place = all(p.out[k] in p.ones for k in axes if k < len(p.out)) and len(p.out) == len(labels)
    keep = bool(p.ones) and in_place
    arguments = [] if len(axes) == len(labels) and not keep else [f"axis={axes[0] if len(axes) == 1 else tuple(axes)}"]
    arguments += ["keepdims=True"] if keep else []
    arguments += _own_dtype(p)
    atom = texts[0]
    if atom.precedence == ATOM and not atom.negative and atom.text.isidentifier():
        text = Text(f"{atom.text}.sum({', '.join(arguments)})", ATOM, False, atom.depth + 1)
    else:
        text = call("np.sum", atom.signed(), *arguments, depth=atom.depth)
    text = text if keep else text._replace(reduced=tuple(axes))
    if keep:
        return permuted(text, [label if label in kept else p.out[k] for k, label in enumerate(labels)], p.out)
    text = permuted(text, kept, [label for label in p.out if label in kept])
    return indexed(text, [None if label in p.ones else slice(None) for label in p.out])


def _outer(p: Product, texts: Sequence[Text], shape: ShapeText) -> Text:
    return call("np.outer", texts[0].signed(), texts[1].signed(), depth=deepest(texts))


def _inner(p: Product, texts: Sequence[Text], shape: ShapeText) -> Text:
    return _at(texts[0], texts[1])


def _frobenius(p: Product, texts: Sequence[Text], shape: ShapeText) -> Text:
    right = permuted(texts[1], p.cores[1][1], p.cores[0][1])
    return call("np.vdot", texts[0].signed(), right.signed(), depth=deepest(texts))


def _at(left: Text, right: Text) -> Text:
    negative = left.negative ^ right.negative
    left, right = left._replace(negative=False), right._replace(negative=False)
    operator = f"{left.wrapped(MATMUL + (left.precedence == PRODUCT) * 2)} @ {right.wrapped(PRODUCT + 1)}"
    return Text(operator, MATMUL, negative, deepest([left, right]))


def _matrix_product(p: Product, texts: Sequence[Text], shape: ShapeText) -> Text:
    """Write A @ B, A @ x or x @ A."""
    return _at(*matrix_factors(p, texts))


def matrix_factors(p: Product, texts: Sequence[Text]) -> tuple[Text, Text]:
    """Return both sides of A @ B, A @ x or x @ A, transposing a matrix where its axes stand the other way round."""
    (left, a), (right, b) = ((text, labels) for text, (_, labels) in zip(texts, p.cores, strict=True))
    if len(p.out) == 2 and p.out[0] not in a:
        left, a, right, b = right, b, left, a
    if len(a) == 1 and b[0] in p.out:
        left, a, right, b = right, b, left, a
    if len(a) == 2 and a[1] in p.out:
        left = permuted(left, a, (a[1], a[0]))
    if len(b) == 2 and b[0] in p.out:
        right = permuted(right, b, (b[1], b[0]))
    return left, right


def _batched(p: Product, texts: Sequence[Text], shape: ShapeText) -> Text:
    """Write stacks of matrices with @ if their axes stand as matmul wants them, else an einsum."""
    factors = stacked_factors(p, texts)
    return _einsum(p, texts, shape) if factors is None else _at(*factors)


def stacked_factors(p: Product, texts: Sequence[Text]) -> tuple[Text, Text] | None:
    """Return both sides of a product of stacks of matrices; None if their axes do not stand as matmul wants them."""
    (_, a), (_, b) = p.cores
    rank = len(p.out) - 2
    batch = p.out[:rank]
    summed = p.summed(a)
    if len(a) == len(b) == rank + 2 and len(summed) == 1 and a[:rank] == b[:rank] == batch:
        row, column = p.out[-2:]
        (left, first), (right, second) = ((texts[0], a), (texts[1], b)) if row in a else ((texts[1], b), (texts[0], a))
        if row in first and column in second:
            left = permuted(left, first, (*batch, row, summed[0]))
            return left, permuted(right, second, (*batch, summed[0], column))
    return None


def _tensordot(p: Product, texts: Sequence[Text], shape: ShapeText) -> Text:
    (_, a), (_, b) = p.cores
    if any(p.sizes[label] == 1 and label not in p.out for label in (*a, *b)):
        return _einsum(p, texts, shape)
    shared = [label for label in a if label in b]
    axes = f"axes=({[a.index(label) for label in shared]}, {[b.index(label) for label in shared]})"
    text = call("np.tensordot", texts[0].signed(), texts[1].signed(), axes, depth=deepest(texts))
    return permuted(text, [label for label in (*a, *b) if label not in shared], p.out)


def _einsum(p: Product, texts: Sequence[Text], shape: ShapeText) -> Text:
    """Write what has no plainer spelling."""
    letters: dict[int, str] = {}
    groups = ["".join(letters.setdefault(label, LETTERS[len(letters)]) for label in labels) for _, labels in p.cores]
    kept = "".join(letters[label] for label in p.out if label not in p.ones)
    pattern = f'"{",".join(groups)}->{kept}"'
    text = call("np.einsum", pattern, *(text.signed() for text in texts), depth=deepest(texts))
    return _repeated(indexed(text, [None if label in p.ones else slice(None) for label in p.out]), p, shape)


_SPELLINGS: dict[str, Callable[[Product, Sequence[Text], ShapeText], Text]] = {
    "scale": _scale,
    "transpose": _transpose,
    "broadcast": _broadcast,
    "diagonal": _diagonal,
    "trace": _trace,
    "sum": _sum,
    "outer": _outer,
    "inner": _inner,
    "frobenius": _frobenius,
    "matvec": _matrix_product,
    "vecmat": _matrix_product,
    "matmul": _matrix_product,
    "batched": _batched,
    "tensordot": _tensordot,
    "general": _einsum,
}
