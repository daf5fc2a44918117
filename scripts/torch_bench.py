#!/usr/bin/env python3
"""The PyTorch side of the benchmark: the same ids, sizes and protocol as gradus-bench.

usage: torch_bench.py [--threads N] [--budget S] [--check] ID...

Prints one JSON line for each id, or one for each memory layout of a convolution
and each of PyTorch's ways of running an optimizer:

    {"id": "mlp_small", "impl": "torch", "threads": 2, "median_s": 8.1e-4, "min_s": 7.9e-4, "iters": 2400, …}

--check trains 30 steps on one batch instead of timing and prints loss0, loss29 and the number of
parameters. Run one id in a process, as bench.sh does, or peak_rss_mb is that of the largest so far.
"""

import argparse
import functools
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

    return training_step(model, optimizer, lambda: nn.functional.cross_entropy(model(x), y))


def training_step(model, optimizer, loss_of):
    """Times a step, or trains a few for ``--check``."""

    def step():
        optimizer.zero_grad()
        loss = loss_of()
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


def mnist_cnn(layout):
    """A training step of PyTorch's MNIST network without its dropout; ``layout`` is that of the images."""
    model = nn.Sequential(
        nn.Conv2d(1, 32, 3), nn.ReLU(), nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(9216, 128), nn.ReLU(), nn.Linear(128, 10), nn.LogSoftmax(1),
    ).to(memory_format=layout)
    x = torch.randn(64, 1, 28, 28).to(memory_format=layout)
    y = torch.randint(10, (64,))
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-2 if ARGS.check else 1e-6, momentum=0.9)
    return training_step(model, optimizer, lambda: nn.functional.nll_loss(model(x), y))


def matmul(n, batch=(), transpose_a=False, transpose_b=False, dtype=torch.float32):
    """A product of square matrices, without a graph; a transposed one is a view."""
    a, b = torch.randn(*batch, n, n).to(dtype), torch.randn(*batch, n, n).to(dtype)

    def iteration():
        return (a.mT if transpose_a else a) @ (b.mT if transpose_b else b)

    with torch.no_grad():
        result = timed(iteration)
    products = batch[0] if batch else 1
    return {**result, "gflops": round(products * 2 * n**3 / result["median_s"] / 1e9, 1)}


def add(n):
    """A sum of two vectors, allocated by the operation."""
    x, y = torch.randn(n), torch.randn(n)
    with torch.no_grad():
        return timed(lambda: x + y)


def there_and_back(leaves, forward):
    """``forward().sum().backward()``, with gradients cleared before."""

    def iteration():
        for leaf in leaves:
            leaf.grad = None
        forward().sum().backward()

    return timed(iteration)


def gelu():
    x = torch.randn(16 << 20, requires_grad=True)
    return there_and_back([x], lambda: nn.functional.gelu(x))


def softmax():
    x = torch.randn(4096, 4096, requires_grad=True)
    return there_and_back([x], lambda: x.softmax(-1))


def layer_norm():
    x, layer = torch.randn(8192, 1024, requires_grad=True), nn.LayerNorm(1024)
    return there_and_back([x, *layer.parameters()], lambda: layer(x))


def convolution(what, layer, layout):
    """One layer of ``mnist_cnn`` or ``cnn_bn``: forward, gradient of the input, gradient of the parameters."""
    inputs, outputs, size, padding = CONVOLUTIONS[layer]
    x = torch.randn(64, inputs, size, size).to(memory_format=layout)
    w = (torch.randn(outputs, inputs, 3, 3) * 0.1).to(memory_format=layout)
    b, pads = torch.randn(outputs), [padding, padding]
    with torch.no_grad():
        y = nn.functional.conv2d(x, w, b, padding=padding)
        g = torch.randn(y.shape).to(memory_format=layout)
        if what == "fwd":
            result = timed(lambda: nn.functional.conv2d(x, w, b, padding=padding))
        else:
            wanted = [what == "dx", what == "dw", what == "dw"]
            ones, zeros = [1, 1], [0, 0]
            back = torch.ops.aten.convolution_backward
            result = timed(lambda: back(g, x, w, [outputs], ones, pads, ones, False, zeros, 1, wanted))
    flops = 2 * 9 * inputs * y.numel()
    return {**result, "gflops": round(flops / result["median_s"] / 1e9, 1)}


def parameters():
    """Ten million parameters in 50 tensors, with gradients."""
    params = []
    for count, shape in SHAPES:
        for _ in range(count):
            params.append(torch.randn(shape).mul_(0.02).requires_grad_())
            params[-1].grad = torch.randn(shape) * 0.01
    return params


