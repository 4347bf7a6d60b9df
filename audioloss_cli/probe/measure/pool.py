"""A sample of the batches of a data set, each as likely as another, side by side as one."""

import random

import torch
from torch import Tensor

from audioloss_cli.probe.measure.alignment import Audio

_BATCHES, _ROWS = 64, 512  # at most 64 batches of so many columns each: 4 MiB with 8 codebooks


class Pool:
    """Reservoir of batches whose codes and labels fit those of the first.

    Attributes:
        batches: how many it holds.
    """

    def __init__(self) -> None:
        self._kept: list[Audio] = []
        self._offered = 0
        self._random = random.Random(0)  # noqa: S311  # the same data give the same report

    @property
    def batches(self) -> int:
        """How many it holds."""
        return len(self._kept)

    def offer(self, audio: Audio) -> None:
        """Take a copy of the audio of a batch, or not."""
        rows = audio.codes if audio.codes is not None else audio.labels
        if rows is None or not len(rows) or audio.segments is None:
            return
        self._offered += 1
        place = len(self._kept) if len(self._kept) < _BATCHES else self._random.randrange(self._offered)
        if place >= _BATCHES:
            return
        kept = Audio(_copied(audio.codes), _copied(audio.labels), _copied(audio.segments))
        self._kept[place : place + 1] = [kept]

    def audio(self) -> Audio:
        """All of it in rows, the segments numbered through; empty where nothing was offered."""
        if not self._kept:
            return Audio()
        form = _form(self._kept[0])
        alike = [each for each in self._kept if _form(each) == form]
        segments, above = [], 0
        for each in alike:
            numbers = each.segments.unique_consecutive(return_inverse=True)[1] if each.segments is not None else None
            if numbers is not None:
                segments.append(numbers + above)
                above += int(numbers[-1]) + 1
        return Audio(
            _together([each.codes for each in alike]), _together([each.labels for each in alike]), torch.cat(segments)
        )


def _form(audio: Audio) -> tuple[int | None, int | None]:
    books = [None if each is None else each.shape[1] for each in (audio.codes, audio.labels)]
    return books[0], books[1]


def _copied(rows: Tensor | None) -> Tensor | None:
    return None if rows is None else rows[:_ROWS].clone()


def _together(parts: list[Tensor | None]) -> Tensor | None:
    there = [each for each in parts if each is not None]
    return torch.cat(there) if there else None
