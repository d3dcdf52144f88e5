"""Cameras and points from images: SciPy's least squares with the Jacobian that symback writes.

Each residual is a point seen by a camera: 13 numbers in, two out. Its Jacobian is straight-line code, evaluated at all
observations at once, and put where its columns belong in a sparse matrix.
"""

import numpy as np
import sympy
from scipy.optimize import least_squares
from scipy.sparse import csr_array

import symback as sb

CAMERAS, POINTS = 4, 30


def residual() -> tuple[list[sympy.Symbol], list[sympy.Expr]]:
    """Return the symbols and the residual of one observation: Rodrigues' rotation, a focal length, one distortion."""
    symbols = list(sympy.symbols("r1 r2 r3 c1 c2 c3 f k x y z u v"))
    r1, r2, r3, c1, c2, c3, f, k, x, y, z, u, v = symbols
    angle = sympy.sqrt(r1**2 + r2**2 + r3**2)
    axis, arm = sympy.Matrix([r1, r2, r3]) / angle, sympy.Matrix([x - c1, y - c2, z - c3])
    sine, cosine = sympy.sin(angle), sympy.cos(angle)
    turned = arm * cosine + axis.cross(arm) * sine + axis * axis.dot(arm) * (1 - cosine)
    a, b = turned[0] / turned[2], turned[1] / turned[2]
    bent = f * (1 + k * (a**2 + b**2))
    return symbols, [bent * a - u, bent * b - v]


def scene(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return cameras (8 numbers each) that look at points (3 numbers each) in front of them."""
    cameras = np.column_stack([
        rng.uniform(0.05, 0.15, (CAMERAS, 3)), rng.uniform(-1, 1, (CAMERAS, 3)) - [0, 0, 8],
        np.full(CAMERAS, 500.0), np.full(CAMERAS, 0.02),
    ])  # fmt: skip
    return cameras, rng.uniform(-2, 2, (POINTS, 3))


def main() -> None:
    """Disturb a scene, and find it again."""
    rng = np.random.default_rng(0)
    symbols, formulas = residual()
    f = sb.scalar_function(symbols, formulas, wrt=symbols[:11])
    print(f"{f.operations} operations for a residual with its Jacobian")

    camera, point = (index.ravel() for index in np.indices((CAMERAS, POINTS)))
    cameras, points = scene(rng)
    seen = f(*cameras[camera].T, *points[point].T, 0.0, 0.0)[0] + rng.normal(0, 0.1, (2, camera.size))

    def evaluated(parameters: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        found = parameters[: CAMERAS * 8].reshape(CAMERAS, 8), parameters[CAMERAS * 8 :].reshape(POINTS, 3)
        return f(*found[0][camera].T, *found[1][point].T, *seen)

    columns = np.concatenate([
        camera * 8 + np.arange(8)[:, None], CAMERAS * 8 + point * 3 + np.arange(3)[:, None],
    ])  # fmt: skip
    rows = np.arange(2 * camera.size).reshape(2, 1, camera.size)

    def jacobian(parameters: np.ndarray) -> csr_array:
        entries = evaluated(parameters)[1]
        places = np.broadcast_arrays(rows, columns[None])
        return csr_array((entries.ravel(), (places[0].ravel(), places[1].ravel())), (2 * camera.size, parameters.size))

    start = np.concatenate([cameras.ravel(), points.ravel()]) * (1 + 0.01 * rng.normal(size=CAMERAS * 8 + POINTS * 3))
    before = np.sqrt(np.mean(evaluated(start)[0] ** 2))
    found = least_squares(lambda p: evaluated(p)[0].ravel(), start, jacobian, x_scale="jac", ftol=1e-6)
    after = np.sqrt(np.mean(found.fun**2))
    print(f"from {before:.1f} pixels to {after:.2f} in {found.nfev} evaluations")
    assert found.success
    assert after < 0.12


if __name__ == "__main__":
    main()
