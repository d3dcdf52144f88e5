"""The names that a NumPy model uses, group by group: each must be there."""

LISTS: dict[str, tuple[str, ...]] = {
    group: tuple(names.split())
    for group, names in {
        "operators": "+ - * / // % ** @ < <= > >= & | ~",
        "exponentials": "exp exp2 expm1 log log2 log10 log1p logaddexp",
        "powers": "sqrt cbrt square reciprocal power float_power hypot",
        "trigonometric": "sin cos tan arcsin arccos arctan arctan2 sinc deg2rad rad2deg",
        "hyperbolic": "sinh cosh tanh arcsinh arccosh arctanh",
        "arithmetic": "add subtract multiply divide true_divide floor_divide mod remainder fmod negative positive",
        "selection": "abs absolute sign maximum minimum fmax fmin clip where select heaviside nan_to_num",
        "rounding": "floor ceil round rint trunc fix",
        "tests": "isfinite isnan isinf signbit",
        "comparison, logic": "equal not_equal less less_equal greater greater_equal logical_and logical_or "
        "logical_not logical_xor",
        "special": "special.erf special.erfc special.erfinv special.gamma special.gammaln special.digamma "
        "special.polygamma special.beta special.betaln special.expit special.logit special.log_expit special.softplus "
        "special.logsumexp special.softmax special.log_softmax special.xlogy special.xlog1py special.entr "
        "special.rel_entr special.i0 special.i1 special.j0 special.j1 special.ndtr special.log_ndtr special.i0e "
        "special.i1e special.ndtri",
        "activations": "relu leaky_relu elu gelu silu softplus sigmoid hard_tanh mish",
        "losses": "mean_squared_error cross_entropy binary_cross_entropy hinge huber kl_divergence",
        "reductions": "sum mean var std prod max min amax amin argmax argmin any all logsumexp cumsum cumprod trace "
        "average ptp nansum nanmean",
        "products": "dot vdot inner outer matmul tensordot einsum kron cross linalg.multi_dot convolve",
        "shaping": "reshape ravel transpose swapaxes moveaxis expand_dims squeeze broadcast_to concatenate stack "
        "vstack hstack split tile repeat roll flip rot90 pad diag diagonal tril triu eye zeros_like ones_like "
        "full_like meshgrid sort diff",
        "indexing": "take take_along_axis one_hot set_at",
        "linalg": "linalg.inv linalg.solve linalg.det linalg.slogdet linalg.cholesky linalg.eigh linalg.eigvalsh "
        "linalg.svd linalg.solve_triangular linalg.matrix_power linalg.norm",
    }.items()
}
"""NumPy's and SciPy's names; operators are those of nodes."""

OPERATORS = {
    "+": "__add__", "-": "__sub__", "*": "__mul__", "/": "__truediv__", "//": "__floordiv__", "%": "__mod__",
    "**": "__pow__", "@": "__matmul__", "<": "__lt__", "<=": "__le__", ">": "__gt__", ">=": "__ge__",
    "&": "__and__", "|": "__or__", "~": "__invert__",
}  # fmt: skip
"""The methods of operators."""
