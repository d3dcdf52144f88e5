"""Names in emitted code: the user's own where they can be used, and names with a meaning for the rest."""

import builtins
import keyword
from collections.abc import Hashable, Iterable
from importlib import import_module
from pkgutil import iter_modules
from types import FunctionType
from typing import Any

from symback.nodes.add import Plus
from symback.nodes.apply import Apply, unnamed
from symback.nodes.classify import classify
from symback.nodes.contract import Contract
from symback.nodes.leaves import Exact
from symback.nodes.node import Node
from symback.ops import numerics
from symback.ops.undefined import UNDEFINED, Partial


def _helper_names() -> set[str]:
    """Return the names of all functions and classes whose source emitted modules may hold."""
    modules = [import_module(f"{numerics.__name__}.{found.name}") for found in iter_modules(numerics.__path__)]
    kinds = (FunctionType, type)
    return {name for module in modules for name, value in vars(module).items() if isinstance(value, kinds)}


_MODULE_NAMES = {
    "np", "special", "sparse", "base64", "functools", "inspect", "checked", "converted", "checked_updates",
    "all_converted", "kept_apart", "updatable", "InputError", "DtypeError", "MemoryLimitError",
}  # fmt: skip

MODULE_NAMES = frozenset(_MODULE_NAMES | set(keyword.kwlist) | set(keyword.softkwlist) | _helper_names())
"""Names that no variable of an emitted function can have."""

_KINDS = {
    "max_over": "largest", "min_over": "smallest", "logsumexp_over": "lse", "weighted_logsumexp_over": "lse",
    "nanmax_over": "largest", "nanmin_over": "smallest", "prod_over": "product", "cumsum_along": "running",
    "cumprod_along": "running", "var_over": "variance", "std_over": "deviation", "softmax_over": "p",
    "count_nonzero_over": "count", "shifted_along": "moved", "linear_recurrence": "carried", "reshape_to": "flat",
    "concatenate_along": "joined", "slice_of": "part", "unslice": "padded", "divide": "ratio", "where": "chosen",
    "power": "power", "astype": "cast", "stack_along": "stacked", "flip_along": "flipped", "roll_along": "rolled",
    "tile_by": "tiled", "repeat_along": "repeated", "sum_runs": "sums", "pad_zeros": "padded", "pad_constant": "padded",
    "pad_border": "padded", "unpad": "inner", "tril_at": "lower", "triu_at": "upper", "diff_along": "steps",
    "arange_to": "positions", "eye_of": "identity", "tri_of": "lower",
    "gather": "taken", "scatter_add": "padded", "set_slice": "updated",
    "set_places": "updated", "take_along": "taken", "put_along": "padded", "sort_along": "ordered",
    "argsort_along": "order",
    "eigenvalues": "w", "eigenvectors": "V", "eigenvalues_upper": "w", "eigenvectors_upper": "V",
    "left_vectors": "U", "singular_values": "s", "right_vectors": "Vt",
    "det_sign": "sign", "logabsdet": "logdet", "log_det": "logdet",
    "cholesky_of": "L", "orthogonal_factor": "Q", "triangular_factor": "R",
    "over_gaps": "rotation", "convolve_along": "convolved", "cross_of": "crossed", "diagonal": "diagonal",
    "inverse_or_inf": "inverse", "norm_over": "length", "det_gradient": "cofactors",
    "outer": "outer", "matmul": "product", "matvec": "product", "vecmat": "product", "inner": "product",
    "frobenius": "product", "hadamard": "product", "sum": "total", "trace": "trace", "transpose": "swapped",
    "fill": "constant", "embed": "diagonal", "scale": "scaled", "broadcast": "repeated",
}  # fmt: skip


class Names:
    """Hands out names, each once; names of the user's own are kept for what they name."""

    def __init__(self, taken: Iterable[str]) -> None:
        self._taken = set(taken)
        self._kept: set[str] = set()
        self._next: dict[str, int] = {}
        self._of: dict[Hashable, str] = {}

    def keep(self, names: Iterable[str]) -> None:
        """Give these names only to a `claim` that says it is theirs."""
        self._kept.update(names)

    def claim(self, wanted: str, *, own: bool = False) -> str:
        """Return `wanted`, with an underscore if Python or the module needs the word, else numbered if taken."""
        name = wanted
        if name in MODULE_NAMES:
            name = wanted = f"{wanted}_"
        while name in self._taken or (name in self._kept and not own):
            self._next[wanted] = self._next.get(wanted, 1) + 1
            name = f"{wanted}_{self._next[wanted]}"
        self._taken.add(name)
        return name

    def claim_for(self, thing: Hashable, wanted: str) -> str:
        """Return the name of a thing, which is claimed when it is first asked for; it hides nothing of Python's."""
        if thing not in self._of:
            self._of[thing] = self.claim(f"{wanted}_" if hasattr(builtins, wanted) else wanted)
        return self._of[thing]


def suggestion(node: Node, known: dict[Node, str]) -> str:
    """Suggest a name for an intermediate result from what it is: a difference, a function of a named thing."""
    if isinstance(node, Plus):
        last = node.operands[-1]
        subtracts = isinstance(last, Contract) and isinstance(last.operands[0], Exact) and _negative(last.operands[0])
        return "r" if len(node.operands) == 2 and subtracts else "s"
    if isinstance(node, Contract):
        product = classify(node)
        argument = known.get(unnamed(product.cores[0][0]), "") if product.cores else ""
        if product.kind == "scale" and product.coefficient == -1 and argument:
            return f"minus_{argument}"
        return _KINDS.get(product.kind, "product")
    if isinstance(node, Apply):
        argument = known.get(unnamed(node.operands[0]), "") if node.operands else ""
        if node.operation.name == UNDEFINED:
            one = len(node.operands) == 1 and argument and len(argument) <= 14
            return f"{Partial.of(node).word}_{argument if one else 'value'}"
        function = node.operation.name
        if function in _KINDS:
            return _KINDS[function]
        return f"{function}_{argument}" if len(node.operands) == 1 and argument and len(argument) <= 14 else function
    return "c"


def _negative(number: Exact) -> bool:
    value: Any = number.value
    return bool(value < 0)
