"""The option sets of the ``sched`` group."""

import math
from dataclasses import dataclass, field

SGD = {"type": "SGD", "args": {"lr": 0.1, "momentum": 0.9}}
PLAIN_SGD = {"type": "SGD", "args": {"lr": 0.1}}
ADAM = {"type": "Adam", "args": {"lr": 0.1, "betas": [0.85, 0.99]}}


@dataclass
class Schedule:
    """A scheduler over two groups; ``drive`` holds the arguments of ``step``."""

    type: str
    args: dict = field(default_factory=dict)
    schedulers: list = None
    optimizer: dict = field(default_factory=lambda: SGD)
    drive: list = None
    initial_lrs: list = None
    resume_at: int = 25


def _of(type, *options, **rest):
    return [Schedule(type, args, **rest) for args in options]


def _inner(type, **args):
    return {"type": type, "args": args}


LAMBDAS = [
    {"kind": "pow", "base": 0.95},
    {"kind": "inv", "k": 0.1},
    {"kind": "warmup", "n": 8},
    {"kind": "floordiv", "base": 0.5, "n": 9},
    {"kind": "noam", "warm": 12.0},
    {"kind": "mod", "n": 5, "a": 1.5, "b": 0.5},
]

PLAIN = [
    *_of("LambdaLR", *({"lr_lambda": f} for f in LAMBDAS), {"lr_lambda": [LAMBDAS[0], LAMBDAS[2]]}),
    *_of(
        "MultiplicativeLR",
        {"lr_lambda": {"kind": "const", "value": 0.95}},
        {"lr_lambda": {"kind": "mod", "n": 4, "a": 0.5, "b": 1.1}},
        {"lr_lambda": {"kind": "inv", "k": 0.02}},
        {"lr_lambda": {"kind": "warmup", "n": 5}},
        {"lr_lambda": [LAMBDAS[5], {"kind": "const", "value": 0.9}]},
    ),
    *_of(
        "StepLR",
        {"step_size": 7, "gamma": 0.5},
        {"step_size": 1},
        {"step_size": 60, "gamma": 0.2},
        {"step_size": 13, "gamma": 1.3},
    ),
    *_of(
        "MultiStepLR",
        {"milestones": [5, 17, 40], "gamma": 0.3},
        {"milestones": [40, 5, 5, 17]},
        {"milestones": [0, 3], "gamma": 0.5},
        {"milestones": []},
        {"milestones": [59, 60, 61], "gamma": 0.7},
    ),
    *_of(
        "ConstantLR",
        {},
        {"factor": 0.25, "total_iters": 9},
        {"factor": 0.5, "total_iters": 0},
        {"factor": 1.0, "total_iters": 3},
        {"factor": 0.7, "total_iters": 60},
    ),
    *_of(
        "LinearLR",
        {},
        {"start_factor": 0.1, "end_factor": 1.0, "total_iters": 13},
        {"start_factor": 1.0, "end_factor": 0.0, "total_iters": 30},
        {"start_factor": 1e-4, "total_iters": 1},
        {"start_factor": 0.5, "end_factor": 0.2, "total_iters": 59},
        {"start_factor": 0.3, "total_iters": 0},
    ),
    *_of("ExponentialLR", *({"gamma": gamma} for gamma in (0.9, 1.0, 1.02, 0.5, 0.999))),
    *_of(
        "PolynomialLR",
        {},
        {"total_iters": 30, "power": 2.0},
        {"total_iters": 45, "power": 0.5},
        {"total_iters": 61, "power": 0.9},
        {"total_iters": 1, "power": 3.0},
    ),
    *_of(
        "CosineAnnealingLR",
        {"T_max": 20},
        {"T_max": 1},
        {"T_max": 50, "eta_min": 0.01},
        {"T_max": 7, "eta_min": 0.2},
        {"T_max": 2},
    ),
    *_of(
        "CosineAnnealingWarmRestarts",
        {"T_0": 10},
        {"T_0": 3, "T_mult": 2, "eta_min": 0.02},
        {"T_0": 1, "T_mult": 3},
        {"T_0": 1},
        {"T_0": 7, "T_mult": 2, "eta_min": 0.2},
    ),
    *_of(
        "SWALR",
        {"swa_lr": 0.05},
        {"swa_lr": 0.3, "anneal_epochs": 20, "anneal_strategy": "linear"},
        {"swa_lr": [0.05, 0.001], "anneal_epochs": 5},
        {"swa_lr": 0.05, "anneal_epochs": 0},
        {"swa_lr": 0.01, "anneal_epochs": 1, "anneal_strategy": "linear"},
    ),
]

