"""The option sets of the trajectories in the ``optim`` group."""

from dataclasses import dataclass, field


@dataclass
class Run:
    """An optimizer with its defaults; without ``groups`` both parameters are in one group."""

    optimizer: str
    defaults: dict = field(default_factory=dict)
    groups: list = None
    no_grad: dict = None
    set_lr: list = None
    resume_at: int = None
    # Rows that the gradient has at each step, by parameter: SparseAdam.
    rows: dict = None
    # Options of a Lookahead around the optimizer.
    lookahead: dict = None


def both(**hyper):
    """One group with both parameters."""
    return [{"params": ["w", "b"], "hyper": hyper}]


def apart(w, b, add_at=None):
    """A group for each parameter with hyper-parameters of its own; b may join later."""
    late = {} if add_at is None else {"add_at": add_at}
    return [{"params": ["w"], "hyper": w}, {"params": ["b"], "hyper": b, **late}]


GAPS = {"b": [0, 1, 7, 8, 20], "w": [3, 30]}
LR_CHANGES = [{"step": 10, "group": 0, "lr": 0.005}, {"step": 25, "group": 0, "lr": 0.08}]


def _sets(optimizer, *options):
    return [Run(optimizer, dict(defaults)) for defaults in options]


def _common(optimizer, base, w, b):
    """What every optimizer must get right: groups, late groups, lr changes, gaps, resuming."""
    return [
        Run(optimizer, base, groups=apart(w, b), resume_at=23),
        Run(optimizer, base, groups=apart(w, b, add_at=11)),
        Run(optimizer, base, set_lr=LR_CHANGES, resume_at=17),
        Run(optimizer, base, no_grad=GAPS),
    ]


def _brief(optimizer, base, w, b):
    """The same in two runs, for the optimizers that share their bookkeeping with the first three."""
    return [
        Run(optimizer, base, groups=apart(w, b, add_at=11), resume_at=23),
        Run(optimizer, base, set_lr=LR_CHANGES, no_grad=GAPS, resume_at=17),
    ]


_ADAM_SETS = (
    {},
    {"lr": 0.05},
    {"lr": 0.01, "betas": [0.5, 0.9]},
    {"lr": 0.01, "betas": [0.0, 0.999]},
    {"lr": 0.01, "eps": 0.1},
    {"lr": 0.01, "weight_decay": 0.2},
    {"lr": 0.02, "amsgrad": True},
    {"lr": 0.02, "maximize": True},
    {"lr": 0.01, "amsgrad": True, "weight_decay": 0.1, "maximize": True},
    {"lr": 0.01, "betas": [0.9, 0.0]},
)

