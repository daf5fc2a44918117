#!/usr/bin/env python3
"""Writes exact.txt: correctly rounded values of the elementary functions in f64. Needs mpmath.

A line is a function, its arguments and its value, as the hexadecimal bits of f64.
"""

import pathlib
import random
import struct

import mpmath as mp

mp.mp.prec = 2400
HERE = pathlib.Path(__file__).resolve().parent
RANDOM = random.Random(2026)
LN2, PI, ROOT = mp.log(2), mp.pi, mp.sqrt(2)


def bits(x):
    return struct.unpack("<Q", struct.pack("<d", x))[0]


def number(b):
    return struct.unpack("<d", struct.pack("<Q", b))[0]


def rounded(v):
    """The f64 nearest to ``v``, ties to even, subnormals and overflow included."""
    if v == 0:
        return 0.0
    exponent = max(int(mp.floor(mp.log(abs(v), 2))) - 52, -1074)
    units = int(mp.nint(abs(v) / mp.mpf(2) ** exponent))
    if units >= 2**53:
        units, exponent = units // 2, exponent + 1
    size = float("inf") if exponent > 971 else float(mp.mpf(units) * mp.mpf(2) ** exponent)
    return -size if v < 0 else size


def beside(*centres, steps=(0, 1, 3)):
    """Numbers at and just beside each centre."""
    for centre in centres:
        b = bits(float(centre))
        for step in steps:
            yield number(b + step)
            if step and b >= step:
                yield number(b - step)


def spread(n, low, high):
    return [RANDOM.uniform(low, high) for _ in range(n)]


def sizes(n, low=-1074, high=1023):
    """Numbers of both signs and any exponent."""
    return [RANDOM.choice((1, -1)) * (1 + RANDOM.random()) * 2.0 ** RANDOM.randint(low, high) for _ in range(n)]


def both(values):
    return [s * v for v in values for s in (1, -1)]


TINY = both([5e-324, 1e-310, 2.2250738585072014e-308, 1e-300, 1e-20, 1e-9, 2.0**-27, 1e-5, 1e-3])
SEAMS = [float(k * LN2 / 2) for k in (1, -1, 3, -3, 5, -5, 7, 101, -101)]
TURNS = [float(k * PI / 2) for k in (*range(1, 13), 99, 100, 10001, 41252, 355, 573204, 636618)]
HUGE = [2.0**k for k in range(20, 1024, 59)] + [1e6, 1000001.0, 1e22, 1e300, 1.7976931348623157e308]
# The f64 nearest to a multiple of π/2: Kahan's example.
HUGE.append(6381956970095103.0 * 2.0**797)

POINTS = {
    "exp": TINY + SEAMS + spread(40, -745, 709)
    + [*beside(709.782712893384), *beside(-708.3964185322641, -745.1332191019411, -744.4400719213812)],
    "expm1": TINY + SEAMS + spread(30, -2, 2) + spread(30, -40, 709) + [*beside(709.782712893384, -37.5)],
    "ln": [abs(v) for v in TINY + sizes(40)] + spread(30, 0.5, 2)
    + [*beside(1.0, 0.7071067811865476, 1.4142135623730951, 2.0, 0.5, 1.797693134862315e308)],
    "ln_1p": TINY + [abs(v) for v in sizes(20, -60)] + spread(40, -0.999, 2)
    + [*beside(-0.9999999999999996, -0.2928932188134524, 0.41421356237309515, 1.0, -0.5), -0.9999999999999999]
    + [2.0**53, 2.0**60, 2.0**61, 1.7976931348623157e308],
    "tanh": TINY + both(spread(50, 0, 20)) + both([*beside(0.17328679513998632, 0.5198603854199589, 19.0615)]),
    "sigmoid": TINY + both(spread(30, 0, 40)) + spread(30, -745, -40) + [-709.8, -745.0, -745.2, 36.7, 37.5],
    "erf": TINY + both([*beside(1.0), *spread(40, 0, 6), 5.86, 5.92, 6.0, 27.0]),
    "erfc": TINY + [*both(beside(0.5, 1.0)), *spread(40, -6, 26.5), 26.5, 26.54, 10.0],
    "normal": TINY + [*both(beside(0.75, 1.0)), *spread(50, -37.5, 8.2), -37.51, -8.0, 8.3, 9.0],
    "sin": TINY + both([*beside(*TURNS, steps=(0, 1)), *spread(20, 0, 1e6)]) + both(HUGE) + sizes(20, 20),
    "cos": TINY + both([*beside(*TURNS, steps=(0, 1)), *spread(20, 0, 1e6)]) + both(HUGE) + sizes(20, 20),
}

EXACT = {
    "exp": mp.exp,
    "expm1": mp.expm1,
    "ln": mp.log,
    "ln_1p": mp.log1p,
    "tanh": mp.tanh,
    "sigmoid": lambda x: 1 / (1 + mp.exp(-x)),
    "erf": mp.erf,
    "erfc": mp.erfc,
    "normal": lambda x: mp.erfc(-x / ROOT) / 2,
    "sin": mp.sin,
    "cos": mp.cos,
}


def powers():
    """Bases near 1 with large exponents, results near both ends, subnormals, whole exponents."""
    for _ in range(60):
        x = abs(sizes(1)[0])
        yield x, RANDOM.uniform(-1070, 1020) / float(mp.log(x, 2))
        x = RANDOM.uniform(0.5, 2)
        yield x, RANDOM.uniform(-50, 50)
        x = 1 + RANDOM.choice((1, -1)) * 2.0 ** -RANDOM.randint(2, 52)
        yield x, RANDOM.uniform(-740, 700) / float(mp.log(x))
        yield RANDOM.uniform(-5, 5), float(RANDOM.randint(-60, 60))
    for x in (5e-324, 1e-310, 1.7976931348623157e308, 0.7071067811865476, 1.4142135623730951, 10.0):
        for y in (0.5, 1.0, -1.0, 2.0, 1 / 3, 1e-300, 0.9999999999999999):
            yield x, y


def main():
    lines = []
    for name, points in POINTS.items():
        for x in dict.fromkeys(points):
            lines.append(f"{name} {bits(x):016x} {bits(rounded(EXACT[name](mp.mpf(x)))):016x}")
    for x, y in powers():
        lines.append(f"powf {bits(x):016x} {bits(y):016x} {bits(rounded(mp.power(mp.mpf(x), mp.mpf(y)))):016x}")
    (HERE / "exact.txt").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
