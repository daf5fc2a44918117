"""Linear, convolution, pooling, embedding and the layers without numbers of their own."""

from .nn_case import ModuleCase


def _one(name, module, draw, shape, extra=False, note="", mode="train", **args):
    return ModuleCase(name, module, args, [{"x": draw.normal(shape)}], modes=(mode,), extra=extra, note=note)


def _linear(root):
    d = root.child("linear")
    for bias in ({}, {"bias": False}):
        for shape in ((4, 5), (2, 3, 5), (5,), (0, 5)):
            yield _one("linear", "Linear", d, shape, in_features=5, out_features=3, **bias)
    yield _one("linear", "Linear", d, (3, 17), in_features=17, out_features=5)
    yield _one("linear", "Linear", d, (3, 1), in_features=1, out_features=1)


def _plain(root):
    d = root.child("plain")
    yield _one("dropout", "Dropout", d, (3, 4), p=0.0)
    yield _one("dropout", "Dropout", d, (3, 4), p=0.5, mode="eval")
    yield _one("dropout", "Dropout", d, (3, 4), p=1.0, note="everything is dropped")
    yield _one("identity", "Identity", d, (2, 2))
    for shape, args in (
        ((2, 3, 4), {}),
        ((2, 3, 4), {"start_dim": 0}),
        ((2, 3, 4), {"start_dim": 0, "end_dim": 1}),
        ((0, 2, 3), {}),
        ((3, 2), {"start_dim": -2}),
        ((2, 2, 3, 2), {"start_dim": 1, "end_dim": -2}),
    ):
        yield _one("flatten", "Flatten", d, shape, **args)
    for args in ({}, {"padding_idx": 2}):
        ids = {"ids": d.ints((2, 4), 0, 6)}
        ids["ids"][0, :2] = 2
        yield ModuleCase("embedding", "Embedding", {"num_embeddings": 6, "embedding_dim": 3, **args}, [ids])
    yield ModuleCase(
        "embedding", "Embedding", {"num_embeddings": 4, "embedding_dim": 2}, [{"ids": d.ints((0,), 0, 4)}]
    )
    yield ModuleCase(
        "embedding", "Embedding", {"num_embeddings": 4, "embedding_dim": 2}, [{"ids": d.ints((), 0, 4)}]
    )


def _convolutions(root):
    d = root.child("conv")
    for args in ({}, {"stride": 2, "padding": 1}, {"dilation": 2, "bias": False}, {"padding": "same"}):
        yield _one("conv1d", "Conv1d", d, (2, 3, 9), in_channels=3, out_channels=2, kernel_size=3, **args)
    yield _one("conv1d", "Conv1d", d, (2, 4, 6), in_channels=4, out_channels=4, kernel_size=2, groups=2)
    yield _one("conv1d", "Conv1d", d, (3, 5), in_channels=3, out_channels=2, kernel_size=1, note="unbatched")
    for args in (
        {},
        {"stride": 2, "padding": 1},
        {"dilation": 2, "padding": [2, 1]},
        {"bias": False, "padding": "same"},
        {"padding": 1, "padding_mode": "circular"},
    ):
        yield _one("conv2d", "Conv2d", d, (1, 2, 5, 4), in_channels=2, out_channels=3, kernel_size=3, **args)
    yield _one(
        "conv2d", "Conv2d", d, (1, 4, 4, 5), in_channels=4, out_channels=4, kernel_size=[3, 2], groups=4
    )
    yield _one("conv2d", "Conv2d", d, (2, 4, 3, 3), in_channels=4, out_channels=2, kernel_size=1, groups=2)
    yield _one("conv2d", "Conv2d", d, (0, 2, 4, 4), in_channels=2, out_channels=1, kernel_size=3)
    for args in ({}, {"stride": 2, "padding": 1, "output_padding": 1, "bias": False}):
        yield _one(
            "convtranspose2d",
            "ConvTranspose2d",
            d,
            (2, 2, 3, 3),
            in_channels=2,
            out_channels=2,
            kernel_size=3,
            **args,
        )
    yield _one(
        "convtranspose1d",
        "ConvTranspose1d",
        d,
        (2, 4, 5),
        in_channels=4,
        out_channels=2,
        kernel_size=3,
        stride=2,
        groups=2,
        extra=True,
    )


def _pools(root):
    d = root.child("pool")
    for args in (
        {"kernel_size": 2},
        {"kernel_size": 3, "stride": 1, "padding": 1},
        {"kernel_size": 2, "ceil_mode": True},
        {"kernel_size": 2, "dilation": 2},
    ):
        yield _one("maxpool2d", "MaxPool2d", d, (1, 2, 5, 6), **args)
    for args in ({"kernel_size": 3, "stride": 2, "padding": 1}, {"kernel_size": 2}):
        yield _one("maxpool1d", "MaxPool1d", d, (2, 2, 7), **args)
    for args in (
        {"kernel_size": 2},
        {"kernel_size": 3, "stride": 2, "padding": 1},
        {"kernel_size": 3, "padding": 1, "count_include_pad": False},
        {"kernel_size": 2, "ceil_mode": True},
    ):
        yield _one("avgpool2d", "AvgPool2d", d, (1, 2, 5, 6), **args)
    for args in ({"kernel_size": 3, "stride": 2, "padding": 1}, {"kernel_size": 2}):
        yield _one("avgpool1d", "AvgPool1d", d, (2, 2, 7), **args)
    for size in (1, [2, 3], [None, 2]):
        yield _one("adaptiveavgpool2d", "AdaptiveAvgPool2d", d, (1, 2, 5, 6), output_size=size)
    for size in (1, 4):
        yield _one("adaptiveavgpool1d", "AdaptiveAvgPool1d", d, (2, 2, 7), output_size=size)


def cases(root):
    """All cases of this module."""
    for part in (_linear, _plain, _convolutions, _pools):
        yield from part(root)
