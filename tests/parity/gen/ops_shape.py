"""Ops that move numbers: shapes, pieces, joins, indices."""

import torch

from .op_case import OpCase, viewed


def _normal(draw, shape):
    return draw.normal(shape)


# op: list of (shape, attrs)
MOVES = {
    "reshape": [
        ((2, 3, 2), {"shape": [-1, 6]}),
        ((2, 3, 2), {"shape": [12]}),
        ((), {"shape": [1, 1]}),
        ((1, 1), {"shape": []}),
        ((0, 3), {"shape": [3, 0]}),
        ((4, 3), {"shape": [2, 2, -1]}),
    ],
    "flatten": [
        ((2, 3, 2), {"start_dim": 1, "end_dim": 2}),
        ((2, 3, 2), {}),
        ((), {}),
        ((2, 1, 3), {"start_dim": 0, "end_dim": -2}),
        ((2, 0, 3), {"start_dim": 1}),
    ],
    "squeeze": [
        ((1, 3, 1), {}),
        ((1, 3, 1), {"dim": 0}),
        ((1, 3, 1), {"dim": 1}),
        ((1, 3, 1), {"dim": -1}),
        ((1, 3, 1), {"dim": [0, 2]}),
        ((), {}),
    ],
    "unsqueeze": [
        ((2, 3), {"dim": 0}),
        ((2, 3), {"dim": -1}),
        ((2, 3), {"dim": 1}),
        ((), {"dim": 0}),
        ((0,), {"dim": 1}),
    ],
    "transpose": [
        ((2, 3, 4), {"dim0": 0, "dim1": -1}),
        ((2, 3), {"dim0": 1, "dim1": 0}),
        ((2, 3), {"dim0": 1, "dim1": 1}),
        ((0, 2), {"dim0": 0, "dim1": 1}),
    ],
    "permute": [
        ((2, 3, 4), {"dims": [2, 0, 1]}),
        ((2, 3), {"dims": [-1, 0]}),
        ((), {"dims": []}),
        ((2, 1, 3, 2), {"dims": [3, 1, 0, 2]}),
        ((2, 0), {"dims": [1, 0]}),
    ],
    "expand": [
        ((3, 1), {"shape": [2, 3, 4]}),
        ((3,), {"shape": [2, -1]}),
        ((), {"shape": [2, 2]}),
        ((1,), {"shape": [0]}),
        ((2, 3), {"shape": [2, 3]}),
    ],
    "narrow": [
        ((5, 2), {"dim": 0, "start": 1, "length": 3}),
        ((2, 5), {"dim": -1, "start": 2, "length": 0}),
        ((2, 3, 4), {"dim": 2, "start": 0, "length": 2}),
        ((4,), {"dim": 0, "start": 0, "length": 4}),
    ],
    "select": [
        ((2, 3, 2), {"dim": 1, "index": -1}),
        ((3,), {"dim": 0, "index": 1}),
        ((2, 3), {"dim": -1, "index": 0}),
        ((0, 3), {"dim": 1, "index": 2}),
    ],
    "slice": [
        ((6, 2), {"dim": 0, "start": 1, "end": 5, "step": 2}),
        ((2, 5), {"dim": 1, "start": 3, "end": 9, "step": 1}),
        ((2, 5), {"dim": -1, "start": -4, "end": -1, "step": 1}),
        ((5,), {"dim": 0, "start": 4, "end": 2, "step": 1}),
        ((7,), {"dim": 0, "start": 0, "end": 7, "step": 3}),
    ],
}

MOVES_MORE = {
    "repeat": [((2, 3), {"repeats": [2, 1, 3]}), ((2,), {"repeats": [0]})],
    "flip": [((2, 3, 2), {"dims": [0, 2]}), ((2, 3), {"dims": [-1]})],
    "roll": [((3, 4), {"shifts": [1, -2], "dims": [0, 1]}), ((5,), {"shifts": [7], "dims": [0]})],
    "tril": [((3, 4), {"diagonal": -1}), ((2, 3, 3), {"diagonal": 0})],
    "triu": [((3, 4), {"diagonal": -1}), ((2, 3, 3), {"diagonal": 0})],
    "pad": [
        ((2, 3), {"pad": [1, 2, 0, 1], "mode": "constant", "value": 0.5}),
        ((2, 3), {"pad": [-1, 2], "mode": "constant", "value": 0.0}),
        ((1, 2, 4), {"pad": [2, 1], "mode": "reflect"}),
        ((1, 2, 4), {"pad": [1, 2], "mode": "replicate"}),
        ((1, 2, 4), {"pad": [1, 2], "mode": "circular"}),
        ((3, 4, 2), {"pad": [0, 0, -1, -2, 1, -1], "mode": "constant", "value": 2.0}),
        ((2, 3, 4), {"pad": [3, 2, 1, 0], "mode": "reflect"}),
        ((2, 1, 3, 4), {"pad": [3, 5, 0, 2], "mode": "replicate"}),
        ((1, 2, 3, 4), {"pad": [4, 1, 2, 3], "mode": "circular"}),
        ((2, 4), {"pad": [1, -2], "mode": "reflect"}),
        ((1, 2, 4), {"pad": [-1, 2], "mode": "circular"}),
        ((2, 0), {"pad": [1, 2], "mode": "constant", "value": 1.5}),
    ],
    "unfold": [
        ((2, 6), {"dimension": 1, "size": 3, "step": 2}),
        ((5,), {"dimension": 0, "size": 2, "step": 1}),
    ],
    "split": [
        ((7, 2), {"split": 3, "dim": 0}),
        ((2, 5), {"split": [1, 4], "dim": 1}),
        ((3, 2), {"split": [0, 3], "dim": 0}),
    ],
    "unbind": [((3, 2), {"dim": 1}), ((2, 3), {"dim": 0})],
}

