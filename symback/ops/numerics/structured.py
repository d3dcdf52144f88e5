"""Arrays that are kept as the factors they are made of, for emitted code to return."""

import numpy as np

from symback.errors import InputError


class StructuredTensor:
    """An array that is kept as what it is made of: a sum of products of small arrays.

    Each term is a product in the notation of `numpy.einsum`, but that letters of the
    result may repeat: "jk->ijik" is zero but where the first index is the third, and
    "i->ii" a diagonal matrix. Letters that only the result has stand for ones. A term
    that lies in a part of the array, and is zero elsewhere, has that part's index in
    front: (np.s_[1:, 1:], "i->ii", s).

    Attributes:
        shape: The shape of the whole array.
        dtype: The dtype of its entries.
        terms: For each term its index, its pattern and the list of its factors.
    """

    __array_ufunc__ = None

    def __init__(self, shape: tuple, *terms: tuple) -> None:
        self.shape = tuple(int(size) for size in shape)
        self.terms = []
        for term in terms:
            index, pattern, *factors = ((), *term) if isinstance(term[0], str) else term
            index = index if isinstance(index, tuple) else (index,)
            rest = (slice(None),) * (len(self.shape) - len(index))
            factors = [np.asarray(factor) for factor in factors]
            self.terms.append(((*index, *rest), pattern, factors))
        self.dtype = np.result_type(*(x for *_, factors in self.terms for x in factors))

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    @property
    def nbytes(self) -> int:
        """The bytes that the factors take."""
        arrays = {id(x): x.nbytes for *_, factors in self.terms for x in factors}
        return sum(arrays.values())

    def todense(self) -> np.ndarray:
        """Return the whole array."""
        dense = np.zeros(self.shape, self.dtype)
        for index, pattern, factors in self.terms:
            operands, letters = pattern.split("->")
            _add_product(dense[(*index, ...)], letters, operands, factors)
        return dense

    def matvec(self, v: np.ndarray) -> np.ndarray:
        """Multiply by v and sum over the last axes, which v has; the others are left.

        For a Hessian of shape (n, k, n, k), v has the shape (n, k), and the result too.
        """
        v = np.asarray(v)
        return self._contracted("matvec", v, self.ndim - v.ndim, self.ndim, v.ndim)

    def rmatvec(self, v: np.ndarray) -> np.ndarray:
        """Multiply by v and sum over the first axes, which v has; the others are left.

        For a Jacobian, v is a cotangent of what it is the Jacobian of.
        """
        v = np.asarray(v)
        return self._contracted("rmatvec", v, 0, v.ndim, v.ndim)

    def matmat(self, v: np.ndarray) -> np.ndarray:
        """Do what matvec does for each of the arrays along the last axis of v."""
        v = np.asarray(v)
        return self._contracted(
            "matmat", v, self.ndim - v.ndim + 1, self.ndim, v.ndim - 1
        )

    def rmatmat(self, v: np.ndarray) -> np.ndarray:
        """Do what rmatvec does for each of the arrays along the last axis of v."""
        v = np.asarray(v)
        return self._contracted("rmatmat", v, 0, v.ndim - 1, v.ndim - 1)

    def _contracted(
        self, name: str, v: np.ndarray, start: int, stop: int, rank: int
    ) -> np.ndarray:
        """Sum over axes from start to stop, which are the first of v (its rank)."""
        columns = v.shape[rank:] if rank >= 0 else ()
        if rank < 0 or start < 0 or v.shape[:rank] != self.shape[start:stop]:
            raise InputError(f"{name}: {v.shape} does not fit an array of {self.shape}")
        kept = self.shape[:start] + self.shape[stop:]
        result = np.zeros(kept + columns, np.result_type(self.dtype, v))
        for index, pattern, factors in self.terms:
            operands, letters = pattern.split("->")
            left = iter(letters)
            axes = [next(left) if isinstance(entry, slice) else "" for entry in index]
            inner, outer = axes[start:stop], axes[:start] + axes[stop:]
            many = (
                next(x for x in "ZYXWVUTSRQPO" if x not in pattern) if columns else ""
            )
            target = result[(*index[:start], *index[stop:], ...)]
            group = "".join(inner) + many
            part = v[(*index[start:stop], ...)]
            letters = "".join(outer) + many
            _add_product(target, letters, f"{operands},{group}", [*factors, part])
        return result

    def toscipy(self, leading: int | None = None) -> object:
        """Return a csr_array of SciPy's: the first axes are rows, the others columns.

        Args:
            leading: How many axes are rows, by default half of them.
        """
        try:
            from scipy import sparse
        except ImportError:
            raise ImportError("toscipy needs SciPy, the extra symback[scipy]") from None
        leading = self._rows("toscipy", leading)
        found = [self._entries(term, leading) for term in self.terms]
        data, rows, columns = (
            np.concatenate(several) for several in zip(*found, strict=True)
        )
        shape = _count(self.shape[:leading]), _count(self.shape[leading:])
        return sparse.coo_array((data, (rows, columns)), shape=shape).tocsr()

    def _rows(self, name: str, leading: int | None) -> int:
        """Return how many axes are rows, by default half of them."""
        leading = self.ndim // 2 if leading is None else leading
        if leading not in range(self.ndim + 1):
            axes = f"an array of {self.ndim} axes, wanted 0 to {self.ndim}"
            raise InputError(f"{name}: leading={leading!r} does not fit {axes}")
        return leading

    def _entries(self, term: tuple, leading: int) -> tuple:
        """Return the entries of a term, and the row and the column of each."""
        index, pattern, factors = term
        zero = any(x.ndim == 0 and x == 0 for x in factors)
        if zero and all(np.isfinite(x).all() for x in factors):
            none = np.zeros(0, dtype=np.int64)
            return none.astype(self.dtype), none, none
        operands, letters = pattern.split("->")
        distinct = "".join(dict.fromkeys(letters))
        left, places, lengths = iter(letters), [], dict.fromkeys(distinct, 1)
        for size, entry in zip(self.shape, index, strict=True):
            place = np.arange(size)[entry]
            if isinstance(entry, slice):
                letter = next(left)
                lengths[letter] = len(place)
                place = place.reshape([-1 if x == letter else 1 for x in distinct])
            places.append(place)
        data = np.zeros(tuple(lengths.values()), self.dtype)
        _add_product(data, distinct, operands, factors)
        row = column = np.zeros((), dtype=np.int64)
        for axis, (size, place) in enumerate(zip(self.shape, places, strict=True)):
            row = row * size + place if axis < leading else row
            column = column * size + place if axis >= leading else column
        whole = [np.broadcast_to(x, data.shape).ravel() for x in (row, column)]
        return data.ravel(), *whole

    def aslinearoperator(self, leading: int | None = None) -> object:
        """Return a LinearOperator of SciPy's, for its iterative solvers.

        Args:
            leading: How many axes are rows, by default half of them.
        """
        try:
            from scipy.sparse.linalg import LinearOperator
        except ImportError:
            message = "aslinearoperator needs SciPy, the extra symback[scipy]"
            raise ImportError(message) from None
        leading = self._rows("aslinearoperator", leading)
        rows, columns = self.shape[:leading], self.shape[leading:]
        return LinearOperator(
            (_count(rows), _count(columns)),
            matvec=lambda v: self.matvec(v.reshape(columns)).ravel(),
            rmatvec=lambda v: self.rmatvec(v.reshape(rows)).ravel(),
            matmat=lambda v: self.matmat(v.reshape(*columns, v.shape[1])).reshape(
                _count(rows), v.shape[1]
            ),
            dtype=self.dtype,
        )

    def __array__(self, dtype: object = None, copy: object = None) -> np.ndarray:
        """Refuse to become an array that may not fit into memory, unless it is said."""
        raise TypeError("a StructuredTensor is no array; call its method todense()")

    def _refuse(self, *_: object) -> object:
        raise TypeError(
            "a StructuredTensor has no arithmetic; call its method todense(), "
            "or matvec() for products"
        )

    __add__ = __radd__ = __sub__ = __rsub__ = __neg__ = _refuse
    __mul__ = __rmul__ = __truediv__ = __rtruediv__ = _refuse
    __matmul__ = __rmatmul__ = __pow__ = __rpow__ = _refuse

    def __repr__(self) -> str:
        names = {
            ("ii", ""): "I",
            ("ii", "i"): "diag(s)",
            ("ij", "ij"): "A",
            ("ij", ",ij"): "a b^T",
            ("ijij", ""): "I (x) I",
            ("ijij", "ij"): "diag(S)",
            ("ijik", "jk"): "I (x) A",
            ("ijkj", "ik"): "A (x) I",
        }
        texts = []
        for index, pattern, factors in self.terms:
            part = any(entry != slice(None) for entry in index)
            shapes = ", ".join(str(factor.shape) for factor in factors)
            operands, letters = pattern.split("->")
            text = names.get((letters, "".join(sorted(operands))))
            text = text or f"{pattern} of {shapes}"
            texts.append(f"[{text}] in a part" if part else text)
        sizes = " x ".join(map(str, self.shape))
        whole = _count(self.shape) * self.dtype.itemsize
        memory = f"{self.nbytes:,} bytes for {whole:,}"
        return f"StructuredTensor({sizes}, {self.dtype}: {' + '.join(texts)}; {memory})"


def _count(sizes: tuple) -> int:
    """Return the number of entries of a shape."""
    return int(np.prod(sizes, dtype=object))


def _add_product(
    target: np.ndarray, letters: str, operands: str, factors: list
) -> None:
    """Add a product to an array, to a diagonal of it where letters repeat."""
    distinct = "".join(dict.fromkeys(letters))
    present = "".join(letter for letter in distinct if letter in operands)
    several = len(factors) > 1
    product = np.einsum(f"{operands}->{present}", *factors, optimize=several)
    if distinct != letters:
        target = np.einsum(f"{letters}->{distinct}", target)
    index = tuple(slice(None) if letter in present else None for letter in distinct)
    target += np.asarray(product)[index]
