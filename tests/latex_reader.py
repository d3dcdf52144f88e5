r"""The value of printed formulas: read by `latex_grammar`, evaluated with the values that names have at a point.

An array has an axis for each index letter in scope, in front, and behind them those of matrix notation: a scalar has
shape (1, 1), a vector is a column, an array of four axes the matrix with its first two axes as rows. How large an
identity or a column of ones is, a reader sees from what is around it: sizes are tried until all shapes fit.
"""

import itertools
import math
import re

import mpmath
import numpy as np

from latex_functions import FUNCTIONS, MATRICES, MisfitError, as_matrix, is_number, spread, times
from latex_grammar import UnreadableError, grammar, indices

_STEP = 1e-5
_MOST_UNSIZED, _MOST_IN_ORDER = 4, 6
_ONE_HOT = r"\operatorname{onehot}"
_UNSIZED = ("ones", "zeros", "identity", "commutation", "convolved")


class Names:
    """What a reader knows: the values of names, and of derivatives.

    Args:
        arrays: By look the array of each name; an adjoint's symbol comes with its array too.
        turned: The looks that stand for the transpose of their array.
        sizes: By look each size.
        derivative: Returns the derivative of a quantity by another, given their looks, ``of.shape + by.shape``.
        direct: The same of what is used in the loss directly.
        second: Returns the derivative of a gradient by a quantity, a matrix.
        row: Is the derivative of the loss by a column a row?
    """

    def __init__(self, arrays, **known):
        self.arrays = dict(arrays)
        self.quantities, self.adjoint_symbols, self.turned, self.sizes = dict(self.arrays), {}, frozenset(), {}
        self.derivative = self.direct = self.second = None
        self.top, self.row, self.jacobians = "", False, False
        vars(self).update(known)

    @property
    def looks(self):
        return frozenset([*self.arrays, *self.sizes])


def read(text, names, wanted=(), letters=(), hints=(), arrays=()):
    """Return the values that a formula may have: one for each choice of sizes for which all shapes fit.

    Args:
        text: The formula.
        names: What names stand for.
        wanted: Choices for what does not say its size, in the order of the text, tried first.
        letters: The free index letters of the equation, with their sizes.
        hints: Sizes of bound letters that no name in the formula shows.
        arrays: The same for each array in brackets, innermost first.
    """
    structure = grammar(text, names.looks)
    brackets = [id(found) for found in parts_of(structure) if found[0] == "array"]
    hints = {**dict(hints), **(dict(zip(brackets, arrays, strict=True)) if len(brackets) == len(arrays) else {})}
    first = _Values(names, wanted, hints)
    yield from first.tried(structure, letters)
    options = sorted({*wanted, *((s,) for a in names.arrays.values() for s in a.shape)}, key=repr)
    count = sum(found[0] in _UNSIZED or found[:2] == ("function", _ONE_HOT) for found in parts_of(structure))
    if count:
        orders = dict.fromkeys(itertools.permutations(wanted)) if count == len(wanted) <= _MOST_IN_ORDER else ()
        free = itertools.product(options, repeat=count) if count <= _MOST_UNSIZED else ()
        for guess in itertools.chain(orders, free):
            yield from _Values(names, guess, hints).tried(structure, letters)


