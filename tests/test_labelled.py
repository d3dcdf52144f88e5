"""Formulas by components as data: their values, and the elimination of Kronecker deltas."""

from fractions import Fraction

import numpy as np
import pytest

import symback as sb
from symback.derivation.components.formulas import Shifted, at_most, delta, entry, number, plus, summed, times
from symback.derivation.components.kronecker import eliminated
from symback.derivation.proof.labelled import labelled_value
from symback.derivation.proof.point import Point
from symback.latex.meaning import Meaning
from symback.nodes.shapes import size_symbol

A, B = sb.tensor("A", ("n", "n")), sb.tensor("b", ("n",))
N = size_symbol("n")
ARRAYS = {A: np.arange(9.0).reshape(3, 3), B: np.array([1.0, 2.0, 5.0])}


def point():
    return Point(sb.sum(A) + sb.sum(B), [A, B], {}, ARRAYS)


def a(*indices):
    return entry(Meaning("value", data=A), indices)


def b(index):
    return entry(Meaning("value", data=B), (index,))


def over(letters, *factors):
    return summed(times(factors), tuple((letter, N) for letter in letters))


KEPT = summed(times([delta("i", Shifted("k", 1, 1), N), b("k")]), (("k", N - 1),))
ELIMINATED = {
    "the sum over a tied letter goes": (
        over("k", a("k", "j"), delta("k", "i", N), b("j")),
        times([a("i", "j"), b("j")]),
    ),
    "so do two": (over("kl", delta("k", "i", N), delta("k", "l", N), b("l")), b("i")),
    "a trace of the identity is its size": (over("kl", delta("k", "l", N)), Meaning("size", data=N)),
    "a sum as a factor is multiplied out": (
        over("k", b("k"), plus([delta("k", "i", N), a("k", "i")])),
        plus([b("i"), over("k", b("k"), a("k", "i"))]),
    ),
    "a letter that is shifted may miss places": (KEPT, KEPT),
    "one that counts from the end misses none": (
        over("k", delta("i", Shifted("k", -1, N - 1), N), b("k")),
        b(Shifted("i", -1, N - 1)),
    ),
    "free letters stay": (delta("i", "j", N), delta("i", "j", N)),
}


@pytest.mark.parametrize("case", ELIMINATED)
def test_deltas_are_eliminated_by_labels_alone(case):
    before, after = ELIMINATED[case]
    assert eliminated(before) == after
    one, other = (labelled_value(side, (("i", N), ("j", N)), point()) for side in (before, after))
    assert (one == other).all()


X, Y = ARRAYS.values()
VALUES = {
    "a sum": (over("k", a("i", "k"), b("k")), X @ Y),
    "an order": (over("k", b("k"), at_most("k", "i")), np.cumsum(Y)),
    "a diagonal": (times([number(Fraction(1, 3)), a("i", "i")]), np.diag(X) / 3),
    "a power": (times([b("i"), b("i")]), Y**2),
    "a place": (a("i", 1), X[:, 1]),
    "a slope": (Meaning("slope", (b("i"),), sb.tanh(B)), 1 - np.tanh(Y) ** 2),
    "a derivative": (Meaning("by_entry", (over("k", b("k"), b("k"), b("k")),), (B, ("i",))), 3 * Y**2),
    "a derivative by another letter": (Meaning("by_entry", (over("k", a("j", "k"), b("k")),), (B, ("i",))), X.T),
}


@pytest.mark.parametrize("case", VALUES)
def test_values_by_labels_are_what_they_say(case):
    meaning, wanted = VALUES[case]
    free = (("i", N), ("j", N))[: np.ndim(wanted)]
    assert np.allclose(labelled_value(meaning, free, point()).astype(float), wanted, rtol=1e-15)
