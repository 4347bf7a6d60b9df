"""The losses of a step: read of each micro-batch, put together as one, and whether there is any of the audio left.

Batches of text alone have none, and where it is gone, nothing is odd: a total falls as nicely without the audio, so
that it is not taken for it, and it is said that the audio loss is missing.
"""

from collections.abc import Collection, Mapping
from random import Random
from time import perf_counter
from typing import Any

import torch
from torch import Tensor

from audioloss_cli.training.batches.examine import Examiner
from audioloss_cli.training.losses.agreement import Agreement
from audioloss_cli.training.losses.outputs import number_of
from audioloss_cli.training.losses.read import Losses, read_losses
from audioloss_cli.training.response.alert_context import logger
from audioloss_cli.training.transport.scalar_layout import CODEBOOKS, TOGETHER

_GONE = 100  # micro-batches in a row without any
# Micro-batches from one recomputed loss to the next: it costs too much for each of them. The gaps differ, or what is
# wrong with every second batch, or with the last micro-batch of every step, might never be seen.
_GAPS = (7, 13)


class LossReader:
    """Reads one micro-batch after the other.

    Args:
        examiner: knows the family of the model.

    Attributes:
        presence: whether the training still has an audio loss.
        agreement: whether what is trained is what logits and labels give.
        batches: micro-batches that were read.
        begins: whether the next one is the first of its step, all of whose micro-batches are measured or none.
    """

    def __init__(self, examiner: Examiner) -> None:
        self._examiner = examiner
        self.presence, self.agreement = AudioPresence(), Agreement()
        self.batches = 0
        self.begins, self._measures, self._complained = True, False, False

    def begin(self) -> None:
        """A training begins."""
        self.presence.begin()
        self.agreement.begin()
        self.begins = True

    def read(self, loss: Any, outputs: Any, batch: Any, *, at_once: bool) -> Losses:
        """The losses of a micro-batch, see ``read_losses``; what cannot be read is said once, and ends no training.

        Args:
            loss: of the loop; None if it gives none.
            outputs: of the model; None if they are not shown.
            batch: by name, see ``named_batch``.
            at_once: whether numbers lie on the CPU; on a device the host looks into nothing.
        """
        self.batches += 1
        if self.begins:
            self.begins, self._measures = False, self.agreement.due()
        if outputs is None:
            return Losses() if loss is None else Losses(audio=loss)
        measure, adapter = self._measures, self._examiner.adapter
        start = perf_counter() if measure else 0.0
        try:
            found = read_losses(
                loss,
                outputs,
                batch,
                None if adapter is None else adapter.layout,
                again=self.batches >= self.presence.again_from,
                adapter=adapter,
                measure=measure,
                wait=at_once,
                difference=self.agreement.part_is_audio,
            )
        except Exception as error:  # noqa: BLE001  # outputs that nobody foresaw
            found = Losses()
            found.odd = [f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"]
        if found.odd and not self._complained:
            self._complained = True
            logger.warning("a loss cannot be read: %s", "; ".join(found.odd))
        if measure:
            if at_once:
                self.agreement.note(found)
            self.agreement.took(perf_counter() - start)
        return self.presence.told_apart(found, self.batches)


class AudioPresence:
    """Of one training.

    Attributes:
        named: whether outputs say which loss is that of the audio, though a batch of text alone has none.
        gone: whether the step is to say that the audio loss is missing.
        again_from: number of the micro-batch from which on the loss may be recomputed; one without audio leaves it to
            the next.
    """

    def __init__(self) -> None:
        self._random = Random(0)  # noqa: S311  # no secret, and the same in every run
        self.named = self._recomputed = self._resumed = False
        self.begin()

    def begin(self) -> None:
        """A training begins, perhaps not the first; what was resumed is of it."""
        if not self._resumed:
            self.named = self._recomputed = False
        self.gone = self._resumed = False
        self.again_from = self._without = self._number = 0

    def state_dict(self) -> dict[str, bool]:
        """Plain built-in types."""
        return {"named": self.named, "recomputed": self._recomputed}

    def load_state_dict(self, state: Mapping[str, bool]) -> None:
        """Of a training that begins now, or did a moment ago."""
        self.named, self._recomputed, self._resumed = state["named"], state["recomputed"], True

    def told_apart(self, found: Losses, number: int) -> Losses:
        """The same, but where outputs had an audio loss before, a loss that holds none is the total.

        ``number``: of the micro-batch; those in between went the short way, for they had an audio loss.
        """
        if number != self._number + 1:
            self._without = 0
        self._number, self._resumed = number, False
        if found.anew:
            self._recomputed, self.again_from = True, number + self._random.randint(*_GAPS)
        if found.named or found.anew:
            self.named = self.named or found.named
            self._without = 0
        elif self.named or found.silent or (self._recomputed and found.mixed and "audio" in found and not found.apart):
            self._no_audio(found)
        elif found:
            self._without = 0  # there is one, though it is not taken out of this total
        return found

    def _no_audio(self, found: Losses) -> None:
        self._without += 1
        if self._without > _GONE and (self.named or self._recomputed):
            logger.warning("no audio loss in %d batches", _GONE)
            self.gone, self._without = True, 0
        if "audio" in found:
            found["total"] = found.pop("audio")
            found.own = ("total",) if found.own else ()


class MicroBatches:
    """Means over the micro-batches that had a value, taken where the values lie."""

    def __init__(self) -> None:
        self._values: dict[str, Any] = {}
        self._counts: dict[str, int] = {}
        self._noted: dict[str, Any] = {}

    def add(self, values: dict[str, Any], summed: Collection[str] = (), *, copy: bool = False) -> None:
        """Take in one micro-batch.

        Args:
            values: by name; the mapping is the step's from now on.
            summed: names of parts of a sum, already divided by the accumulation.
            copy: whether the loop may change its tensors before the step ends, as ``loss /= 4`` does.
        """
        if not self._values:
            for name, value in values.items() if copy else ():
                if type(value) is not float:
                    values[name] = _kept(value)
            self._values = values
            return
        if TOGETHER in values or TOGETHER in self._values:
            values = self._alike(values)
        for name, value in values.items():
            if name in self._values:
                before = self._values[name]
                self._values[name] = _summand(before) + _summand(value)
                self._counts[name] = self._counts.get(name, 1) + (name not in summed)
            else:
                self._values[name] = _kept(value) if copy else value

    def note(self, name: str, value: Any) -> None:
        """A value that belongs to the step as a whole."""
        self._noted[name] = value

    def close(self) -> dict[str, Any]:
        """The values of the step; the next call of ``add`` begins another."""
        values, counts = self._values, self._counts
        if counts:
            values = {name: value / counts.get(name, 1) for name, value in values.items()}
            self._counts = {}
        if self._noted:
            values, self._noted = {**values, **self._noted}, {}
        self._values = {}
        return values

    def _alike(self, values: dict[str, Any]) -> dict[str, Any]:
        """Codebooks that lie together can be added to as many others alone: else all of them go by name."""
        kept = self._values
        widths = {len(each[TOGETHER]) for each in (kept, values) if TOGETHER in each}
        if len(widths) == 1 and not any(name in each for name in CODEBOOKS for each in (kept, values)):
            return values
        count = self._counts.pop(TOGETHER, 1)
        if TOGETHER in kept:
            self._counts.update(dict.fromkeys(CODEBOOKS[: len(kept[TOGETHER])], count))
        self._values = _apart(kept)
        return _apart(values)


def _apart(values: dict[str, Any]) -> dict[str, Any]:
    """No wait: what was one tensor is seen through several."""
    if TOGETHER not in values:
        return values
    each = dict(zip(CODEBOOKS, values[TOGETHER].detach().unbind(), strict=False))
    return {**{name: value for name, value in values.items() if name != TOGETHER}, **each}


def _summand(value: Any) -> Any:
    """In float32 at least: a sum in bfloat16 would be rounded to an eighth of a nat or so."""
    value = number_of(value)
    return value.detach().to(torch.promote_types(value.dtype, torch.float32)) if isinstance(value, Tensor) else value


def _kept(value: Any) -> Any:
    value = number_of(value)
    return value.detach().clone() if isinstance(value, Tensor) else value
