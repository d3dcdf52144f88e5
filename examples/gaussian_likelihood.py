"""The Gaussian log-likelihood by mean and covariance, in SymPy's matrices: derivation, gradient, code, maximum.

With the scatter matrix S, the mean of the squared residuals, the gradient by the covariance is
n/2 (Sigma^-1 S Sigma^-1 - Sigma^-1), which vanishes at Sigma = S (Magnus and Neudecker, Matrix Differential Calculus,
1988, section 15.3; Petersen and Pedersen, The Matrix Cookbook, 2012, equations 57 and 124).
"""

import numpy as np
import sympy
from sympy import Determinant, MatrixSymbol, OneMatrix, Trace

import symback as sb


class Symmetric(MatrixSymbol):
    """A matrix that is its own transpose."""

    def _eval_transpose(self) -> "Symmetric":
        return self


n, d = sympy.symbols("n d", positive=True, integer=True)
X, R, mu = MatrixSymbol("X", n, d), MatrixSymbol("R", n, d), MatrixSymbol("mu", d, 1)
Sigma, S = Symmetric("Sigma", d, d), Symmetric("S", d, d)
RESIDUALS = X - OneMatrix(n, 1) * mu.T


def likelihood(scatter: sympy.MatrixExpr) -> sympy.Expr:
    """Return the log-likelihood of n rows of data with this scatter matrix."""
    return -n / 2 * (d * sympy.log(2 * sympy.pi) + sympy.log(Determinant(Sigma)) + Trace(Sigma.I * scatter))


def derivation() -> sb.Derivation:
    """Return the derivation by covariance and mean, in which residuals and scatter matrix have their names."""
    residuals = sb.let("R", sb.from_sympy(RESIDUALS))
    scatter = sb.let("S", sb.from_sympy(R.T * R / n).subs(R, residuals))
    loss = sb.from_sympy(likelihood(S)).subs({n: residuals.shape[0], S: scatter})
    return sb.derive(sb.let("L", loss, latex=r"\ell"), [Sigma, mu])


def main() -> None:
    """Print derivation, gradient and code, check them, and evaluate the gradient at the estimate."""
    derived = derivation()
    print(derived.latex())
    derived.verify().raise_if_failed()

    print("by Sigma:", sb.grad(likelihood(S), Sigma))
    loss = likelihood(RESIDUALS.T * RESIDUALS / n)
    print("by mu:", sb.grad(loss, mu))
    f = sb.lambdify([X, mu, Sigma], (loss, sb.grad(loss, [mu, Sigma])), name="likelihood")
    print(f.source[f.source.index("def likelihood") :])

    rng = np.random.default_rng(0)
    data = rng.normal(size=(200, 3)) @ rng.normal(size=(3, 3)) + [1.0, 2.0, 3.0]
    mean = data.mean(axis=0)[:, None]
    covariance = np.cov(data.T, bias=True)
    sb.check_grad(loss, [mu, Sigma], at={X: data, mu: mean - 0.1, Sigma: covariance + np.eye(3)}).raise_if_failed()

    most, gradient = f(data, mean, covariance)
    largest = max(float(np.abs(by).max()) for by in gradient)
    print(f"log-likelihood {most:.3f}; at the estimate the largest entry of its gradient is {largest:.1e}")
    assert largest < 1e-8
    for step in (0.01, -0.01):
        assert f(data, mean + step, covariance)[0] < most
        assert f(data, mean, covariance * (1 + step))[0] < most


if __name__ == "__main__":
    main()
