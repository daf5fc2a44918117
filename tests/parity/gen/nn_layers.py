"""Linear, convolution, pooling, embedding and the layers without numbers of their own."""

from .nn_case import FunctionCase, ModuleCase


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


# module: (shape, arguments beside the channels)
CONVOLUTIONS = {
    "Conv1d": [
        ((2, 3, 9), {"kernel_size": 3}),
        ((2, 3, 9), {"kernel_size": 3, "stride": 2, "padding": 1}),
        ((2, 3, 9), {"kernel_size": 3, "dilation": 2, "bias": False}),
        ((2, 3, 9), {"kernel_size": 3, "padding": "same"}),
        ((2, 2, 6), {"kernel_size": 2, "padding": "same", "dilation": 3}),
        ((1, 2, 7), {"kernel_size": [4], "stride": [3], "padding": [2], "dilation": [1]}),
        ((2, 4, 6), {"kernel_size": 2, "groups": 2}),
        ((1, 3, 5), {"kernel_size": 3, "groups": 3, "padding": "valid"}),
        ((3, 5), {"kernel_size": 1}),
        ((0, 2, 4), {"kernel_size": 3}),
        ((2, 2, 6), {"kernel_size": 3, "padding": 2, "padding_mode": "circular"}),
        ((2, 2, 6), {"kernel_size": 3, "padding": 2, "padding_mode": "reflect", "stride": 2}),
        ((2, 2, 6), {"kernel_size": 4, "padding": "same", "padding_mode": "replicate"}),
        ((2, 6), {"kernel_size": 3, "padding": 1, "padding_mode": "reflect", "bias": False}),
    ],
    "Conv2d": [
        ((1, 2, 5, 4), {"kernel_size": 3}),
        ((1, 2, 5, 4), {"kernel_size": 3, "stride": 2, "padding": 1}),
        ((1, 2, 5, 4), {"kernel_size": 3, "dilation": 2, "padding": [2, 1]}),
        ((1, 2, 5, 4), {"kernel_size": 3, "bias": False, "padding": "same"}),
        ((1, 2, 5, 4), {"kernel_size": [2, 4], "padding": "same", "dilation": [3, 1]}),
        ((1, 2, 5, 4), {"kernel_size": 3, "padding": 1, "padding_mode": "circular"}),
        ((1, 2, 5, 4), {"kernel_size": 3, "padding": [2, 1], "padding_mode": "reflect"}),
        ((1, 2, 5, 4), {"kernel_size": 2, "padding": [0, 3], "padding_mode": "replicate", "stride": 2}),
        ((1, 2, 4, 4), {"kernel_size": [2, 3], "padding": "same", "padding_mode": "reflect"}),
        ((1, 2, 4, 4), {"kernel_size": 3, "padding": "valid", "padding_mode": "circular"}),
        ((1, 4, 4, 5), {"kernel_size": [3, 2], "groups": 4}),
        ((2, 4, 3, 3), {"kernel_size": 1, "groups": 2}),
        ((1, 2, 4, 4), {"kernel_size": 3, "stride": 2}),
        ((1, 3, 5, 6), {"kernel_size": [1, 3], "stride": [2, 3], "padding": [0, 1], "dilation": [1, 2]}),
        ((1, 4, 5, 5), {"kernel_size": 3, "stride": 2, "padding": 1, "groups": 2, "bias": False}),
        ((2, 4, 5), {"kernel_size": 3}),
        ((0, 2, 4, 4), {"kernel_size": 3}),
        ((1, 1, 4, 5), {"kernel_size": [2, 3], "padding": "same", "padding_mode": "circular", "dilation": [1, 2]}),
        ((2, 5, 4), {"kernel_size": 3, "stride": [2, 1], "padding": [1, 2], "padding_mode": "replicate", "groups": 2}),
    ],
    "ConvTranspose1d": [
        ((2, 2, 5), {"kernel_size": 3}),
        ((2, 4, 5), {"kernel_size": 3, "stride": 2, "groups": 2}),
        ((1, 2, 4), {"kernel_size": 3, "stride": 3, "padding": 1, "output_padding": 2, "bias": False}),
        ((1, 2, 4), {"kernel_size": 2, "dilation": 3, "padding": 1, "output_padding": 1}),
        ((2, 4), {"kernel_size": 4, "stride": 2, "padding": 1}),
        ((0, 2, 3), {"kernel_size": 2}),
    ],
    "ConvTranspose2d": [
        ((2, 2, 3, 3), {"kernel_size": 3}),
        ((2, 2, 3, 3), {"kernel_size": 3, "stride": 2, "padding": 1, "output_padding": 1, "bias": False}),
        ((1, 4, 2, 3), {"kernel_size": [2, 3], "stride": [1, 2], "groups": 2}),
        ((1, 2, 3, 2), {"kernel_size": 2, "dilation": [2, 1], "padding": [1, 0], "stride": 3}),
        ((2, 3, 2), {"kernel_size": 2, "stride": 2}),
        ((1, 2, 3, 3), {"kernel_size": 2, "stride": 2, "output_padding": [0, 1], "groups": 2}),
    ],
}

