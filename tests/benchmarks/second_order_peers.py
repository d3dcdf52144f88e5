"""How symback and the peers compute a Hessian by one parameter, or its product with directions by all of them."""

import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import symback as sb

from . import peers
from .contest import BY_HAND, FAST, READABLE, AbsentError, Call, Contest
from .peers import Task, installed

MOST_SECONDS = 10.0
"""Who takes longer for one call is left out."""


def graph_of(task: Task) -> tuple[list[Any], Any]:
    """Return symback's inputs and what is computed."""
    inputs, loss = task.graph()
    wrt = inputs[len(task.data) :]
    if not task.directions:
        return inputs, sb.hessian(loss, wrt[0])
    directions = [sb.tensor(f"R{variable.name}", variable.shape) for variable in wrt]
    return [*inputs, *directions], sb.jvp(sb.grad(loss, wrt), wrt, directions)


def compiled(task: Task, style: str) -> sb.CompiledFunction:
    """Derive and compile with symback."""
    return sb.lambdify(*graph_of(task), style=style, check=False)


def symback_call(task: Task, style: str) -> Call:
    """Set up symback."""
    return partial(compiled(task, style), *task.data, *task.parameters, *task.directions)


def jax_function(task: Task) -> Callable[..., Any]:
    """Return JAX's function of data, parameters and directions, which is compiled by its first call."""
    program, jax = partial(task.loss, peers.jax_names()), installed("jax")
    first = len(task.data)
    if not task.directions:
        return jax.jit(jax.hessian(program, first))
    wrt = tuple(range(first, first + len(task.parameters)))

    def product(data: Any, parameters: Any, directions: Any) -> Any:
        gradient = jax.grad(program, wrt)
        return jax.jvp(lambda *given: gradient(*data, *given), parameters, directions)[1]

    return jax.jit(product)


def jax_arguments(task: Task) -> Sequence[Any]:
    """Return the arguments of JAX's function, as arrays of its own."""
    asarray = installed("jax.numpy").asarray
    data, parameters, directions = (tuple(map(asarray, part)) for part in (task.data, task.parameters, task.directions))
    return (data, parameters, directions) if task.directions else (*data, *parameters)


def jax_call(task: Task) -> Call:
    """Set up JAX."""
    function, arguments, ready = jax_function(task), jax_arguments(task), installed("jax").block_until_ready
    return lambda: ready(function(*arguments))


def torch_call(task: Task) -> Call:
    """Set up torch's functional transformations, eager."""
    program, torch = partial(task.loss, peers.torch_names()), installed("torch")
    data, parameters, directions = (
        tuple(torch.from_numpy(array.copy()) for array in part)
        for part in (task.data, task.parameters, task.directions)
    )
    if not directions:
        return partial(torch.func.hessian(program, len(data)), *data, *parameters)
    gradient = torch.func.grad(lambda given: program(*data, *given))
    return lambda: torch.func.jvp(gradient, (parameters,), (directions,))[1]


def pytensor_function(task: Task) -> Callable[..., Any]:
    """Compile with PyTensor; its Hessian is by a vector, which the program takes in its shape."""
    names, pytensor, pt = peers.pytensor_names(), installed("pytensor"), installed("pytensor.tensor")
    arrays = (*task.data, *task.parameters, *task.directions)
    inputs = [pt.tensor(dtype=array.dtype, shape=(None,) * array.ndim) for array in arrays]
    first, count = len(task.data), len(task.parameters)
    wrt, directions = inputs[first : first + count], inputs[first + count :]
    if directions:
        loss = task.loss(names, *inputs[: first + count])
        product = pytensor.gradient.pushforward(pt.grad(loss, wrt), wrt, directions)
        return pytensor.function(inputs, product, trust_input=True)
    flat, shape = pt.vector(), task.parameters[0].shape
    loss = task.loss(names, *inputs[:first], flat.reshape(shape))
    hessian = pytensor.gradient.hessian(loss, flat)
    return pytensor.function([*inputs[:first], flat], hessian, trust_input=True)


def pytensor_call(task: Task) -> Call:
    """Set up PyTensor, with its default way of compiling."""
    parameters = task.parameters if task.directions else [task.parameters[0].ravel()]
    return partial(pytensor_function(task), *task.data, *parameters, *task.directions)


def autograd_call(task: Task) -> Call:
    """Set up autograd; its product differentiates the gradient's product with the directions."""
    program, autograd = partial(task.loss, peers.autograd_names()), installed("autograd")
    first, np_ = len(task.data), installed("autograd.numpy")
    if not task.directions:
        return partial(autograd.hessian(program, first), *task.data, *task.parameters)
    gradient = autograd.grad(lambda parameters: program(*task.data, *parameters))

    def along(parameters: Any) -> Any:
        return sum(np_.sum(g * d) for g, d in zip(gradient(parameters), task.directions, strict=True))

    return partial(autograd.grad(along), list(task.parameters))


PEERS = {
    "JAX jit": jax_call,
    "torch": torch_call,
    "PyTensor": pytensor_call,
    "autograd": autograd_call,
}
"""How each peer is set up."""


def _in_time(set_up: Callable[[Task], Call], name: str, task: Task) -> Call:
    """Set a peer up and call it twice; who takes too long, or more memory than there is, is absent."""
    if name in task.without:
        raise AbsentError(task.without[name])
    call = set_up(task)
    call()
    start = time.perf_counter()
    call()
    taken = time.perf_counter() - start
    if taken > MOST_SECONDS:
        raise AbsentError(f"one call takes {taken:.0f} s")
    return call


def contest(task: Task) -> Contest:
    """Return the contest of all that can compute a task of second order, the hand-written program first."""
    by_hand = partial(task.by_hand, *task.data, *task.parameters, *task.directions)
    build: dict[str, Callable[[], Call]] = {BY_HAND: lambda: by_hand}
    build |= {style: partial(symback_call, task, style) for style in (READABLE, FAST)}
    build |= {name: partial(_in_time, set_up, name, task) for name, set_up in PEERS.items()}
    return Contest(task.name, build, aim=task.aim)


def compiling(task: Task) -> Contest:
    """Return the contest of the time to derive and compile, without a call of what is compiled."""

    def jax_compiled() -> tuple[()]:
        jax_function(task).lower(*arguments).compile()
        return ()

    def ready() -> Call:
        nonlocal arguments
        arguments = jax_arguments(task)
        return jax_compiled

    def derived(style: str) -> tuple[()]:
        compiled(task, style)
        return ()

    arguments: Sequence[Any] = ()
    build: dict[str, Callable[[], Call]] = {style: partial(partial, derived, style) for style in (READABLE, FAST)}
    return Contest(task.name, {**build, "JAX jit": ready})
