"""Writes what PyTorch prints and promotes, for printing.rs and promotion.rs. Run by hand: python generate.py"""

import json
import math
from pathlib import Path

import torch

HERE = Path(__file__).parent
DTYPES = {
    "bool": torch.bool,
    "u8": torch.uint8,
    "i64": torch.int64,
    "f16": torch.float16,
    "bf16": torch.bfloat16,
    "f32": torch.float32,
    "f64": torch.float64,
}
NAN, INF = math.nan, math.inf


def number(v):
    """As the serde form of an array has it."""
    if isinstance(v, float) and not math.isfinite(v):
        return str(v)
    return v


add_suffixes = torch._tensor_str._add_suffixes
# `dtype=float64` is shorter than `dtype=torch.float64` and may fit on the line.
torch._tensor_str._add_suffixes = lambda text, suffixes, *rest, **options: add_suffixes(
    text, [s.replace("torch.", "") for s in suffixes], *rest, **options
)


def listed(dtype, data, shape=None):
    t = torch.tensor(data, dtype=torch.float64 if dtype in ("f16", "bf16") else None)
    t = t.to(DTYPES[dtype]).reshape(shape if shape is not None else [len(data)])
    array = {"dtype": dtype, "shape": list(t.shape), "data": [number(v) for v in t.reshape(-1).tolist()]}
    return {"array": array, "text": str(t)}


def counted(dtype, shape, step=1):
    t = (torch.arange(math.prod(shape), dtype=torch.float64) * step).to(DTYPES[dtype]).reshape(shape)
    return {"dtype": dtype, "shape": list(shape), "step": step, "text": str(t)}


def printing():
    for data in [
        [1.0, 2.5, -3.0, 4.0], [1.0, 0.001], [1000.0, 1.0], [1001.0, 1.0], [1500.5, 1.25], [1e8, 1e7], [1.1e8],
        [1e8], [9.9e-5], [1e-4], [1e-10, 1.0], [NAN, INF, -INF], [NAN, 1.0, INF], [NAN, 1.5, -INF],
        [NAN, 1e-9, -INF], [0.0, -0.0], [0.0, -0.0, 0.5], [-0.0, 2.0], [0.03125, 0.09375, 1.00005], [0.5], [NAN],
        [123456.789], [-1.5, 22.25, 333.125], [100000001.0], [0.00001], [99999.99999, 1234.0],
    ]:  # fmt: skip
        yield listed("f64", data)
        yield listed("f32", data)
        yield listed("bf16", data)
    for data in [[1e300, -1e-300], [1e100], [5e-324], [1e-4, 2e-4]]:
        yield listed("f64", data)
    yield listed("i64", [1, -20, 300])
    yield listed("i64", [2**63 - 1, -(2**63)])
    yield listed("u8", [0, 255])
    yield listed("bool", [True, False, True])
    yield listed("bool", [True, True])
    for dtype in DTYPES:
        yield listed(dtype, [1 if DTYPES[dtype].is_floating_point is False else 1.0], [])
        yield listed(dtype, [], [0])
        yield listed(dtype, [], [0, 3])
        yield listed(dtype, [], [2, 0, 3])
    for value in [0.5, NAN, -1234.5678, 1e-7, 12345678.0]:
        yield listed("f64", [value], [])
        yield listed("f16", [value], [])
    for shape in [(2, 2), (2, 3, 4), (2, 1, 2, 2), (3, 1), (30,), (1000,), (1001,), (30, 40), (4, 300), (300, 4),
                  (10, 10, 12), (2, 2, 16, 16), (7, 150), (6, 200), (2400, 1), (1, 2400), (6, 6, 6, 6),
                  (1, 1, 1500)]:  # fmt: skip
        yield counted("i64", shape)
        yield counted("f32", shape)
        yield counted("f64", shape, 0.25)
    for n in range(1, 23):
        yield counted("f64", (n,), 0.5)
        yield counted("bf16", (n,))
    yield counted("u8", (60,))
    yield counted("f16", (16,), 0.125)


def promotion():
    """Rows and columns: each dtype with an axis, each dtype without, a bool, an int, a float."""
    operands = [torch.zeros(1, dtype=d) for d in DTYPES.values()]
    operands += [torch.zeros((), dtype=d) for d in DTYPES.values()]
    operands += [True, 1, 1.0]
    name = {d: n for n, d in DTYPES.items()}
    return [[name[torch.result_type(a, b)] for b in operands] for a in operands]


def lines(rows):
    return "[\n" + ",\n".join(json.dumps(row) for row in rows) + "\n]\n"


(HERE / "printing.json").write_text(lines(printing()))
(HERE / "promotion.json").write_text(lines(promotion()))
