"""SAM and Newton: optimizers that evaluate the loss themselves, against NumPy."""

import numpy as np
import torch

from .fixture import tolerance
from .optim_cases import CLOSURES
from .papers import SGD, newton, quadratic, rosenbrock, sam

STEPS = 20
TOL = tolerance((1e-9, 1e-12), (1e-5, 1e-6))
NEWTON = {"lr": 1.0, "method": "exact", "damping": 0.0, "line_search": True}


def record_all(fixture, root):
    """Adds the cases of kind ``closure``; constants and objectives are those of the L-BFGS cases."""
    shared = fixture.tensors["f64"]
    a, b = shared["lbfgs_quad/A"].numpy(), shared["lbfgs_quad/b"].numpy()
    counts = {}
    for optimizer, objective, split, options, base in CLOSURES:
        number = counts[optimizer] = counts.get(optimizer, -1) + 1
        case = {
            "id": f"{optimizer.lower()}_{number}",
            "kind": "closure",
            "optimizer": optimizer,
            "objective": objective,
            "defaults": options,
            "base": base,
            "split": split,
            "steps": STEPS,
        }
        start = shared[f"lbfgs_x0/{objective}"].numpy()
        fixture.record(case, {}, lambda _, c=case, s=start: _run(c, s, a, b), TOL)


def _run(case, start, a, b):
    kind = np.float64 if torch.get_default_dtype() == torch.float64 else np.float32
    x = start.astype(kind)
    f = quadratic(a.astype(kind), b.astype(kind)) if case["objective"] == "quad8" else rosenbrock
    state = {}

    def descend(x, g):
        SGD.step(x, g, state, {**SGD.defaults, **case["base"]})

    xs, losses = [], []
    for _ in range(STEPS):
        if case["optimizer"] == "SAM":
            losses.append(sam(f, x, case["defaults"], descend))
        else:
            losses.append(newton(f, x, {**NEWTON, **case["defaults"]}))
        xs.append(torch.from_numpy(x.copy()))
    return {"x": torch.stack(xs), "loss": torch.tensor(losses)}