# module: (input, arguments, output size)
TO_A_SIZE = [
    ("ConvTranspose1d", (1, 2, 4), {"kernel_size": 3, "stride": 2}, [10]),
    ("ConvTranspose2d", (1, 2, 3, 3), {"kernel_size": 3, "stride": 2, "padding": 1}, [6, 5]),
    ("ConvTranspose1d", (2, 2, 3), {"kernel_size": 2, "stride": 3, "padding": 1, "dilation": 3}, [2, 2, 9]),
    ("ConvTranspose2d", (2, 3, 2), {"kernel_size": [2, 1], "stride": [3, 2], "groups": 2}, [8, 4]),
]


def _convolutions(root):
    for module, uses in CONVOLUTIONS.items():
        d = root.child(module)
        for shape, args in uses:
            yield _convolution(module, d, shape, args)
    for module, shape, args, size in TO_A_SIZE:
        case = _convolution(module, root.child(f"{module}_to"), shape, args)
        case.call_kwargs = {"output_size": size}
        yield case


def _convolution(module, draw, shape, args):
    """Twice as many output channels as groups."""
    inputs = shape[-2] if module.endswith("1d") else shape[-3]
    channels = {"in_channels": inputs, "out_channels": 2 * args.get("groups", 1)}
    return _one(module.lower(), module, draw, shape, **channels, **args)


# module: (shape, arguments)
POOLS = {
    "MaxPool1d": [
        ((2, 2, 7), {"kernel_size": 3, "stride": 2, "padding": 1}),
        ((2, 2, 7), {"kernel_size": 2}),
        ((2, 9), {"kernel_size": [3], "stride": [2], "dilation": [2], "ceil_mode": True}),
        ((1, 2, 8), {"kernel_size": 4, "stride": 3, "padding": 2, "return_indices": True}),
    ],
    "MaxPool2d": [
        ((1, 2, 5, 6), {"kernel_size": 2}),
        ((1, 2, 5, 6), {"kernel_size": 3, "stride": 1, "padding": 1}),
        ((1, 2, 5, 6), {"kernel_size": 2, "ceil_mode": True}),
        ((1, 2, 5, 6), {"kernel_size": 2, "dilation": 2}),
        ((1, 2, 7, 9), {"kernel_size": 3, "stride": 2, "padding": 1, "ceil_mode": True}),
        ((2, 6, 7), {"kernel_size": [3, 2], "stride": [1, 3], "padding": [1, 0], "dilation": [2, 1]}),
        ((1, 2, 5, 5), {"kernel_size": 2, "stride": 1, "return_indices": True}),
        ((0, 2, 4, 4), {"kernel_size": 2}),
    ],
    "AvgPool1d": [
        ((2, 2, 7), {"kernel_size": 3, "stride": 2, "padding": 1}),
        ((2, 2, 7), {"kernel_size": 2}),
        ((2, 8), {"kernel_size": 3, "stride": 2, "padding": 1, "ceil_mode": True}),
        ((1, 2, 8), {"kernel_size": [4], "stride": [3], "padding": [2], "count_include_pad": False}),
    ],
    "AvgPool2d": [
        ((1, 2, 5, 6), {"kernel_size": 2}),
        ((1, 2, 5, 6), {"kernel_size": 3, "stride": 2, "padding": 1}),
        ((1, 2, 5, 6), {"kernel_size": 3, "padding": 1, "count_include_pad": False}),
        ((1, 2, 5, 6), {"kernel_size": 2, "ceil_mode": True}),
        ((1, 2, 5, 7), {"kernel_size": 3, "stride": 2, "padding": 1, "ceil_mode": True}),
        ((1, 2, 5, 6), {"kernel_size": [3, 2], "stride": [2, 1], "padding": [1, 0], "divisor_override": 5}),
        ((2, 4, 5), {"kernel_size": 2, "stride": 1}),
    ],
    "AdaptiveAvgPool1d": [((2, 2, 7), {"output_size": n}) for n in (1, 4)] + [((2, 6), {"output_size": 3})],
    "AdaptiveAvgPool2d": [((1, 2, 5, 6), {"output_size": n}) for n in (1, [2, 3], [None, 2], 7)]
    + [((2, 5, 6), {"output_size": [4, None]})],
    "AdaptiveMaxPool1d": [
        ((2, 2, 7), {"output_size": 3}),
        ((2, 6), {"output_size": 4, "return_indices": True}),
    ],
    "AdaptiveMaxPool2d": [
        ((1, 2, 5, 6), {"output_size": 1}),
        ((1, 2, 5, 6), {"output_size": [2, 4]}),
        ((2, 5, 6), {"output_size": [None, 3], "return_indices": True}),
    ],
}