VIEWED = {
    "reshape": {"shape": [-1]},
    "flatten": {},
    "squeeze": {},
    "unsqueeze": {"dim": 1},
    "transpose": {"dim0": 0, "dim1": 1},
    "permute": {"dims": [1, 0]},
    "select": {"dim": 0, "index": 1},
    "narrow": {"dim": 1, "start": 1, "length": 1},
    "slice": {"dim": 1, "start": 0, "end": 2, "step": 2},
}


def _moves(root):
    for op, uses in MOVES.items():
        d = root.child(op)
        for shape, attrs in uses:
            yield OpCase(op, [_normal(d, shape)], attrs)
    for turn, (op, attrs) in enumerate(VIEWED.items()):
        d = root.child(op + "_of_view")
        yield viewed(d, op, _normal, turn, attrs=attrs)
    for op, uses in MOVES_MORE.items():
        d = root.child(op)
        for shape, attrs in uses:
            yield OpCase(op, [_normal(d, shape)], attrs)


def _joins(root):
    d = root.child("cat")
    for shapes, dim in [
        ([(2, 3), (1, 3), (0, 3)], 0),
        ([(2, 1), (2, 3)], 1),
        ([(2, 3)], -1),
        ([(2, 2, 1), (2, 2, 2), (2, 2, 1)], -1),
        ([(3,), (2,)], 0),
        ([(0,), (0,)], 0),
    ]:
        yield OpCase("cat", [d.normal(s) for s in shapes], {"dim": dim})
    yield OpCase("cat", [d.normal((3, 2)), d.normal((4, 5))], {"dim": 0}, views={"0": "t", "1": "narrow"})
    d = root.child("stack")
    for shape, count, dim in [((2, 3), 2, 1), ((2, 3), 3, 0), ((2,), 2, -1), ((), 3, 0), ((0, 2), 2, 0)]:
        yield OpCase("stack", [d.normal(shape) for _ in range(count)], {"dim": dim})
    yield OpCase("stack", [d.normal((3, 2)), d.normal((2, 6))], {"dim": 2}, views={"0": "t", "1": "step2"})


def _indices(root):
    d = root.child("index_select")
    for shape, dim, count in [
        ((4, 2), 0, 5),
        ((2, 3, 4), 2, 3),
        ((2, 3), -1, 2),
        ((3, 2), 0, 0),
        ((4,), 0, 1),
    ]:
        yield OpCase("index_select", [d.normal(shape), d.ints((count,), 0, shape[dim])], {"dim": dim})
    yield OpCase("index_select", [d.normal((3, 4)), d.ints((3,), 0, 4)], {"dim": 0}, views={"0": "t"})
    d = root.child("gather")
    for shape, index, dim in [
        ((2, 4), (2, 3), 1),
        ((4, 3), (2, 3), 0),
        ((2, 3, 2), (1, 2, 4), -1),
        ((5,), (7,), 0),
        ((2, 3), (2, 0), 1),
    ]:
        yield OpCase("gather", [d.normal(shape), d.ints(index, 0, shape[dim])], {"dim": dim})
    yield OpCase("gather", [d.normal((3, 2)), d.ints((2, 2), 0, 3)], {"dim": 1}, views={"0": "t"})
    d = root.child("scatter")
    for op in ("scatter", "scatter_add"):
        index = torch.stack([torch.randperm(4, generator=d.generator)[:2] for _ in range(3)])
        yield OpCase(op, [d.normal((3, 4)), index, d.normal((3, 2))], {"dim": 1})
    repeated = d.ints((4, 2), 0, 3)
    yield OpCase("scatter_add", [d.normal((3, 2)), repeated, d.normal((4, 2))], {"dim": 0})
    yield OpCase("take_along_dim", [d.normal((3, 4)), d.ints((3, 2), 0, 4)], {"dim": 1})
    yield OpCase("index", [d.normal((4, 2)), d.ints((3,), 0, 4)])
    yield OpCase("index", [d.normal((4,)), d.ints((2, 3), -4, 4)], note="negative indices")
    yield OpCase("index2", [d.normal((3, 4)), d.ints((5,), 0, 3), d.ints((5,), 0, 4)])
    yield OpCase(
        "index_add", [d.normal((3, 2)), d.ints((4,), 0, 3), d.normal((4, 2))], {"dim": 0, "alpha": 0.5}
    )


def _orders(root):
    d = root.child("orders")
    for shape, dim, descending in [((2, 5), 1, True), ((4, 2), 0, False), ((3,), -1, False)]:
        yield OpCase("sort", [d.distinct(shape)], {"dim": dim, "descending": descending})
    ties = torch.tensor([1.0, 0.0, 1.0, 0.0, 2.0], dtype=torch.float64)
    yield OpCase("sort", [ties], {"dim": 0, "descending": True}, note="stable")
    for largest in (True, False):
        yield OpCase("topk", [d.distinct((3, 6))], {"k": 2, "dim": 1, "largest": largest})


def cases(root):
    """All cases that move numbers."""
    for part in (_moves, _joins, _indices, _orders):
        yield from part(root)
