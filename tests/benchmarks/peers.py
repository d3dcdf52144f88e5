"""The peers: one program text for all, and how each of them compiles it to a value with its gradient.

A task is written once, in the names of a namespace: NumPy's own, and beside them ``sigmoid``, ``relu``, ``softmax`` and
``logsumexp`` as each peer has them. A peer that is not installed is absent, which is no failure.
"""

import importlib
from collections.abc import Callable, Sequence
from functools import partial
from types import ModuleType, SimpleNamespace
from typing import Any, NamedTuple

import numpy as np

import symback as sb

from .contest import BY_HAND, FAST, READABLE, AbsentError, Call, Contest

Loss = Callable[..., Any]
"""What is computed, of a namespace, the data and the parameters."""


class Task(NamedTuple):
    """What is to be computed: a loss with its gradient; or its value alone, if there are no parameters.

    Attributes:
        name: What the task is called.
        loss: The program of the peers.
        graph: Builds symback's variables (data, then parameters) and the loss.
        by_hand: The hand-written program, of data and parameters: the value and a list of gradients, or the value.
        data: Arrays that are not differentiated by.
        parameters: Arrays that are.
        without: Peers that cannot take part, with the reason.
        aim: What the ratio of the fast style to the hand-written program shall be at most.
        value: The hand-written program of the value alone, where its time is compared.
        directions: Of a Hessian-vector product: an array for each of the parameters.
    """

    name: str
    loss: Loss
    graph: Callable[[], tuple[list[Any], Any]]
    by_hand: Callable[..., Any]
    data: Sequence[np.ndarray]
    parameters: Sequence[np.ndarray] = ()
    without: dict[str, str] = {}  # noqa: RUF012 -- never written
    aim: float | None = None
    value: Callable[..., Any] | None = None
    directions: Sequence[np.ndarray] = ()


def installed(name: str) -> ModuleType:
    """Import a module of a peer, or say that it is absent."""
    try:
        return importlib.import_module(name)
    except ImportError:
        raise AbsentError("not installed") from None


def namespace(module: Any, **more: Any) -> SimpleNamespace:
    """Return what a program is written in: a module's names, and more that it lacks or has elsewhere."""
    return SimpleNamespace(**{name: getattr(module, name) for name in dir(module) if name[0] != "_"} | more)


def affine(A: Any, W: Any, b: Any) -> Any:
    """Return A W + b, as most peers write it."""
    return A @ W + b


def compiled(task: Task, style: str = "readable", *, check: bool = False) -> sb.CompiledFunction:
    """Return symback's function: the value with its gradient, or the value alone."""
    inputs, loss = task.graph()
    wrt = inputs[len(task.data) :]
    outputs = (loss, sb.grad(loss, wrt)) if wrt else loss
    return sb.lambdify(inputs, outputs, style=style, check=check)


def symback_call(task: Task, style: str = "readable", *, check: bool = False) -> Call:
    """Set up symback."""
    return partial(compiled(task, style, check=check), *task.data, *task.parameters)


def jax_names() -> SimpleNamespace:
    """Return what JAX's programs are written in, in float64."""
    jax = installed("jax")
    jax.config.update("jax_enable_x64", True)
    same = {name: getattr(jax.nn, name) for name in ("sigmoid", "relu", "softmax", "softplus", "logsumexp")}
    return namespace(jax.numpy, affine=affine, **same)


def jax_function(task: Task) -> Callable[..., Any]:
    """Return a task as JAX's function, in float64, which its first call compiles."""
    program, jax = partial(task.loss, jax_names()), installed("jax")
    first = len(task.data)
    wrt = tuple(range(first, first + len(task.parameters)))
    function = jax.jit(jax.value_and_grad(program, wrt) if wrt else program)
    return lambda *arguments: jax.block_until_ready(function(*arguments))


def jax_call(task: Task) -> Call:
    """Set up JAX on arrays of its own."""
    function = jax_function(task)
    asarray = installed("jax.numpy").asarray
    return partial(function, *[asarray(array) for array in (*task.data, *task.parameters)])


def torch_names() -> SimpleNamespace:
    """Return what torch's programs are written in, in float64."""
    torch = installed("torch")
    torch.set_default_dtype(torch.float64)
    softplus = partial(torch.nn.functional.softplus, threshold=40.0)  # by default 20, and 2e-9 from its value
    return namespace(torch, logsumexp=lambda x, axis: torch.logsumexp(x, axis), softplus=softplus, affine=affine)


