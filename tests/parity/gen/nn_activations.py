"""Activations, at their kinks, in their tails and at random points."""

import torch

from .draw import listed
from .nn_case import FunctionCase, ModuleCase

KINKS = (
    0.0,
    -0.0,
    1.0,
    -1.0,
    3.0,
    -3.0,
    6.0,
    -6.0,
    0.5,
    -0.5,
    20.0,
    -20.0,
    20.5,
    88.0,
    -88.0,
    100.0,
    -100.0,
    1e-6,
    -1e-6,
    1e4,
    -1e4,
)

# module: (option sets, outside the core list)
ELEMENTWISE = {
    "ReLU": ([{}], False),
    "Sigmoid": ([{}], False),
    "Tanh": ([{}], False),
    "ReLU6": ([{}], False),
    "LeakyReLU": ([{}, {"negative_slope": 0.2}, {"negative_slope": 0.0}], False),
    "ELU": ([{}, {"alpha": 0.5}], False),
    "SELU": ([{}], False),
    "GELU": ([{}, {"approximate": "tanh"}], False),
    "SiLU": ([{}], False),
    "Mish": ([{}], False),
    "Softplus": ([{}, {"beta": 2.0, "threshold": 5.0}], False),
    "Hardswish": ([{}], False),
    "Hardsigmoid": ([{}], False),
    "Hardtanh": ([{}, {"min_val": -0.5, "max_val": 3.0}], True),
    "CELU": ([{"alpha": 2.0}], True),
    "Softsign": ([{}], True),
    "Tanhshrink": ([{}], True),
    "LogSigmoid": ([{}], True),
    "Softshrink": ([{}, {"lambd": 1.0}], True),
    "Hardshrink": ([{"lambd": 1.0}], True),
    "Threshold": ([{"threshold": 0.5, "value": -2.0}], True),
}


def cases(root):
    """All activations."""
    d = root.child("activation")
    for module, (options, extra) in ELEMENTWISE.items():
        for args in options:
            x = torch.cat([listed(*KINKS), d.normal((12,), 2.5)])
            yield ModuleCase(f"act_{module.lower()}", module, args, [{"x": x}], extra=extra)
    for module in ("ReLU", "Sigmoid", "Tanh"):
        for shape in ((), (0, 3), (2, 1, 3)):
            yield ModuleCase(f"act_{module.lower()}", module, {}, [{"x": d.normal(shape)}])
    for module in ("Softmax", "LogSoftmax"):
        for dim in (0, 1, -1):
            yield ModuleCase(module.lower(), module, {"dim": dim}, [{"x": d.normal((3, 2, 4), 4.0)}])
    yield ModuleCase("prelu", "PReLU", {}, [{"x": d.normal((9,), 2.0)}])
    yield ModuleCase("prelu", "PReLU", {"num_parameters": 3}, [{"x": d.normal((2, 3, 2), 2.0)}])
    yield ModuleCase("glu", "GLU", {"dim": 1}, [{"x": d.normal((2, 4))}], extra=True)
    for approximate in ("none", "tanh"):
        x = {"input": torch.cat([listed(0.0, -6.0, 6.0), d.normal((5,), 2.0)])}
        yield FunctionCase("gelu", "gelu", {"approximate": approximate}, x, kind="functional")
