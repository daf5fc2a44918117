"""The ``amp`` group: traces of ``GradScaler``. Gradients are set by hand, no autodiff is needed."""

from dataclasses import dataclass, field

import torch

from .draw import Draw, exact
from .fixture import DTYPES, Fixture, default_dtype, tolerance

STEPS = 24
DEFAULTS = {"init_scale": 65536.0, "growth_factor": 2.0, "backoff_factor": 0.5, "growth_interval": 2000}
SGD = {"type": "SGD", "params": ["w", "b"], "args": {"lr": 0.1, "momentum": 0.9}}
ADAM = {"type": "Adam", "params": ["w", "b"], "args": {"lr": 0.05, "weight_decay": 0.1}}
SPLIT = [
    {"type": "SGD", "params": ["w"], "args": {"lr": 0.1}},
    {"type": "AdamW", "params": ["b"], "args": {"lr": 0.05}},
]


@dataclass
class Scenario:
    """``plant``: (step, parameter, flat index, value) put into the scaled gradients."""

    scaler: dict
    optimizers: list
    plant: list = field(default_factory=list)
    clip: float = None
    no_grad: dict = None
    new_scale: dict = None
    resume_at: int = None


SCENARIOS = [
    Scenario({"growth_interval": 4}, [SGD], [[3, "w", 1, "inf"], [9, "w", 1, "inf"], [10, "b", 0, "nan"]]),
    Scenario(
        {"init_scale": 1024.0, "growth_factor": 3.0, "backoff_factor": 0.25, "growth_interval": 3},
        [ADAM],
        [[0, "w", 1, "nan"], [5, "w", 1, "nan"], [12, "b", 1, "-inf"]],
        resume_at=8,
    ),
    Scenario({}, [SGD]),
    Scenario(
        {"growth_interval": 5},
        SPLIT,
        [[2, "w", 0, "inf"], [7, "b", 1, "nan"], [8, "w", 2, "-inf"]],
        resume_at=9,
    ),
    Scenario({"init_scale": 256.0, "growth_interval": 6}, [SGD], [[4, "b", 0, "inf"]], clip=0.5),
    Scenario(
        {"init_scale": 8.0, "growth_interval": 2},
        SPLIT,
        [[6, "w", 3, "nan"], [9, "b", 0, "inf"]],
        clip=1.0,
        resume_at=7,
    ),
    Scenario(
        {"init_scale": 16.0, "growth_interval": 2, "backoff_factor": 0.0625},
        [SGD],
        [[t, "w", 0, "inf"] for t in range(2, 12)],
    ),
    Scenario({"init_scale": 2.0**127, "growth_interval": 1}, [SGD]),
    Scenario({"growth_interval": 3}, [ADAM], [[5, "w", 0, "inf"]], no_grad={"b": [0, 1, 9], "w": [4]}),
    Scenario(
        {"growth_interval": 4},
        [SGD],
        [[6, "w", 0, "inf"]],
        new_scale={"3": 512.0, "6": 64.0, "15": 1.5},
        resume_at=16,
    ),
    Scenario({"enabled": False}, [SGD]),
]


def generate(seed):
    """The fixture of the group."""
    fixture = Fixture(
        "amp",
        "GradScaler traces; gradients are set by hand (scaled_grad), no autodiff needed",
        errors=_errors(),
        defaults=DEFAULTS,
    )
    d = Draw(seed, "amp")
    rows, columns = 2, 2 + d.below(2)
    shared = {
        "init/w": d.normal((rows, columns)),
        "init/b": d.normal((columns,)),
        "grads/w": d.uniform((STEPS, rows, columns), -1.5, 1.5),
        "grads/b": d.uniform((STEPS, columns), -1.5, 1.5),
        "loss": d.uniform((STEPS,), 0.1, 1.9),
    }
    for key, value in shared.items():
        fixture.shared(key, value)
    for number, scenario in enumerate(SCENARIOS):
        _record(fixture, f"scaler_{number}", scenario, shared)
    return fixture


def _record(fixture, case_id, s, shared):
    case = {
        "id": case_id,
        "resume_at": s.resume_at,
        "scaler": s.scaler,
        "optimizers": s.optimizers,
        "plant": s.plant,
        "steps": STEPS,
    }
    optional = {"clip": s.clip, "no_grad": s.no_grad, "new_scale": s.new_scale}
    case |= {key: value for key, value in optional.items() if value is not None}
    traces, finals, at_resume = {}, {}, None
    for name, dtype in DTYPES.items():
        with default_dtype(dtype):
            tensors, traces[name], finals[name], at_resume = _follow(s, shared, dtype)
        fixture.put(case_id, name, tensors)
    case |= {"trace": traces, "state_dict_final": finals}
    case |= {"state_dict_at_resume": at_resume} if s.resume_at is not None else {}
    # 1/scale is a float32 number in PyTorch: exact for powers of two only.
    powers = all(
        float(scale).hex().startswith("0x1.0000000000000p") for scale in traces["f64"]["scale_before"]
    )
    case["tol"] = tolerance((1e-11 if powers else 1e-6, 1e-12), (1e-5, 1e-6))
    fixture.cases.append(case)


