"""The ``nn`` group: layers, activations and losses with all their gradients."""

import torch
import torch.nn.functional as F

from . import nn_activations, nn_layers, nn_losses, nn_norms, nn_sequences
from .draw import Draw
from .fixture import Fixture, tolerance
from .nn_case import ModuleCase

TOL = tolerance((1e-10, 1e-12), (2e-5, 1e-6))
SCALAR_COT = 1.3


def generate(seed):
    """The fixture of the group."""
    fixture = Fixture("nn", "forward + gradients of modules, activations, losses. L = sum_k <out_k, cot_k>")
    root = Draw(seed, "nn")
    counts = {}
    for module in (nn_layers, nn_norms, nn_sequences, nn_activations, nn_losses):
        for case in module.cases(root):
            number = counts.get(case.name, 0)
            counts[case.name] = number + 1
            case_id = f"{case.name}_{number}"
            if isinstance(case, ModuleCase):
                _record_module(fixture, case_id, case, root.child(case_id))
            else:
                _record_function(fixture, case_id, case, root.child(case_id))
    return fixture


def _cotangent(draw, y):
    """Never constant: random numbers, or 1.3 for a scalar."""
    return torch.tensor(SCALAR_COT).double() if y.dim() == 0 else draw.normal(y.shape)


def _parameter(draw, name, p):
    """Weights around zero; gains of norm layers (one axis, named weight) around one."""
    gain = name.endswith("weight") and p.dim() == 1 and p.numel() > 1
    return draw.normal(p.shape, 0.3, 1.0) if gain else draw.normal(p.shape, 0.5)


def _record_module(fixture, case_id, case, draw):
    module = getattr(torch.nn, case.module)(**case.args).double()
    params = {name: _parameter(draw, name, p) for name, p in module.named_parameters()}
    buffers = {name: b.clone() for name, b in module.named_buffers()}
    if case.used_buffers:
        buffers = {
            "running_mean": draw.normal(buffers["running_mean"].shape),
            "running_var": draw.uniform(buffers["running_var"].shape, 0.3, 2.0),
            "num_batches_tracked": torch.tensor(7),
        }
    module.load_state_dict({**params, **buffers}, strict=False)
    single = len(case.inputs) == 1
    marks = [""] if single else [f".{k}" for k in range(len(case.inputs))]
    stored = {f"param/{name}": p for name, p in params.items()}
    stored |= {f"buffer/{name}": b for name, b in buffers.items()}
    for mark, inputs, mode in zip(marks, case.inputs, case.modes):
        stored |= {f"in{mark}/{name}": x for name, x in inputs.items()}
        module.train(mode == "train")
        for name, y in zip(case.outputs, _outputs(module, inputs, case)):
            if not y.is_floating_point():
                continue
            stored[f"cot{mark}/{name}"] = _cotangent(draw, y)
    meta = {
        "id": case_id,
        "kind": "module",
        "module": case.module,
        "args": case.args,
        "inputs": list(case.inputs[0]),
        "outputs": case.outputs,
        "call_kwargs": case.call_kwargs,
        "steps": [{"mode": mode} for mode in case.modes],
        "no_grad_inputs": list(case.no_grad),
        "params": list(params),
        "buffers": list(buffers),
        **({"pack": case.pack} if case.pack else {}),
        **({"note": case.note} if case.note else {}),
        "extra": case.extra,
    }
    fixture.record(meta, stored, lambda given: _call_module(case, marks, given), TOL)
    if case.module == "Hardswish":
        _second_hardswish(fixture, case_id)


def _outputs(module, inputs, case):
    """Calls ``module`` as ``pack`` says and returns its outputs as a flat list."""
    tensors, kwargs = dict(inputs), dict(case.call_kwargs)
    if case.pack == "kw":
        kwargs |= {name: tensors.pop(name) for name in list(tensors) if "mask" in name}
    args = list(tensors.values())
    if case.pack == "lstm" and len(args) == 3:
        args = [args[0], (args[1], args[2])]
    result = module(*args, **kwargs)
    flat = []
    for y in result if isinstance(result, tuple) else [result]:
        flat += list(y) if isinstance(y, tuple) else [] if y is None else [y]
    return flat


def _call_module(case, marks, given):
    """All steps of a case in the default dtype."""
    module = getattr(torch.nn, case.module)(**case.args)
    state = {key.split("/", 1)[1]: x for key, x in given.items() if key.startswith(("param/", "buffer/"))}
    module.load_state_dict(state)
    results = {}
    for mark, inputs, mode in zip(marks, case.inputs, case.modes):
        module.train(mode == "train")
        module.zero_grad()
        tensors = {name: given[f"in{mark}/{name}"] for name in inputs}
        leaves = [name for name, x in tensors.items() if x.is_floating_point() and name not in case.no_grad]
        for name in leaves:
            tensors[name].requires_grad_()
        ys = dict(zip(case.outputs, _outputs(module, tensors, case), strict=True))
        floats = {name: y for name, y in ys.items() if y.is_floating_point()}
        sum((y * given[f"cot{mark}/{name}"]).sum() for name, y in floats.items()).backward()
        results |= {f"out{mark}/{name}": y for name, y in ys.items()}
        results |= {f"grad_in{mark}/{name}": tensors[name].grad for name in leaves}
        results |= {f"grad_param{mark}/{name}": p.grad for name, p in module.named_parameters()}
        results |= {f"buffer_after{mark}/{name}": b.clone() for name, b in module.named_buffers()}
    return results


def _second_hardswish(fixture, case_id):
    """Stores the gradient older versions of PyTorch give at -3 and 3: the inner formula's."""
    fixture.cases[-1]["alt"] = "alt_grad_in/x: older torch at x = -3 and 3; accept either"
    for name, tensors in fixture.tensors.items():
        x, cot = tensors[f"{case_id}/in/x"], tensors[f"{case_id}/cot/y"]
        other = tensors[f"{case_id}/grad_in/x"].clone()
        at = x.abs() == 3
        other[at] = cot[at] * (x[at] / 3 + 0.5)
        fixture.put(case_id, name, {"alt_grad_in/x": other})


def _record_function(fixture, case_id, case, draw):
    call = getattr(F, case.fn)
    stored = {f"in/{name}": x for name, x in case.inputs.items()}
    stored["cot/y"] = _cotangent(draw, call(**case.inputs, **case.args))
    meta = {
        "id": case_id,
        "kind": case.kind,
        "fn": case.fn,
        "args": case.args,
        "inputs": list(case.inputs),
        "outputs": ["y"],
        "no_grad_inputs": list(case.no_grad),
        **({"note": case.note} if case.note else {}),
        "extra": case.extra,
    }

    def run(given):
        tensors = {name: given[f"in/{name}"] for name in case.inputs}
        leaves = [name for name, x in tensors.items() if x.is_floating_point() and name not in case.no_grad]
        for name in leaves:
            tensors[name].requires_grad_()
        y = call(**tensors, **case.args)
        (y * given["cot/y"]).sum().backward()
        return {"out/y": y, **{f"grad_in/{name}": tensors[name].grad for name in leaves}}

    fixture.record(meta, stored, run, TOL)
