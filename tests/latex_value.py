"""The value of matrix notation: reads what symback prints, so that text and graph can be compared by numbers.

All sizes are 3. A vector is a column, an array of shape (3, 1); a scalar has shape (1, 1); an array of four axes is the
matrix of shape (9, 9) with its first two axes as rows. Functions are taken entry by entry, and so is division.
"""

import re

import numpy as np

SIZE = 3
_TOKEN = re.compile(
    r"\\left\[|\\right\]|\\left\(|\\right\)|\\frac|\\odot|\\otimes|\\top|\\mathbf\{[01K]\}|\\operatorname\{\w+\}|\\lVert"
    r"|\\left\||\\right\||\\sqrt|\\log|\\sin|\\cos|\\tanh|\\rVert(?:_F)?|\\langle|\\rangle_F|\\cdot|\\sum|\\delta|\d+(?:\.\d+)?|[A-Za-z]|[-+,{}^_]"
)


class _Reader:
    """Recursive descent: a sum of entrywise products of matrix products of powers."""

    def __init__(self, text, values):
        self.tokens = _TOKEN.findall(text)
        assert "".join(self.tokens) == text.replace(" ", ""), text
        self.place = 0
        self.values = values

    def next_is(self, *tokens):
        return self.place < len(self.tokens) and self.tokens[self.place] in tokens

    def take(self, *wanted):
        token = self.tokens[self.place]
        assert not wanted or token in wanted, (token, wanted)
        self.place += 1
        return token

    def sum(self):
        total = None
        while total is None or self.next_is("+", "-"):
            sign = -1.0 if self.next_is("-") else 1.0
            if self.next_is("+", "-"):
                self.take()
            term = sign * self.entrywise()
            total = term if total is None else total + term
        return total

    def entrywise(self):
        value = self.product()
        while self.next_is("\\odot", "\\otimes"):
            value = value * self.product() if self.take() == "\\odot" else np.kron(value, self.product())
        return value

    def product(self):
        value = self.power()
        while self.place < len(self.tokens) and self.tokens[self.place] not in _STOPS:
            if self.next_is("\\cdot"):
                self.take()
            other = self.power()
            value = value * other if (1, 1) in (value.shape, other.shape) else value @ other
        return value

    def power(self):
        value = self.atom()
        while self.next_is("^"):
            self.take(), self.take("{")
            if self.next_is("\\top"):
                self.take()
                value = value.T
            else:
                entrywise = self.next_is("\\odot")
                if entrywise:
                    self.take()
                assert entrywise or value.shape == (1, 1)
                value = value ** self.sum()
            self.take("}")
        return value

    def group(self, close):
        value = self.sum()
        self.take(close)
        return value

    def atom(self):
        token = self.take()
        if token == "\\left(":
            return self.group("\\right)")
        if token == "\\left[":
            return self.indexed()
        if token == "\\sum":
            self.indices()
            return contracted(self.operands(), "").reshape(1, 1)
        if token in _FUNCTIONS:
            self.take("\\left(")
            return _FUNCTIONS[token](self.group("\\right)"))
        if token == "\\left|":
            return np.abs(self.group("\\right|"))
        if token == "\\sqrt":
            self.take("{")
            return np.sqrt(self.group("}"))
        if token == "e":
            return np.full((1, 1), np.e)
        if token == "\\frac":
            self.take("{")
            top = self.group("}")
            self.take("{")
            return top / self.group("}")
        if token == "\\mathbf{K}":
            return np.einsum("il,jk->ijkl", np.eye(SIZE), np.eye(SIZE)).reshape(SIZE**2, SIZE**2)
        if token.startswith("\\mathbf"):
            return np.full((SIZE, 1), float(token[-2]))
        if token.startswith("\\operatorname"):
            return self.function(token[14:-1])
        if token == "\\lVert":
            inside = self.sum()
            assert (self.take("\\rVert", "\\rVert_F") == "\\rVert_F") == (inside.shape[1] > 1)
            self.take("^"), self.take("{"), self.take("2"), self.take("}")
            return np.sum(inside**2).reshape(1, 1)
        if token == "\\langle":
            left = self.group(",")
            return np.sum(left * self.group("\\rangle_F")).reshape(1, 1)
        if token[0].isdigit():
            return np.full((1, 1), float(token))
        return np.eye(SIZE) if token == "I" else self.values[token]

    def function(self, name):
        self.take("\\left(")
        inside = self.group("\\right)")
        if name == "tr":
            return np.trace(inside).reshape(1, 1)
        if name == "vec":
            return inside.reshape(-1, 1)
        assert name == "diag"
        return np.diag(inside[:, 0]) if inside.shape[1] == 1 else np.diag(inside).reshape(-1, 1)

    def indexed(self):
        """Read an array in brackets; the indices of the result stand behind them."""
        if self.next_is("\\sum"):
            self.take(), self.indices()
        operands = self.operands()
        self.take("\\right]")
        return contracted(operands, self.indices())

    def operands(self):
        """Read entries of arrays, side by side."""
        operands = []
        while self.place < len(self.tokens) and self.tokens[self.place] not in _STOPS:
            if self.next_is("\\delta"):
                self.take()
                array = np.eye(SIZE)
            elif self.next_is("\\left("):
                self.take()
                array = self.group("\\right)")
            else:
                array = self.atom()
            labels = self.indices() if self.next_is("_") else ""
            operands.append((array.reshape([1 if letter == "1" else SIZE for letter in labels]), labels))
        return operands

    def indices(self):
        self.take("_"), self.take("{")
        letters = ""
        while not self.next_is("}"):
            letters += self.take().replace(",", "")
        self.take()
        return letters


_FUNCTIONS = {"\\log": np.log, "\\sin": np.sin, "\\cos": np.cos, "\\tanh": np.tanh}
_STOPS = (
    "+",
    "-",
    "\\odot",
    "\\otimes",
    ",",
    "}",
    "\\right)",
    "\\right]",
    "\\rVert",
    "\\rVert_F",
    "\\rangle_F",
    "\\right|",
)


def contracted(operands, out):
    """Multiply entries and sum over the indices that the result lacks; the index 1 has a single value."""
    present = "".join(labels for _, labels in operands)
    letters = out.replace("1", "")
    operands = [*operands, *[(np.ones(SIZE), letter) for letter in letters if letter not in present]]
    pairs = [
        (array.reshape((SIZE,) * len(bare)), bare) for array, labels in operands for bare in [labels.replace("1", "")]
    ]
    value = np.einsum(",".join(labels for _, labels in pairs) + "->" + letters, *[array for array, _ in pairs])
    value = value.reshape([1 if letter == "1" else SIZE for letter in out])
    return as_matrix(value)


def as_matrix(value):
    """Return a vector as a column, and an array of four axes as a matrix."""
    if value.ndim == 4:
        return value.reshape(SIZE**2, SIZE**2)
    return value if value.ndim == 2 else value.reshape(-1, 1)


def latex_value(text, values):
    """Return the value of a formula; `values` maps letters to columns, matrices and (1, 1) scalars."""
    reader = _Reader(text, values)
    value = reader.sum()
    assert reader.place == len(reader.tokens), text
    return value
