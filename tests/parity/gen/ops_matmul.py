"""Products of matrices."""

from .draw import listed
from .op_case import OpCase
from .op_table import stored_shape

NAN = float("nan")

RANKS = [
    ((3,), (3,)),
    ((3,), (3, 4)),
    ((2, 3), (3,)),
    ((2, 3), (3, 4)),
    ((3,), (2, 3, 4)),
    ((2, 2, 3), (3,)),
    ((2, 3), (2, 3, 4)),
    ((2, 2, 3), (3, 4)),
    ((2, 2, 3), (2, 3, 4)),
    ((2, 1, 2, 3), (3, 3, 2)),
    ((2, 2, 3), (2, 1, 3, 2)),
    ((2, 1, 2, 3), (1, 3, 3, 2)),
    ((3,), (2, 1, 3, 2)),
    ((2, 1, 2, 3), (3,)),
    ((1, 3), (3, 1)),
    ((3, 1), (1, 3)),
    ((2, 0), (0, 3)),
    ((0, 2), (2, 3)),
    ((2, 3), (3, 0)),
    ((0, 2, 3), (3, 2)),
    ((2, 2, 0), (2, 0, 3)),
    ((7, 17), (17, 5)),
]

VIEWED = [
    ((2, 3), (3, 4), {"0": "t"}),
    ((2, 3), (3, 4), {"1": "t"}),
    ((2, 3), (3, 4), {"0": "t", "1": "t"}),
    ((2, 3), (3, 4), {"0": "step2", "1": "narrow"}),
    ((3, 2, 3), (3, 4), {"0": "expand0", "1": "flipstride"}),
    ((2, 2, 3), (2, 3, 4), {"0": "flipstride", "1": "t"}),
    ((2, 2, 3), (2, 3, 4), {"0": "t", "1": "step2"}),
    ((3, 2, 2), (3, 2, 2), {"0": "expand0", "1": "expand0"}),
    ((7, 11), (11, 9), {"0": "t"}),
    ((7, 11), (11, 9), {"1": "t"}),
    ((3,), (3, 4), {"0": "step2", "1": "t"}),
    ((4, 3), (3,), {"0": "narrow", "1": "narrow"}),
]


def _matmul(root):
    d = root.child("matmul")
    for a, b in RANKS:
        yield OpCase("matmul", [d.normal(a), d.normal(b)])
    for a, b, views in VIEWED:
        shapes = [stored_shape(views[str(i)], s) if str(i) in views else s for i, s in enumerate((a, b))]
        yield OpCase("matmul", [d.normal(s) for s in shapes], views=views)
    for _ in range(3):
        m, k, n = d.shape(3, 1, 6)
        batch = d.shape(1 + d.below(2), 1, 2)
        yield OpCase("matmul", [d.normal((*batch, m, k)), d.normal((*batch[1:], k, n))])


def _bmm(root):
    d = root.child("bmm")
    for batch, m, k, n in [(2, 2, 3, 2), (1, 3, 1, 2), (0, 2, 3, 2), (2, 0, 3, 2), (2, 2, 0, 3)]:
        yield OpCase("bmm", [d.normal((batch, m, k)), d.normal((batch, k, n))])
    for a, b in [("t", "t"), ("flipstride", "step2")]:
        shapes = [stored_shape(a, (2, 3, 2)), stored_shape(b, (2, 2, 3))]
        yield OpCase("bmm", [d.normal(s) for s in shapes], views={"0": a, "1": b})


def _dot(root):
    d = root.child("dot")
    for n in (1, 5, 23, 0):
        yield OpCase("dot", [d.normal((n,)), d.normal((n,))])
    yield OpCase("dot", [d.normal((8,)), d.normal((6,))], views={"0": "step2", "1": "narrow"})


def _addmm(root):
    d = root.child("addmm")
    for shape, attrs in [
        ((2, 4), {}),
        ((4,), {}),
        ((1, 4), {"beta": 0.5}),
        ((2, 1), {"alpha": -2.0}),
        ((), {"beta": 2.0, "alpha": 0.25}),
        ((2, 4), {"beta": -1.5, "alpha": 3.0}),
        ((4,), {"alpha": 0.0}),
        ((2, 4), {"beta": 1.0, "alpha": 1.0}),
    ]:
        yield OpCase("addmm", [d.normal(shape), d.normal((2, 3)), d.normal((3, 4))], attrs)
    ignored = listed(NAN, 1.0, 2.0, NAN)
    yield OpCase(
        "addmm", [ignored, d.normal((2, 3)), d.normal((3, 4))], {"beta": 0.0}, note="beta 0: c is not read"
    )
    yield OpCase("addmm", [d.normal((4,)), d.normal((2, 0)), d.normal((0, 4))], {"beta": 0.5})
    yield OpCase(
        "addmm",
        [d.normal((4,)), d.normal((3, 2)), d.normal((4, 3))],
        {"beta": 0.5, "alpha": 2.0},
        views={"1": "t", "2": "t"},
    )


def _more(root):
    d = root.child("more")
    for m, n in [(3, 2), (1, 4), (0, 2)]:
        yield OpCase("outer", [d.normal((m,)), d.normal((n,))])
    for equation, shapes in [
        ("ij,jk->ik", [(2, 3), (3, 4)]),
        ("bij,bjk->bik", [(2, 2, 3), (2, 3, 2)]),
        ("ij->ji", [(2, 3)]),
        ("ii->i", [(3, 3)]),
        ("bhqd,bhkd->bhqk", [(1, 2, 2, 3), (1, 2, 3, 3)]),
        ("ij,jk,kl->il", [(2, 3), (3, 2), (2, 2)]),
        ("...i,ij->...j", [(2, 1, 3), (3, 2)]),
    ]:
        yield OpCase("einsum", [d.normal(s) for s in shapes], {"equation": equation})


def cases(root):
    """All matrix products."""
    for part in (_matmul, _bmm, _dot, _addmm, _more):
        yield from part(root)