CYCLES = [
    *_of(
        "OneCycleLR",
        {"max_lr": 0.1, "total_steps": 61},
        {"max_lr": [0.1, 0.3], "total_steps": 61, "pct_start": 0.5},
        {"max_lr": 0.2, "total_steps": 61, "anneal_strategy": "linear", "three_phase": True},
        {"max_lr": 0.2, "epochs": 6, "steps_per_epoch": 10, "div_factor": 5.0, "final_div_factor": 20.0},
        {"max_lr": 0.2, "total_steps": 61, "base_momentum": 0.5, "max_momentum": 0.8, "three_phase": True},
        {"max_lr": 0.1, "total_steps": 30},
        {"max_lr": 0.1, "total_steps": 30, "anneal_strategy": "linear"},
    ),
    *_of("OneCycleLR", {"max_lr": 0.1, "total_steps": 70}, optimizer=ADAM),
    *_of("OneCycleLR", {"max_lr": 0.1, "total_steps": 70, "cycle_momentum": False}, optimizer=PLAIN_SGD),
    *_of(
        "CyclicLR",
        {"base_lr": 0.01, "max_lr": 0.1, "step_size_up": 7},
        {"base_lr": [0.01, 0.02], "max_lr": [0.1, 0.05], "step_size_up": 5, "step_size_down": 9},
        {"base_lr": 0.01, "max_lr": 0.1, "step_size_up": 4, "mode": "triangular2"},
        {"base_lr": 0.01, "max_lr": 0.1, "step_size_up": 6, "mode": "exp_range", "gamma": 0.98},
        {"base_lr": 0.01, "max_lr": 0.1, "step_size_up": 6, "base_momentum": 0.6, "max_momentum": 0.95},
    ),
    *_of(
        "CyclicLR",
        {"base_lr": 0.01, "max_lr": 0.1, "step_size_up": 6, "scale_fn": {"kind": "pow", "base": 0.7}},
    ),
    *_of(
        "CyclicLR",
        {
            "base_lr": 0.01,
            "max_lr": 0.1,
            "step_size_up": 6,
            "scale_fn": {"kind": "inv", "k": 0.05},
            "scale_mode": "iterations",
        },
    ),
    *_of("CyclicLR", {"base_lr": 0.01, "max_lr": 0.1, "step_size_up": 8}, optimizer=ADAM),
    *_of(
        "CyclicLR",
        {"base_lr": 0.01, "max_lr": 0.1, "step_size_up": 8, "cycle_momentum": False},
        optimizer=PLAIN_SGD,
    ),
]

NESTED = [
    Schedule(
        "SequentialLR",
        {"milestones": [10]},
        [_inner("ConstantLR", factor=0.1, total_iters=10), _inner("ExponentialLR", gamma=0.9)],
    ),
    Schedule(
        "SequentialLR",
        {"milestones": [8]},
        [_inner("LinearLR", start_factor=0.1, total_iters=8), _inner("CosineAnnealingLR", T_max=52)],
    ),
    Schedule(
        "SequentialLR",
        {"milestones": [5, 30]},
        [
            _inner("LambdaLR", lr_lambda=LAMBDAS[2]),
            _inner("StepLR", step_size=6, gamma=0.5),
            _inner("PolynomialLR", total_iters=20),
        ],
    ),
    Schedule(
        "SequentialLR",
        {"milestones": [12]},
        [_inner("CosineAnnealingWarmRestarts", T_0=4), _inner("MultiStepLR", milestones=[5, 9])],
        resume_at=12,
    ),
    Schedule(
        "ChainedScheduler",
        {},
        [_inner("ConstantLR", factor=0.1, total_iters=20), _inner("ExponentialLR", gamma=0.9)],
    ),
    Schedule(
        "ChainedScheduler",
        {},
        [
            _inner("LinearLR", total_iters=10),
            _inner("StepLR", step_size=9),
            _inner("CosineAnnealingLR", T_max=40),
        ],
    ),
    Schedule(
        "SequentialLR",
        {"milestones": [6, 6, 20]},
        [
            _inner("LinearLR", start_factor=0.2, total_iters=6),
            _inner("ExponentialLR", gamma=0.5),
            _inner("SWALR", swa_lr=0.02, anneal_epochs=8),
            _inner("MultiplicativeLR", lr_lambda=LAMBDAS[1]),
        ],
        resume_at=6,
    ),
    Schedule(
        "SequentialLR",
        {"milestones": [4, 34]},
        [
            _inner("LambdaLR", lr_lambda=LAMBDAS[2]),
            _inner("OneCycleLR", max_lr=0.3, total_steps=31),
            _inner("CyclicLR", base_lr=0.01, max_lr=0.2, step_size_up=5, cycle_momentum=False),
        ],
    ),
    Schedule(
        "SequentialLR",
        {"milestones": [9]},
        [
            _inner("CyclicLR", base_lr=0.01, max_lr=0.2, step_size_up=4),
            _inner("ConstantLR", factor=0.5, total_iters=0),
        ],
        optimizer=ADAM,
    ),
    Schedule(
        "ChainedScheduler",
        {},
        [_inner("MultiStepLR", milestones=[3, 9], gamma=0.5), _inner("PolynomialLR", total_iters=50)],
        resume_at=1,
    ),
    Schedule(
        "ChainedScheduler",
        {},
        [_inner("ExponentialLR", gamma=0.97), _inner("MultiplicativeLR", lr_lambda=LAMBDAS[5])],
    ),
    Schedule(
        "ChainedScheduler",
        {},
        [_inner("LambdaLR", lr_lambda=LAMBDAS[0]), _inner("LinearLR", start_factor=0.01, total_iters=6)],
    ),
]

