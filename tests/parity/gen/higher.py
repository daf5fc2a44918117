"""Derivatives of higher order: scalar functions, double backward, Jacobians."""

import torch
import torch.nn.functional as F
from torch.autograd import grad

from .draw import listed
from .fixture import tolerance

TOL = tolerance((1e-10, 1e-12), (5e-5, 1e-6))
TOL_JACOBIAN = tolerance((1e-11, 1e-12), (2e-5, 1e-6))


def _rosenbrock(x, _):
    return (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()


def _logreg(w, const):
    z = const["logreg/X"] @ w[:3] + w[3]
    return F.softplus(z).sum() - (const["logreg/y"] * z).sum() + 0.05 * (w * w).sum()


def _mlp_tanh(x, const):
    w1, b1, w2, b2 = x[:12].view(4, 3), x[12:16], x[16:24].view(2, 4), x[24:26]
    y = torch.tanh(const["mlp/X"] @ w1.T + b1) @ w2.T + b2
    return ((y - const["mlp/Y"]) ** 2).mean()


def _grad_penalty(x, const):
    inner = x if x.requires_grad else x.detach().requires_grad_()
    (g,) = grad(torch.tanh(const["gp/A"] @ inner).sum(), inner, create_graph=True)
    return (g * g).sum()


def _matpoly(x, _):
    m = x.view(3, 3)
    return (m @ m).sum() + torch.trace(m.T @ m @ m)


def _softmax_sq(x, _):
    return (torch.softmax(x, 0) @ torch.arange(1, len(x) + 1, dtype=x.dtype)) ** 2


# name: (formula for people, length of x, f(x, const))
SCALAR = {
    "rosenbrock": ("sum 100(x[i+1]-x[i]^2)^2+(1-x[i])^2", 4, _rosenbrock),
    "rosenbrock2": ("same, 2-d", 2, _rosenbrock),
    "logreg": ("sum softplus(z) - sum y z + 0.05|w|^2, z = X w[:3] + w[3]", 4, _logreg),
    "mlp_tanh": ("mean((tanh(X W1'+b1) W2'+b2 - Y)^2)", 26, _mlp_tanh),
    "poly": ("sum x^3 + x0 x1 x2", 4, lambda x, _: (x**3).sum() + x[0] * x[1] * x[2]),
    "expdot": (
        "exp(0.3 sum x) + sin(x[0] x[last])",
        4,
        lambda x, _: torch.exp(0.3 * x.sum()) + torch.sin(x[0] * x[-1]),
    ),
    "softmax_sq": ("(softmax(x) . [1..n])^2", 5, _softmax_sq),
    "lse_tanh": ("logsumexp(x) sum tanh x", 4, lambda x, _: torch.logsumexp(x, 0) * torch.tanh(x).sum()),
    "norm3": ("|x|_2^3 + 1/(1+x.x)", 4, lambda x, _: torch.linalg.vector_norm(x) ** 3 + 1 / (1 + x @ x)),
    "grad_penalty": ("|d/dx sum tanh(A x)|^2, A=const/gp/A", 3, _grad_penalty),
    "matpoly": ("M = x.view(3,3): sum(M M) + trace(M' M M)", 9, _matpoly),
}


def _derivatives(f, given, const):
    x, v, u = given["in/x"].requires_grad_(), given["in/v"], given["in/u"]
    value = f(x, const)
    (g,) = grad(value, x, create_graph=True)
    hessian = torch.stack([grad(g[i], x, retain_graph=True)[0] for i in range(len(x))])
    (hvp,) = grad(g @ v, x, create_graph=True)
    (third,) = grad(u @ hvp, x)
    return {
        "out/value": value,
        "out/grad": g,
        "out/hessian": hessian,
        "out/jvp": g @ v,
        "out/hvp": hvp,
        "out/third": third,
    }


def _layer_norm(x):
    return F.layer_norm(x, x.shape[-1:])


def _conv2d_self(x):
    image = x.view(1, 1, 4, 4)
    return F.conv2d(image, image[:, :, :2, :2])


SMOOTH = ("exp", "tanh", "sigmoid", "sin", "cos", "erf", "square", "atan", "expm1", "relu", "abs", "neg")
POSITIVE = ("log", "sqrt", "log1p", "rsqrt", "reciprocal")

# name: (shape of x, y(x)); ops of one input are added from the two lists above
TWICE = {
    "pow3": ((5,), lambda x: x**3),
    "pow_half": ((5,), lambda x: x**2.5),
    "matmul_self": ((3, 3), lambda x: x @ x),
    "softmax": ((2, 4), lambda x: torch.softmax(x, -1)),
    "log_softmax": ((2, 4), lambda x: torch.log_softmax(x, -1)),
    "logsumexp": ((2, 4), lambda x: torch.logsumexp(x, 1)),
    "layer_norm": ((3, 4), _layer_norm),
    "mean_sq": ((3, 4), lambda x: (x * x).mean(0)),
    "max_dim": ((3, 4), lambda x: torch.max(x * x, 1).values),
    "conv2d_self": ((16,), _conv2d_self),
    "gather": ((3, 2), lambda x: (x**2).index_select(0, torch.tensor([0, 0, 1]))),
    "bce_logits": ((5,), lambda x: F.binary_cross_entropy_with_logits(x, torch.full_like(x, 0.3))),
    "mse": ((2, 3), lambda x: F.mse_loss(x, torch.zeros_like(x))),
    "cross_entropy": ((2, 3), lambda x: F.cross_entropy(x, torch.tensor([1, 0]))),
    "norm": ((2, 3), torch.linalg.vector_norm),
    "gelu": ((7,), F.gelu),
    "silu": ((7,), F.silu),
    "softplus": ((7,), F.softplus),
    "cumprod": ((4,), lambda x: torch.cumprod(x, 0)),
}


def _twice(f, given):
    x = given["in/x"].requires_grad_()
    y = f(x)
    (g,) = grad(y, x, given["cot/y"], create_graph=True)
    if g.requires_grad:
        (gg,) = grad(g, x, given["in/w"], allow_unused=True, materialize_grads=True)
    else:
        gg = torch.zeros_like(x)
    return {"out/y": y, "out/g": g, "out/gg": gg}


def _polar(x, _):
    return torch.stack([x[0] * torch.cos(x[1]), x[0] * torch.sin(x[1]), x[0] ** 2])


JACOBIAN = {
    "affine_tanh": ("tanh(A x), A=const/gp/A", 3, lambda x, const: torch.tanh(const["gp/A"] @ x)),
    "softmax": ("softmax(x)", 4, lambda x, _: torch.softmax(x, 0)),
    "polar": ("[x0 cos x1, x0 sin x1, x0^2]", 2, _polar),
    "cumprod": ("cumprod(x)", 4, lambda x, _: torch.cumprod(x, 0)),
    "outer": ("outer(x, x) flattened", 3, lambda x, _: torch.outer(x, x).flatten()),
}


def _jacobian(f, given, const):
    x = given["in/x"].requires_grad_()
    y = f(x, const)
    jacobian = torch.stack([grad(y[i], x, retain_graph=True)[0] for i in range(len(y))])
    return {
        "out/value": y,
        "out/jacobian": jacobian,
        "out/jvp": jacobian @ given["in/v"],
        "out/vjp": given["in/u"] @ jacobian,
    }


def record_all(fixture, root):
    """Adds the three kinds to the ops fixture, with their constants."""
    d = root.child("const")
    const = {
        "logreg/X": d.normal((8, 3)),
        "logreg/y": d.bools((8,)).double(),
        "mlp/X": d.normal((6, 3)),
        "mlp/Y": d.normal((6, 2)),
        "gp/A": d.normal((4, 3)),
    }
    for key, value in const.items():
        fixture.shared(f"const/{key}", value)

    def constants(given):
        return {key: value.to(given["in/x"].dtype) for key, value in const.items()}

    for name, (formula, n, f) in SCALAR.items():
        d = root.child(f"ho_{name}")
        inputs = {"in/x": d.normal((n,), 0.5), "in/v": d.normal((n,)), "in/u": d.normal((n,))}
        case = {
            "id": f"ho_{name}",
            "kind": "higher_order",
            "fn": name,
            "formula": formula,
            "n": n,
            "extra": False,
        }
        fixture.record(case, inputs, lambda given, f=f: _derivatives(f, given, constants(given)), TOL)
    _record_double_backward(fixture, root)
    for name, (formula, n, f) in JACOBIAN.items():
        d = root.child(f"jac_{name}")
        x = d.away((n,))
        inputs = {"in/x": x, "in/v": d.normal((n,)), "in/u": d.normal(f(x, const).shape)}
        case = {
            "id": f"jac_{name}",
            "kind": "jacobian",
            "fn": name,
            "formula": formula,
            "n": n,
            "extra": False,
        }
        fixture.record(case, inputs, lambda given, f=f: _jacobian(f, given, constants(given)), TOL_JACOBIAN)


def _record_double_backward(fixture, root):
    points = listed(-3.0, -1.25, -0.5, 1e-3, 0.75, 1.0, 2.5)
    uses = {name: (points, getattr(torch, name)) for name in SMOOTH}
    uses |= {name: (listed(0.01, 0.5, 1.0, 2.0, 30.0), getattr(torch, name)) for name in POSITIVE}
    for name, (shape, f) in TWICE.items():
        d = root.child(f"gg_{name}/x")
        positive = name in ("pow_half",)
        uses[name] = (d.uniform(shape, 0.3, 2.0) if positive else d.away(shape), f)
    for name, (x, f) in uses.items():
        d = root.child(f"gg_{name}")
        inputs = {"in/x": x, "in/w": d.normal(x.shape), "cot/y": d.normal(f(x).shape)}
        zero = not bool(_twice(f, {k: v.clone() for k, v in inputs.items()})["out/gg"].any())
        case = {"id": f"gg_{name}", "kind": "double_backward", "fn": name, "gg_zero": zero, "extra": False}
        fixture.record(case, inputs, lambda given, f=f: _twice(f, given), TOL)