RUNS = [
    *_sets(
        "SGD",
        {},
        {"lr": 0.1},
        {"lr": 0.05, "momentum": 0.9},
        {"lr": 0.05, "momentum": 0.9, "dampening": 0.5},
        {"lr": 0.05, "momentum": 0.8, "nesterov": True},
        {"lr": 0.05, "weight_decay": 0.1},
        {"lr": 0.05, "momentum": 0.5, "weight_decay": 0.2},
        {"lr": 0.02, "maximize": True},
        {"lr": 0.02, "momentum": 0.9, "weight_decay": 0.05, "nesterov": True, "maximize": True},
        {"lr": 0.05, "momentum": 0.9, "dampening": 1.0, "weight_decay": 0.01},
        {"lr": 0.0, "momentum": 0.9},
        {"lr": 0.05, "dampening": 0.5},
    ),
    *_common(
        "SGD",
        {"lr": 0.05, "momentum": 0.9},
        {"lr": 0.01, "weight_decay": 0.1},
        {"momentum": 0.5, "nesterov": True},
    ),
    Run("SGD", {"lr": 0.1}, no_grad={"b": list(range(50)), "w": [3, 30]}, resume_at=5),
    *_sets("Adam", *_ADAM_SETS, {"lr": 0.01, "weight_decay": 0.2, "decoupled_weight_decay": True}),
    *_common(
        "Adam", {"lr": 0.03}, {"lr": 0.001, "betas": [0.5, 0.5]}, {"weight_decay": 0.5, "amsgrad": True}
    ),
    *_sets(
        "AdamW",
        *_ADAM_SETS[::2],
        {"lr": 0.05, "weight_decay": 0.0},
        {"lr": 0.02, "amsgrad": True},
        {"lr": 0.02, "maximize": True, "weight_decay": 0.2},
    ),
    *_common(
        "AdamW",
        {"lr": 0.03, "weight_decay": 0.3},
        {"lr": 0.002, "eps": 1e-3},
        {"weight_decay": 0.0, "amsgrad": True},
    ),
    *_sets(
        "Adagrad",
        {"lr": 0.1},
        {"lr_decay": 0.1, "initial_accumulator_value": 0.5},
        {"lr": 0.1, "weight_decay": 0.1, "eps": 1e-3, "maximize": True},
        {},
        {"lr": 0.05, "lr_decay": 0.01, "eps": 0.1},
        {"lr": 0.2, "initial_accumulator_value": 2.0, "weight_decay": 0.3},
    ),
    Run("Adagrad", {"lr": 0.1}, no_grad={"b": list(range(50))}, resume_at=9),
    *_brief("Adagrad", {"lr": 0.2}, {"lr": 0.01, "lr_decay": 1.0}, {"weight_decay": 0.5, "eps": 1e-3}),
    *_sets(
        "RMSprop",
        {},
        {"momentum": 0.6},
        {"centered": True, "alpha": 0.8},
        {"lr": 0.05, "alpha": 0.5, "eps": 0.01, "weight_decay": 0.1},
        {"momentum": 0.3, "centered": True, "alpha": 0.9, "maximize": True},
        {"lr": 0.02, "alpha": 0.0, "eps": 0.1},
    ),
    *_brief("RMSprop", {"lr": 0.02, "momentum": 0.6}, {"lr": 0.005, "alpha": 0.9}, {"eps": 0.1}),
    *_sets(
        "Adadelta",
        {},
        {"lr": 0.5, "rho": 0.5},
        {"eps": 1e-3, "weight_decay": 0.1},
        {"maximize": True},
        {"rho": 0.0, "eps": 0.01},
        {"rho": 1.0, "eps": 0.01, "lr": 2.0},
    ),
    *_brief("Adadelta", {"lr": 0.5}, {"lr": 1.0, "rho": 0.8}, {"weight_decay": 0.2}),
    *_sets(
        "Adamax",
        {},
        {"lr": 0.02, "betas": [0.5, 0.9]},
        {"lr": 0.02, "eps": 0.1, "weight_decay": 0.1},
        {"maximize": True},
        {"lr": 0.05, "betas": [0.0, 0.5]},
        {"lr": 0.01, "betas": [0.8, 0.0], "eps": 1e-3},
    ),
    *_brief("Adamax", {"lr": 0.02}, {"lr": 0.01, "betas": [0.7, 0.8]}, {"weight_decay": 0.3}),
    *_sets(
        "NAdam",
        {},
        {"lr": 0.02, "betas": [0.5, 0.9], "momentum_decay": 0.1},
        {"lr": 0.02, "weight_decay": 0.1, "decoupled_weight_decay": True},
        {"lr": 0.02, "eps": 0.1, "maximize": True},
        {"lr": 0.02, "momentum_decay": 0.0, "weight_decay": 0.2},
        {"lr": 0.01, "betas": [0.0, 0.99], "eps": 1e-4},
    ),
    *_brief("NAdam", {"lr": 0.02}, {"lr": 0.01, "betas": [0.7, 0.8]}, {"weight_decay": 0.3}),
    *_sets(
        "RAdam",
        {"lr": 0.01},
        {"lr": 0.02, "betas": [0.5, 0.9]},
        {"lr": 0.02, "weight_decay": 0.1, "decoupled_weight_decay": True},
        {"lr": 0.02, "eps": 0.1, "maximize": True},
        {"lr": 0.02, "betas": [0.9, 0.6]},
        {},
    ),
    *_brief("RAdam", {"lr": 0.02}, {"lr": 0.01, "betas": [0.7, 0.8]}, {"weight_decay": 0.3}),
    *_sets(
        "ASGD",
        {},
        {"lr": 0.1, "lambd": 0.05, "alpha": 0.5},
        {"t0": 10.0},
        {"maximize": True, "t0": 0.0, "weight_decay": 0.1},
        {"lr": 0.05, "lambd": 0.0, "t0": -3.0},
        {"lr": 0.1, "lambd": 0.2, "alpha": 0.0, "t0": 20.5},
    ),
    *_brief("ASGD", {"lr": 0.05}, {"lr": 0.01, "t0": 5.0}, {"weight_decay": 0.3}),
    *_sets(
        "Rprop",
        {},
        {"lr": 0.05, "etas": [0.3, 1.5]},
        {"step_sizes": [1e-3, 0.05]},
        {"maximize": True},
        {"lr": 0.0, "step_sizes": [0.001, 0.01]},
        {"lr": 0.1, "etas": [0.9, 1.01]},
    ),
    *_brief("Rprop", {"lr": 0.02}, {"lr": 0.01, "etas": [0.7, 1.1]}, {"step_sizes": [1e-4, 0.1]}),
    *_sets(
        "Adafactor",
        {},
        {"lr": 0.1, "d": 1.5},
        {"beta2_decay": -0.5, "weight_decay": 0.1},
        {"eps": [1e-6, 0.01], "maximize": True},
        {"lr": 0.5, "beta2_decay": 0.0, "eps": [None, 2.0]},
        {"lr": 0.05, "eps": [0.3, 0.0], "weight_decay": 0.2},
    ),
    *_brief("Adafactor", {"lr": 0.05}, {"lr": 0.02, "d": 2.0}, {"weight_decay": 0.3}),
]

