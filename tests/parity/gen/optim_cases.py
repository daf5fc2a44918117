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
    ),
    *_brief("Adagrad", {"lr": 0.2}, {"lr": 0.01, "lr_decay": 1.0}, {"weight_decay": 0.5, "eps": 1e-3}),
    *_sets(
        "RMSprop",
        {},
        {"momentum": 0.6},
        {"centered": True, "alpha": 0.8},
        {"lr": 0.05, "alpha": 0.5, "eps": 0.01, "weight_decay": 0.1},
        {"momentum": 0.3, "centered": True, "alpha": 0.9, "maximize": True},
    ),
    *_brief("RMSprop", {"lr": 0.02, "momentum": 0.6}, {"lr": 0.005, "alpha": 0.9}, {"eps": 0.1}),
    *_sets("Adadelta", {}, {"lr": 0.5, "rho": 0.5}, {"eps": 1e-3, "weight_decay": 0.1}, {"maximize": True}),
    *_brief("Adadelta", {"lr": 0.5}, {"lr": 1.0, "rho": 0.8}, {"weight_decay": 0.2}),
    *_sets(
        "Adamax",
        {},
        {"lr": 0.02, "betas": [0.5, 0.9]},
        {"lr": 0.02, "eps": 0.1, "weight_decay": 0.1},
        {"maximize": True},
    ),
    *_brief("Adamax", {"lr": 0.02}, {"lr": 0.01, "betas": [0.7, 0.8]}, {"weight_decay": 0.3}),
    *_sets(
        "NAdam",
        {},
        {"lr": 0.02, "betas": [0.5, 0.9], "momentum_decay": 0.1},
        {"lr": 0.02, "weight_decay": 0.1, "decoupled_weight_decay": True},
        {"lr": 0.02, "eps": 0.1, "maximize": True},
    ),
    *_brief("NAdam", {"lr": 0.02}, {"lr": 0.01, "betas": [0.7, 0.8]}, {"weight_decay": 0.3}),
    *_sets(
        "RAdam",
        {"lr": 0.01},
        {"lr": 0.02, "betas": [0.5, 0.9]},
        {"lr": 0.02, "weight_decay": 0.1, "decoupled_weight_decay": True},
        {"lr": 0.02, "eps": 0.1, "maximize": True},
    ),
    *_brief("RAdam", {"lr": 0.02}, {"lr": 0.01, "betas": [0.7, 0.8]}, {"weight_decay": 0.3}),
    *_sets(
        "ASGD",
        {},
        {"lr": 0.1, "lambd": 0.05, "alpha": 0.5},
        {"t0": 10.0},
        {"maximize": True, "t0": 0.0, "weight_decay": 0.1},
    ),
    *_brief("ASGD", {"lr": 0.05}, {"lr": 0.01, "t0": 5.0}, {"weight_decay": 0.3}),
    *_sets("Rprop", {}, {"lr": 0.05, "etas": [0.3, 1.5]}, {"step_sizes": [1e-3, 0.05]}, {"maximize": True}),
    *_brief("Rprop", {"lr": 0.02}, {"lr": 0.01, "etas": [0.7, 1.1]}, {"step_sizes": [1e-4, 0.1]}),
    *_sets(
        "Adafactor",
        {},
        {"lr": 0.1, "d": 1.5},
        {"beta2_decay": -0.5, "weight_decay": 0.1},
        {"eps": [1e-6, 0.01], "maximize": True},
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
    )
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