def _follow(s, shared, dtype):
    """Runs a scenario; returns its tensors, its trace and the two state dicts."""
    params = {name: torch.nn.Parameter(shared[f"init/{name}"].to(dtype).clone()) for name in ("w", "b")}
    optimizers = [_optimizer(o, params) for o in s.optimizers]
    scaler = torch.amp.GradScaler("cpu", **s.scaler)
    keys = ("scale_before", "scale_after", "growth_tracker", "stepped", "scaled_loss", "total_norm")
    trace = {key: [] for key in keys}
    paths = {f"{kind}/{name}": [] for kind in ("scaled_grad", "params", "grad_after") for name in params}
    at_resume = None
    for t in range(STEPS):
        if t == s.resume_at:
            at_resume = scaler.state_dict()
            scaler = torch.amp.GradScaler("cpu", **s.scaler)
            scaler.load_state_dict(at_resume)
        trace["scale_before"].append(scaler.get_scale())
        trace["scaled_loss"].append(float(scaler.scale(shared["loss"][t].to(dtype))))
        for name, p in params.items():
            grad = _scaled(s, shared, name, t, trace["scale_before"][-1]).to(dtype)
            paths[f"scaled_grad/{name}"].append(grad)
            p.grad = None if t in (s.no_grad or {}).get(name, []) else grad.clone()
        trace["total_norm"].append(_unscale_and_clip(s, scaler, optimizers))
        before = [o.steps_done for o in optimizers]
        for o in optimizers:
            scaler.step(o)
        trace["stepped"].append([o.steps_done - n for o, n in zip(optimizers, before)])
        scaler.update((s.new_scale or {}).get(str(t)))
        trace["scale_after"].append(scaler.get_scale())
        trace["growth_tracker"].append(scaler._get_growth_tracker())
        for name, p in params.items():
            paths[f"params/{name}"].append(p.detach().clone())
            paths[f"grad_after/{name}"].append(torch.zeros_like(p) if p.grad is None else p.grad.clone())
    tensors = {key: torch.stack(path) for key, path in paths.items()}
    return tensors, trace, scaler.state_dict(), at_resume


def _optimizer(spec, params):
    """An optimizer that counts the steps it really takes."""
    optimizer = getattr(torch.optim, spec["type"])([params[name] for name in spec["params"]], **spec["args"])
    optimizer.steps_done = 0
    step = optimizer.step

    def counted(*args, **kwargs):
        optimizer.steps_done += 1
        return step(*args, **kwargs)

    optimizer.step = counted
    return optimizer


def _scaled(s, shared, name, t, scale):
    """The scaled gradient of step t, with what is planted in it."""
    grad = exact(shared[f"grads/{name}"][t] * scale)
    for step, parameter, index, value in s.plant:
        if (step, parameter) == (t, name):
            grad.view(-1)[index] = float(value)
    return grad


def _unscale_and_clip(s, scaler, optimizers):
    if s.clip is None:
        return None
    for o in optimizers:
        scaler.unscale_(o)
    return float(torch.nn.utils.clip_grad_norm_(optimizers[0].param_groups[0]["params"], s.clip))


def _errors():
    """Misuse of a scaler, with PyTorch's answers."""

    def ready(with_grad=True):
        p = torch.nn.Parameter(torch.ones(2))
        optimizer, scaler = torch.optim.SGD([p], lr=0.1), torch.amp.GradScaler("cpu")
        scaler.scale(torch.tensor(1.0))
        p.grad = torch.ones(2) if with_grad else None
        return scaler, optimizer

    def in_turn(*calls, with_grad=True):
        scaler, optimizer = ready(with_grad)
        for call in calls:
            getattr(scaler, call)(*([] if call == "update" else [optimizer]))

    def fresh():
        return torch.amp.GradScaler("cpu")

    uses = {
        "unscale_ twice before update": lambda: in_turn("unscale_", "unscale_"),
        "step twice before update": lambda: in_turn("step", "step"),
        "unscale_ after step": lambda: in_turn("step", "unscale_"),
        "update with no unscale/step since last update": lambda: in_turn("update"),
        "step before any scale()": lambda: fresh().step(ready()[1]),
        "step when no parameter has a grad": lambda: in_turn("step", with_grad=False),
        "growth_factor 1.0": lambda: torch.amp.GradScaler("cpu", growth_factor=1.0),
        "backoff_factor 1.0": lambda: torch.amp.GradScaler("cpu", backoff_factor=1.0),
        "load_state_dict({}) on an enabled scaler": lambda: fresh().load_state_dict({}),
        "update before any scale()": lambda: fresh().update(),
    }
    errors = []
    for name, misuse in uses.items():
        try:
            misuse()
        except (RuntimeError, AssertionError) as error:
            errors.append({"name": name, "raises": type(error).__name__, "message": str(error)})
        else:
            raise AssertionError(f"{name}: PyTorch does not raise")
    return errors
