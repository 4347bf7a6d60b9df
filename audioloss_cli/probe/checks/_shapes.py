"""What the checks of shapes share; a private module is no plugin."""

from torch import Tensor

from audioloss_cli.probe.checks._words import shape_of
from audioloss_cli.probe.measure.evidence import Evidence
from audioloss_cli.probe.model_io.layout import Field, Role

#: Roles of what belongs to the text.
TEXT: tuple[Role, ...] = ("text", "attention", "text-labels")


def misshapen(item: Field, evidence: Evidence) -> str:
    """What is wrong with the number of its dimensions; empty if nothing, or if there is nothing to judge."""
    found = evidence.batch.get(item.name)
    if not isinstance(found, Tensor) or not found.numel() or found.ndim == item.dimensions:
        return ""
    if item.other_axes and found.ndim == len(item.other_axes.split()):
        return ""
    return f"{item.name} has shape {shape_of(found)}, not [{item.axes.replace(' ', ', ')}]"


def misfit(one: Role, other: Role, evidence: Evidence) -> str:
    """How the first fields of two roles that share their axes differ in shape; empty if they do not."""
    fields = [item for item in evidence.layout.fields if item.role in (one, other)]
    found = {item.name: tensor for item in fields if isinstance(tensor := evidence.batch.get(item.name), Tensor)}
    first = {item.role: item for item in reversed(fields) if item.name in found}
    if set(first) != {one, other} or first[one].axes != first[other].axes:
        return ""
    a, b = first[one].name, first[other].name
    if found[a].shape == found[b].shape or not found[a].numel() or not found[b].numel():
        return ""
    return f"{a} has shape {shape_of(found[a])} and {b} {shape_of(found[b])}"
