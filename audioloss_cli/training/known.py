"""What a guard knows, and what it takes along when a run is resumed."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from audioloss_cli.monitor import AudioLossMonitor
from audioloss_cli.training.checkpoints import Checkpoints
from audioloss_cli.training.long_way import LongWay
from audioloss_cli.training.record import Taken
from audioloss_cli.training.state import from_state, to_state
from audioloss_cli.training.watch import AUDIO


class Known(LongWay):
    """Every question is answered with all points that have arrived.

    Where several ranks train, a question that one of them asks must not make it act alone. The answer is then without
    the calm points that wait, up to ``at_once`` of them, and without the step that is on its way between the ranks.
    ``flush()`` on all ranks brings it up to date; on one alone it hangs the run.

    Attributes:
        checkpoints: those that are known.
        loop: what actions act on.
    """

    checkpoints: Checkpoints
    loop: Any

    @property
    def monitor(self) -> AudioLossMonitor:
        """Of the audio loss, with every point that has arrived; with several ranks up to ``at_once`` steps late."""
        self._drain_alone()
        return self._watch.monitors[AUDIO]

    @property
    def monitors(self) -> Mapping[str, AudioLossMonitor]:
        """Of every series that is watched: ``audio_loss``, ``logged``, ``codebook/0``, ...; late as ``monitor`` is."""
        self._drain_alone()
        return self._watch.monitors

    @property
    def taken(self) -> list[Taken]:
        """Every action, with what was done and whether the loss came back; late as ``monitor`` is."""
        self._drain_alone()
        return self.responder.ledger.taken

    @property
    def should_stop(self) -> bool:
        """Whether an action asked a plain loop to end."""
        return bool(getattr(self.loop, "stopped", False))

    @property
    def directory(self) -> Path:
        """Where files go."""
        return self.responder.directory

    def state_dict(self) -> dict[str, Any]:
        """What a resumed run needs, as plain built-in types; it changes nothing, so that one rank may ask alone.

        Losses that are still on their way from a device or from other ranks are lost unless they are flushed before,
        on all ranks.
        """
        known = to_state(self._step, self._watch, self.responder, self.checkpoints, self._looks)
        return {**known, "presence": self.presence.state_dict()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue where ``state_dict`` was taken.

        Raises:
            ValueError: the state comes from another version of the format.
        """
        self._step = from_state(state, self._watch, self.responder, self.checkpoints, self._looks)
        if "presence" in state:  # states of before have none
            self.presence.load_state_dict(state["presence"])

    def _drain_alone(self) -> None:
        if self._arrivals.alone:
            self._drain()
