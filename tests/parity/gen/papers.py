"""Optimizers that PyTorch lacks: plain NumPy, formula by formula from the papers.

Each takes one step of one parameter: ``step(x, g, state, hyper)`` changes the array ``x`` and the dict
``state`` in place. Arrays are float64 or float32; numbers are Python floats.
"""

import math

import numpy as np


class Lion:
    """Chen et al. 2023, Algorithm 2."""

    defaults = {"lr": 1e-4, "betas": [0.9, 0.99], "weight_decay": 0.0, "maximize": False}

    @staticmethod
    def step(x, g, state, hyper):
        b1, b2 = hyper["betas"]
        g = -g if hyper["maximize"] else g
        m = state.setdefault("exp_avg", np.zeros_like(x))
        update = np.sign(b1 * m + (1 - b1) * g)
        x *= 1 - hyper["lr"] * hyper["weight_decay"]
        x -= hyper["lr"] * update
        m[...] = b2 * m + (1 - b2) * g


class Lamb:
    """You et al. 2020, Algorithm 2."""

    defaults = {"lr": 1e-3, "betas": [0.9, 0.999], "eps": 1e-6, "weight_decay": 0.0, "maximize": False}

    @staticmethod
    def step(x, g, state, hyper):
        b1, b2 = hyper["betas"]
        g = -g if hyper["maximize"] else g
        state["step"] = t = state.get("step", 0) + 1
        m = state.setdefault("exp_avg", np.zeros_like(x))
        v = state.setdefault("exp_avg_sq", np.zeros_like(x))
        m[...] = b1 * m + (1 - b1) * g
        v[...] = b2 * v + (1 - b2) * g * g
        r = m / (1 - b1**t) / (np.sqrt(v / (1 - b2**t)) + hyper["eps"]) + hyper["weight_decay"] * x
        of_x, of_r = float(np.linalg.norm(x)), float(np.linalg.norm(r))
        trust = of_x / of_r if of_x > 0 and of_r > 0 else 1.0
        x -= hyper["lr"] * trust * r


class AdamWScheduleFree:
    """Defazio et al. 2024, Algorithm 1, with the warm-up and the weights of section 4."""

    defaults = {
        "lr": 2.5e-3,
        "betas": [0.9, 0.999],
        "eps": 1e-8,
        "weight_decay": 0.0,
        "warmup_steps": 0,
        "r": 0.0,
        "weight_lr_power": 2.0,
        "maximize": False,
    }

    @staticmethod
    def step(y, g, state, hyper):
        b1, b2 = hyper["betas"]
        g = -g if hyper["maximize"] else g
        state["step"] = t = state.get("step", 0) + 1
        z = state.setdefault("z", y.copy())
        v = state.setdefault("exp_avg_sq", np.zeros_like(y))
        lr = hyper["lr"] * (min(1.0, t / hyper["warmup_steps"]) if hyper["warmup_steps"] else 1.0)
        state["lr_max"] = max(state.get("lr_max", 0.0), lr)
        weight = t ** hyper["r"] * state["lr_max"] ** hyper["weight_lr_power"]
        state["weight_sum"] = state.get("weight_sum", 0.0) + weight
        c = weight / state["weight_sum"] if state["weight_sum"] else 0.0
        v[...] = b2 * v + (1 - b2) * g * g
        by = g / (np.sqrt(v / (1 - b2**t)) + hyper["eps"]) + hyper["weight_decay"] * y
        # The paper's x, from y = (1 − β₁)·z + β₁·x; then its average, and y from both.
        x = (y - (1 - b1) * z) / b1
        z -= lr * by
        x = (1 - c) * x + c * z
        y[...] = (1 - b1) * z + b1 * x


class SGD:
    """Momentum as in PyTorch: the fast optimizer of Lookahead."""

    defaults = {
        "lr": 1e-3,
        "momentum": 0.0,
        "dampening": 0.0,
        "weight_decay": 0.0,
        "nesterov": False,
        "maximize": False,
    }

    @staticmethod
    def step(x, g, state, hyper):
        if hyper["momentum"]:
            if "momentum_buffer" in state:
                b = state["momentum_buffer"]
                b[...] = hyper["momentum"] * b + g
            else:
                state["momentum_buffer"] = g.copy()
            g = state["momentum_buffer"]
        x -= hyper["lr"] * g


PAPERS = {cls.__name__: cls for cls in (Lion, Lamb, AdamWScheduleFree, SGD)}


