"""A fixture folder: the manifest and the two tensor files, and the checks made while writing."""

import json
import math

import torch
from safetensors.torch import save_file

FORMAT = 1
DTYPES = {"f64": torch.float64, "f32": torch.float32}


class Fixture:
    """The cases of one group with their tensors in float64 and float32."""

    def __init__(self, group, what, **header):
        self.header = {"format": FORMAT, "group": group, "what": what, "torch": version(), **header}
        self.group = group
        self.cases, self.widened = [], []
        self.tensors = {name: {} for name in DTYPES}

    def shared(self, key, value):
        """Stores a folder-wide tensor (an input)."""
        for name, dtype in DTYPES.items():
            self._store(name, key, cast(value, dtype))

    def record(self, case, inputs, run, tol):
        """Runs a case in both dtypes, stores it and returns the results of each.

        ``inputs`` are stored as they are; ``run`` takes their copies in one dtype and returns the
        result tensors.
        """
        results = {}
        for name, dtype in DTYPES.items():
            given = {key: cast(value, dtype) for key, value in inputs.items()}
            with default_dtype(dtype):
                results[name] = run({key: value.clone() for key, value in given.items()})
            for key, value in {**given, **results[name]}.items():
                self._store(name, f"{case['id']}/{key}", value)
        if results["f64"].keys() != results["f32"].keys():
            raise ValueError(f"{case['id']}: the two runs gave different results")
        self.finish(case, results, tol)
        return results

    def finish(self, case, results, tol):
        """Adds the measured errors and the tolerance to ``case`` and appends it.

        Where PyTorch's own float32 run uses up half of the tolerance, the case is ill-conditioned:
        its float32 tolerance becomes four times that error, and ``widened`` names it.
        """
        tol = {name: dict(bounds) for name, bounds in tol.items()}
        error, elementwise, excess = compare(results["f64"], results["f32"], tol["f32"])
        if excess > 0.5:
            self.widened.append(case["id"])
            tol["f32"]["rtol"] = rounded(max(tol["f32"]["rtol"], 4 * error))
        case["torch_f32_err"] = error
        case["tol"] = tol
        if elementwise < 1e-3:
            case["elem_rtol"] = {"f64": 1e-12, "f32": rounded(max(2e-6, 4 * elementwise))}
        bad = sorted(
            k
            for k, v in results["f64"].items()
            if v.is_floating_point() and not bool(torch.isfinite(v).all())
        )
        if bad:
            case["nonfinite"] = bad
        self.cases.append(case)

    def put(self, case_id, name, tensors):
        """Stores tensors of a case in the file of one dtype."""
        for key, value in tensors.items():
            self._store(name, f"{case_id}/{key}", value)

    def _store(self, name, key, value):
        if key in self.tensors[name]:
            raise ValueError(f"{self.group}: {key} is stored twice")
        value = value.detach()
        if value.dtype == torch.bool:
            value = value.to(torch.uint8)
        self.tensors[name][key] = value.clone(memory_format=torch.contiguous_format)

    def write(self, folder):
        """Writes the sub-folder of this group and returns (cases, bytes)."""
        ids = [case["id"] for case in self.cases]
        if len(set(ids)) != len(ids):
            raise ValueError(f"{self.group}: an id is used twice")
        out = folder / self.group
        out.mkdir(parents=True, exist_ok=True)
        head = {**self.header, "count": len(self.cases)}
        lines = ",\n".join("  " + dumps(case) for case in self.cases)
        text = dumps(head)[:-1] + ',\n "cases": [\n' + lines + "\n]}\n"
        (out / "manifest.json").write_text(text)
        if self.tensors["f64"]:
            for name, tensors in self.tensors.items():
                save_file(tensors, out / f"{name}.safetensors")
                (out / f"{name}.safetensors").chmod(0o644)
        return len(ids), sum(path.stat().st_size for path in out.iterdir())


class default_dtype:
    """Sets PyTorch's default dtype, which is also that of an optimizer's counters."""

    def __init__(self, dtype):
        self.dtype = dtype

    def __enter__(self):
        self.before = torch.get_default_dtype()
        torch.set_default_dtype(self.dtype)

    def __exit__(self, *_):
        torch.set_default_dtype(self.before)


def cast(value, dtype):
    """Floats in ``dtype``, everything else unchanged."""
    return value.to(dtype) if value.is_floating_point() else value


def compare(exact, single, tol):
    """The float32 error: relative to the largest number, element by element, and as a share of ``tol``."""
    error = elementwise = excess = 0.0
    for key, want in exact.items():
        got = single[key].double()
        if not want.is_floating_point():
            if not torch.equal(want.double(), got):
                raise ValueError(f"{key}: integers differ between the dtypes")
            continue
        finite = torch.isfinite(want) & torch.isfinite(got)
        if not finite.any():
            continue
        want, got = want[finite], got[finite]
        distance, size = (got - want).abs(), want.abs().max().item()
        if size > 0:
            error = max(error, distance.max().item() / size)
        far = want != 0
        if far.any():
            elementwise = max(elementwise, (distance[far] / want[far].abs()).max().item())
        excess = max(excess, distance.max().item() / (tol["atol"] + tol["rtol"] * size))
    return error, elementwise, excess


def tolerance(f64, f32):
    """``{f64: {rtol, atol}, f32: …}`` from two pairs."""
    return {name: {"rtol": rtol, "atol": atol} for name, (rtol, atol) in (("f64", f64), ("f32", f32))}


def rounded(x):
    """Two significant digits."""
    return float(f"{x:.1e}")


def plain(value):
    """JSON with PyTorch's values in it: tensors become numbers, non-finite numbers strings."""
    if isinstance(value, torch.Tensor):
        return plain(value.item() if value.dim() == 0 else value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return "nan" if math.isnan(value) else "inf" if value > 0 else "-inf"
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    return value


def dumps(value):
    """One line of JSON."""
    return json.dumps(plain(value), allow_nan=False)


def version():
    """PyTorch's version without the build suffix."""
    return torch.__version__.split("+")[0]
