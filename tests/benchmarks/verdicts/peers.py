"""The checkers of other libraries on the same plain functions, with their own defaults."""

import importlib
import warnings
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import numpy as np

from .asking import FAILED, NOT_TAKEN, PASSED, Outcome, draw_claim, outcome_of
from .problems import Claim

MOST_ENTRIES = 2000
"""Above this a checker that goes through all entries, or builds a whole Jacobian, is not asked."""


class AbsentError(Exception):
    """A peer is not installed."""


@cache
def _module(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError:
        raise AbsentError(f"{name} is not installed") from None


def scipy_check(claim: Claim) -> bool:
    """scipy.optimize.check_grad gives a norm and no verdict: it is held to 1e-6 of the norm of the gradient."""
    optimize = _module("scipy.optimize")
    fun, gradient, x = claim.problem.fun, claim.gradient, claim.problem.point
    size = float(np.linalg.norm(gradient(x).astype(np.float64)))
    return bool(optimize.check_grad(fun, gradient, x) <= 1e-6 * size)


def jax_check(claim: Claim) -> bool:
    """jax.test_util.check_grads of order 1, in 64 bits, of a function with a rule that calls NumPy."""
    jax = _module("jax")
    check_grads = _module("jax.test_util").check_grads
    jax.config.update("jax_enable_x64", True)
    x = claim.problem.point
    value = jax.ShapeDtypeStruct((), x.dtype)

    def host(function: Callable[[Any], Any], shape: Any) -> Callable[[Any], Any]:
        return lambda u: jax.pure_callback(lambda v: np.asarray(function(np.asarray(v)), x.dtype), shape, u)

    f = jax.custom_jvp(host(claim.problem.fun, value))
    gradient = host(claim.gradient, jax.ShapeDtypeStruct(x.shape, x.dtype))

    @f.defjvp
    def rule(primals: Any, tangents: Any) -> Any:
        return f(*primals), jax.numpy.vdot(gradient(*primals), *tangents)

    holds = _holds(lambda: check_grads(f, (x,), 1))
    jax.clear_caches()  # it keeps every function that it has seen, with its data
    return holds


def torch_check(claim: Claim) -> bool:
    """torch.autograd.gradcheck of a Function that calls NumPy."""
    torch = _module("torch")
    fun, gradient, x = claim.problem.fun, claim.gradient, claim.problem.point

    class Host(torch.autograd.Function):
        @staticmethod
        def forward(context: Any, u: Any) -> Any:
            context.save_for_backward(u)
            return torch.tensor(fun(u.detach().numpy()), dtype=u.dtype)

        @staticmethod
        @torch.autograd.function.once_differentiable
        def backward(context: Any, cotangent: Any) -> Any:
            (u,) = context.saved_tensors
            return cotangent * torch.tensor(gradient(u.detach().numpy()), dtype=u.dtype)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it advises against float32: that is counted apart
        return bool(torch.autograd.gradcheck(Host.apply, torch.tensor(x, requires_grad=True), raise_exception=False))


def pytensor_check(claim: Claim) -> bool:
    """The rule of pytensor.gradient.verify_grad: numeric_grad, and its tolerance for absolute and relative error."""
    module = _module("pytensor.gradient")
    x = claim.problem.point
    tolerance = {np.dtype(np.float64): 1e-4, np.dtype(np.float32): 1e-2}[x.dtype]
    numeric = module.numeric_grad(lambda u: float(claim.problem.fun(u)), [x])
    _, _, absolute, relative = numeric.max_err([claim.gradient(x)], tolerance, tolerance)
    return not (absolute > tolerance and relative > tolerance)


def autograd_check(claim: Claim) -> bool:
    """autograd.test_util.check_grads in reverse mode, order 1: there is no rule for more."""
    extend = _module("autograd.extend")
    check_grads = _module("autograd.test_util").check_grads
    f = extend.primitive(claim.problem.fun)
    extend.defvjp(f, lambda value, u: lambda cotangent: cotangent * claim.gradient(u))
    np.random.seed(0)
    return _holds(lambda: check_grads(f, modes=["rev"], order=1)(claim.problem.point))


def _holds(check: Callable[[], Any]) -> bool:
    try:
        check()
    except AssertionError:
        return False
    return True


PEERS: Mapping[str, tuple[Callable[[Claim], bool], bool]] = {
    "scipy check_grad": (scipy_check, True),
    "jax check_grads": (jax_check, False),
    "torch gradcheck": (torch_check, True),
    "pytensor verify_grad": (pytensor_check, True),
    "autograd check_grads": (autograd_check, False),
}
"""Each peer's checker, and whether its cost grows with the number of entries."""


def ask_peers(rng: np.random.Generator, number: int, *, right: bool) -> list[Outcome]:
    """Ask every peer about the plain function that `functions` asks symback about."""
    claim = draw_claim(rng, number, right=right)
    return [outcome_of(name, claim, number, _asked(name, claim)) for name in installed()]


def _asked(name: str, claim: Claim) -> dict[str, Any]:
    check, goes_through_all = PEERS[name]
    if goes_through_all and claim.problem.point.size > MOST_ENTRIES:
        return {"verdict": NOT_TAKEN, "detail": "it goes through all entries"}
    try:
        with np.errstate(all="ignore"):
            return {"verdict": PASSED if check(claim) else FAILED}
    except Exception as error:  # what a peer refuses is counted apart
        return {"verdict": NOT_TAKEN, "detail": f"{type(error).__name__}: {error}"}


@cache
def installed() -> tuple[str, ...]:
    """Return the peers that are there."""
    modules = {"scipy check_grad": "scipy.optimize", "jax check_grads": "jax", "torch gradcheck": "torch",
               "pytensor verify_grad": "pytensor.gradient", "autograd check_grads": "autograd"}  # fmt: skip
    found = []
    for name, module in modules.items():
        try:
            _module(module)
        except AbsentError:
            continue
        found.append(name)
    return tuple(found)
