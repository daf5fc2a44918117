"""Losses with the grid of their options."""

import torch

from .draw import listed
from .nn_case import FunctionCase

REDUCTIONS = ("mean", "sum", "none")
CLASSES = 4


def _targets(d, shape, ignored=None):
    """Class numbers, two of them ``ignored``."""
    target = d.ints(shape, 0, CLASSES)
    if ignored is not None:
        flat = target.view(-1)
        flat[0] = flat[-2] = ignored
    return target


def _classification(root):
    for fn in ("cross_entropy", "nll_loss"):
        d = root.child(fn)

        def case(logits, target, weight=None, note="", no_grad=("target", "weight"), **args):
            inputs = {"input": logits, "target": target}
            inputs |= {} if weight is None else {"weight": weight}
            return FunctionCase(fn, fn, args, inputs, tuple(n for n in no_grad if n in inputs), note=note)

        def logits(*shape):
            x = d.normal(shape, 2.0)
            return (
                x
                if fn == "cross_entropy"
                else torch.log_softmax(x, -1 if x.dim() == 1 else 1).float().double()
            )

        smoothings = (0.0, 0.2) if fn == "cross_entropy" else (0.0,)
        for reduction in REDUCTIONS:
            for weighted in (False, True):
                for smoothing in smoothings:
                    args = {"reduction": reduction} | ({"label_smoothing": smoothing} if smoothing else {})
                    weight = d.uniform((CLASSES,), 0.2, 2.0) if weighted else None
                    ignore = {"ignore_index": 1} if weighted else {}
                    yield case(
                        logits(5, CLASSES),
                        _targets(d, (5,), ignore.get("ignore_index")),
                        weight,
                        **ignore,
                        **args,
                    )
            yield case(
                logits(2, CLASSES, 3),
                _targets(d, (2, 3), -100),
                d.uniform((CLASSES,), 0.2, 2.0),
                reduction=reduction,
            )
            yield case(logits(2, CLASSES, 2, 2), _targets(d, (2, 2, 2)), reduction=reduction)
            yield case(logits(CLASSES), _targets(d, ()), reduction=reduction, note="unbatched")
        yield case(
            logits(3, CLASSES), torch.full((3,), -100), reduction="mean", note="everything ignored: nan"
        )
        yield case(logits(3, CLASSES), torch.full((3,), -100), reduction="sum", note="everything ignored: 0")
        yield case(logits(0, CLASSES), _targets(d, (0,)), reduction="mean", note="empty batch: nan")
        yield case(logits(0, CLASSES), _targets(d, (0,)), reduction="none", note="empty batch")
    yield from _probabilities(root.child("probabilities"))


def _probabilities(d):
    """Cross-entropy with a distribution for each sample."""
    for reduction in REDUCTIONS:
        for args, weighted in (({}, False), ({"label_smoothing": 0.1}, True)):
            inputs = {
                "input": d.normal((3, CLASSES), 2.0),
                "target": torch.softmax(d.normal((3, CLASSES)), 1).float().double(),
            }
            inputs |= {"weight": d.uniform((CLASSES,), 0.2, 2.0)} if weighted else {}
            yield FunctionCase(
                "cross_entropy",
                "cross_entropy",
                {"reduction": reduction, **args},
                inputs,
                tuple(n for n in ("target", "weight") if n in inputs),
                note="probability targets",
            )
        inputs = {"input": d.normal((2, CLASSES, 2)), "target": d.uniform((2, CLASSES, 2), 0.0, 1.0)}
        yield FunctionCase(
            "cross_entropy",
            "cross_entropy",
            {"reduction": reduction},
            inputs,
            ("target",),
            note="probability targets",
        )
    inputs = {"input": d.normal((CLASSES,)), "target": d.uniform((CLASSES,), 0.0, 1.0)}
    yield FunctionCase(
        "cross_entropy", "cross_entropy", {}, inputs, ("target",), note="unbatched probabilities"
    )
    big = listed(90.0, -90.0, 0.0, 500.0, 499.0, -500.0).reshape(2, 3)
    yield FunctionCase(
        "cross_entropy",
        "cross_entropy",
        {},
        {"input": big, "target": torch.tensor([1, 0])},
        ("target",),
        note="large logits",
    )


