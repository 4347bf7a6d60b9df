"""The losses of each micro-batch: read in the way of its model family, measured at some steps, and never an error."""

from time import perf_counter
from typing import Any

from audioloss_cli.training.batches.examine import Examiner
from audioloss_cli.training.batches.recent import named_batch
from audioloss_cli.training.losses.agreement import Agreement
from audioloss_cli.training.losses.audio_presence import AudioPresence
from audioloss_cli.training.losses.read import Losses, read_losses
from audioloss_cli.training.response.alert_context import logger


class LossReader:
    """Reads one micro-batch after the other.

    Args:
        examiner: knows the family of the model.

    Attributes:
        presence: whether the training still has an audio loss.
        agreement: whether what is trained is what logits and labels give.
        batches: micro-batches that were read.
    """

    def __init__(self, examiner: Examiner) -> None:
        self._examiner = examiner
        self.presence, self.agreement = AudioPresence(), Agreement()
        self.batches = 0
        self._begins, self._measures, self._complained = True, False, False

    def begin(self) -> None:
        """A training begins."""
        self.presence.begin()
        self.agreement.begin()
        self._begins = True

    def step_ends(self) -> None:
        """The next micro-batch is of another step, all of whose micro-batches are measured or none."""
        self._begins = True

    def read(self, loss: Any, outputs: Any, batch: Any, *, at_once: bool) -> Losses:
        """The losses of a micro-batch, see ``read_losses``; what cannot be read is said once, and ends no training.

        ``at_once``: whether numbers lie on the CPU; on a device the host looks into nothing.
        """
        self.batches += 1
        if self._begins:
            self._begins, self._measures = False, self.agreement.due()
        measure = self._measures and outputs is not None
        start, again = perf_counter() if measure else 0.0, self.presence.again()
        try:
            if outputs is None:
                return Losses() if loss is None else Losses(audio=loss)
            found = read_losses(
                loss,
                outputs,
                named_batch(batch),
                self._examiner.layout,
                again=again,
                adapter=self._examiner.adapter,
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