def _pools(root):
    for module, uses in POOLS.items():
        d = root.child(module)
        for shape, args in uses:
            outputs = ["y", "indices"] if args.get("return_indices") else ["y"]
            yield ModuleCase(module.lower(), module, args, [{"x": d.normal(shape)}], outputs=outputs)


# function: (shapes of its inputs, arguments)
FUNCTIONS = {
    "max_pool2d": [({"input": (1, 2, 5, 6)}, {"kernel_size": 3, "stride": 2, "padding": 1})],
    "avg_pool2d": [({"input": (1, 2, 5, 6)}, {"kernel_size": 2, "ceil_mode": True})],
    "adaptive_avg_pool2d": [({"input": (1, 2, 5, 6)}, {"output_size": [3, 1]})],
    "max_pool1d": [({"input": (2, 2, 7)}, {"kernel_size": 3, "stride": 2, "dilation": 2, "padding": 1})],
    "avg_pool1d": [({"input": (2, 7)}, {"kernel_size": 3, "padding": 1, "count_include_pad": False})],
    "adaptive_avg_pool1d": [({"input": (2, 2, 7)}, {"output_size": 3})],
    "adaptive_max_pool1d": [({"input": (2, 2, 7)}, {"output_size": 2})],
    "adaptive_max_pool2d": [({"input": (1, 2, 5, 6)}, {"output_size": [None, 4]})],
    "conv2d": [
        (
            {"input": (1, 2, 4, 5), "weight": (2, 2, 3, 3), "bias": (2,)},
            {"stride": [1, 2], "padding": 1},
        ),
        ({"input": (1, 2, 4, 4), "weight": (2, 1, 2, 3)}, {"padding": "same", "groups": 2}),
    ],
    "conv1d": [
        ({"input": (2, 2, 6), "weight": (3, 2, 3), "bias": (3,)}, {"dilation": 2}),
        ({"input": (2, 5), "weight": (4, 1, 2), "bias": (4,)}, {"padding": "same", "groups": 2}),
        ({"input": (1, 2, 6), "weight": (1, 2, 3)}, {"padding": "valid", "stride": 2}),
    ],
    "conv_transpose1d": [
        ({"input": (1, 2, 4), "weight": (2, 2, 3), "bias": (2,)}, {"stride": 2, "padding": 1, "output_padding": 1}),
        ({"input": (2, 3), "weight": (2, 1, 2), "bias": (2,)}, {"groups": 2, "dilation": 2}),
    ],
    "conv_transpose2d": [
        (
            {"input": (1, 2, 3, 3), "weight": (2, 2, 2, 2), "bias": (2,)},
            {"stride": 2, "output_padding": 1},
        ),
    ],
}


def _functions(root):
    for fn, uses in FUNCTIONS.items():
        d = root.child(fn)
        for shapes, args in uses:
            inputs = {name: d.normal(shape) for name, shape in shapes.items()}
            yield FunctionCase(f"f_{fn}", fn, args, inputs, kind="functional")


def cases(root):
    """All cases of this module."""
    for part in (_linear, _plain, _convolutions, _pools, _functions):
        yield from part(root)
