"""What a reader of a derivation knows: the values of its names, from the point at which it is verified."""

import contextlib
import re

import numpy as np

from latex_grammar import UnreadableError
from latex_reader import Names, read
from symback import errors
from symback.derivation.proof.sampling import candidates
from symback.derivation.proof.values import value_of
from symback.derivation.proof.verify import _point, equations_of
from symback.graph import toposort
from symback.latex.meaning import Meaning
from symback.nodes.apply import Apply, Map, Named
from symback.nodes.leaves import Variable
from symback.nodes.looks import latex_size
from symback.nodes.shapes import size_symbols

DIGITS = 8
_CLOSE = 1e-6
_MANY = 30


def point_of(derivation):
    """Return a point where the loss is finite."""
    roots = [derivation.loss, *derivation.wrt, *derivation.gradients]
    for values, sizes in candidates(roots, {}, np.random.default_rng(1)):
        with contextlib.suppress(errors.SymbackError):
            found = _point(derivation, values, sizes, DIGITS)
            if found is not None:
                return found
    return None


def floats(array):
    """Return an array of numbers of mpmath as floats."""
    return np.asarray(np.frompyfunc(float, 1, 1)(np.asarray(array, dtype=object)), dtype=float)


def leaves(meaning):
    """Yield the parts of a meaning in the order of the text, innermost ones first; a labelled meaning's too."""
    if isinstance(meaning.data, tuple):
        for part in meaning.data:
            if isinstance(part, Meaning):
                yield from leaves(part)
    for part in meaning.parts:
        yield from leaves(part)
    yield meaning


def names_of(derivation, point, equations):
    """Return what the names of a derivation stand for, and the quantity that each adjoint's symbol belongs to."""
    record, looks = derivation.record, derivation.looks
    roots = [record.written, record.loss, *record.forward.values(), *(q.settled for q in record.quantities)]
    named = [n for n in toposort(roots) if isinstance(n, (Named, Variable)) and n.label.kind != "adjoint"]
    nodes = {n.label.look: n for n in [*named, *record.wrt] if n not in record.slopes}
    nodes.setdefault(looks.top, record.loss)
    sizes = {s for n in toposort(roots) for size in n.shape for s in size_symbols(size)}
    symbols, turned, unnamed = {}, set(), {}
    for step in derivation.steps:
        node, row = step.quantity, looks.layout == "row"
        look = node.label.look if isinstance(node, (Named, Variable)) else looks.top if node is record.loss else None
        symbol = looks.symbol(node, look or "")
        if look is None:
            look = _unnamed(step, symbol)
            unnamed[look] = node
            symbol = symbol if looks.is_given(node) else looks.symbol(node, look)
        symbols[symbol] = look
        turned |= {symbol} if row and 1 <= len(node.shape) <= 2 else set()
    arrays = {look: floats(point.numbers(point.array(node))) for look, node in nodes.items()}
    nodes |= unnamed
    quantities = {look: floats(point.numbers(point.array(node))) for look, node in nodes.items()}
    for symbol, look in symbols.items():
        with contextlib.suppress(errors.SymbackError):
            arrays[symbol] = floats(point.adjoint(nodes[look]))
    for equation in equations:
        for name, _ in equation.where:
            arrays[name.text] = floats(point.numbers(point.array(name.meaning.data)))
    gradients = {
        found.data[:2]: found.data[2]
        for equation in equations
        for formula in (equation.left, *equation.sides)
        if formula.meaning
        for found in leaves(formula.meaning)
        if found.op == "second"
    }
    made = Names(
        arrays,
        quantities=quantities,
        adjoint_symbols=symbols,
        turned=frozenset(turned),
        sizes={latex_size(symbol): point.size(symbol) for symbol in sizes},
        derivative=lambda of, by: (_total if made.jacobians else _partial)(nodes, point, of, by),
        direct=lambda by: floats(point.partial(record.loss, nodes[by])),
        second=lambda bottom: _second(nodes, gradients, point, bottom),
        top=looks.top,
        row=looks.layout == "row",
    )
    return made


def _unnamed(step, symbol):
    """Return how a quantity without a name is printed: on the left of its equation, or where its letter is told."""
    for text in (step.equation.left.text, *(side.text for side in step.equation.sides)):
        fraction = re.fullmatch(r"\\frac\{\\partial [^{}]*(?:\{[^{}]*\})?\}\{\\partial (.*)\}", text)
        if fraction:
            return fraction[1]
    return symbol


def _partial(nodes, point, of, by):
    return floats(point.partial(nodes[of], nodes[by]))


def _total(nodes, point, of, by):
    array = floats(point.total(nodes[of], nodes[by]))
    rows = int(np.prod(array.shape[: len(nodes[of].shape)], dtype=int))
    return array.reshape(rows, -1)