class PaperRun:
    """Groups, states and lookahead around one of them."""

    def __init__(self, name, lookahead=None):
        self.rule = PAPERS[name]
        self.lookahead = lookahead
        self.groups, self.states, self.slow = [], {}, {}
        self.count = 0

    def add_group(self, names, hyper, params):
        self.groups.append({"params": list(names), **self.rule.defaults, **hyper})
        for name in names:
            self.slow[name] = params[name].copy()

    def step(self, params, grads):
        for group in self.groups:
            for name in group["params"]:
                if grads[name] is not None:
                    state = self.states.setdefault(name, {})
                    self.rule.step(params[name], grads[name], state, group)
        self.count += 1
        if self.lookahead and self.count % self.lookahead["k"] == 0:
            for name, slow in self.slow.items():
                slow += self.lookahead["alpha"] * (params[name] - slow)
                params[name][...] = slow

    def state(self, name):
        """What gradus calls the state of a parameter."""
        state = dict(self.states.get(name, {}))
        if name in self.states and self.lookahead:
            state["slow"] = self.slow[name]
        return {k: np.array(v, copy=True) for k, v in state.items()}


# Losses with their first and second derivatives, for the optimizers that evaluate them.


def rosenbrock(x):
    """Σ 100·(x[i+1] − x[i]²)² + (1 − x[i])²: value, gradient, Hessian."""
    n = len(x)
    a, b = x[:-1], x[1:]
    gap = b - a * a
    value = float(np.sum(100 * gap**2 + (1 - a) ** 2))
    g, h = np.zeros_like(x), np.zeros((n, n), dtype=x.dtype)
    g[:-1] += -400 * a * gap - 2 * (1 - a)
    g[1:] += 200 * gap
    for i in range(n - 1):
        h[i, i] += 1200 * x[i] ** 2 - 400 * x[i + 1] + 2
        h[i + 1, i + 1] += 200
        h[i, i + 1] = h[i + 1, i] = -400 * x[i]
    return value, g, h


def quadratic(a, b):
    """x'Ax/2 − b'x"""
    return lambda x: (float(0.5 * x @ a @ x - b @ x), a @ x - b, a)


def sam(f, x, hyper, base):
    """Foret et al. 2021, Algorithm 1; adaptive: Kwon et al. 2021. Returns the loss; x moves in place."""
    loss, g, _ = f(x)
    scale = np.abs(x) if hyper["adaptive"] else np.ones_like(x)
    e = hyper["rho"] * scale**2 * g / (float(np.linalg.norm(scale * g)) + 1e-12)
    _, g, _ = f(x + e)
    base(x, g)
    return loss


def newton(f, x, hyper):
    """Nocedal & Wright 2006: Algorithm 3.2 with 3.3 (exact), or 7.1; Armijo backtracking by halves."""
    loss, g, h = f(x)
    d = _exact(h, g, hyper["damping"]) if hyper["method"] == "exact" else _conjugate(h, g, hyper["damping"])
    slope, t = float(g @ d), hyper["lr"]
    start = x.copy()
    noise = 32 * np.finfo(x.dtype).eps * abs(loss)
    for _ in range(60):
        x[...] = start + t * d
        if not hyper["line_search"] or f(x)[0] <= loss + 1e-4 * t * slope + noise:
            return loss
        t /= 2
    x[...] = start
    return loss


def _exact(h, g, damping):
    h, g = h.astype(np.float64), g.astype(np.float64)
    diagonal = np.diag(h)
    size = np.abs(diagonal).max()
    shift = 0.0 if diagonal.min() > 0 else 1e-3 * size - diagonal.min()
    while True:
        try:
            lower = np.linalg.cholesky(h + (damping + shift) * np.eye(len(g)))
            return np.linalg.solve(lower.T, np.linalg.solve(lower, -g))
        except np.linalg.LinAlgError:
            shift = max(2 * shift, 1e-3 * size)


def _conjugate(h, g, damping):
    size = float(np.linalg.norm(g))
    enough = min(0.5, math.sqrt(size)) * size
    found, r, p = np.zeros_like(g), g.copy(), -g
    for i in range(len(g)):
        product = h @ p + damping * p
        curvature = float(p @ product)
        if not curvature > 0:
            return p if i == 0 else found
        alpha = float(r @ r) / curvature
        found, new = found + alpha * p, r + alpha * product
        if float(np.linalg.norm(new)) < enough:
            return found
        p = float(new @ new) / float(r @ r) * p - new
        r = new
    return found
