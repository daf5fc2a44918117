"""The ``training`` group: whole runs of small models, and the two data sets they use."""

import gzip
import pathlib

import numpy as np
import torch
import torch.nn.functional as F

from .draw import Draw
from .fixture import DTYPES, Fixture, default_dtype, rounded
from .training_cases import CHARS, RUNS, STRIDE, TEXT, WINDOW, WINDOWS

DIGITS = pathlib.Path(__file__).resolve().parents[3] / "crates/data/data/images-idx3-ubyte.gz"
SAMPLES = 256
LOSS_TOL = {"f64": 1e-10, "f32": 1e-5}
WEIGHTS_TOL = {"f64": 1e-9, "f32": 1e-4}
NUDGE = 1e-15


def generate(seed, digits=DIGITS):
    """The fixture of the group."""
    fixture = Fixture(
        "training",
        "whole training runs: loss per step, some gradient norms, final weights",
        text=TEXT,
        chars=CHARS,
    )
    data = {"digits": _digits(pathlib.Path(digits)), "text": _text()}
    for name, tensors in data.items():
        for key, value in tensors.items():
            fixture.shared(f"data/{name}_{key}", value)
    for run in RUNS:
        _record(fixture, run, data, Draw(seed, f"training/{run.id}"))
    return fixture


def _digits(images):
    """The first digits without their margin, shrunk to 8×8 pixels of 17 grey levels."""
    if not images.exists():
        raise SystemExit(f"{images} is missing; --digits names the images of MNIST")
    labels = images.with_name(images.name.replace("images-idx3", "labels-idx1"))
    pixels = np.frombuffer(gzip.open(images).read(), np.uint8, SAMPLES * 784, 16).reshape(-1, 1, 28, 28)
    y = np.frombuffer(gzip.open(labels).read(), np.uint8, SAMPLES, 8)
    inner = torch.from_numpy(pixels.copy()).double()[..., 2:-2, 2:-2] / 255
    x = (F.avg_pool2d(inner, 3) * 16).round() / 16
    return {"x": x.reshape(SAMPLES, 64), "y": torch.from_numpy(y.copy()).long()}


def _text():
    tokens = torch.tensor([CHARS.index(c) for c in TEXT])
    starts = STRIDE * torch.arange(WINDOWS)
    return {"tokens": tokens, "windows": starts[:, None] + torch.arange(WINDOW)}


class Positions(torch.nn.Embedding):
    """Adds the embedding of 0…T−1 to a sequence."""

    def forward(self, x):
        return x + super().forward(torch.arange(x.shape[1]))


class Chain(torch.nn.Module):
    """The layers of a manifest's ``model``, one after the other."""

    def __init__(self, spec):
        super().__init__()
        self.steps = []
        for name, kind, args in spec:
            args = dict(args)
            causal = args.pop("causal", False)
            layer = Positions(**args) if kind == "Positions" else getattr(torch.nn, kind)(**args)
            if name:
                self.add_module(name, layer)
            self.steps.append((layer, causal))

    def forward(self, x):
        for layer, causal in self.steps:
            if causal:
                mask = torch.ones(x.shape[1], x.shape[1], dtype=torch.bool).triu(1)
                x = layer(x, src_mask=mask)
            else:
                x = layer(x)
            x = x[0] if isinstance(x, tuple) else x
        return x


def _record(fixture, run, data, draw):
    weights = {name: _initial(draw, name, p) for name, p in Chain(run.model).named_parameters()}
    results = {}
    for name, dtype in DTYPES.items():
        with default_dtype(dtype):
            results[name] = _train(run, data, {k: w.to(dtype) for k, w in weights.items()})
        fixture.put(run.id, name, {f"init/{k}": w.to(dtype) for k, w in weights.items()})
        fixture.put(run.id, name, results[name][0])
    with default_dtype(torch.float64):
        nudged, _ = _train(run, data, {k: w * (1 + NUDGE) for k, w in weights.items()})
    (exact_run, lrs), (single_run, _) = results["f64"], results["f32"]
    single, moved = _distance(exact_run, single_run, run), _distance(exact_run, nudged, run)
    tol = {
        dt: {
            "loss_rtol": _tolerance(fixture, run, LOSS_TOL[dt], error[0]),
            "weights_rtol": _tolerance(fixture, run, WEIGHTS_TOL[dt], error[1]),
        }
        for dt, error in (("f64", moved), ("f32", single))
    }
    samples = len(data[run.data]["y" if run.data == "digits" else "windows"])
    case = {
        "id": run.id,
        "kind": "training",
        "description": _describe(run, samples),
        "optimizer": run.optimizer,
        "scheduler": run.scheduler,
        "micro_batches": run.micro_batches,
        "accumulate": run.accumulate,
        "clip_grad_norm": run.clip,
        "data": [run.data],
        "ignore_rows": run.ignore_rows,
        "lrs": lrs,
        "first_loss": exact_run["loss"][0].item(),
        "last_loss": exact_run["loss"][-1].item(),
        "sensitivity": {
            "f32_vs_f64_loss": single[0],
            "f32_vs_f64_weights": single[1],
            "perturb_1e-15_loss": moved[0],
            "perturb_1e-15_weights": moved[1],
        },
        "tol": tol,
        "model": run.model,
        "loss_fn": run.loss,
        "input": {
            "data": run.data,
            "shape": run.shape if run.data == "digits" else None,
            "samples": samples,
            "batch": run.batch,
        },
        "eval": {"from": 0, "to": 16 if run.data == "digits" else 4},
    }
    fixture.cases.append(case)