def _regression(root):
    d = root.child("regression")
    for fn, options in (
        ("mse_loss", [{}]),
        ("l1_loss", [{}]),
        ("smooth_l1_loss", [{}, {"beta": 0.5}, {"beta": 0.0}]),
        ("huber_loss", [{}, {"delta": 0.5}]),
    ):
        for reduction in REDUCTIONS:
            for args in options:
                x, y = d.normal((2, 4), 1.5), d.normal((2, 4))
                x[0, 0], y[0, 0] = 1.0, 1.0
                x[0, 1], y[0, 1] = 0.5, 0.0
                x[1, 1], y[1, 1] = 0.5, 1.5
                both = fn in ("mse_loss", "l1_loss")
                yield FunctionCase(
                    fn,
                    fn,
                    {"reduction": reduction, **args},
                    {"input": x, "target": y},
                    () if both else ("target",),
                    note="difference 0, delta and 1 among others",
                )
    for shape in ((), (0, 2), (2, 1, 3)):
        for reduction in REDUCTIONS:
            inputs = {"input": d.normal(shape), "target": d.normal(shape)}
            yield FunctionCase("mse_loss", "mse_loss", {"reduction": reduction}, inputs, ("target",))


def _binary(root):
    d = root.child("binary")
    edges = listed(0.0, 1.0, 0.5, 1e-6, 0.3, 0.9)
    for reduction in REDUCTIONS:
        target = listed(0.0, 1.0, 0.3, 0.0, 1.0, 0.7)
        for weight in ({}, {"weight": d.uniform((6,), 0.2, 2.0)}):
            yield FunctionCase(
                "binary_cross_entropy",
                "binary_cross_entropy",
                {"reduction": reduction},
                {"input": edges, "target": target, **weight},
                ("target", *weight),
                note="log clamped at -100",
            )
        for weight in ({}, {"weight": d.uniform((3,), 0.2, 2.0)}, {"pos_weight": d.uniform((3,), 0.2, 2.0)}):
            logits = torch.cat([d.normal((1, 3), 3.0), listed(60.0, -60.0, 0.0)[None]])
            name = "binary_cross_entropy_with_logits"
            yield FunctionCase(
                name,
                name,
                {"reduction": reduction},
                {"input": logits, "target": d.uniform((2, 3), 0.0, 1.0), **weight},
                ("target", *weight),
            )
    for reduction in (*REDUCTIONS, "batchmean"):
        for log_target in (False, True):
            target = torch.softmax(d.normal((3, 4)), 1).float().double()
            target[0, 0] = 0.0 if not log_target else target[0, 0]
            target = target.log().float().double() if log_target else target
            x = torch.log_softmax(d.normal((3, 4)), 1).float().double()
            yield FunctionCase(
                "kl_div",
                "kl_div",
                {"reduction": reduction, "log_target": log_target},
                {"input": x, "target": target},
                ("target",),
                note="target 0 contributes 0",
            )


def _metric(root):
    d = root.child("metric")
    sign = listed(1.0, -1.0, 1.0, -1.0)
    for reduction in REDUCTIONS:
        args = {"reduction": reduction, "margin": 0.1}
        pair = {"input1": d.normal((4, 3)), "input2": d.normal((4, 3)), "target": sign}
        yield FunctionCase("cosine_embedding_loss", "cosine_embedding_loss", args, pair, ("target",))
        yield FunctionCase(
            "hinge_embedding_loss",
            "hinge_embedding_loss",
            {"reduction": reduction, "margin": 0.7},
            {"input": d.normal((4,)), "target": sign},
            ("target",),
        )
        ranks = {"input1": d.normal((4,)), "input2": d.normal((4,)), "target": sign}
        yield FunctionCase(
            "margin_ranking_loss",
            "margin_ranking_loss",
            {"reduction": reduction, "margin": 0.3},
            ranks,
            ("target",),
        )
        triple = {"anchor": d.normal((3, 2)), "positive": d.normal((3, 2)), "negative": d.normal((3, 2))}
        yield FunctionCase(
            "triplet_margin_loss", "triplet_margin_loss", {"reduction": reduction}, triple, extra=True
        )
        counts = {"input": d.normal((4,)), "target": d.ints((4,), 0, 5).double()}
        yield FunctionCase(
            "poisson_nll_loss", "poisson_nll_loss", {"reduction": reduction}, counts, ("target",), extra=True
        )
        gauss = {"input": d.normal((4,)), "target": d.normal((4,)), "var": d.uniform((4,), 0.2, 2.0)}
        yield FunctionCase(
            "gaussian_nll_loss", "gaussian_nll_loss", {"reduction": reduction}, gauss, ("target",), extra=True
        )
        yield FunctionCase(
            "soft_margin_loss",
            "soft_margin_loss",
            {"reduction": reduction},
            {"input": d.normal((4,)), "target": sign},
            ("target",),
            extra=True,
        )


def cases(root):
    """All losses."""
    for part in (_classification, _regression, _binary, _metric):
        yield from part(root)
