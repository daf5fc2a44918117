"""Reductions, softmax and scans."""

from .draw import listed
from .op_case import OpCase, viewed

INF, NAN = float("inf"), float("nan")


def _normal(draw, shape):
    return draw.normal(shape)


def _wide(draw, shape):
    return draw.normal(shape, 3.0)


def _distinct(draw, shape):
    return draw.distinct(shape)


def _sums(root):
    for op in ("sum", "mean"):
        d = root.child(op)
        for shape in [d.shape(3, 2, 4), (), (41,)]:
            yield OpCase(op, [_normal(d, shape)])
        for dim, keepdim in [(0, False), (-1, True), ([0, 2], False), ([-1, 0], True)]:
            yield OpCase(op, [_normal(d, d.shape(3, 2, 4))], {"dim": dim, "keepdim": keepdim})
        yield OpCase(op, [_normal(d, (2, 0, 3))], {"dim": 0, "keepdim": False})
        yield OpCase(op, [_normal(d, (2, 0, 3))], {"dim": 1, "keepdim": False}, note="empty axis")
        yield OpCase(op, [_normal(d, (0, 3))], note="nothing to add")
        yield OpCase(op, [_normal(d, ())], {"dim": 0, "keepdim": False})
        for turn in (0, 2):
            yield viewed(d, op, _normal, turn, attrs={"dim": turn % 2, "keepdim": turn == 2})
        yield viewed(d, op, _normal, 1)
    d = root.child("sum_view")
    for turn in range(5):
        yield viewed(d, "sum_view", _normal, turn, attrs={"dim": turn % 2})


def _moments(root):
    for op in ("var", "std"):
        d = root.child(op)
        yield OpCase(op, [_normal(d, d.shape(3, 2, 4))])
        for dim, correction, keepdim in [(0, 1, False), (1, 0, True), (-1, 2, False), ([0, 2], 1, True)]:
            attrs = {"dim": dim, "correction": correction, "keepdim": keepdim}
            yield OpCase(op, [_normal(d, d.shape(3, 3, 4))], attrs)
        yield OpCase(op, [d.normal((5,), 0.25, 64.0)], {"correction": 0}, note="far from zero")
        yield OpCase(op, [_normal(d, (1, 3))], {"dim": 0, "correction": 1}, note="one number")
        yield OpCase(op, [_normal(d, (3, 0))], {"dim": 0, "correction": 0})
        yield viewed(d, op, _normal, 2, attrs={"dim": 0, "correction": 1})


def _extremes(root):
    for op in ("max", "min"):
        d = root.child(op)
        for shape in [d.shape(3, 2, 3), (), (19,)]:
            yield OpCase(op, [_distinct(d, shape)])
        yield OpCase(op, [listed(2.0, -1.0, 2.0, -1.0, 2.0)], note="ties share equally")
        yield OpCase(op, [listed(1.0, NAN, 3.0)], note="nan wins")
        yield viewed(d, op, _distinct, 3)
        d = root.child(op + "_dim")
        for shape, dim, keepdim in [
            ((3, 4), 0, False),
            (d.shape(3, 2, 3), -2, True),
            ((), 0, False),
            ((0, 3), 1, False),
        ]:
            yield OpCase(op + "_dim", [_distinct(d, shape)], {"dim": dim, "keepdim": keepdim})
        ties = listed(1.0, 3.0, 3.0, 0.0, 0.0, 1.0).reshape(2, 3)
        yield OpCase(op + "_dim", [ties], {"dim": 1, "keepdim": False}, note="the first of equals")
        spoiled = listed(1.0, NAN, 3.0, 0.0, 5.0, NAN).reshape(2, 3)
        yield OpCase(op + "_dim", [spoiled], {"dim": 1, "keepdim": False}, note="nan wins")
        yield viewed(d, op + "_dim", _distinct, 1, attrs={"dim": 1, "keepdim": False})
    for op in ("amax", "amin"):
        d = root.child(op)
        for shape, attrs in [
            ((3, 4), {}),
            ((3, 4), {"dim": 1, "keepdim": False}),
            (d.shape(3, 2, 3), {"dim": [0, 2], "keepdim": True}),
            (d.shape(3, 2, 3), {"dim": [-1, 1], "keepdim": False}),
            ((0, 3), {"dim": 1, "keepdim": False}),
            ((), {}),
        ]:
            yield OpCase(op, [_distinct(d, shape)], attrs)
        ties = listed(1.0, 3.0, 3.0, 0.0, 0.0, 1.0).reshape(2, 3)
        yield OpCase(op, [ties], {"dim": 1, "keepdim": False}, note="ties share equally")
        yield viewed(d, op, _distinct, 2, attrs={"dim": 0, "keepdim": False})
    for op in ("argmax", "argmin"):
        d = root.child(op)
        for shape, attrs in [
            ((3, 4), {}),
            ((3, 4), {"dim": 1}),
            ((3, 4), {"dim": 0, "keepdim": True}),
            (d.shape(3, 2, 3), {"dim": -2}),
            ((), {}),
        ]:
            yield OpCase(op, [_distinct(d, shape)], attrs)
        ties = listed(1.0, 3.0, 3.0, 0.0, 0.0, 1.0).reshape(2, 3)
        yield OpCase(op, [ties], {"dim": 1}, note="the first of equals")
        yield OpCase(op, [listed(1.0, NAN, 3.0)], {"dim": 0}, note="nan wins")
        yield viewed(d, op, _distinct, 0, attrs={"dim": 1})