def torch_call(task: Task) -> Call:
    """Set up torch, eager, in float64."""
    names, torch = torch_names(), installed("torch")
    data = [torch.from_numpy(array.copy()) for array in task.data]
    parameters = [torch.from_numpy(array.copy()).requires_grad_() for array in task.parameters]

    def call() -> Any:
        value = task.loss(names, *data, *parameters)
        return (value.detach(), torch.autograd.grad(value, parameters)) if parameters else value

    return call


def autograd_names() -> SimpleNamespace:
    """Return what autograd's programs are written in."""
    np_ = installed("autograd.numpy")
    logsumexp = installed("autograd.scipy.special").logsumexp

    def softmax(x: Any, axis: int) -> Any:
        e = np_.exp(x - np_.max(x, axis=axis, keepdims=True))
        return e / np_.sum(e, axis=axis, keepdims=True)

    return namespace(
        np_,
        sigmoid=lambda z: 1 / (1 + np_.exp(-z)),
        relu=lambda z: np_.maximum(z, 0),
        softplus=lambda z: np_.logaddexp(0.0, z),
        softmax=softmax,
        logsumexp=logsumexp,
        affine=affine,
    )


def autograd_call(task: Task) -> Call:
    """Set up autograd, which runs NumPy under a tape."""
    names, autograd = autograd_names(), installed("autograd")
    program, first = partial(task.loss, names), len(task.data)
    wrt = tuple(range(first, first + len(task.parameters)))
    function = autograd.value_and_grad(program, wrt) if wrt else program
    return partial(function, *task.data, *task.parameters)


def pytensor_call(task: Task) -> Call:
    """Set up PyTensor, with its default way of compiling."""
    return partial(pytensor_function(task), *task.data, *task.parameters)


def pytensor_names() -> SimpleNamespace:
    """Return what PyTensor's programs are written in."""
    pt, special = installed("pytensor.tensor"), installed("pytensor.tensor.special")
    return namespace(
        pt, relu=lambda z: pt.maximum(z, 0), softmax=special.softmax, logsumexp=pt.logsumexp, affine=affine
    )


def pytensor_function(task: Task) -> Callable[..., Any]:
    """Compile a task with PyTensor."""
    names, pytensor, pt = pytensor_names(), installed("pytensor"), installed("pytensor.tensor")
    inputs = [pt.tensor(dtype=a.dtype, shape=(None,) * a.ndim) for a in (*task.data, *task.parameters)]
    loss = task.loss(names, *inputs)
    wrt = inputs[len(task.data) :]
    return pytensor.function(inputs, [loss, *pt.grad(loss, wrt)] if wrt else loss, trust_input=True)


def casadi_call(task: Task) -> Call:
    """Set up CasADi, with its matrix expressions and its own matrices."""
    ca = installed("casadi")
    arrays = [np.atleast_2d(array) for array in (*task.data, *task.parameters)]
    inputs = [ca.MX.sym(f"x{number}", *array.shape) for number, array in enumerate(arrays)]
    names = namespace(
        ca,
        sigmoid=lambda z: 1 / (1 + ca.exp(-z)),
        relu=lambda z: ca.fmax(z, 0),
        logsumexp=lambda z, axis: ca.vertcat(*[ca.logsumexp(row.T) for row in ca.vertsplit(z)]),
        sum=lambda z, axis=None: ca.sum2(z) if axis == 1 else ca.sum1(ca.sum2(z)),
        mean=lambda z: ca.sum1(ca.sum2(z)) / z.numel(),
        affine=lambda A, W, b: A @ W + ca.repmat(b, A.shape[0], 1),
    )
    labels = [symbol.name() for symbol in inputs]
    function = ca.Function("f", inputs, [task.loss(names, *inputs)], labels, ["value"])
    if task.parameters:
        gradients = [f"grad:value:{label}" for label in labels[len(task.data) :]]
        function = function.factory("g", labels, ["value", *gradients])
    given = [ca.DM(array) for array in arrays]
    return lambda: function.call(given)


PEERS = {
    "JAX jit": jax_call,
    "torch": torch_call,
    "PyTensor": pytensor_call,
    "autograd": autograd_call,
    "CasADi": casadi_call,
}
"""How each peer is set up."""


def _absent(reason: str) -> Call:
    raise AbsentError(reason)


def contest(task: Task, **more: Callable[[], Call]) -> Contest:
    """Return the contest of all that can do a task, the hand-written program first."""
    peers = {
        name: partial(_absent, task.without[name]) if name in task.without else partial(set_up, task)
        for name, set_up in PEERS.items()
    }
    build = {
        BY_HAND: lambda: partial(task.by_hand, *task.data, *task.parameters),
        READABLE: partial(symback_call, task),
        FAST: partial(symback_call, task, "fast"),
        **more,
        **peers,
    }
    return Contest(task.name, build, aim=task.aim)
