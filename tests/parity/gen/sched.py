"""The ``sched`` group: learning rates and momenta, step by step. No tensors."""

import copy
import math

import torch
from torch.optim import lr_scheduler, swa_utils

from . import sched_cases
from .draw import Draw
from .fixture import Fixture

STEPS = 60
BASE_LRS = [0.1, 0.03]
# State keys that only ever hold functions.
FUNCTIONS = {"_scale_fn_custom"}
TOL = {"f64": {"rtol": 1e-12, "atol": 1e-15}}
# What PyTorch lacks, from the formula of the paper: a factor for each epoch.
PAPERS = {
    "WarmupLR": lambda e, warmup_steps, start_factor: (
        start_factor + (1 - start_factor) * (min(e, warmup_steps) / warmup_steps if warmup_steps else 1)
    ),
    "NoamLR": lambda e, d_model, warmup_steps: (
        d_model**-0.5 * min((e + 1) ** -0.5, (e + 1) * warmup_steps**-1.5)
    ),
    "WarmupStableDecayLR": lambda e, **args: _warmup_stable_decay(e, **args),
}
LAMBDAS = {
    "pow": ("base**e", lambda e, base: base**e),
    "inv": ("1/(1+k*e)", lambda e, k: 1 / (1 + k * e)),
    "warmup": ("min(1,(e+1)/n)", lambda e, n: min(1, (e + 1) / n)),
    "const": ("value", lambda e, value: value),
    "floordiv": ("base**(e//n)", lambda e, base, n: base ** (e // n)),
    "noam": ("min((e+1)**-0.5,(e+1)*warm**-1.5)", lambda e, warm: min((e + 1) ** -0.5, (e + 1) * warm**-1.5)),
    "mod": ("a if e%n==0 else b", lambda e, n, a, b: a if e % n == 0 else b),
}


def generate(seed):
    """The fixture of the group."""
    fixture = Fixture(
        "sched",
        "lr schedulers, two param groups, float64 lrs",
        steps=STEPS,
        lambdas={kind: formula for kind, (formula, _) in LAMBDAS.items()},
    )
    plateaus = sched_cases.plateaus(Draw(seed, "sched"))
    counts = {}
    for s in (
        sched_cases.PLAIN
        + sched_cases.CYCLES
        + plateaus
        + sched_cases.NESTED
        + sched_cases.STARTED
        + sched_cases.DRIVEN
        + sched_cases.PAPERS
    ):
        name = s.type.lower()
        number = counts.get(name, 0)
        counts[name] = number + 1
        fixture.cases.append(_case(f"{name}_{number}", s))
    return fixture


def _case(case_id, s):
    spec = {"type": s.type, "args": s.args, **({"schedulers": s.schedulers} if s.schedulers else {})}
    straight, _ = _follow(s, spec, None)
    case = {"id": case_id, "optimizer": s.optimizer, "base_lrs": BASE_LRS}
    case |= {"initial_lrs": s.initial_lrs} if s.initial_lrs else {}
    case |= {"scheduler": spec}
    case |= {"drive": s.drive} if s.drive else {}
    case |= {**straight, "resume_at": s.resume_at}
    if s.resume_at is not None:
        resumed, state = _follow(s, spec, s.resume_at)
        case |= {"state_dict": state, "resume_same": repr(resumed) == repr(straight)}
    return {**case, "tol": TOL}


def _follow(s, spec, resume_at):
    """The sequence, interrupted before step ``resume_at`` if that is given, and the saved state."""
    optimizer, scheduler = _build(s, spec)
    lrs, momentums = [_lrs(optimizer)], [_momentums(optimizer)]
    raises = state = None
    for t in range(STEPS):
        if t == resume_at:
            saved = copy.deepcopy(optimizer.state_dict()), copy.deepcopy(scheduler.state_dict())
            optimizer, scheduler = _build(s, spec)
            optimizer.load_state_dict(saved[0])
            scheduler.load_state_dict(copy.deepcopy(saved[1]))
            state = _readable(saved[1])
        optimizer.step()
        try:
            scheduler.step(*([s.drive[t]] if s.drive else []))
        except ValueError:
            raises = t
            break
        lrs.append(_lrs(optimizer))
        momentums.append(_momentums(optimizer))
    return {"lrs": lrs, "momentums": momentums, "raises": raises}, state


def _build(s, spec):
    groups = [{"params": [torch.nn.Parameter(torch.zeros(1))], "lr": lr} for lr in BASE_LRS]
    for group, lr in zip(groups, s.initial_lrs or []):
        group["initial_lr"] = lr
    options = {k: tuple(v) if isinstance(v, list) else v for k, v in s.optimizer["args"].items()}
    optimizer = getattr(torch.optim, s.optimizer["type"])(groups, **options)
    return optimizer, _scheduler(spec, optimizer)


def _scheduler(spec, optimizer):
    if "schedulers" in spec:
        inner = [_scheduler(one, optimizer) for one in spec["schedulers"]]
        if spec["type"] == "ChainedScheduler":
            return lr_scheduler.ChainedScheduler(inner, optimizer=optimizer)
        return lr_scheduler.SequentialLR(optimizer, inner, **spec["args"])
    args = dict(spec["args"])
    if spec["type"] in PAPERS:
        formula = PAPERS[spec["type"]]
        return lr_scheduler.LambdaLR(optimizer, lambda e: formula(e, **args))
    for key in ("lr_lambda", "scale_fn"):
        if key in args:
            args[key] = _function(args[key])
    kind = swa_utils.SWALR if spec["type"] == "SWALR" else getattr(lr_scheduler, spec["type"])
    return kind(optimizer, **args)


def _function(spec):
    """The lambda of a manifest, or a list of them."""
    if isinstance(spec, list):
        return [_function(one) for one in spec]
    args = {k: v for k, v in spec.items() if k != "kind"}
    formula = LAMBDAS[spec["kind"]][1]
    return lambda e: formula(e, **args)


def _warmup_stable_decay(e, warmup_steps, stable_steps, decay_steps, min_factor, decay):
    if e < warmup_steps:
        return e / warmup_steps
    since = e - warmup_steps - stable_steps
    if since < 0:
        return 1.0
    t = since / decay_steps if since < decay_steps else 1.0
    left = {"linear": 1 - t, "sqrt": 1 - math.sqrt(t), "cos": (1 + math.cos(math.pi * t)) / 2}[decay]
    return min_factor + (1 - min_factor) * left


def _lrs(optimizer):
    return [float(group["lr"]) for group in optimizer.param_groups]


def _momentums(optimizer):
    return [float(g["betas"][0] if "betas" in g else g["momentum"]) for g in optimizer.param_groups]


def _readable(state):
    """A scheduler's state dict without what JSON cannot hold (functions and references to them)."""
    if isinstance(state, dict):
        return {k: _readable(v) for k, v in state.items() if k not in FUNCTIONS and not callable(v)}
    if isinstance(state, (list, tuple)):
        return [None if callable(v) else _readable(v) for v in state]
    return state
