"""Whether a training still has an audio loss: batches of text alone have none, and where it is gone, nothing is odd.

A total falls as nicely without the audio, so that it is not taken for it: it is said that the audio loss is missing.
"""

from collections.abc import Mapping
from random import Random

from audioloss_cli.training.losses.read import Losses
from audioloss_cli.training.response.alert_context import logger

_GONE = 100  # micro-batches in a row without any
# Micro-batches from one recomputed loss to the next: it costs too much for each of them. The gaps differ, or what is
# wrong with every second batch, or with the last micro-batch of every step, might never be seen.
_GAPS = (7, 13)


class AudioPresence:
    """Of one training.

    Attributes:
        named: whether outputs say which loss is that of the audio, though a batch of text alone has none.
        gone: whether the step is to say that the audio loss is missing.
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
        self._wait = self._without = self._number = 0

    def state_dict(self) -> dict[str, bool]:
        """Plain built-in types."""
        return {"named": self.named, "recomputed": self._recomputed}

    def load_state_dict(self, state: Mapping[str, bool]) -> None:
        """Of a training that begins now, or did a moment ago."""
        self.named, self._recomputed, self._resumed = state["named"], state["recomputed"], True

    def again(self) -> bool:
        """Whether the loss of this micro-batch may be recomputed; one without audio leaves it to the next."""
        self._wait -= 1
        return self._wait < 0

    def told_apart(self, found: Losses, number: int) -> Losses:
        """The same, but where outputs had an audio loss before, a loss that holds none is the total.

        ``number``: of the micro-batch; those in between went the short way, for they had an audio loss.
        """
        if number != self._number + 1:
            self._without = 0
        self._number, self._resumed = number, False
        if found.anew:
            self._recomputed, self._wait = True, self._random.randint(*_GAPS) - 1
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
