"""What the names of the ``ops`` group mean in PyTorch, and the views applied before a call."""

import torch
import torch.nn.functional as F

VIEWS = {
    "t": "x.transpose(-1,-2)",
    "step2": "x[..., ::2]",
    "flipstride": "x.permute(n-1, ..., 0)",
    "narrow": "x[..., 1:-1]",
    "expand0": "x.expand(3, *shape)",
}


def view(x, name):
    """The view ``name`` of ``x``."""
    if name == "t":
        return x.transpose(-1, -2)
    if name == "step2":
        return x[..., ::2]
    if name == "flipstride":
        return x.permute(*reversed(range(x.dim())))
    if name == "narrow":
        return x[..., 1:-1]
    if name == "expand0":
        return x.expand(3, *x.shape)
    raise KeyError(name)


def stored_shape(name, shape):
    """The shape a tensor must have so that its view ``name`` has (about) the shape ``shape``."""
    shape = tuple(shape)
    if name == "t":
        return (*shape[:-2], shape[-1], shape[-2])
    if name == "step2":
        return (*shape[:-1], 2 * shape[-1])
    if name == "flipstride":
        return shape[::-1]
    if name == "narrow":
        return (*shape[:-1], shape[-1] + 2)
    if name == "expand0":
        return shape[1:]
    raise KeyError(name)


def _inplace_chain(x):
    y = x * 2
    y.add_(1)
    y.mul_(x)
    return torch.relu_(y)


def _slice(x, dim, start, end, step):
    at = [slice(None)] * x.dim()
    at[dim] = slice(start, end, step)
    return x[tuple(at)]


def _norm(x, p, dim=None, keepdim=False):
    return torch.linalg.vector_norm(x, float(p), dim, keepdim)


def _index_add(x, index, source, dim, alpha=1):
    return torch.index_add(x, dim, index, source, alpha=alpha)


SPECIAL = {
    "pow_scalar": lambda x, exponent: x**exponent,
    "rpow_scalar": lambda x, base: base**x,
    "norm": _norm,
    "clamp": lambda x, min=None, max=None: torch.clamp(x, min, max),
    "index": lambda x, i: x[i],
    "index2": lambda x, i, j: x[i, j],
    "index_add": _index_add,
    "index_select": lambda x, index, dim: torch.index_select(x, dim, index),
    "gather": lambda x, index, dim: torch.gather(x, dim, index),
    "scatter": lambda x, index, src, dim: torch.scatter(x, dim, index, src),
    "scatter_add": lambda x, index, src, dim: torch.scatter_add(x, dim, index, src),
    "take_along_dim": lambda x, index, dim: torch.take_along_dim(x, index, dim),
    "slice": _slice,
    "split": lambda x, split, dim: torch.split(x, split, dim),
    "sort": lambda x, dim, descending: torch.sort(x, stable=True, dim=dim, descending=descending),
    "cat": lambda *xs, dim: torch.cat(xs, dim),
    "stack": lambda *xs, dim: torch.stack(xs, dim),
    "einsum": lambda *xs, equation: torch.einsum(equation, *xs),
    "masked_fill": lambda x, mask, value: x.masked_fill(mask, value),
    "reshape": lambda x, shape: x.reshape(shape),
    "expand": lambda x, shape: x.expand(shape),
    "repeat": lambda x, repeats: x.repeat(repeats),
    "unfold": lambda x, dimension, size, step: x.unfold(dimension, size, step),
    "pad": lambda x, pad, mode="constant", value=None: F.pad(x, pad, mode, value),
    "mul_view": lambda x: x * x,
    "reuse": lambda x: x * x.sum() + x.exp() * x,
    "diamond": lambda x: (x.sin() * x.cos() + x.sin()) / (1 + x * x),
    "inplace_chain": _inplace_chain,
    "detach": lambda x: x * x.detach(),
}


# Outside the core list.
EXTRA = {
    "log2",
    "log10",
    "tan",
    "asin",
    "acos",
    "sinh",
    "cosh",
    "round",
    "trunc",
    "median",
    "median_dim",
    "cumprod",
    "scatter",
    "take_along_dim",
    "index",
    "index2",
    "index_add",
    "unfold",
}


def function(op):
    """The function behind an op name of a manifest."""
    if op in SPECIAL:
        return SPECIAL[op]
    for ending in ("_view", "_dim"):
        if op.endswith(ending) and not hasattr(torch, op):
            return function(op.removesuffix(ending))
    return getattr(torch, op) if hasattr(torch, op) else getattr(F, op)