def _initial(draw, name, p):
    """Like PyTorch's defaults: uniform within 1/√(inputs), gains near one, embeddings normal."""
    if p.dim() == 1:
        return draw.uniform(p.shape, 0.8, 1.2) if name.endswith("weight") else draw.normal(p.shape, 0.1)
    bound = p[0].numel() ** -0.5
    return draw.normal(p.shape) if "embedding" in name else draw.uniform(p.shape, -bound, bound)


def _describe(run, samples):
    layers = ", ".join(kind for _, kind, _ in run.model)
    return (
        f"{layers} on {run.data}; batches of {run.batch} of {samples} samples in stored order, "
        f"{run.micro_batches} micro-batches, a step every {run.accumulate}"
    )


def _batch(run, data, rows):
    """Inputs and targets of some rows."""
    tensors = data[run.data]
    if run.data == "digits":
        return tensors["x"][rows].to(torch.get_default_dtype()).view(run.shape), tensors["y"][rows]
    tokens = tensors["tokens"][tensors["windows"][rows]]
    return tokens[:, :-1], tokens[:, 1:].flatten()


def _train(run, data, weights):
    """One run in the default dtype; returns its tensors and the learning rates."""
    model = Chain(run.model)
    model.load_state_dict(weights, strict=False)
    params = dict(model.named_parameters())
    optimizer = getattr(torch.optim, run.optimizer["type"])(params.values(), **run.optimizer["args"])
    scheduler = run.scheduler and getattr(torch.optim.lr_scheduler, run.scheduler["type"])(
        optimizer, **run.scheduler["args"]
    )
    call = getattr(F, run.loss["fn"])
    samples = len(data[run.data]["y" if run.data == "digits" else "windows"])
    losses, norms, lrs, tensors = [], [], [], {}
    for i in range(run.micro_batches):
        k = i % (samples // run.batch) * run.batch
        x, y = _batch(run, data, slice(k, k + run.batch))
        logits = model(x)
        loss = call(logits.reshape(-1, logits.shape[-1]), y, **run.loss["args"])
        losses.append(loss.detach())
        (loss / run.accumulate).backward()
        if (i + 1) % run.accumulate:
            continue
        limit = float("inf") if run.clip is None else run.clip
        norms.append(_clip(params.values(), limit))
        if not lrs:
            tensors |= {f"grad0/{name}": p.grad.clone() for name, p in params.items()}
        lrs.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        optimizer.zero_grad()
        if scheduler:
            scheduler.step()
    tensors |= {f"final/{name}": p.detach().clone() for name, p in params.items()}
    tensors |= {f"final_buffer/{name}": b.clone() for name, b in model.named_buffers()}
    model.eval()
    with torch.no_grad():
        tensors["eval/logits"] = model(_batch(run, data, slice(0, 16 if run.data == "digits" else 4))[0])
    tensors |= {"loss": torch.stack(losses), "grad_norm": torch.stack(norms)}
    return tensors, lrs


def _clip(params, limit):
    """The norm before clipping; without a limit nothing is multiplied."""
    params = list(params)
    if limit == float("inf"):
        return torch.nn.utils.get_total_norm([p.grad for p in params])
    return torch.nn.utils.clip_grad_norm_(params, limit)


def _distance(want, got, run):
    """The largest relative distance of a loss, and of a tensor (to its largest number)."""
    loss = ((got["loss"].double() - want["loss"]) / want["loss"]).abs().max().item()
    weights = 0.0
    for key, w in want.items():
        if key in ("loss", "grad_norm") or not w.is_floating_point():
            continue
        difference = (got[key].double() - w).abs()
        if key.partition("/")[2] in run.ignore_rows:
            start, end = run.ignore_rows[key.partition("/")[2]]
            difference[start:end] = 0
        weights = max(weights, (difference.max() / w.abs().max()).item())
    return loss, weights


def _tolerance(fixture, run, usual, error):
    """The usual tolerance, or four times the measured error where that is more than half of it."""
    if error <= usual / 2:
        return usual
    fixture.widened.append(run.id)
    return rounded(4 * error)
