"""L-BFGS runs: a closure instead of recorded gradients."""

import copy

import torch

from .draw import exact, listed
from .fixture import DTYPES, default_dtype, tolerance
from .optim_cases import LBFGS

STEPS = 20
TOL = tolerance((1e-6, 1e-9), (0.1, 1e-3))
OBJECTIVES = {
    "rosenN": "f(x)=sum_{i=0}^{N-2} 100*(x[i+1]-x[i]^2)^2 + (1-x[i])^2",
    "quad8": "f(x)=0.5*x'Ax - b'x, A=lbfgs_quad/A, b=lbfgs_quad/b",
    "x0": "lbfgs_x0/<objective>",
}


def record_all(fixture, root):
    """Adds the L-BFGS cases and their constants to the optim fixture."""
    d = root.child("lbfgs")
    basis = d.normal((8, 8), 0.5)
    quad = {"A": exact(basis @ basis.T + 0.5 * torch.eye(8, dtype=torch.float64)), "b": d.normal((8,))}
    starts = {"rosen2": listed(-1.2, 1.0), "rosen6": d.normal((6,)), "quad8": d.normal((8,))}
    for key, value in quad.items():
        fixture.shared(f"lbfgs_quad/{key}", value)
    for key, value in starts.items():
        fixture.shared(f"lbfgs_x0/{key}", value)
    for number, (objective, split, options, resume_at) in enumerate(LBFGS):
        case = {
            "id": f"lbfgs_{number}",
            "kind": "lbfgs",
            "optimizer": "LBFGS",
            "objective": objective,
            "negate_objective": bool(options.get("maximize")),
            "defaults": options,
            "split": split,
            "steps": STEPS,
            "resume_at": resume_at,
        }
        runs = {}
        for name, dtype in DTYPES.items():
            with default_dtype(dtype):
                runs[name] = _run(case, starts[objective].to(dtype), quad)
                nudge = 1e-13 if name == "f64" else 1e-6
                nudged = _run(case, (starts[objective] * (1 + nudge)).to(dtype), quad)
            valid = _agreement(runs[name], nudged, TOL[name])
            if name == "f32":
                valid = min(valid, _agreement(runs["f64"], runs["f32"], TOL["f32"]))
            x, loss, evals, iterations = runs[name]
            fixture.put(case["id"], name, {"x": x, "loss": loss})
            case |= {
                f"func_evals_{name}": evals,
                f"n_iter_{name}": iterations,
                f"valid_steps_{name}": valid,
                f"final_loss_{name}": loss[-1].item(),
            }
        case["tol"] = TOL
        fixture.cases.append(case)


def _objective(name, x, quad):
    if name.startswith("rosen"):
        return (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()
    a, b = quad["A"].to(x.dtype), quad["b"].to(x.dtype)
    return 0.5 * x @ (a @ x) - b @ x


def _run(case, x0, quad):
    """x and loss at every step, and the cumulative numbers of evaluations and iterations."""
    pieces = [piece.clone().requires_grad_() for piece in x0.split(case["split"])]
    optimizer = torch.optim.LBFGS(pieces, **case["defaults"])
    sign = -1 if case["negate_objective"] else 1

    def closure():
        optimizer.zero_grad()
        loss = sign * _objective(case["objective"], torch.cat(pieces), quad)
        loss.backward()
        return loss

    xs, losses, evals, iterations = [], [], [], []
    for t in range(STEPS):
        if case["resume_at"] == t:
            saved = copy.deepcopy(optimizer.state_dict())
            optimizer = torch.optim.LBFGS(pieces, **case["defaults"])
            optimizer.load_state_dict(saved)
        losses.append(optimizer.step(closure).detach())
        xs.append(torch.cat([piece.detach() for piece in pieces]))
        state = optimizer.state[pieces[0]]
        evals.append(int(state["func_evals"]))
        iterations.append(int(state["n_iter"]))
    return torch.stack(xs), torch.stack(losses), evals, iterations


def _agreement(a, b, tol):
    """The number of leading steps at which two runs agree to a tenth of the tolerance.

    Line searches branch on comparisons; once rounding decides a branch, the rest says nothing.
    """
    for t in range(STEPS):
        close = all(
            (y[t] - x[t]).abs().max() <= 0.1 * (tol["atol"] + tol["rtol"] * x[: t + 1].abs().max())
            for x, y in zip(a[:2], b[:2])
        )
        if not close or a[2][t] != b[2][t] or a[3][t] != b[3][t]:
            return t
    return STEPS