MUON = [
    Run("Muon", defaults, groups=[{"params": ["w"], "hyper": {}}], resume_at=resume)
    for defaults, resume in (
        ({}, None),
        ({"lr": 0.02, "momentum": 0.8}, 23),
        ({"lr": 0.02, "nesterov": False}, None),
        ({"lr": 0.01, "weight_decay": 0.0, "ns_steps": 3}, None),
        ({"lr": 0.01, "adjust_lr_fn": "match_rms_adamw"}, None),
        ({"lr": 0.01, "adjust_lr_fn": "spectral_unclamped", "weight_decay": 0.5}, None),
        ({"lr": 0.02, "ns_coefficients": [1.5, -0.5, 0.0], "ns_steps": 8, "momentum": 0.0}, None),
        ({"lr": 0.05, "adjust_lr_fn": "original", "eps": 1e-3, "nesterov": False}, 11),
    )
]


def _rows(first):
    """Rows of a gradient at each step: one, several, sometimes none."""
    return [sorted({(first * t + k * k) % 3 % 2 for k in range(t % 3)}) for t in range(50)]


SPARSE = [
    Run("SparseAdam", options, rows={"w": _rows(1), "b": _rows(2)}, **more)
    for options, more in (
        ({}, {}),
        ({"lr": 0.02, "betas": [0.5, 0.9]}, {}),
        ({"lr": 0.02, "eps": 0.1}, {}),
        ({"lr": 0.02, "maximize": True}, {}),
        ({"lr": 0.05, "betas": [0.0, 0.5], "eps": 1e-3}, {}),
        ({"lr": 0.01}, {"no_grad": GAPS}),
        ({"lr": 0.03}, {"set_lr": LR_CHANGES, "resume_at": 17}),
        ({"lr": 0.02}, {"groups": apart({"lr": 0.01}, {"eps": 0.01}, add_at=11), "resume_at": 23}),
    )
]

