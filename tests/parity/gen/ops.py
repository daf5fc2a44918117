"""The ``ops`` group: single ops with their gradients, and derivatives of higher order."""

import torch

from . import higher, op_table, ops_elementwise, ops_matmul, ops_reduce, ops_shape
from .draw import Draw
from .fixture import Fixture, tolerance

TOL = tolerance((1e-11, 1e-12), (2e-5, 1e-6))


def generate(seed):
    """The fixture of the group."""
    fixture = Fixture(
        "ops",
        "tensor ops forward + gradients; higher-order derivatives. L = sum_k <out_k, cot_k>",
        views=op_table.VIEWS,
    )
    root = Draw(seed, "ops")
    counts = {}
    for module in (ops_elementwise, ops_reduce, ops_matmul, ops_shape):
        for case in module.cases(root):
            number = counts.get(case.op, 0)
            counts[case.op] = number + 1
            _record(fixture, f"{case.op}_{number}", case, root)
    higher.record_all(fixture, root)
    return fixture


def _record(fixture, case_id, case, root):
    views = dict(case.views)
    call = op_table.function(case.op)

    def outputs(inputs):
        given = [op_table.view(x, views[str(i)]) if str(i) in views else x for i, x in enumerate(inputs)]
        result = call(*given, **case.attrs)
        return [result] if isinstance(result, torch.Tensor) else list(result)

    probe = outputs(case.inputs)
    draw = root.child(case_id)
    inputs = {f"in/{i}": x for i, x in enumerate(case.inputs)}
    for i, y in enumerate(probe):
        if y.is_floating_point():
            inputs[f"cot/{i}"] = draw.normal(y.shape)

    def run(given):
        return _call(outputs, given, case.no_grad)

    meta = {
        "id": case_id,
        "kind": "op",
        "op": case.op,
        "attrs": case.attrs,
        "n_inputs": len(case.inputs),
        "views": views,
        "no_grad_inputs": list(case.no_grad),
        "outputs": len(probe),
        **({"note": case.note} if case.note else {}),
        "extra": case.op in op_table.EXTRA,
    }
    fixture.record(meta, inputs, run, TOL)


def _call(outputs, given, no_grad):
    """Outputs and gradients of one call."""
    inputs = [given[f"in/{i}"] for i in range(sum(key.startswith("in/") for key in given))]
    wanted = [i for i, x in enumerate(inputs) if x.is_floating_point() and i not in no_grad]
    for i in wanted:
        inputs[i].requires_grad_()
    ys = outputs(inputs)
    results = {f"out/{i}": y.detach() for i, y in enumerate(ys)}
    roots = [(y, given[f"cot/{i}"]) for i, y in enumerate(ys) if y.requires_grad]
    leaves = [inputs[i] for i in wanted]
    if roots and leaves:
        ys, cots = zip(*roots)
        grads = torch.autograd.grad(ys, leaves, cots, allow_unused=True, materialize_grads=True)
    else:
        grads = [torch.zeros_like(x) for x in leaves]
    results.update({f"grad/{i}": g for i, g in zip(wanted, grads)})
    return results
