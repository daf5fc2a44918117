"""Element-wise ops: one or two inputs, comparisons, selections."""

import torch

from .draw import listed
from .op_case import OpCase, viewed
from .op_table import stored_shape

INF, NAN = float("inf"), float("nan")


def _normal(draw, shape):
    return draw.normal(shape)


def _positive(draw, shape):
    return draw.uniform(shape, 0.25, 4.0)


def _unit(draw, shape):
    return draw.uniform(shape, -0.875, 0.875)


def _away(draw, shape):
    return draw.away(shape)


# name: (values, special points)
UNARY = {
    "neg": (_normal, [0.0, -0.0, INF, -INF, NAN]),
    "square": (_normal, [0.0, -0.0, 1e-20, INF]),
    "sqrt": (_positive, [0.0, 1.0, 1e-12, 1e12, INF, -1.0, NAN]),
    "exp": (_normal, [0.0, -0.0, 80.0, -80.0, 1e-7, INF, -INF, NAN]),
    "log": (_positive, [0.0, 1.0, 1e-30, 1e30, INF, -1.0, NAN]),
    "tanh": (_normal, [0.0, -0.0, 1e-6, 9.0, -9.0, 40.0, INF, -INF, NAN]),
    "sigmoid": (_normal, [0.0, 20.0, -20.0, 80.0, -80.0, INF, -INF, NAN]),
    "relu": (_normal, [0.0, -0.0, 1e-30, -1e-30, INF, -INF, NAN]),
    "abs": (_normal, [0.0, -0.0, 1e-30, -1e-30, INF, -INF, NAN]),
}

UNARY_MORE = {
    "expm1": (_normal, [0.0, 1e-6, -1e-6, 20.0, -40.0]),
    "log1p": (_positive, [0.0, 1e-6, -0.5, 1e6]),
    "log2": (_positive, [1.0, 8.0, 1e-20]),
    "log10": (_positive, [1.0, 1000.0, 1e-20]),
    "rsqrt": (_positive, [1.0, 1e-6, 1e6]),
    "reciprocal": (_away, [1.0, -4.0, 1e-6, 1e6]),
    "sin": (_normal, [0.0, 1e-6, 3.0, -100.0]),
    "cos": (_normal, [0.0, 1e-6, 3.0, -100.0]),
    "tan": (_unit, [0.0, 1.0, -1.25]),
    "asin": (_unit, [0.0, 0.5, -0.75]),
    "acos": (_unit, [0.0, 0.5, -0.75]),
    "atan": (_normal, [0.0, 1e-6, 50.0, -1e6]),
    "sinh": (_normal, [0.0, 1e-6, 5.0, -5.0]),
    "cosh": (_normal, [0.0, 1e-6, 5.0, -5.0]),
    "erf": (_normal, [0.0, 1e-6, 0.5, 3.0, -6.0]),
    "sign": (_normal, [0.0, -0.0, 1e-30, -INF]),
    "floor": (_normal, [0.0, -0.5, 1.0, 2.5, -3.0]),
    "ceil": (_normal, [0.0, -0.5, 1.0, 2.5, -3.0]),
    "round": (_normal, [0.5, 1.5, 2.5, -0.5, -1.5, 0.25]),
    "trunc": (_normal, [0.5, -0.5, 2.75, -2.75]),
}


def _unary(root):
    for turn, (op, (values, points)) in enumerate(UNARY.items()):
        d = root.child(op)
        for shape in [(37,), d.shape(3, 1, 3), (), (2, 0, 3)]:
            yield OpCase(op, [values(d, shape)])
        yield OpCase(op, [listed(*points)], note="special points")
        yield viewed(d, op, values, turn)
    for op, (values, points) in UNARY_MORE.items():
        yield OpCase(op, [torch.cat([listed(*points), values(root.child(op), (6,))])])
    d = root.child("gelu")
    for approximate in ("none", "tanh"):
        points = listed(0.0, -0.0, 1e-6, 1.0, -1.0, 3.0, -3.0, 6.0, -6.0, 14.0, -14.0, 1e4, -1e4, NAN)
        for x in (torch.cat([points, d.normal((6,), 2.0)]), d.normal((2, 0, 3)), d.normal(())):
            yield OpCase("gelu", [x], {"approximate": approximate})
    yield viewed(d, "gelu", _normal, 0)
    for op in ("isnan", "isinf", "isfinite"):
        x = listed(0.0, 1.5, INF, -INF, NAN, 1e38)
        yield OpCase(op, [x], no_grad=(0,))


def _exp_views(root):
    for op, values in {"exp_view": _normal, "mul_view": _normal}.items():
        d = root.child(op)
        for turn in range(5):
            yield viewed(d, op, values, turn)


# name: (left values, right values)
BINARY = {
    "add": (_normal, _normal),
    "sub": (_normal, _normal),
    "mul": (_normal, _normal),
    "div": (_normal, _away),
    "pow": (_positive, _normal),
    "maximum": (_normal, _normal),
    "minimum": (_normal, _normal),
}


def _binary(root):
    for op, (left, right) in BINARY.items():
        d = root.child(op)
        shape = d.shape(3, 2, 3)
        pairs = [(shape, shape), (shape, d.broadcastable(shape)), (d.broadcastable(shape), shape)]
        pairs += [((d.below(3) + 2, 1), (1, d.below(3) + 2)), ((3,), ()), ((), (2, 3))]
        pairs += [((0, 3), (1, 3))]
        for a, b in pairs:
            yield OpCase(op, [left(d, a), right(d, b)])
        for views in ({"0": "t", "1": "flipstride"}, {"0": "step2", "1": "narrow"}, {"1": "expand0"}):
            inputs = []
            for i, values in enumerate((left, right)):
                name = views.get(str(i))
                inputs.append(values(d, stored_shape(name, (3, 4)) if name else (3, 4)))
            yield OpCase(op, inputs, views=views)
    yield from _binary_points()


