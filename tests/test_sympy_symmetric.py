"""Symmetric matrices of SymPy in derivations and in checks."""

from typing import Any

import pytest
import sympy
from sympy import MatrixSymbol, Symbol, Trace

import symback as sb
from symback import errors
from symback.interop.symbolic.bridge import from_sympy

n = Symbol("n")
A, B = MatrixSymbol("A", n, n), MatrixSymbol("B", n, n)


class Symmetric(MatrixSymbol):  # type: ignore[misc]
    def _eval_transpose(self) -> Any:
        return self


def test_a_derivation_has_no_transposes_of_symmetric_matrices() -> None:
    """They are left out where products are made too, so that equal terms become one."""
    S, V, r = Symmetric("S", n, n), Symmetric("V", n, n), MatrixSymbol("r", n, 1)
    derived = sb.derive(sb.let("L", from_sympy(Trace(r.T * S.I * r))), [S, r])
    assert "top" not in derived.steps[-2].equation.sides[-1].text.replace(r"r^{\top}", "")
    loss = sympy.log(sympy.Determinant(S)) + Trace(S.I * V)
    (equation,) = [step.equation for step in sb.derive(loss, S).steps]
    assert str(equation).endswith(r"S^{-1} - S^{-1} V S^{-1}")
    (plain,) = [step.equation for step in sb.derive(loss.subs({S: A, V: B}), A).steps]
    assert str(plain).endswith(r"A^{-\top} - A^{-\top} B^{\top} A^{-\top}")
    with sympy.assuming(sympy.Q.symmetric(A), sympy.Q.symmetric(B)):
        (assumed,) = [step.equation for step in sb.derive(loss.subs({S: A, V: B}), A).steps]
    assert str(assumed).endswith(r"A^{-1} - A^{-1} B A^{-1}")


def test_symmetric_matrices_have_symmetric_values_in_checks() -> None:
    S, V = Symmetric("S", n, n), Symmetric("V", n, n)
    loss = sympy.log(sympy.Determinant(S)) + Trace(S.I * V)
    derived = sb.derive(loss, S)
    assert derived.verify(points=2).passed
    assert derived.verify(at={"V": [[1.0, 2.0], [2.0, 0.5]]}).passed
    with pytest.raises(errors.InputError, match=r"the value of V is not symmetric, .* give a symmetric matrix"):
        derived.verify(at={"V": [[1.0, 2.0], [3.0, 0.5]]})
    turned = sb.lambdify([S, V], sb.grad(loss, S))
    assert sb.check_grad(loss, S, gradient=turned).passed
    plain = sb.lambdify([A, B], -(A.I * B * A.I) + A.I)
    assert not sb.check_grad(loss.subs({S: A, V: B}), A, gradient=plain).passed