def _softmaxes(root):
    for op in ("softmax", "log_softmax", "logsumexp"):
        d = root.child(op)
        for shape, dim in [
            (d.shape(3, 2, 3), 1),
            (d.shape(2, 2, 4), -1),
            (d.shape(2, 2, 4), 0),
            ((4, 19), 1),
            ((), 0),
            ((2, 0, 3), 2),
            ((0, 3), 1),
        ]:
            yield OpCase(op, [_wide(d, shape)], {"dim": dim})
        big = listed(1000.0, 1001.0, 999.0, -1000.0, -1000.0, -1002.0).reshape(2, 3)
        yield OpCase(op, [big], {"dim": 1}, note="large numbers")
        masked = listed(0.5, -INF, 1.5, -INF, 2.0, -INF).reshape(2, 3)
        yield OpCase(op, [masked], {"dim": 1}, note="masked entries")
        full = listed(-INF, -INF, 1.0, INF).reshape(2, 2)
        yield OpCase(op, [full], {"dim": 1}, note="a masked row and an infinite one")
        for turn in (0, 1):
            yield viewed(d, op, _wide, turn, attrs={"dim": -1 if turn % 2 else 0})
    d = root.child("logsumexp_axes")
    for attrs in (
        {"dim": [0, 1], "keepdim": False},
        {"dim": [0, 2], "keepdim": True},
        {"dim": 1, "keepdim": True},
    ):
        yield OpCase("logsumexp", [d.normal((2, 3, 2), 2.0)], attrs)
    d = root.child("softmax_view")
    for turn in range(5):
        yield viewed(d, "softmax_view", _normal, turn, attrs={"dim": -1})


def _more(root):
    d = root.child("more")
    for shape in ((3,), (2, 3), ()):
        yield OpCase("prod", [d.away(shape)])
    yield OpCase("prod", [listed(2.0, 0.0, 3.0)], note="one zero")
    yield OpCase("prod", [listed(2.0, 0.0, 0.0)], note="two zeros")
    for shape in ((5,), (2, 3)):
        yield OpCase("median", [_distinct(d, shape)])
    yield OpCase("median_dim", [_distinct(d, (3, 4))], {"dim": 1, "keepdim": False})
    for op, values in (("cumsum", d.normal), ("cumprod", d.away)):
        for dim in (0, -1):
            yield OpCase(op, [values((2, 3, 2))], {"dim": dim})
        yield OpCase(op, [values((0, 2))], {"dim": 0})
    yield OpCase("cumprod", [listed(2.0, 0.0, 3.0, 0.5)], {"dim": 0}, note="a zero")
    for p in (1.0, 2.0, 3.0, 0.5, INF):
        yield OpCase("norm", [d.away((2, 3))], {"p": p})
    yield OpCase("norm", [d.away((2, 3))], {"p": 2.0, "dim": 1, "keepdim": True})
    yield OpCase("norm", [d.away((2, 3, 2))], {"p": 3.0, "dim": [0, 2], "keepdim": False})
    yield OpCase("norm", [listed(0.0, 0.0)], {"p": 2.0}, note="norm zero")


def cases(root):
    """All cases that reduce or scan axes."""
    for part in (_sums, _moments, _extremes, _softmaxes, _more):
        yield from part(root)