def _binary_points():
    x, y = listed(1.0, -2.0, 0.0, -0.0, 3.0), listed(1.0, -2.0, -0.0, 0.0, 2.0)
    for op in ("maximum", "minimum"):
        yield OpCase(op, [x, y], note="ties share the gradient equally")
        yield OpCase(op, [listed(NAN, 1.0, INF), listed(1.0, NAN, -INF)], note="nan spreads")
    yield OpCase("div", [listed(1.0, -1.0, 0.0, INF), listed(0.0, 0.0, 0.0, 2.0)], note="by zero")
    base, exponent = listed(0.0, 0.0, 2.0, -2.0, 1.0), listed(2.0, 0.0, 0.0, 3.0, 7.5)
    yield OpCase("pow", [base, exponent], note="zero and negative bases")


def _powers(root):
    d = root.child("pow_scalar")
    for exponent in (0.0, 2.0, 3.0, -2.0, -0.5, 2.75):
        yield OpCase("pow_scalar", [_positive(d, d.shape(2, 1))], {"exponent": exponent})
    for exponent in (0.0, 1.0, 2.0, 0.5, -1.0):
        yield OpCase(
            "pow_scalar", [listed(0.0, -0.0, 1.0, 2.0, 1e-3)], {"exponent": exponent}, note="at zero"
        )
    yield OpCase("pow_scalar", [listed(-1.5, -2.0, 0.5)], {"exponent": 3.0}, note="negative bases")
    yield OpCase("pow_scalar", [listed(-1.5, -2.0, 0.5)], {"exponent": 0.5}, note="nan")
    yield OpCase("pow_scalar", [_positive(d, (2, 0))], {"exponent": 2.0})
    yield viewed(d, "pow_scalar", _positive, 1, attrs={"exponent": 1.5})
    d = root.child("rpow_scalar")
    for base in (2.0, 0.5, 1.0):
        yield OpCase("rpow_scalar", [_normal(d, d.shape(2, 1))], {"base": base})
    yield OpCase("rpow_scalar", [listed(0.0, 1.0, 2.5)], {"base": 0.0}, note="base zero")
    yield OpCase("rpow_scalar", [_normal(d, ())], {"base": 3.0})
    yield viewed(d, "rpow_scalar", _normal, 2, attrs={"base": 1.5})


def _clamp(root):
    d = root.child("clamp")
    bounds = ({"min": -0.5}, {"max": 0.75}, {"min": -0.5, "max": 0.75})
    for attrs in bounds:
        yield OpCase("clamp", [_normal(d, d.shape(2, 2))], attrs)
        edges = listed(-0.5, 0.75, 0.0, -1.0, 1.0, INF, -INF, NAN)
        yield OpCase("clamp", [edges], attrs, note="at the edges")
    yield OpCase("clamp", [_normal(d, (3,))], {"min": 1.0, "max": -1.0}, note="min above max")
    yield OpCase("clamp", [_normal(d, (0, 2))], bounds[2])
    for turn in (0, 1):
        yield viewed(d, "clamp", _normal, turn, attrs=bounds[2])


def _comparisons(root):
    for op in ("eq", "ne", "lt", "le", "gt", "ge"):
        d = root.child(op)
        x = d.normal((2, 4))
        y = x.clone()
        y[:, 1::2] = d.normal((2, 2))
        pairs = [(x, y), (x[:, :1].clone(), y[:1].clone()), (x, listed(0.5)[0])]
        pairs += [(listed(0.0, NAN, INF, 1.0), listed(-0.0, NAN, INF, NAN))]
        for a, b in pairs:
            yield OpCase(op, [a, b], no_grad=(0, 1))
        yield OpCase(op, [d.normal((4, 2)), y], views={"0": "t"}, no_grad=(0, 1))


def _selections(root):
    d = root.child("where")
    for cond, a, b in [
        ((2, 3), (2, 3), (2, 3)),
        ((3,), (2, 3), ()),
        ((2, 1), (1, 3), (2, 3)),
        ((), (2,), (2,)),
        ((2, 3), (), ()),
        ((0, 3), (1, 3), (3,)),
        (d.shape(3, 2, 3), (), (1,)),
    ]:
        yield OpCase("where", [d.bools(cond), d.normal(a), d.normal(b)])
    yield OpCase("where", [d.bools((4, 3)), d.normal((4, 3)), d.normal((3, 4))], views={"0": "t", "1": "t"})
    d = root.child("masked_fill")
    for mask, shape in [((2, 3), (2, 3)), ((3,), (2, 3)), ((2, 1), (2, 4)), ((), (3,)), ((0,), (0,))]:
        yield OpCase("masked_fill", [d.normal(shape), d.bools(mask)], {"value": -7.0})
    yield OpCase("masked_fill", [d.normal((2, 3)), d.bools((2, 3))], {"value": -INF})


def _compositions(root):
    for turn, op in enumerate(("reuse", "diamond", "inplace_chain", "detach")):
        d = root.child(op)
        for shape in [d.shape(1, 3), d.shape(3, 1, 3), ()]:
            yield OpCase(op, [_normal(d, shape)])
        yield viewed(d, op, _normal, turn)


def cases(root):
    """All element-wise cases."""
    for part in (_unary, _exp_views, _binary, _powers, _clamp, _comparisons, _selections, _compositions):
        yield from part(root)