class _Values:
    def __init__(self, names, guesses, hints):
        self.names, self.guesses, self.hints = names, list(guesses), hints
        self.asked = 0
        self.known = {}

    def tried(self, structure, letters):
        try:
            with np.errstate(all="ignore"):
                yield self.value(structure, tuple(letters))
        except (MisfitError, ValueError, IndexError):  # NumPy's own words for shapes that do not fit
            return

    def guess(self, key, *, is_word=False):
        """Return what was chosen for the next sign that does not say its size."""
        if key not in self.known:
            self.known[key] = self.guesses[self.asked] if self.asked < len(self.guesses) else None
            self.asked += 1
        if self.known[key] is None:
            raise MisfitError("a size that nobody knows")
        if isinstance(self.known[key], str) is not is_word:
            raise MisfitError("a choice of another kind")
        return self.known[key]

    def value(self, node, scope):
        return getattr(self, f"_{node[0]}")(node, scope)

    # -- leaves ---------------------------------------------------------------------------------

    def placed(self, array, scope):
        """Put an array of matrix notation behind an axis for each letter."""
        array = np.asarray(array, dtype=float)
        return array.reshape((1,) * len(scope) + as_matrix(array).shape)

    def _number(self, node, scope):
        return self.placed(node[1], scope)

    def _name(self, node, scope):
        look = node[1]
        if look not in self.names.arrays:
            return self.placed(self.names.sizes[look], scope)
        array = as_matrix(self.names.arrays[look])
        return self.placed(array.T if look in self.names.turned else array, scope)

    def _ones(self, node, scope):
        return self.placed(np.ones(self.guess(id(node))), scope)

    def _zeros(self, node, scope):
        return self.placed(np.zeros(self.guess(id(node))), scope)

    def _identity(self, node, scope):
        return self.placed(np.eye(self.guess(id(node))[0]), scope)

    def _commutation(self, node, scope):
        rows, columns = (self.guess(id(node)) * 2)[:2]
        return self.placed(np.einsum("il,jk->ijkl", np.eye(rows), np.eye(columns)), scope)

    def _table(self, node, scope):
        return self.placed(np.block([[self.value(cell, ()) for cell in row] for row in node[1]]), scope)

    # -- sums and products ----------------------------------------------------------------------

    def _group(self, node, scope):
        return self.value(node[1], scope)

    def _negative(self, node, scope):
        return -self.value(node[1], scope)

    def _sum(self, node, scope):
        values = [self.value(part, scope) for part in node[1]]
        shapes = {v.shape[len(scope) :] for v, part in zip(values, node[1], strict=True) if not is_number(part)}
        if len(shapes) > 1:
            raise MisfitError(f"a sum of {shapes}")
        return sum(values[1:], values[0])

    def _entrywise(self, node, scope):
        values = [self.value(part, scope) for part in node[1]]
        shapes = {v.shape[len(scope) :] for v in values} - {(1, 1)}
        if len(shapes) > 1:
            raise MisfitError(f"a product entry by entry of {shapes}")
        return math.prod(values[1:], start=values[0])

    def _kronecker(self, node, scope):
        value, *others = [self.value(part, scope) for part in node[1]]
        for other in others:
            entries = value[..., :, None, :, None] * other[..., None, :, None, :]
            rows, columns = value.shape[-2] * other.shape[-2], value.shape[-1] * other.shape[-1]
            value = entries.reshape((*entries.shape[:-4], rows, columns))
        return value

    def _convolved(self, node, scope):
        one, other = [self.value(part, ()) for part in node[1]]
        mode = self.guess(id(node), is_word=True)
        is_column = one.shape[1] == other.shape[1] == 1
        rows = [a.T if a.shape[1] == 1 else a for a in (one, other)]
        count = max(len(a) for a in rows)
        pairs = zip(*(np.broadcast_to(a, (count, a.shape[1])) for a in rows), strict=True)
        found = np.array([np.convolve(a, b, mode) for a, b in pairs])
        return self.placed(found.T if is_column else found, scope)

    def _product(self, node, scope):
        parts = list(node[1])
        value = None
        while parts:
            part = parts.pop(0)
            if parts and self.is_chained(part, parts[0]):
                made = self.chained(part, parts.pop(0), scope)
            else:
                made = self.value(part, scope)
            value = made if value is None else times(value, made, len(scope))
        return value

    def is_chained(self, one, other):
        """Is this an adjoint before a derivative of that quantity, which are summed over all entries of it?"""
        if other[0] != "derivative" or self.names.jacobians or self.indexed(other[1]) or self.indexed(other[2]):
            return False
        symbol = one[1] if one[0] == "name" else ""
        adjoint = other[1]
        return self.names.adjoint_symbols.get(symbol) == adjoint or one == ("derivative", self.names.top, adjoint)

    def chained(self, one, other, scope):
        adjoint = self.adjoint(other[1])
        found = np.tensordot(adjoint, self.names.derivative(other[1], other[2]), axes=adjoint.ndim)
        return self.placed(as_matrix(found).T if self.names.row and found.ndim in (1, 2) else found, scope)

    def adjoint(self, look):
        symbol = next(s for s, owner in self.names.adjoint_symbols.items() if owner == look)
        return self.names.arrays[symbol]

    def _fraction(self, node, scope):
        top, bottom = self.value(node[1], scope), self.value(node[2], scope)
        return spread(np.divide, [top, bottom], len(scope))

    def _transpose(self, node, scope):
        value = self.value(node[1], scope)
        if value.ndim != len(scope) + 2:
            raise MisfitError("a transpose")
        return np.swapaxes(value, -1, -2)

    def _inverse(self, node, scope):
        value = self.value(node[1], scope)
        if value.shape[-1] != value.shape[-2]:
            raise MisfitError("an inverse")
        return np.linalg.inv(value)

    def _power(self, node, scope):
        base, exponent = self.value(node[1], scope), self.value(node[2], scope)
        matrix = base.shape[len(scope) :] != (1, 1) or exponent.shape[len(scope) :] != (1, 1)
        if node[3] or not matrix or node[1] == ("number", math.e) or node[1][0] == "number":
            return spread(np.power, [base, exponent], len(scope))
        if node[2][0] != "number" or base.shape[-1] != base.shape[-2]:
            raise MisfitError("a power of an array")
        return np.linalg.matrix_power(base, int(node[2][1]))

    def _root(self, node, scope):
        return self.value(node[2], scope) ** (1 / self.value(node[1], scope))

    def _norm(self, node, scope):
        value = self.value(node[1], scope)
        if node[2] == (value.shape[-1] == 1 or value.shape[-2] == 1) and 1 not in value.shape[len(scope) :]:
            raise MisfitError("a norm of another kind")
        return np.sqrt(np.sum(value**2, axis=(-1, -2), keepdims=True))

    def _inner(self, node, scope):
        one, other = self.value(node[1], scope), self.value(node[2], scope)
        if one.shape[len(scope) :] != other.shape[len(scope) :]:
            raise MisfitError("an inner product")
        return np.sum(one * other, axis=(-1, -2), keepdims=True)

    # -- functions ------------------------------------------------------------------------------

    def _function(self, node, scope):
        _, name, below, arguments = node
        parts = [self.value(argument, scope) for argument in arguments]
        if name == _ONE_HOT:
            (classes,) = self.guess(id(node))
            return np.asarray(parts[0] == np.arange(classes), dtype=float)
        if name in MATRICES and len(parts) == 1:
            return MATRICES[name](parts, len(scope), self.axes_of(below))
        if name.endswith("'"):
            plain = (node[0], name[:-1], below, None)
            ahead, behind = (self.elementwise(plain, [parts[0] + s], scope) for s in (_STEP, -_STEP))
            return (ahead - behind) / (2 * _STEP)
        return self.elementwise(node, parts, scope)

    def elementwise(self, node, parts, scope):
        _, name, below, _ = node
        if below is not None:
            parts = [self.value(grammar(below, self.names.looks), scope), *parts]
        declared = FUNCTIONS.get((name, below is not None, len(parts)))
        if declared is None:
            raise UnreadableError(f"the function {name}{'' if below is None else '_'} of {len(parts)}")
        given = getattr(mpmath.mp, declared.mpmath) if isinstance(declared.mpmath, str) else None
        function = given or (lambda *numbers: declared.mpmath(mpmath.mp, *numbers))
        each = np.frompyfunc(lambda *numbers: _real(function(*map(mpmath.mpf, numbers))), len(parts), 1)
        return np.asarray(spread(each, parts, len(scope)), dtype=float)

    def axes_of(self, below):
        match = re.fullmatch(r"\\text\{ax[ie]s \}(\d(, \d)*)", below or "")
        if below is not None and not match:
            raise UnreadableError(f"a function with the index {below}")
        return tuple(int(axis) for axis in match[1].split(", ")) if match else None

    def _condition(self, node, scope):
        return self.value(node[1], scope)

    def _compare(self, node, scope):
        parts = [self.value(part, scope) for part in node[2:]]
        return np.asarray(spread(getattr(np, node[1]), parts, len(scope)), dtype=float)

    def _not(self, node, scope):
        return 1 - self.value(node[1], scope)

    def _wedge(self, node, scope):
        return self.value(node[1], scope) * self.value(node[2], scope)

    def _vee(self, node, scope):
        return np.maximum(self.value(node[1], scope), self.value(node[2], scope))

    def _cases(self, node, scope):
        value, condition, other = [self.value(part, scope) for part in node[1:]]
        return spread(lambda c, a, b: np.where(c != 0, a, b), [condition, value, other], len(scope))

    # -- indices --------------------------------------------------------------------------------

    def _slice(self, node, scope):
        value = self.value(node[1], ())
        picks = [self.picked(piece) for piece in node[2].split(",")]
        array = value[:, 0] if len(picks) == 1 and value.shape[1] == 1 else value
        return self.placed(array[tuple(picks)], scope)

    def picked(self, piece):
        """Return a place, counted from 0, or a slice as Python writes it."""
        if ":" not in piece:
            return self.size(piece)
        return slice(*(self.size(part) if part else None for part in piece.split(":")))

    def size(self, text):
        (index,) = indices(text.replace(" ", "") + ",")[:1]
        return sum(factor * (1 if name is None else int(self.names.sizes[name])) for factor, name in index)

    def base(self, node, at):
        """Return the array that indices are taken of, with an axis for each."""
        if node[0] == "name" and node[1] in self.names.arrays:
            array = self.names.arrays[node[1]]
        elif node[0] == "derivative" and node[1] == self.names.top:
            array = self.adjoint(node[2])
        elif node[0] == "group" and node[1][0] in ("name", "derivative"):
            return self.base(node[1], at)
        elif node[0] == "array":
            array = self.entries(node)
        else:
            array = self.value(node, ())
            array = array[:, 0] if len(at) == 1 and array.shape[-1] == 1 else array
        if np.ndim(array) != len(at) and not (np.ndim(array) == 2 and len(at) == 4):
            raise MisfitError(f"{len(at)} indices of an array of {np.ndim(array)} axes")
        return np.asarray(array, dtype=float)

    def _entry(self, node, scope):
        if node[1][0] == "function" and node[1][1] == _ONE_HOT:
            self.known.setdefault(id(node[1]), (dict(scope)[node[2][-1][0][1]],))
        return self.taken(self.base(node[1], node[2]), node[2], scope)

    def taken(self, array, at, scope):
        """Take entries at places that may depend on the letters in scope."""
        if array.ndim == 2 and len(at) == 4:
            lengths = [dict(scope)[index[0][1]] if index[0][1] else 1 for index in at]
            if (lengths[0] * lengths[1], lengths[2] * lengths[3]) != array.shape:
                raise MisfitError("entries of an array of four axes")
            array = array.reshape(lengths)
        places = [self.places(index, scope) for index in at]
        for place, length in zip(places, array.shape, strict=True):
            if place.min(initial=0) < 0 or place.max(initial=0) >= length:
                raise MisfitError("an index beyond the end")
        found = array[tuple(places)] if places else array
        return np.reshape(found, (np.shape(found) or (1,) * len(scope)) + (1, 1))

    def places(self, index, scope):
        """Return where an index points, counted from 0, along the axes of its letters."""
        total = np.full((1,) * len(scope), -1)
        for factor, letter in index:
            if letter is None:
                total = total + factor
                continue
            axis = next((k for k in reversed(range(len(scope))) if scope[k][0] == letter), None)
            if axis is None:
                total = total + factor * int(self.names.sizes[letter])
                continue
            along = np.arange(1, scope[axis][1] + 1).reshape([-1 if k == axis else 1 for k in range(len(scope))])
            total = total + factor * along
        return total

    def _delta(self, node, scope):
        one, other = (self.places(index, scope) for index in node[1])
        return np.asarray(one == other, dtype=float)[..., None, None]

    def _over(self, node, scope):
        lengths = self.lengths(node[1], node[2], scope, node)
        inner = (*scope, *((letter, lengths[letter]) for letter in node[1]))
        value = self.value(node[2], inner)
        full = np.broadcast_to(
            value,
            [size if k >= len(scope) else value.shape[k] for k, (_, size) in enumerate(inner)]
            + list(value.shape[len(inner) :]),
        )
        return np.sum(full, axis=tuple(range(len(scope), len(inner))))

    def _array(self, node, scope):
        return self.placed(self.entries(node), scope)

    def entries(self, node):
        """Return an array in brackets, with an axis for each index that stands behind them."""
        letters = [index[0][1] for index in node[2]]
        bound = tuple(dict.fromkeys(letter for letter in letters if letter))
        lengths = self.lengths(bound, node[1], (), node)
        scope = tuple((letter, lengths[letter]) for letter in bound)
        value = np.broadcast_to(self.value(node[1], scope), [*[size for _, size in scope], 1, 1])
        if len(bound) < len([letter for letter in letters if letter]):
            raise UnreadableError("an index that repeats behind brackets")
        return value.reshape([lengths[letter] if letter else 1 for letter in letters])

    def lengths(self, letters, body, scope, node):
        """Find how far letters run: from the arrays that they are indices of."""
        found, ties = {}, []
        self.gather(body, frozenset(letters), found, ties)
        outer = dict(scope)
        for _ in range(3):
            for one, other in ties:
                for a, b in ((one, other), (other, one)):
                    if a in letters and b and b not in letters and b in outer:
                        found.setdefault(a, outer[b])
                    elif a in letters and b in found:
                        found.setdefault(a, found[b])
        hints = {**self.hints, **self.hints.get(id(node), {})}
        if node[0] == "array" and isinstance(node[1], tuple) and node[1][0] == "over":
            self.hints[id(node[1])] = hints
        for letter in letters:
            if letter not in found and letter not in hints:
                raise UnreadableError("a letter whose range no name shows")
        return {letter: found.get(letter, hints.get(letter)) for letter in letters}

    def gather(self, node, letters, found, ties):
        if not isinstance(node, (tuple, list)):
            return
        if node and node[0] == "delta":
            ties.append(tuple(index[0][1] if len(index) == 1 else None for index in node[1]))
            return
        if node and node[0] == "array":
            return
        if node and node[0] == "over":
            letters = letters - {*node[1]}
        if node and node[0] == "derivative":
            for text in node[1:]:
                base, at = self.split(text)
                if at:
                    self.fits(self.names.quantities[base].shape, at, letters, found)
            return
        if node and node[0] == "entry":
            try:
                self.fits(np.shape(self.base(node[1], node[2])), node[2], letters, found)
            except MisfitError:
                return
            return
        for part in node[1:] if node and isinstance(node[0], str) else node:
            self.gather(part, letters, found, ties)

    def fits(self, shape, at, letters, found):
        for size, index in zip(shape, at, strict=False) if len(shape) == len(at) else ():
            if len(index) == 1 and index[0][0] == 1 and index[0][1] in letters:
                found.setdefault(index[0][1], size)

    # -- derivatives ----------------------------------------------------------------------------

    def split(self, text):
        """Split what stands in a derivative into a name and its indices."""
        text = re.sub(r"^\\operatorname\{vec\}\\left\((.*)\\right\)$", r"\1", text)
        if text in self.names.quantities:
            return text, None
        match = re.fullmatch(r"(.*)_\{([^{}]*)\}", text)
        base = match[1] if match else text
        if base not in self.names.quantities and base.startswith("(") and base.endswith(")"):
            base = base[1:-1]
        if base not in self.names.quantities:
            raise UnreadableError("a derivative of or by what has no name")
        return base, indices(match[2])

    def indexed(self, text):
        return self.split(text)[1] is not None

    def _derivative(self, node, scope):
        (of, rows), (by, columns) = self.split(node[1]), self.split(node[2])
        if of == self.names.top and not self.names.jacobians:
            return self.of_loss(by, columns, scope)
        if of == self.names.top and by in self.names.adjoint_symbols.values():
            return self.of_loss(by, columns, scope)
        if self.names.jacobians:
            return self.placed(self.names.derivative(of, by), scope)
        array = self.names.derivative(of, by)
        if rows is None and columns is None and not (scope and array.ndim):
            return self.placed(array, scope)
        return self.taken(array, (*(rows or ()), *(columns or ())), scope)

    def of_loss(self, by, columns, scope):
        array = self.adjoint(by)
        if columns is not None:
            return self.taken(array, columns, scope)
        matrix = as_matrix(array)
        return self.placed(matrix.T if self.names.row and array.ndim in (1, 2) else matrix, scope)

    def _direct(self, node, scope):
        by, columns = self.split(node[2])
        array = self.names.direct(by)
        if columns is not None:
            return self.taken(array, columns, scope)
        return self.placed(as_matrix(array).T if self.names.row and array.ndim in (1, 2) else array, scope)

    def _second(self, node, scope):
        return self.placed(self.names.second(node[1]), scope)

    def _differentiated(self, node, scope):
        """Differentiate by an entry: every entry of the name is moved, other names keep their values."""
        by, columns = self.split(node[1])
        kept = self.names.arrays[by]
        slopes = []
        for place in range(kept.size):
            sides = []
            for sign in (1, -1):
                moved = np.array(kept, dtype=float)
                moved.flat[place] += sign * _STEP
                self.names.arrays[by] = moved
                try:
                    sides.append(self.value(node[2], scope))
                finally:
                    self.names.arrays[by] = kept
            slopes.append((sides[0] - sides[1]) / (2 * _STEP))
        stacked = np.stack(np.broadcast_arrays(*slopes))
        full = np.broadcast_to(stacked, [len(slopes), *[size for _, size in scope], *stacked.shape[len(scope) + 1 :]])
        place = np.zeros((1,) * len(scope), dtype=int)
        for index, size in zip(columns or (), kept.shape, strict=True):
            place = place * size + self.places(index, scope)
        grids = np.indices([size for _, size in scope]) if scope else np.zeros((0,))
        where = np.broadcast_to(place, [size for _, size in scope])
        return full[(where, *grids)]


def parts_of(node):
    """Yield a structure and all parts of it, innermost ones first."""
    if isinstance(node, (tuple, list)):
        for part in node:
            yield from parts_of(part)
        if isinstance(node, tuple) and node and isinstance(node[0], str):
            yield node


def _real(number):
    """Return a number as a float, NaN where it is not real."""
    return float("nan") if isinstance(number, mpmath.mpc) else float(number)
