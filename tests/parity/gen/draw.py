"""Seeded numbers. Everything drawn here is exactly representable in float32."""

import zlib

import torch


class Draw:
    """A random source named by a path.

    The stream depends on the seed and on the path alone, so a new case changes no other case.
    Floats come back as float64 tensors that hold float32 values: the float32 run of a case starts
    from the same numbers as the float64 run.
    """

    def __init__(self, seed, path):
        self.seed, self.path = seed, path
        mixed = (seed * 0x9E3779B1 + zlib.crc32(path.encode())) % 2**63
        self.generator = torch.Generator().manual_seed(mixed)

    def child(self, name):
        """The source named ``path/name``; independent of what was drawn here."""
        return Draw(self.seed, f"{self.path}/{name}")

    def normal(self, shape, scale=1.0, shift=0.0):
        """Normal numbers with standard deviation ``scale`` around ``shift``."""
        x = torch.randn(shape, generator=self.generator, dtype=torch.float32)
        return exact(x.double() * scale + shift)

    def uniform(self, shape, low, high):
        """Uniform numbers in [low, high)."""
        x = torch.rand(shape, generator=self.generator, dtype=torch.float32)
        return exact(x.double() * (high - low) + low)

    def away(self, shape, gap=0.3):
        """Normal numbers pushed away from zero by ``gap``, on both sides."""
        x = self.normal(shape)
        return exact(x + torch.where(x < 0, -gap, gap))

    def distinct(self, shape, spacing=0.125):
        """A shuffled grid around zero: no two numbers are equal, so no maximum is a tie."""
        count = torch.Size(shape).numel()
        order = torch.randperm(count, generator=self.generator).double()
        return exact((order - count / 2 + 0.3) * spacing).reshape(shape)

    def ints(self, shape, low, high):
        """Integers in [low, high)."""
        return torch.randint(low, high, shape, generator=self.generator, dtype=torch.int64)

    def bools(self, shape, share=0.5):
        """Booleans, true with probability ``share``."""
        return torch.rand(shape, generator=self.generator) < share

    def below(self, bound):
        """One integer in [0, bound)."""
        return int(torch.randint(bound, (), generator=self.generator))

    def pick(self, items):
        """One of ``items``."""
        return items[self.below(len(items))]

    def shape(self, rank, low=1, high=4):
        """A shape whose axes lie in [low, high]."""
        return tuple(low + self.below(high - low + 1) for _ in range(rank))

    def broadcastable(self, shape):
        """A shape that broadcasts to ``shape``: some axes become 1, leading ones may vanish."""
        kept = tuple(1 if self.below(2) else n for n in shape)
        return kept[self.below(len(shape) + 1) :] if shape else kept


def exact(x):
    """``x`` rounded to float32, as float64."""
    return x.to(torch.float32).double()


def listed(*values):
    """A one-dimensional tensor of the given numbers, rounded to float32."""
    return exact(torch.tensor(values, dtype=torch.float64))