PAPERS = [
    *_of(
        "WarmupLR",
        {"warmup_steps": 10, "start_factor": 0.0},
        {"warmup_steps": 10, "start_factor": 0.1},
        {"warmup_steps": 1, "start_factor": 0.0},
        {"warmup_steps": 0, "start_factor": 0.5},
        {"warmup_steps": 100, "start_factor": 0.0},
    ),
    *_of(
        "NoamLR",
        {"d_model": 16, "warmup_steps": 4},
        {"d_model": 512, "warmup_steps": 20},
        {"d_model": 1, "warmup_steps": 1},
        {"d_model": 64, "warmup_steps": 60},
        {"d_model": 1, "warmup_steps": 100},
    ),
    *_of(
        "WarmupStableDecayLR",
        *(
            {
                "warmup_steps": w,
                "stable_steps": s,
                "decay_steps": d,
                "min_factor": m,
                "decay": decay,
            }
            for w, s, d, m, decay in (
                (5, 30, 20, 0.0, "linear"),
                (0, 20, 40, 0.1, "sqrt"),
                (10, 0, 30, 0.05, "cos"),
                (3, 10, 0, 0.5, "linear"),
                (20, 100, 10, 0.0, "sqrt"),
            )
        ),
    ),
]

STARTED = [
    Schedule(
        "StepLR", {"step_size": 5, "gamma": 0.5, "last_epoch": 7}, initial_lrs=[0.2, 0.08], resume_at=None
    ),
    Schedule("LambdaLR", {"lr_lambda": LAMBDAS[0], "last_epoch": 3}, initial_lrs=[0.2, 0.08], resume_at=None),
    Schedule("CosineAnnealingLR", {"T_max": 30, "last_epoch": 9}, initial_lrs=[0.2, 0.08], resume_at=None),
]


def _epochs(step):
    return [round(k * step, 6) for k in range(1, 61)]


DRIVEN = [
    Schedule("CosineAnnealingWarmRestarts", {"T_0": 5, "T_mult": 2}, drive=_epochs(0.25)),
    Schedule("CosineAnnealingWarmRestarts", {"T_0": 4}, drive=_epochs(1.5), resume_at=None),
    Schedule("StepLR", {"step_size": 4, "gamma": 0.5}, drive=[k // 2 for k in range(60)], resume_at=None),
    Schedule("ExponentialLR", {"gamma": 0.9}, drive=[2 * k for k in range(60)], resume_at=None),
]


def plateaus(draw):
    """ReduceLROnPlateau over a curve that falls, stalls and jitters."""
    fall = [
        1.0,
        0.9,
        0.8,
        0.7995,
        0.7995,
        0.79,
        0.8,
        0.81,
        0.79,
        0.79,
        0.79,
        0.7899,
        0.7,
        0.6,
        0.6,
        0.6,
        0.61,
        0.62,
    ]
    noise = [0.5 + 0.02 * x for x in draw.normal((30,)).tolist()]
    curve = fall + [0.5] * 12 + noise
    spoiled = curve[:20] + [math.nan, math.inf, 0.4, -math.inf] + curve[24:]
    climb = [-x for x in curve]
    return [
        Schedule("ReduceLROnPlateau", {"patience": 3}, drive=curve),
        Schedule("ReduceLROnPlateau", {"mode": "max", "patience": 2, "factor": 0.5}, drive=climb),
        Schedule("ReduceLROnPlateau", {"patience": 1, "cooldown": 4, "factor": 0.7}, drive=curve),
        Schedule("ReduceLROnPlateau", {"patience": 0, "min_lr": [0.01, 0.02], "factor": 0.5}, drive=curve),
        Schedule(
            "ReduceLROnPlateau",
            {"patience": 2, "threshold": 0.05, "mode": "max", "threshold_mode": "abs"},
            drive=climb,
        ),
        Schedule(
            "ReduceLROnPlateau",
            {"patience": 1, "threshold": 0.1, "mode": "max"},
            drive=[x + 2 for x in climb],
        ),
        Schedule("ReduceLROnPlateau", {"patience": 0, "eps": 0.005, "factor": 0.8}, drive=curve),
        Schedule("ReduceLROnPlateau", {"patience": 1}, drive=spoiled),
    ]
