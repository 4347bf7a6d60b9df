"""Axes of a tensor in letters, such as ``BKTV`` or ``(BK)TV``; a private module is no plugin."""

import re
from collections.abc import Mapping
from math import prod

import torch
from torch import Tensor

from audioloss_cli.probe.errors import UsageError

_FORM = re.compile(r"(?:[A-Z]|\([A-Z]+\))+")


def parse_axes(text: str, letters: str, needed: str, option: str) -> tuple[str, ...]:
    """``(BK)TV`` as ``("BK", "T", "V")``: one entry a dimension.

    Args:
        text: as it came.
        letters: those that may occur, each once.
        needed: those that must, in dimensions of their own or beside others.
        option: the option it came with, for the message.

    Raises:
        UsageError: it has another form.
    """
    plain = [letter for letter in text if letter not in "()"]
    wrong = len(set(plain)) != len(plain) or not set(needed) <= set(plain) <= set(letters)
    if wrong or not _FORM.fullmatch(text) or any(set("TV") <= set(group) for group in _groups(text)):
        raise UsageError(
            f"{option} {text!r} is no layout: it takes the letters {letters}, each at most once, {needed} among them; "
            "those in brackets share an axis, T and V may not"
        )
    return _groups(text)


def arranged(values: Tensor, axes: tuple[str, ...], target: str, sizes: Mapping[str, int]) -> Tensor | None:
    """The tensor with one dimension for each letter of ``target``, in that order; always a view.

    Args:
        values: has one dimension for each entry of ``axes``.
        axes: from ``parse_axes``.
        target: letters; those that ``axes`` lacks become dimensions of size 1.
        sizes: of the letters that share a dimension, all but one of each.

    Returns:
        None where the shape does not allow it.
    """
    if values.ndim != len(axes):
        return None
    for dimension in reversed(range(len(axes))):
        shape = _shape(axes[dimension], values.shape[dimension], sizes)
        if shape is None:
            return None
        values = torch.unflatten(values, dimension, shape)
    letters = "".join(axes)
    for letter in target:
        if letter not in letters:
            letters, values = letters + letter, values[..., None]
    return values.permute([letters.index(letter) for letter in target])


def _groups(text: str) -> tuple[str, ...]:
    return tuple(group.strip("()") for group in re.findall(r"\([A-Z]+\)|[A-Z]", text))


def _shape(group: str, size: int, sizes: Mapping[str, int]) -> list[int] | None:
    """Sizes of the letters that share a dimension; -1 is not left to torch, so that a misfit is no exception."""
    if len(group) == 1:
        return [size]
    open_letters = [letter for letter in group if letter not in sizes]
    known = prod(sizes[letter] for letter in group if letter in sizes)
    if len(open_letters) > 1 or not known or size % known or (not open_letters and size != known):
        return None
    return [sizes.get(letter, size // known) for letter in group]
