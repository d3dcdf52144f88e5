"""The double pendulum: the Lagrangian by SymPy's mechanics, gradient, Hessian and motion by symback.

The equations of motion are M(q) q'' = f(q, q'), where M is the Hessian of the Lagrangian by the velocities.
"""

import numpy as np
import sympy
from sympy.physics.mechanics import Lagrangian, Particle, Point, ReferenceFrame, dynamicsymbols

import symback as sb

LENGTHS, MASSES, GRAVITY = (1.0, 0.8), (1.0, 0.5), 9.81


def lagrangian() -> tuple[sympy.Expr, list[sympy.Symbol], list[sympy.Symbol]]:
    """Return kinetic minus potential energy, in plain symbols for the angles and their velocities."""
    moving = dynamicsymbols("q1 q2")
    frame, origin = ReferenceFrame("N"), Point("O")
    origin.set_vel(frame, 0)
    place, bodies = origin, []
    for angle, length, mass in zip(moving, LENGTHS, MASSES, strict=True):
        arm = frame.orientnew("A", "Axis", [angle, frame.z])
        place = place.locatenew("P", -length * arm.y)
        place.set_vel(frame, place.pos_from(origin).dt(frame))
        body = Particle("B", place, mass)
        body.potential_energy = mass * GRAVITY * place.pos_from(origin).dot(frame.y)
        bodies.append(body)
    q, v = list(sympy.symbols("q1 q2")), list(sympy.symbols("v1 v2"))
    plain = Lagrangian(frame, *bodies).subs({angle.diff(): rate for angle, rate in zip(moving, v, strict=True)})
    return plain.subs(dict(zip(moving, q, strict=True))), q, v


def main() -> None:
    """Print the derivatives, let it swing for ten seconds, and see how well its energy is kept."""
    energy, q, v = lagrangian()
    for symbol, slope in zip([*q, *v], sb.grad(energy, [*q, *v]), strict=True):
        print(f"by {symbol}: {sympy.trigsimp(slope)}")
    print(f"M = {sympy.trigsimp(sympy.Matrix(sb.hessian(energy, v)))}")
    f = sb.scalar_function([*q, *v], energy, wrt=[*q, *v], order=2)
    print(f"{f.operations} operations for the Lagrangian with its gradient and Hessian")

    def acceleration(state: np.ndarray) -> np.ndarray:
        _, gradient, hessian = f(*state.tolist())
        mass, coupling = hessian[2:, 2:], hessian[2:, :2]
        return np.concatenate([state[2:], np.linalg.solve(mass, gradient[:2] - coupling @ state[2:])])

    def total(state: np.ndarray) -> float:
        value, gradient, _ = f(*state.tolist())
        return float(gradient[2:] @ state[2:] - value)

    state, step = np.array([2.0, 2.5, 0.0, 0.0]), 0.002
    before = total(state)
    for _ in range(5000):  # Runge and Kutta's method of fourth order
        k1 = acceleration(state)
        k2 = acceleration(state + step / 2 * k1)
        k3 = acceleration(state + step / 2 * k2)
        k4 = acceleration(state + step * k3)
        state = state + step / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
    after = total(state)
    print(f"energy before {before:.6f}, after ten seconds {after:.6f}")
    assert abs(after - before) < 1e-4


if __name__ == "__main__":
    main()
