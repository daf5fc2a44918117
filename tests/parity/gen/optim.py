"""The ``optim`` group: trajectories of optimizers over recorded gradients."""

import copy
from unittest import mock

import numpy as np
import torch

from . import closures, lbfgs
from .draw import Draw, exact
from .fixture import DTYPES, Fixture, compare, default_dtype, rounded, tolerance
from .optim_cases import MUON, PAPERS, RUNS, SPARSE, both
from .papers import PaperRun

STEPS = 50
TOL = tolerance((1e-11, 1e-12), (1e-5, 1e-6))
TOL_EXACT_NS = tolerance((1e-9, 1e-12), (1e-4, 1e-6))
TOL_AVERAGE = tolerance((1e-10, 1e-12), (2e-5, 1e-6))
# How PyTorch computes a step, not what: these options have no counterpart in a manifest.
IMPLEMENTATION = {"params", "param_names", "foreach", "capturable", "differentiable", "fused"}


def generate(seed):
    """The fixture of the group."""
    fixture = Fixture(
        "optim",
        "optimizer trajectories with an explicit gradient sequence",
        steps=STEPS,
        objectives=lbfgs.OBJECTIVES,
    )
    root = Draw(seed, "optim")
    shared = _draw_gradients(root)
    for key, value in shared.items():
        fixture.shared(key, value)
    counts = {}
    for run in RUNS + MUON + SPARSE + PAPERS:
        name = "lookahead" if run.lookahead else run.optimizer.lower()
        number = counts.get(name, 0)
        counts[name] = number + 1
        _record(fixture, f"{name}_{number}", run, shared)
    lbfgs.record_all(fixture, root)
    closures.record_all(fixture, root)
    _record_averages(fixture, root)
    return fixture


def _draw_gradients(root):
    """Start and gradients: magnitudes from 0.01 to 10, a weight whose gradient is always zero."""
    rows, columns = root.child("shape").pick([(3, 2), (2, 3), (4, 2)])
    shared = {}
    for name, shape in (("w", (rows, columns)), ("b", (columns,))):
        d = root.child(name)
        size = torch.exp(d.uniform(shape, -4.6, 2.3))
        drift = d.normal(shape, 0.5)
        grads = exact((d.normal((STEPS, *shape)) + drift) * size)
        grads[d.bools(grads.shape, 0.05)] = 0.0
        if name == "w":
            grads[:, 0, 0] = 0.0
        shared[f"init/{name}"], shared[f"grads/{name}"] = d.normal(shape), grads
    return shared


def _record(fixture, case_id, run, shared):
    groups = run.groups or both()
    case = {
        "id": case_id,
        "kind": "explicit_grads",
        "steps": STEPS,
        "resume_at": run.resume_at,
        "optimizer": run.optimizer,
        "defaults": run.defaults,
        "groups": groups,
    }
    case |= {"no_grad": run.no_grad} if run.no_grad else {}
    case |= {"set_lr": run.set_lr} if run.set_lr else {}
    case |= {"rows": run.rows} if run.rows else {}
    case |= {"lookahead": run.lookahead} if run.lookahead else {}
    follow = _follow_paper if run in PAPERS else _follow
    results = {}
    for name, dtype in DTYPES.items():
        with default_dtype(dtype):
            tensors, notes = follow(run, groups, shared, dtype)
            if run.optimizer == "Muon":
                with mock.patch("torch.optim._muon._zeropower_via_newtonschulz", _exact_newton_schulz):
                    tensors["traj_exact_ns/w"] = _follow(run, groups, shared, dtype)[0]["traj/w"]
        fixture.put(case_id, name, tensors)
        results[name] = tensors
        if name == "f64":
            case |= notes
    tol = TOL
    if run.optimizer == "Muon":
        tol = _muon_tolerance(case, results)
    fixture.finish(case, results, tol)


