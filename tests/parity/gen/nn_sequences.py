"""Recurrent layers, their cells, and attention."""

from .nn_case import FunctionCase, ModuleCase

IN, HIDDEN = 3, 2


def _cells(root):
    d = root.child("cells")
    for module, pack, states, outputs in (
        ("LSTMCell", "lstm", ["h0", "c0"], ["h", "c"]),
        ("GRUCell", "rnn", ["h0"], ["h"]),
        ("RNNCell", "rnn", ["h0"], ["h"]),
    ):
        for bias, with_state in ((True, True), (True, False), (False, True)):
            inputs = {"x": d.normal((3, IN))}
            inputs |= {name: d.normal((3, HIDDEN)) for name in states} if with_state else {}
            yield _cell(module, pack, inputs, outputs, bias=bias)
        inputs = {"x": d.normal((IN,)), **{name: d.normal((HIDDEN,)) for name in states}}
        yield _cell(module, pack, inputs, outputs, bias=True, note="unbatched")
        yield _cell(module, pack, {"x": d.normal((1, IN), 8.0)}, outputs, bias=True, note="saturated gates")
    inputs = {"x": d.normal((2, IN)), "h0": d.normal((2, HIDDEN))}
    yield _cell("RNNCell", "rnn", inputs, ["h"], bias=True, nonlinearity="relu")


def _cell(module, pack, inputs, outputs, note="", **args):
    args = {"input_size": IN, "hidden_size": HIDDEN, **args}
    return ModuleCase(module.lower(), module, args, [inputs], outputs, pack=pack, note=note)


def _layers(root):
    d = root.child("recurrent")
    for module, pack in (("LSTM", "lstm"), ("GRU", "rnn"), ("RNN", "rnn")):
        outputs = ["output", "h_n"] + (["c_n"] if module == "LSTM" else [])
        options = [{"bias": False}, {"num_layers": 2, "batch_first": True}]
        options += [{"nonlinearity": "relu"}] if module == "RNN" else []
        options += [{"proj_size": 1}] if module == "LSTM" else []
        for args in options:
            yield _layer(module, pack, {"x": d.normal((4, 2, IN))}, outputs, args)
        inputs = {"x": d.normal((3, 2, IN)), "h0": d.normal((4, 2, HIDDEN))}
        inputs |= {"c0": d.normal((4, 2, HIDDEN))} if module == "LSTM" else {}
        yield _layer(module, pack, inputs, outputs, {"num_layers": 2, "bidirectional": True})
        yield _layer(module, pack, {"x": d.normal((3, IN))}, outputs, {}, "unbatched")


def _layer(module, pack, inputs, outputs, args, note=""):
    args = {"input_size": IN, "hidden_size": HIDDEN, **args}
    return ModuleCase(module.lower(), module, args, [inputs], outputs, pack=pack, note=note)


def _attention(root):
    d = root.child("attention")
    both = ["attn_output", "attn_weights"]
    for args, q, kv, call, outputs in (
        ({"batch_first": True}, (2, 2, 4), (2, 3, 4), {}, both),
        ({"bias": False}, (2, 1, 4), (2, 1, 4), {"need_weights": False}, both[:1]),
        ({}, (2, 2, 4), (3, 2, 4), {"average_attn_weights": False}, both),
    ):
        inputs = {"q": d.normal(q), "k": d.normal(kv), "v": d.normal(kv)}
        yield ModuleCase(
            "multiheadattention",
            "MultiheadAttention",
            {"embed_dim": 4, "num_heads": 2, **args},
            [inputs],
            outputs,
            pack="kw",
            call_kwargs=call,
        )
    causal = d.bools((3, 3), 0.0)
    causal[0, 1:] = causal[1, 2] = True
    padding = d.bools((2, 3), 0.0)
    padding[1, 2] = True
    for masks in ({"attn_mask": d.normal((3, 3))}, {"attn_mask": causal, "key_padding_mask": padding}):
        inputs = {"q": d.normal((3, 2, 4)), "k": d.normal((3, 2, 4)), "v": d.normal((3, 2, 4)), **masks}
        yield ModuleCase(
            "multiheadattention",
            "MultiheadAttention",
            {"embed_dim": 4, "num_heads": 2},
            [inputs],
            both,
            pack="kw",
            no_grad=tuple(masks),
        )
    inputs = {"q": d.normal((2, 1, 4)), "k": d.normal((3, 1, 3)), "v": d.normal((3, 1, 2))}
    yield ModuleCase(
        "multiheadattention",
        "MultiheadAttention",
        {"embed_dim": 4, "num_heads": 2, "kdim": 3, "vdim": 2},
        [inputs],
        both,
        pack="kw",
        extra=True,
    )
    for args in ({}, {"norm_first": True, "activation": "gelu", "batch_first": True}):
        args = {"d_model": 4, "nhead": 2, "dim_feedforward": 3, "dropout": 0.0, **args}
        yield ModuleCase(
            "transformerencoderlayer",
            "TransformerEncoderLayer",
            args,
            [{"src": d.normal((3, 2, 4))}],
            pack="kw",
        )
    yield ModuleCase(
        "transformerencoderlayer",
        "TransformerEncoderLayer",
        {"d_model": 4, "nhead": 1, "dim_feedforward": 3, "dropout": 0.0},
        [{"src": d.normal((3, 1, 4)), "src_mask": causal}],
        pack="kw",
        no_grad=("src_mask",),
    )
    yield from _dot_product(d.child("sdpa"), causal)


def _dot_product(d, causal):
    for args in ({}, {"is_causal": True}, {"scale": 0.3}):
        inputs = {
            "query": d.normal((1, 2, 3, 4)),
            "key": d.normal((1, 2, 3, 4)),
            "value": d.normal((1, 2, 3, 2)),
        }
        yield FunctionCase("sdpa", "scaled_dot_product_attention", args, inputs, kind="functional")
    for mask in (~causal, d.normal((3, 3))):
        inputs = {
            "query": d.normal((2, 3, 2)),
            "key": d.normal((2, 3, 2)),
            "value": d.normal((2, 3, 2)),
            "attn_mask": mask,
        }
        yield FunctionCase(
            "sdpa", "scaled_dot_product_attention", {}, inputs, ("attn_mask",), kind="functional"
        )


def cases(root):
    """All cases of this module."""
    for part in (_cells, _layers, _attention):
        yield from part(root)
