"""One call of an op, as the case modules describe it."""

from dataclasses import dataclass, field

from .op_table import stored_shape

VIEW_CYCLE = ("t", "step2", "flipstride", "narrow", "expand0")


@dataclass
class OpCase:
    """``op(*inputs, **attrs)``; ``views`` maps the index of an input to the name of a view."""

    op: str
    inputs: list
    attrs: dict = field(default_factory=dict)
    views: dict = field(default_factory=dict)
    no_grad: tuple = ()
    note: str = ""


def viewed(draw, op, values, turn, **rest):
    """A case whose only input is a view; ``turn`` walks through the kinds of views.

    ``values(draw, shape)`` makes the stored tensor, of rank 3 where the view has one less.
    """
    name = VIEW_CYCLE[turn % len(VIEW_CYCLE)]
    shape = (3, *draw.shape(1, 2)) if name == "expand0" else draw.shape(2, 2)
    return OpCase(op, [values(draw, stored_shape(name, shape))], views={"0": name}, **rest)
