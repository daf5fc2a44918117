"""The runs of the ``training`` group: small models, few steps, no dropout."""

from dataclasses import dataclass, field

TEXT = (
    "every evening the old clock in the hall strikes seven. we sit near the fire; we read, we write, "
    "and we count the slow steps of the clock, one by one, until the night has come.\n"
)
CHARS = sorted(set(TEXT))
WINDOW, STRIDE, WINDOWS = 17, 5, 32


@dataclass
class Run:
    """A model, an optimizer and what is done with them; ``shape`` is how a row of digits is viewed."""

    id: str
    model: list
    optimizer: dict
    data: str = "digits"
    shape: list = field(default_factory=lambda: [-1, 64])
    batch: int = 32
    micro_batches: int = 24
    accumulate: int = 1
    clip: float = None
    scheduler: dict = None
    loss: dict = field(default_factory=lambda: {"fn": "cross_entropy", "args": {}})
    ignore_rows: dict = field(default_factory=dict)


def _sequential(*layers):
    return [[str(i), kind, args] for i, (kind, args) in enumerate(layers)]


def _linear(inputs, outputs, **more):
    return "Linear", {"in_features": inputs, "out_features": outputs, **more}


def _opt(kind, **args):
    return {"type": kind, "args": args}


MLP = _sequential(_linear(64, 6), ("ReLU", {}), _linear(6, 10))
BATCH_NORM = _sequential(
    _linear(64, 6, bias=False), ("BatchNorm1d", {"num_features": 6}), ("ReLU", {}), _linear(6, 10)
)
CONV = _sequential(
    ("Conv2d", {"in_channels": 1, "out_channels": 3, "kernel_size": 3, "padding": 1, "bias": False}),
    ("BatchNorm2d", {"num_features": 3}),
    ("ReLU", {}),
    ("MaxPool2d", {"kernel_size": 2}),
    ("Flatten", {}),
    _linear(48, 10),
)
CHARACTERS = len(CHARS)

RUNS = [
    Run("mlp_sgd_momentum", MLP, _opt("SGD", lr=0.2, momentum=0.9)),
    Run("mlp_adam_cosine", MLP, _opt("Adam", lr=0.05), scheduler=_opt("CosineAnnealingLR", T_max=24)),
    Run("accum4_adam_clip", MLP, _opt("Adam", lr=0.03), batch=8, micro_batches=48, accumulate=4, clip=0.5),
    Run(
        "deep_tanh_adamw_smoothing",
        _sequential(_linear(64, 6), ("Tanh", {}), _linear(6, 6), ("Sigmoid", {}), _linear(6, 10, bias=False)),
        _opt("AdamW", lr=0.05, weight_decay=0.1),
        loss={"fn": "cross_entropy", "args": {"label_smoothing": 0.1}},
    ),
    Run(
        "nll_nesterov",
        _sequential(_linear(64, 10), ("LogSoftmax", {"dim": 1})),
        _opt("SGD", lr=0.1, momentum=0.9, nesterov=True),
        loss={"fn": "nll_loss", "args": {}},
    ),
    Run("batchnorm_sgd_decay", BATCH_NORM, _opt("SGD", lr=0.1, momentum=0.9, weight_decay=0.01)),
    Run(
        "batchnorm_adam_clip_steplr",
        BATCH_NORM,
        _opt("Adam", lr=0.02),
        clip=1.0,
        scheduler=_opt("StepLR", step_size=8, gamma=0.3),
    ),
    Run("conv_batchnorm_adamw", CONV, _opt("AdamW", lr=0.01), shape=[-1, 1, 8, 8], micro_batches=16),
    Run(
        "rows_lstm_adam_clip",
        _sequential(
            ("LSTM", {"input_size": 8, "hidden_size": 4, "batch_first": True}),
            ("Flatten", {}),
            _linear(32, 10),
        ),
        _opt("Adam", lr=0.02),
        shape=[-1, 8, 8],
        micro_batches=16,
        clip=1.0,
    ),
    Run(
        "text_lstm_adam_clip",
        [
            ["embedding", "Embedding", {"num_embeddings": CHARACTERS, "embedding_dim": 6}],
            ["lstm", "LSTM", {"input_size": 6, "hidden_size": 6, "batch_first": True}],
            ["head", "Linear", {"in_features": 6, "out_features": CHARACTERS}],
        ],
        _opt("Adam", lr=0.02),
        data="text",
        batch=8,
        micro_batches=16,
        clip=1.0,
    ),
    Run(
        "text_transformer_adamw",
        [
            ["embedding", "Embedding", {"num_embeddings": CHARACTERS, "embedding_dim": 8}],
            ["positions", "Positions", {"num_embeddings": WINDOW - 1, "embedding_dim": 8}],
            [
                "block",
                "TransformerEncoderLayer",
                {
                    "d_model": 8,
                    "nhead": 2,
                    "dim_feedforward": 8,
                    "dropout": 0.0,
                    "batch_first": True,
                    "causal": True,
                },
            ],
            ["norm", "LayerNorm", {"normalized_shape": 8}],
            ["", "GELU", {}],
            ["head", "Linear", {"in_features": 8, "out_features": CHARACTERS}],
        ],
        _opt("AdamW", lr=0.01),
        data="text",
        batch=8,
        micro_batches=16,
        # Adding a constant to all keys changes no softmax: the true gradient of their bias is zero.
        ignore_rows={"block.self_attn.in_proj_bias": [8, 16]},
    ),
]
