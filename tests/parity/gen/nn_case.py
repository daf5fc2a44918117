"""A layer or a loss, as the case modules describe it."""

from dataclasses import dataclass, field


@dataclass
class ModuleCase:
    """``torch.nn.<module>(**args)`` called once for each entry of ``steps``.

    ``inputs`` is a list with one dict (name: tensor, in call order) for each step. ``pack`` says how
    they are passed: ``lstm`` (x, (h0, c0)), ``rnn`` (x, h0), ``kw`` masks by keyword.
    """

    name: str
    module: str
    args: dict
    inputs: list
    outputs: list = field(default_factory=lambda: ["y"])
    modes: tuple = ("train",)
    pack: str = ""
    call_kwargs: dict = field(default_factory=dict)
    no_grad: tuple = ()
    used_buffers: bool = False
    note: str = ""
    extra: bool = False


@dataclass
class FunctionCase:
    """``torch.nn.functional.<fn>(**inputs, **args)``."""

    name: str
    fn: str
    args: dict
    inputs: dict
    no_grad: tuple = ()
    kind: str = "loss"
    note: str = ""
    extra: bool = False