def _follow(run, groups, shared, dtype):
    """Runs one optimizer; returns its tensors and what the manifest says about its groups."""
    params = {name: shared[f"init/{name}"].to(dtype).clone().requires_grad_() for name in ("w", "b")}
    used = [name for group in groups for name in group["params"]]
    optimizer = _build(run, groups, params, until=-1)
    notes = {"param_groups": _hyper(optimizer.param_groups)}
    traj = {name: [] for name in used}
    tensors = {}
    for t in range(STEPS):
        for group in groups:
            if group.get("add_at") == t:
                optimizer.add_param_group(_torch_group(group, params))
        if run.resume_at == t:
            saved = copy.deepcopy(optimizer.state_dict())
            tensors |= {
                f"sd/{index}/{key}": value
                for index, state in saved["state"].items()
                for key, value in _tensors(state)
            }
            notes["sd_param_order"] = [n for g in groups if g.get("add_at", -1) <= t for n in g["params"]]
            notes["sd_param_groups"] = _hyper(saved["param_groups"], IMPLEMENTATION - {"params"})
            optimizer = _build(run, groups, params, until=t)
            optimizer.load_state_dict(saved)
        for change in run.set_lr or []:
            if change["step"] == t:
                optimizer.param_groups[change["group"]]["lr"] = change["lr"]
        for name, p in params.items():
            absent = t in (run.no_grad or {}).get(name, [])
            p.grad = None if absent else shared[f"grads/{name}"][t].to(dtype)
            if run.rows and not absent:
                index = torch.tensor([run.rows[name][t]], dtype=torch.int64).reshape(1, -1)
                p.grad = torch.sparse_coo_tensor(index, p.grad[index[0]], p.shape)
        optimizer.step()
        for name, path in traj.items():
            path.append(params[name].detach().clone())
    notes["param_groups_final"] = _hyper(optimizer.param_groups)
    tensors |= {f"traj/{name}": torch.stack(path) for name, path in traj.items()}
    tensors |= {
        f"state/{name}/{key}": value
        for name in used
        for key, value in _tensors(optimizer.state.get(params[name], {}))
    }
    return tensors, notes


def _follow_paper(run, groups, shared, dtype):
    """The same for the optimizers of ``papers.py``, which are resumed nowhere: nothing may change there."""
    kind = np.float64 if dtype == torch.float64 else np.float32
    params = {name: shared[f"init/{name}"].numpy().astype(kind) for name in ("w", "b")}
    used = [name for group in groups for name in group["params"]]
    optimizer = PaperRun(run.optimizer, run.lookahead)
    for group in groups:
        if "add_at" not in group:
            optimizer.add_group(group["params"], run.defaults | group["hyper"], params)
    notes = {"param_groups": copy.deepcopy(_hyper(optimizer.groups))}
    traj = {name: [] for name in used}
    tensors = {}
    for t in range(STEPS):
        for group in groups:
            if group.get("add_at") == t:
                optimizer.add_group(group["params"], run.defaults | group["hyper"], params)
        if run.resume_at == t:
            order = [name for group in optimizer.groups for name in group["params"]]
            for index, name in enumerate(order):
                for key, value in optimizer.state(name).items():
                    tensors[f"sd/{index}/{key}"] = torch.as_tensor(value, dtype=dtype)
            notes["sd_param_order"] = order
            numbered = [g | {"params": [order.index(n) for n in g["params"]]} for g in optimizer.groups]
            notes["sd_param_groups"] = copy.deepcopy(_hyper(numbered, IMPLEMENTATION - {"params"}))
        for change in run.set_lr or []:
            if change["step"] == t:
                optimizer.groups[change["group"]]["lr"] = change["lr"]
        grads = {}
        for name in used:
            absent = t in (run.no_grad or {}).get(name, [])
            grads[name] = None if absent else shared[f"grads/{name}"][t].numpy().astype(kind)
        optimizer.step(params, grads)
        for name, path in traj.items():
            path.append(torch.from_numpy(params[name].copy()))
    notes["param_groups_final"] = _hyper(optimizer.groups)
    tensors |= {f"traj/{name}": torch.stack(path) for name, path in traj.items()}
    for name in used:
        for key, value in optimizer.state(name).items():
            tensors[f"state/{name}/{key}"] = torch.as_tensor(value, dtype=dtype)
    return tensors, notes