def optimizer_step(name, options, choice):
    """``step()`` only; of Muon on the matrices."""
    params = [p for p in parameters() if name != "Muon" or p.dim() == 2]
    try:
        optimizer = getattr(torch.optim, name)(params, lr=1e-6, **options, **choice)
    except (TypeError, RuntimeError) as e:
        return {"unsupported": str(e)[:200]}
    return timed(optimizer.step)


def clip_norm(choice):
    """Iteration i clips to 0.999ⁱ times the norm of the first, so that there is always something to shrink."""
    params = parameters()
    max_norm = float(nn.utils.get_total_norm([p.grad for p in params]))

    def iteration():
        nonlocal max_norm
        max_norm *= 0.999
        nn.utils.clip_grad_norm_(params, max_norm, **choice)

    return timed(iteration)


SHAPES = (
    (2, (1024, 1024)), (8, (768, 768)), (10, (512, 512)), (10, (256, 128)),
    (5, (64, 64, 3, 3)), (10, (1024,)), (4, (128,)), (1, (40064,)),
)
OPTIMIZERS = {
    "opt_sgdm_10m": ("SGD", {"momentum": 0.9}),
    "opt_adam_10m": ("Adam", {}),
    "opt_adamw_10m": ("AdamW", {"weight_decay": 0.01}),
    "opt_sgd_10m": ("SGD", {}),
    "opt_adagrad_10m": ("Adagrad", {}),
    "opt_rmsprop_10m": ("RMSprop", {}),
    "opt_adadelta_10m": ("Adadelta", {}),
    "opt_adamax_10m": ("Adamax", {}),
    "opt_nadam_10m": ("NAdam", {}),
    "opt_radam_10m": ("RAdam", {}),
    "opt_asgd_10m": ("ASGD", {}),
    "opt_rprop_10m": ("Rprop", {}),
    "opt_adafactor_10m": ("Adafactor", {}),
    "opt_muon_10m": ("Muon", {}),
}
# How PyTorch runs a step: tensor by tensor, in lists of tensors, or in one fused pass.
WAYS = {
    "torch-default": {},
    "torch-foreach": {"foreach": True},
    "torch-fused": {"fused": True},
    "torch-forloop": {"foreach": False},
}
# These have a line for each way.
STEPS = {
    name: functools.partial(optimizer_step, *of) for name, of in OPTIMIZERS.items()
} | {"clip_norm_10m": clip_norm}


# Channels in, channels out, height and width of the input, padding; 64 images, 3 x 3.
CONVOLUTIONS = {
    "mnist1": (1, 32, 28, 0),
    "mnist2": (32, 64, 26, 0),
    "cnn1": (3, 32, 32, 1),
    "cnn2": (32, 64, 16, 1),
    "cnn3": (64, 128, 8, 1),
}
LAYOUTS = {"torch": torch.contiguous_format, "torch-nhwc": torch.channels_last}
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
    "matmul_bf16_1024": lambda: matmul(1024, dtype=torch.bfloat16),
    "matmul_f16_1024": lambda: matmul(1024, dtype=torch.float16),
    "add_16m": lambda: add(16 << 20),
    "elementwise_gelu_16m": gelu,
    "softmax_4096x4096": softmax,
    "layernorm_8192x1024": layer_norm,
}
# These have a layout of images, and a line for each.
IMAGES = {"mnist_cnn": mnist_cnn} | {
    f"conv_{what}_{layer}": functools.partial(convolution, what, layer)
    for what in ("fwd", "dx", "dw")
    for layer in CONVOLUTIONS
    if what != "dx" or layer not in ("mnist1", "cnn1")
}
TRAINING = {"mlp_small", "mlp_large", "mnist_cnn"}


def main():
    base = peak_rss_mb()
    for workload in ARGS.ids:
        sides = {"torch": WORKLOADS.get(workload)}
        if workload in IMAGES:
            run = IMAGES[workload]
            sides = {impl: functools.partial(run, layout) for impl, layout in LAYOUTS.items()}
        if workload in STEPS:
            run = STEPS[workload]
            ways = {w: c for w, c in WAYS.items() if workload != "clip_norm_10m" or "fused" not in c}
            sides = {impl: functools.partial(run, choice) for impl, choice in ways.items()}
        for impl, run in sides.items():
            line = {"id": workload, "impl": impl, "threads": ARGS.threads}
            if run is None:
                line["unsupported"] = "no such workload on the PyTorch side"
            elif ARGS.check and workload not in TRAINING:
                line["unsupported"] = "--check is for training steps"
            else:
                torch.manual_seed(1)
                line |= run()
                line |= {"peak_rss_mb": round(peak_rss_mb(), 1), "base_rss_mb": round(base, 1)}
            print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
