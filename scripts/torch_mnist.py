#!/usr/bin/env python3
"""What PyTorch's 784-256-128-10 perceptron reaches on the bundled digits, seed by seed.

usage: torch_mnist.py [--data DIR] [--seeds N] [--epochs N] [--threads N]

Trains on the first 8,000 digits, tests on the last 2,000: ReLU, Adam at 1e-3, batches of 64 in a new
order each epoch, pixels in [0, 1]. Prints `seed S test accuracy A` lines; digits.sh reads them.
"""

import argparse
import gzip
import pathlib
import struct
import time

import torch
from torch import nn

DATA = pathlib.Path(__file__).resolve().parent.parent / "crates" / "data" / "data"
TRAIN, TEST, BATCH = 8000, 2000, 64


def idx(path):
    """The bytes of an IDX file as a tensor."""
    with gzip.open(path) as file:
        (magic,) = struct.unpack(">I", file.read(4))
        if magic >> 8 != 8:
            raise SystemExit(f"{path}: not an IDX file of bytes")
        rank = magic & 0xFF
        shape = struct.unpack(f">{rank}I", file.read(4 * rank))
        return torch.frombuffer(bytearray(file.read()), dtype=torch.uint8).reshape(shape)


def accuracy_of(seed, epochs, images, labels):
    """Trains one network and returns its share of right answers on the test digits."""
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 128), nn.ReLU(), nn.Linear(128, 10))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    for _ in range(epochs):
        for rows in torch.randperm(TRAIN).split(BATCH):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(images[rows]), labels[rows]).backward()
            optimizer.step()
    with torch.no_grad():
        guesses = model(images[-TEST:]).argmax(1)
    return (guesses == labels[-TEST:]).double().mean().item()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=pathlib.Path, default=DATA)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    images = idx(args.data / "images-idx3-ubyte.gz").reshape(-1, 784).float() / 255
    labels = idx(args.data / "labels-idx1-ubyte.gz").long()
    for seed in range(args.seeds):
        start = time.perf_counter()
        accuracy = accuracy_of(seed, args.epochs, images, labels)
        print(f"seed {seed} test accuracy {accuracy:.4f} ({time.perf_counter() - start:.1f} s)", flush=True)


if __name__ == "__main__":
    main()