def _build(run, groups, params, until):
    """The optimizer with the groups that have joined by step ``until``."""
    there = [_torch_group(g, params) for g in groups if g.get("add_at", -1) <= until]
    defaults = {k: tuple(v) if isinstance(v, list) else v for k, v in run.defaults.items()}
    return getattr(torch.optim, run.optimizer)(there, **defaults)


def _torch_group(group, params):
    hyper = {k: tuple(v) if isinstance(v, list) else v for k, v in group["hyper"].items()}
    return {"params": [params[name] for name in group["params"]], **hyper}


def _hyper(groups, hidden=IMPLEMENTATION):
    return [{k: v for k, v in group.items() if k not in hidden} for group in groups]


def _tensors(state):
    """The entries of a state as tensors; absent ones (None) are left out."""
    for key, value in state.items():
        if value is not None:
            yield key, torch.as_tensor(value, dtype=torch.get_default_dtype()).clone()


def _exact_newton_schulz(grad, ns_coefficients, ns_steps, eps):
    """Muon's orthogonalisation in the parameter's own precision instead of bfloat16."""
    a, b, c = ns_coefficients
    x = grad.T if grad.size(0) > grad.size(1) else grad
    x = x / x.norm().clamp(min=eps)
    for _ in range(ns_steps):
        gram = x @ x.T
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x.T if grad.size(0) > grad.size(1) else x


def _muon_tolerance(case, results):
    """The coarse tolerance: as far as bfloat16 takes the trajectory from the exact one."""
    case["note"] = (
        "traj: torch runs Newton-Schulz in bfloat16 (coarse tolerance). traj_exact_ns: the "
        "same in the parameter's precision"
    )
    case["tol_exact_ns"] = TOL_EXACT_NS
    exact_run = {"traj/w": results["f64"]["traj_exact_ns/w"]}
    error, _, _ = compare(exact_run, {"traj/w": results["f64"]["traj/w"]}, {"rtol": 1, "atol": 1})
    coarse = (rounded(max(error, 1e-4)), 1e-5)
    return tolerance(coarse, coarse)


def _record_averages(fixture, root):
    d = root.child("averaging")
    snapshots = {"weight": d.normal((8, 2, 3)), "bias": d.normal((8, 2))}
    for key, value in snapshots.items():
        fixture.shared(f"averaging/{key}", value)
    for case_id, decay in (
        ("swa_mean", None),
        ("ema_0", 0.999),
        ("ema_1", 0.5),
        ("ema_2", 0.0),
        ("ema_3", 1.0),
    ):
        case = {"id": case_id, "kind": "averaging", "decay": decay, "snapshots": 8, "n_averaged": 8}
        fixture.record(case, {}, lambda _, decay=decay: _average(snapshots, decay), TOL_AVERAGE)


def _average(snapshots, decay):
    dtype = torch.get_default_dtype()
    model = torch.nn.Linear(3, 2)
    rule = None if decay is None else torch.optim.swa_utils.get_ema_multi_avg_fn(decay)
    averaged = torch.optim.swa_utils.AveragedModel(model, multi_avg_fn=rule)
    path = {"weight": [], "bias": []}
    for t in range(8):
        with torch.no_grad():
            model.weight.copy_(snapshots["weight"][t])
            model.bias.copy_(snapshots["bias"][t])
        averaged.update_parameters(model)
        for key, values in path.items():
            values.append(getattr(averaged.module, key).detach().to(dtype).clone())
    return {f"avg/{key}": torch.stack(values) for key, values in path.items()}
