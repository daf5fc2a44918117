#!/usr/bin/env python3
"""Reads the JSON lines of both sides of the benchmark from stdin and prints a table."""

import json
import sys

# Share of the machine's CPU taken by others above which a figure is marked (!): measure again.
OTHER_CPU_LIMIT = 0.05
UNITS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns"))


def duration(seconds):
    """Seconds in the unit that suits them, e.g. 812 µs."""
    for size, unit in UNITS:
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds:.3g} s"


def cell(line):
    """What one side has to say about one workload."""
    if line is None:
        return "-"
    if "unsupported" in line:
        return "unsupported"
    if "loss0" in line:
        return f"{line['loss0']:.4f} → {line['loss29']:.4f} ({line['params']})"
    if line["id"] == "record_neg":
        return f"{duration(line['min_s'])} (min)"
    disturbed = " (!)" if line.get("other_cpu", 0) > OTHER_CPU_LIMIT else ""
    _, _, variant = line["impl"].partition("-")
    return f"{duration(line['median_s'])} {variant}".rstrip() + disturbed


def rivals(sides):
    """The faster one where PyTorch has a line for each memory layout; all of its ways to run an optimizer."""
    if any(side["impl"] == "torch-default" for side in sides):
        return sides
    return [best(sides)]


def best(sides):
    timed = [side for side in sides if "median_s" in side]
    return min(timed, key=lambda side: side["median_s"]) if timed else next(iter(sides), None)


def main():
    """A row is printed as soon as the workload after it begins."""
    row = "{:<20} {:>26} {:>26} {:>13}"
    print(row.format("workload", "gradus", "torch", "torch/gradus"), flush=True)
    sides, current = {}, None

    def flush():
        gradus = sides.get("gradus")
        for torch in rivals([s for i, s in sides.items() if i != "gradus"]):
            timed = all(side and "median_s" in side for side in (gradus, torch))
            ratio = f"{torch['median_s'] / gradus['median_s']:.2f}" if timed else ""
            print(row.format(current, cell(gradus), cell(torch), ratio), flush=True)

    for text in sys.stdin:
        line = json.loads(text)
        if line["id"] != current:
            if current is not None:
                flush()
            sides, current = {}, line["id"]
        sides[line["impl"]] = line
    if current is not None:
        flush()


if __name__ == "__main__":
    main()
