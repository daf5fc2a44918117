"""Normalisation layers."""

from .nn_case import FunctionCase, ModuleCase

TRAIN_THEN_EVAL = ("train", "train", "eval")
BATCH_NORM = (
    {},
    {"momentum": 0.3},
    {"momentum": None},
    {"affine": False},
    {"track_running_stats": False},
    {"eps": 0.1},
    {"affine": False, "momentum": None},
    {"affine": False, "track_running_stats": False},
    {"momentum": 0.0},
    {"momentum": 1.0},
)


def _batch_norms(root):
    note = "running_var uses the unbiased variance, normalisation the biased one"
    d = root.child("batchnorm")
    shapes = {
        "BatchNorm1d": (
            ([(6, 3), (3, 3), (4, 3)], BATCH_NORM[:-2]),
            ([(2, 2, 4), (1, 2, 3), (2, 2, 1)], BATCH_NORM[:5:2]),
        ),
        "BatchNorm2d": (([(2, 2, 3, 2), (1, 2, 2, 2), (2, 2, 1, 2)], BATCH_NORM[:5:2]),),
    }
    for module, alternatives in shapes.items():
        for steps, options in alternatives:
            features = steps[0][1]
            for args in options:
                inputs = [{"x": d.normal(shape, 1.5, 0.5)} for shape in steps]
                yield ModuleCase(
                    module.lower(),
                    module,
                    {"num_features": features, **args},
                    inputs,
                    modes=TRAIN_THEN_EVAL,
                    note=note,
                )
            inputs = [{"x": d.normal(steps[0])}]
            yield ModuleCase(
                module.lower(),
                module,
                {"num_features": features},
                inputs,
                modes=("eval",),
                used_buffers=True,
                note="evaluation with running statistics",
            )
            if options is not BATCH_NORM:
                continue
            inputs = [{"x": d.normal(shape)} for shape in steps[:2]]
            yield ModuleCase(
                module.lower(),
                module,
                {"num_features": features, "momentum": None},
                inputs,
                modes=("train", "eval"),
                used_buffers=True,
                note="cumulative mean goes on",
            )


def _one(name, module, draw, shape, extra=False, **args):
    return ModuleCase(name, module, args, [{"x": draw.normal(shape, 1.5, 0.5)}], extra=extra)


def _others(root):
    d = root.child("norm")
    for shape, args in (
        ((3, 5), {}),
        ((2, 3, 5), {"eps": 0.1}),
        ((3, 5), {"elementwise_affine": False}),
        ((3, 5), {"bias": False}),
        ((5,), {}),
        ((0, 5), {}),
    ):
        yield _one("layernorm", "LayerNorm", d, shape, normalized_shape=5, **args)
    yield _one("layernorm", "LayerNorm", d, (2, 2, 3), normalized_shape=[2, 3])
    for shape, args in (
        ((3, 4), {}),
        ((2, 4, 3), {"eps": 0.1}),
        ((2, 4, 2, 2), {"affine": False}),
        ((1, 4, 3), {}),
    ):
        yield _one("groupnorm", "GroupNorm", d, shape, num_groups=2, num_channels=4, **args)
    for args in ({}, {"eps": 0.01}, {"elementwise_affine": False}):
        yield _one("rmsnorm", "RMSNorm", d, (3, 5), normalized_shape=5, **args)
    yield _one("instancenorm2d", "InstanceNorm2d", d, (2, 2, 3, 2), num_features=2, affine=True, extra=True)


def _layer_norm_functions(root):
    d = root.child("layer_norm")
    for shape, normalized, affine in (
        ((3, 70), [70], ("weight", "bias")),
        ((2, 3, 4), [3, 4], ("weight", "bias")),
        ((4, 5), [5], ("weight",)),
        ((4, 5), [5], ("bias",)),
        ((2, 130), [130], ()),
        ((4, 1), [1], ("weight", "bias")),
    ):
        inputs = {"input": d.normal(shape, 1.5, 0.5), **{name: d.normal(normalized) for name in affine}}
        args = {"normalized_shape": normalized, "eps": 0.01}
        yield FunctionCase("layer_norm", "layer_norm", args, inputs, kind="functional")
    inputs = {"input": d.normal((3, 6), 1.0, 1000.0)}
    note = "a mean far from 0"
    yield FunctionCase("layer_norm", "layer_norm", {"normalized_shape": [6]}, inputs, kind="functional", note=note)


def cases(root):
    """All cases of this module."""
    yield from _batch_norms(root)
    yield from _others(root)
    yield from _layer_norm_functions(root)