def _second(nodes, gradients, point, bottom):
    r"""Read ``\partial x \partial y^{\top}`` or ``\partial x^{2}``."""
    pieces = [piece.strip() for piece in re.split(r"\\partial ", bottom) if piece.strip()]
    if len(pieces) == 1:
        pieces = [pieces[0].removesuffix("^{2}")] * 2
    looks = []
    for piece in pieces:
        bare = piece.removesuffix(r"^{\top}")
        bare = re.sub(r"^\\left\((.*)\\right\)$", r"\1", bare)
        looks.append(re.sub(r"^\\operatorname\{vec\}\\left\((.*)\\right\)$", r"\1", bare))
    row, column = (nodes[look] for look in looks)
    array = floats(point.total(gradients[row, column], column))
    return array.reshape(int(np.prod(array.shape[: len(row.shape)], dtype=int)), -1)


def hints_of(meaning, point):
    """Return sizes that a text need not show: of what has none written at it, of letters, of arrays in brackets."""
    wanted, letters, arrays = [], {}, []
    for part in leaves(meaning):
        data = part.data
        if part.op in ("ones", "zeros"):
            wanted.append(tuple(point.size(size) for size in data))
        elif part.op == "identity":
            wanted.append((point.size(data),))
        elif part.op == "commutation":
            wanted.append(tuple(point.size(size) for size in data))
        elif part.op in ("apply", "map") and isinstance(data, Apply):
            wanted += _of_primitive(data, point)
        elif part.op == "indexed":
            arrays += [{letter: point.size(size) for letter, size in data.sizes}] * bool(data.out)
            letters |= {letter: point.size(size) for letter, size in data.sizes}
        elif part.op == "sum" and isinstance(data, tuple):
            letters |= {letter: point.size(size) for letter, size in data}
    return wanted, letters, arrays


def _of_primitive(node, point):
    if node.operation.name == "convolve_along":
        return [node.operation.parameters[0]]
    if node.operation.name in ("eye", "one_hot_of"):
        return [(point.size(node.shape[-1]),)]
    return []


def target_of(meaning, point):
    """Return the value of a meaning, and the free letters of its equation with their sizes."""
    value = point.numbers(value_of(meaning, point))
    letters = tuple((letter, point.size(size)) for letter, size in meaning.data[1]) if meaning.op == "labelled" else ()
    return floats(value), letters


def formulas_of(derivation):
    """Yield each formula that a derivation prints, and whether derivatives in it are those of the second pass."""
    later = {id(equation) for step in derivation.second for equation in step.equations}
    for equation in equations_of(derivation):
        sides = [equation.left, *equation.sides, *(side for pair in equation.where for side in pair)]
        for formula in sides:
            yield formula, id(equation) in later


# -- formulas, each against what it means -----------------------------------------------------------------------


def read_back(derivation):
    """Read every formula of a derivation back from its text, and count what comes of it.

    Returns:
        A list of (what came of it, the text): ``"read"``; ``"differs"`` where no reading is the value of the meaning;
        else why it was not read.
    """
    point = point_of(derivation)
    if point is None:
        return []
    names = names_of(derivation, point, equations_of(derivation))
    found, seen = [], set()
    for formula, later in formulas_of(derivation):
        shape = re.sub(r"\d", "", formula.text) if len(derivation.steps) > _MANY else formula.text
        if (shape, later) not in seen and formula.meaning is not None:
            seen.add((shape, later))
            names.jacobians = later
            found.append((outcome(formula.text, formula.meaning, names, point), formula.text))
    return [pair for pair in found if pair[0]]


def outcome(text, meaning, names, point):
    """Say what comes of reading a text that is to mean this; nothing where the meaning has no finite value."""
    try:
        target, letters = target_of(meaning, point)
    except (errors.SymbackError, ArithmeticError):
        return ""
    if not np.isfinite(target).all():
        return ""
    wanted, bound, arrays = hints_of(meaning, point)
    try:
        values = read(text, names, wanted, letters, bound, arrays)
        if any(_agree(value, target, letters, names.jacobians) for value in values):
            return "read"
    except UnreadableError as construct:
        return str(construct)
    return _of_many_axes(meaning, point) or "differs"


def _agree(found, target, letters, jacobians):
    if letters or target.ndim == 0:
        found = found.reshape(found.shape[: len(letters)]) if found.shape[len(letters) :] == (1, 1) else found
        found = np.broadcast_to(found, target.shape) if found.ndim == target.ndim else found
    if jacobians and target.ndim == 3 and found.size == target.size:  # two of the axes are rows or columns
        found = found.reshape(target.shape)
    limit = _CLOSE * max(1e-3, np.abs(target).max(initial=0))
    return found.shape == target.shape and bool(np.all(np.abs(found - target) <= limit))


def _of_many_axes(meaning, point):
    """Say whether a formula of matrices has an array of more axes than a matrix, and what it is used in."""
    for part in leaves(meaning):
        if part.op == "apply" and not isinstance(part.data, Map):
            if max(len(node.shape) for node in (part.data, *part.data.operands)) > 2:
                return "a function of the last axes of an array"
        elif part.op in ("value", "adjoint", "broadcast", "apply") and any(rank == 3 for rank in _ranks(part)):
            return "an array of three axes without indices"
    return ""


def _ranks(part):
    if part.op == "broadcast":
        return [len(shape) for shape in part.data]
    return [len(node.shape) for node in (part.data, *part.data.operands)]
