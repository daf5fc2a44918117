"""The ``clip`` group: gradient clipping on hand-made gradients."""

import torch
from torch.nn import utils

from .draw import Draw, listed
from .fixture import DTYPES, Fixture, tolerance

INF, NAN = float("inf"), float("nan")
TOL = tolerance((1e-12, 0.0), (2e-6, 0.0))
ORDERS = (1.0, 2.0, 3.0, INF, -INF, 0.0, 0.5, -1.0, -2.0, 1.5)


def _sets(d):
    """name: the gradient of each parameter, None where it has none."""
    return {
        "plain": [d.normal((4, 3)), d.normal((5,)), d.normal((2, 2, 2))],
        "one": [d.normal((6,))],
        "missing": [d.normal((3,)), None, d.normal((2, 4)), None],
        "scalar": [d.normal(()), d.normal((1, 1))],
        "zero": [torch.zeros(3, dtype=torch.float64), torch.zeros(2, 2, dtype=torch.float64)],
        "some_zero": [torch.zeros(3, dtype=torch.float64), d.normal((2, 3))],
        "empty_tensor": [d.normal((3,)), d.normal((0, 2))],
        "all_missing": [None, None],
        "huge": [d.normal((4,), 1e25), d.normal((2, 2), 1e24)],
        "tiny": [d.normal((4,), 1e-25), d.normal((2, 2), 1e-24)],
        "inf": [d.normal((3,)), listed(1.0, INF, -2.0)],
        "neg_inf": [listed(-INF, 0.5), d.normal((2,))],
        "nan": [d.normal((3,)), listed(1.0, NAN, -2.0)],
    }


def _norm(params, args):
    return utils.clip_grad_norm_(params, **_numbers(args))


def _value(params, args):
    return utils.clip_grad_value_(params, **_numbers(args))


def _total(params, args):
    return utils.get_total_norm([p.grad for p in params if p.grad is not None], **_numbers(args))


def _with_norm(params, args):
    total = torch.tensor(float(args["total_norm"]), dtype=params[0].dtype)
    utils.clip_grads_with_norm_(params, float(args["max_norm"]), total)
    return total


def _numbers(args):
    return {k: v if isinstance(v, bool) else float(v) for k, v in args.items()}


CALLS = {
    "clip_grad_norm_": _norm,
    "clip_grad_value_": _value,
    "get_total_norm": _total,
    "clip_grads_with_norm_": _with_norm,
}


def _uses():
    """(fn, set, args) of every case."""
    for order in ORDERS:
        name = "plain" if order > 0 else "missing"
        yield "clip_grad_norm_", name, {"max_norm": 0.7, "norm_type": order}
    for order in (2.0, 0.0, -INF, -1.0):
        yield "clip_grad_norm_", "some_zero", {"max_norm": 0.7, "norm_type": order}
    for order in (2.0, 1.0, INF, 0.5, -1.0):
        for name in ("huge", "tiny"):
            yield "clip_grad_norm_", name, {"max_norm": 0.7, "norm_type": order}
    for order in (2.0, 1.0, 0.0):
        yield "clip_grad_norm_", "empty_tensor", {"max_norm": 0.7, "norm_type": order}
    for name in ("plain", "one", "scalar", "missing"):
        yield "clip_grad_norm_", name, {"max_norm": 100.0}
        yield "clip_grad_norm_", name, {"max_norm": 0.0}
        yield "clip_grad_norm_", name, {"max_norm": 1.0, "error_if_nonfinite": True}
    for name in ("zero", "all_missing"):
        for order in (2.0, 1.0, 0.0, INF):
            yield "clip_grad_norm_", name, {"max_norm": 1.0, "norm_type": order}
    for name in ("inf", "neg_inf", "nan"):
        for order in (2.0, INF, 0.0):
            yield "clip_grad_norm_", name, {"max_norm": 1.0, "norm_type": order}
        yield "clip_grad_norm_", name, {"max_norm": 1.0, "error_if_nonfinite": True}
        yield "clip_grad_norm_", name, {"max_norm": 1.0, "norm_type": INF, "error_if_nonfinite": True}
        yield "get_total_norm", name, {"norm_type": 2.0}
        yield "get_total_norm", name, {"norm_type": 2.0, "error_if_nonfinite": True}
    for name in (
        "plain",
        "one",
        "scalar",
        "missing",
        "zero",
        "inf",
        "neg_inf",
        "nan",
        "huge",
        "tiny",
        "empty_tensor",
    ):
        yield "clip_grad_value_", name, {"clip_value": 0.5}
    yield "clip_grad_value_", "plain", {"clip_value": 0.0}
    yield "clip_grad_value_", "plain", {"clip_value": 10.0}
    for order in ORDERS:
        yield "get_total_norm", "missing" if order > 0 else "plain", {"norm_type": order}
    for name in ("zero", "all_missing", "scalar", "empty_tensor"):
        yield "get_total_norm", name, {"norm_type": 2.0}
    for name, total in (("plain", 4.0), ("missing", 0.5), ("one", 1.0), ("plain", 0.0), ("scalar", INF)):
        yield "clip_grads_with_norm_", name, {"max_norm": 1.0, "total_norm": total}


def generate(seed):
    """The fixture of the group."""
    fixture = Fixture(
        "clip",
        "gradient clipping; params p0..pn, grads in/<i> (absent = grad None), results out/<i>, total_norm",
    )
    root = Draw(seed, "clip")
    counts = {}
    for fn, name, args in _uses():
        number = counts.get(fn, 0)
        counts[fn] = number + 1
        case_id = f"{fn}_{number}"
        grads = _sets(root.child(case_id))[name]
        case = {
            "id": case_id,
            "fn": fn,
            "set": name,
            "args": args,
            "n_params": len(grads),
            "missing": [i for i, g in enumerate(grads) if g is None],
        }
        for dt, dtype in DTYPES.items():
            tensors, case[f"raises_{dt}"], case[f"total_norm_{dt}"] = _run(fn, args, grads, dtype)
            fixture.put(case_id, dt, tensors)
        case["tol"] = TOL
        fixture.cases.append(case)
    return fixture


def _run(fn, args, grads, dtype):
    """The gradients before and after, the name of the error if there is one, and the norm."""
    params = []
    for g in grads:
        p = torch.nn.Parameter(torch.zeros(() if g is None else g.shape, dtype=dtype))
        p.grad = None if g is None else g.to(dtype).clone()
        params.append(p)
    tensors = {f"in/{i}": p.grad.clone() for i, p in enumerate(params) if p.grad is not None}
    raised = norm = None
    try:
        result = CALLS[fn](params, args)
        norm = None if result is None else float(result)
    except RuntimeError as error:
        raised = str(error).splitlines()[0]
    tensors |= {f"out/{i}": p.grad for i, p in enumerate(params) if p.grad is not None}
    return tensors, raised, norm
