#!/usr/bin/env python3
"""The PyTorch side of the benchmark: the same ids, sizes and protocol as gradus-bench.

usage: torch_bench.py [--threads N] [--budget S] [--check] ID...

Prints one JSON line for each id:

    {"id": "mlp_small", "impl": "torch", "threads": 2, "median_s": 8.1e-4, "min_s": 7.9e-4, "iters": 2400, …}

--check trains 30 steps on one batch instead of timing and prints loss0, loss29 and the number of
parameters. Run one id in a process, as bench.sh does, or peak_rss_mb is that of the largest so far.
"""

import argparse
import json
import os
import resource
import statistics
import time

WARM_UP_S, WARM_UP_ITERATIONS = 0.5, 3
LEAST_ITERATIONS, LEAST_WHEN_SLOW, MOST_ITERATIONS = 10, 5, 5000
CHECK_STEPS = 30

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("--threads", type=int, default=2)
parser.add_argument("--budget", type=float, default=3.0, help="seconds of timed iterations")
parser.add_argument("--check", action="store_true", help="train 30 steps, print the losses")
parser.add_argument("ids", nargs="+", metavar="ID")
ARGS = parser.parse_args()
# The thread pools read these when the library is loaded.
os.environ["OMP_NUM_THREADS"] = os.environ["MKL_NUM_THREADS"] = str(ARGS.threads)

import torch  # noqa: E402
from torch import nn  # noqa: E402

torch.set_num_threads(ARGS.threads)


def peak_rss_mb():
    """The largest resident size of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def cpu_seconds():
    """CPU time of the whole machine and of this process, or None where /proc/stat is missing."""
    try:
        with open("/proc/stat") as stat:
            user, nice, system, _, _, irq, softirq = map(int, stat.readline().split()[1:8])
    except OSError:
        return None
    own = resource.getrusage(resource.RUSAGE_SELF)
    machine = (user + nice + system + irq + softirq) / os.sysconf("SC_CLK_TCK")
    return machine, own.ru_utime + own.ru_stime


def timings(iteration):
    """Warms up, then times single iterations as the protocol says."""
    clock = time.perf_counter
    start, done = clock(), 0
    while done < WARM_UP_ITERATIONS or clock() - start < WARM_UP_S:
        iteration()
        done += 1
    seconds = []
    start = clock()
    while len(seconds) < MOST_ITERATIONS:
        before = clock()
        iteration()
        after = clock()
        seconds.append(after - before)
        spent, enough = after - start, len(seconds) >= LEAST_ITERATIONS
        if (spent >= ARGS.budget and enough) or (
            spent >= 4 * ARGS.budget and len(seconds) >= LEAST_WHEN_SLOW
        ):
            break
    return seconds


def timed(iteration):
    """The numbers of one workload; ``other_cpu`` is the share of the machine that others took meanwhile."""
    start, before = time.perf_counter(), cpu_seconds()
    seconds = timings(iteration)
    wall, after = time.perf_counter() - start, cpu_seconds()
    result = {"median_s": statistics.median(seconds), "min_s": min(seconds), "iters": len(seconds)}
    if before and after:
        others = (after[0] - before[0]) - (after[1] - before[1])
        result["other_cpu"] = round(max(0.0, others / (wall * os.cpu_count())), 3)
    return result


def mlp(hidden, batch):
    """A training step of a perceptron with two hidden layers, on one batch that stays the same."""
    sizes = [784, *hidden, 10]
    layers = []
    for inputs, outputs in zip(sizes, sizes[1:]):
        layers += [nn.Linear(inputs, outputs), nn.ReLU()]
    model = nn.Sequential(*layers[:-1])
    x, y = torch.randn(batch, 784), torch.randint(10, (batch,))
    # While timing, the step is so small that the loss stays where it is: no gradient becomes denormal.
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3 if ARGS.check else 1e-6)

    def step():
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        return loss.item()

    if not ARGS.check:
        return timed(step)
    losses = [step() for _ in range(CHECK_STEPS)]
    parameters = sum(p.numel() for p in model.parameters())
    return {"loss0": losses[0], "loss29": losses[-1], "params": parameters}


def tiny_overhead():
    """1000 × (x·w + b).tanh() on eight numbers, and the way back: the cost of the bookkeeping."""
    x = torch.randn(8)
    w = torch.empty(8).uniform_(0.5, 1.0).requires_grad_()
    b = torch.empty(8).uniform_(-0.1, 0.1).requires_grad_()

    def iteration():
        w.grad = None
        b.grad = None
        h = x
        for _ in range(1000):
            h = (h * w + b).tanh()
        h.sum().backward()

    return timed(iteration)


def matmul(n, batch=(), transpose_a=False, transpose_b=False):
    """A product of square matrices, without a graph; a transposed one is a view."""
    a, b = torch.randn(*batch, n, n), torch.randn(*batch, n, n)

    def iteration():
        return (a.mT if transpose_a else a) @ (b.mT if transpose_b else b)

    with torch.no_grad():
        result = timed(iteration)
    products = batch[0] if batch else 1
    return {**result, "gflops": round(products * 2 * n**3 / result["median_s"] / 1e9, 1)}


WORKLOADS = {
    "mlp_small": lambda: mlp((256, 128), 64),
    "mlp_large": lambda: mlp((1024, 1024), 512),
    "tiny_overhead": tiny_overhead,
    "matmul_f32_256": lambda: matmul(256),
    "matmul_f32_512": lambda: matmul(512),
    "matmul_f32_1024": lambda: matmul(1024),
    "matmul_f32_2048": lambda: matmul(2048),
    "matmul_f32_256_ta": lambda: matmul(256, transpose_a=True),
    "matmul_f32_256_tb": lambda: matmul(256, transpose_b=True),
    "matmul_f32_256_b8": lambda: matmul(256, batch=(8,)),
}
TRAINING = {"mlp_small", "mlp_large"}


def main():
    base = peak_rss_mb()
    for workload in ARGS.ids:
        line = {"id": workload, "impl": "torch", "threads": ARGS.threads}
        if workload not in WORKLOADS:
            line["unsupported"] = "no such workload on the PyTorch side"
        elif ARGS.check and workload not in TRAINING:
            line["unsupported"] = "--check is for training steps"
        else:
            torch.manual_seed(1)
            line |= WORKLOADS[workload]()
            line |= {"peak_rss_mb": round(peak_rss_mb(), 1), "base_rss_mb": round(base, 1)}
        print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
