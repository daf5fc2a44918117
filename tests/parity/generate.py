#!/usr/bin/env python3
"""Records PyTorch runs as parity fixtures.

usage: generate.py [--seed N] [--out DIR] [--group NAME]... [--digits FILE]

Writes DIR/<group>/{manifest.json,f64.safetensors,f32.safetensors}. Without arguments it rewrites the
committed fixtures beside this file. Any other seed gives other numbers and other shapes for the same
list of cases: a user replays those against their own PyTorch. Needs torch, numpy and safetensors; the
training runs read the digits of crates/data (--digits names another images-idx3-ubyte.gz).
"""

import argparse
import importlib
import pathlib
import warnings

import torch

GROUPS = ("ops", "optim", "sched", "amp", "clip", "nn", "training")
HERE = pathlib.Path(__file__).resolve().parent


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--out", type=pathlib.Path, default=HERE / "fixtures")
    parser.add_argument("--group", action="append", choices=GROUPS, help="only this group (may repeat)")
    parser.add_argument("--digits", help="the IDX file of the images, its labels beside it")
    args = parser.parse_args()
    torch.set_num_threads(1)
    warnings.filterwarnings("ignore")
    for group in args.group or GROUPS:
        options = {"digits": args.digits} if group == "training" and args.digits else {}
        fixture = importlib.import_module(f"gen.{group}").generate(args.seed, **options)
        count, size = fixture.write(args.out)
        print(f"{group}: {count} cases, {size / 1e3:.0f} kB")
        if fixture.widened:
            print(f"  wider float32 tolerance: {' '.join(fixture.widened)}")


if __name__ == "__main__":
    main()