# What PyTorch lacks: NumPy in papers.py.
PAPERS = [
    *_sets(
        "Lion",
        {},
        {"lr": 0.01},
        {"lr": 0.01, "betas": [0.5, 0.9]},
        {"lr": 0.02, "weight_decay": 0.5},
        {"lr": 0.01, "maximize": True},
        {"lr": 0.005, "betas": [0.0, 0.0], "weight_decay": 0.1},
    ),
    *_brief("Lion", {"lr": 0.015}, {"lr": 0.02, "betas": [0.8, 0.95]}, {"weight_decay": 0.3}),
    *_sets(
        "Lamb",
        {},
        {"lr": 0.02},
        {"lr": 0.02, "betas": [0.5, 0.9]},
        {"lr": 0.02, "weight_decay": 0.3},
        {"lr": 0.01, "eps": 0.1, "maximize": True},
        {"lr": 0.05, "betas": [0.0, 0.5], "weight_decay": 1.0},
    ),
    *_brief("Lamb", {"lr": 0.03}, {"lr": 0.01, "betas": [0.8, 0.95]}, {"weight_decay": 0.3}),
    *_sets(
        "AdamWScheduleFree",
        {},
        {"lr": 0.02},
        {"lr": 0.02, "betas": [0.5, 0.9]},
        {"lr": 0.02, "weight_decay": 0.3, "warmup_steps": 10},
        {"lr": 0.01, "eps": 0.1, "maximize": True},
        {"lr": 0.02, "r": 1.0, "weight_lr_power": 1.0},
    ),
    *_brief("AdamWScheduleFree", {"lr": 0.03}, {"lr": 0.01, "betas": [0.8, 0.95]}, {"weight_decay": 0.3}),
    *(
        Run("SGD", options, lookahead={"k": k, "alpha": alpha}, **more)
        for options, k, alpha, more in (
            ({"lr": 0.05}, 5, 0.5, {}),
            ({"lr": 0.05, "momentum": 0.9}, 5, 0.5, {}),
            ({"lr": 0.05, "momentum": 0.9}, 3, 0.8, {}),
            ({"lr": 0.02}, 1, 0.1, {}),
            ({"lr": 0.02}, 7, 0.0, {}),
            ({"lr": 0.02}, 7, 1.0, {}),
            ({"lr": 0.05, "momentum": 0.5}, 6, 0.5, {"set_lr": LR_CHANGES, "no_grad": GAPS, "resume_at": 17}),
            ({"lr": 0.05}, 4, 0.6, {"groups": apart({"lr": 0.1}, {"momentum": 0.8}), "resume_at": 22}),
        )
    ),
]

# optimizer, objective, sizes of the pieces, options, the base optimizer
CLOSURES = [
    ("SAM", "rosen2", [2], {"rho": 0.05, "adaptive": False}, {"lr": 1e-3}),
    ("SAM", "rosen6", [2, 4], {"rho": 0.1, "adaptive": False}, {"lr": 5e-4, "momentum": 0.5}),
    ("SAM", "quad8", [3, 5], {"rho": 0.5, "adaptive": False}, {"lr": 0.05}),
    ("SAM", "quad8", [8], {"rho": 2.0, "adaptive": False}, {"lr": 0.02, "momentum": 0.9}),
    ("SAM", "rosen2", [1, 1], {"rho": 0.3, "adaptive": True}, {"lr": 1e-3}),
    ("SAM", "quad8", [8], {"rho": 1.0, "adaptive": True}, {"lr": 0.05, "momentum": 0.5}),
    ("SAM", "rosen6", [6], {"rho": 0.5, "adaptive": True}, {"lr": 5e-4}),
    ("SAM", "quad8", [4, 4], {"rho": 0.0, "adaptive": False}, {"lr": 0.05}),
    ("Newton", "rosen2", [2], {"method": "exact"}, None),
    ("Newton", "rosen6", [2, 4], {"method": "exact"}, None),
    ("Newton", "quad8", [8], {"method": "exact"}, None),
    ("Newton", "quad8", [3, 5], {"method": "exact", "damping": 1.0, "lr": 0.5}, None),
    ("Newton", "rosen2", [1, 1], {"method": "exact", "damping": 10.0}, None),
    ("Newton", "quad8", [8], {"method": "exact", "line_search": False, "lr": 0.3}, None),
    ("Newton", "rosen2", [2], {"method": "conjugate_gradient"}, None),
    ("Newton", "quad8", [2, 6], {"method": "conjugate_gradient", "damping": 0.5}, None),
    ("Newton", "quad8", [8], {"method": "conjugate_gradient", "line_search": False}, None),
]

# objective, sizes of the pieces, options
LBFGS = [
    ("rosen2", [2], {"lr": 0.01, "max_iter": 5}, None),
    ("rosen2", [1, 1], {"line_search_fn": "strong_wolfe", "max_iter": 4}, None),
    ("rosen6", [6], {"line_search_fn": "strong_wolfe", "max_iter": 3}, 7),
    ("rosen6", [2, 4], {"line_search_fn": "strong_wolfe", "max_iter": 3, "history_size": 2}, None),
    ("quad8", [3, 5], {"lr": 0.3, "max_iter": 2}, 9),
    ("quad8", [8], {"line_search_fn": "strong_wolfe", "max_iter": 2, "history_size": 3}, None),
    ("quad8", [8], {"lr": 0.5, "max_iter": 3, "max_eval": 2, "tolerance_grad": 1e-3}, None),
    ("quad8", [4, 4], {"lr": 0.2, "max_iter": 2, "maximize": True}, None),
]
