"""Corrective actions, and whether the loss came back within a window after each."""

import time
from dataclasses import asdict
from typing import Any

from audioloss_cli.model import RecoveryAttempt


class RecoveryLog:
    """Every attempt so far; those whose window still runs are judged at each point.

    An attempt has worked as long as the loss is not bad, and for good if it is not bad at the last point of the window:
    a single healthy point in a collapsed run is no recovery. A log so sparse that no point falls into the window is
    judged by the first point after it. A rollback makes the steps go back: the window then starts anew at the first
    step after it.

    Attributes:
        attempts: all of them.
        running: those that are not judged for good yet, by their index: the step at which the window starts, None for
            the next point; and the points seen in it.
    """

    def __init__(self, window: int) -> None:
        self.window = window
        self.attempts: list[RecoveryAttempt] = []
        self.running: dict[int, tuple[int | None, int]] = {}

    def record(self, step: int, action: str, *, bad: bool) -> RecoveryAttempt:
        """Add an attempt, with the time of now; where nothing is bad there is nothing to recover from."""
        attempt = RecoveryAttempt(step, action, time.time())
        if bad:
            self.running[len(self.attempts)] = (step, 0)
        self.attempts.append(attempt)
        return attempt

    def judge(self, step: int, *, bad: bool) -> None:
        """Take in whether the loss is bad at ``step``."""
        for index, (start, seen) in list(self.running.items()):
            attempt = self.attempts[index]
            begin = step if start is None else start
            if step - begin <= self.window or not seen:
                attempt.recovered, attempt.recovered_step = self._verdict(attempt, step, bad=bad)
            if step - begin >= self.window:
                attempt.recovered = bool(attempt.recovered)
                del self.running[index]
            else:
                self.running[index] = (begin, seen + 1)

    @staticmethod
    def _verdict(attempt: RecoveryAttempt, step: int, *, bad: bool) -> tuple[bool | None, int | None]:
        if bad:
            return None, None
        return True, step if attempt.recovered_step is None else attempt.recovered_step

    def restart(self) -> None:
        """The steps went back: every running window starts anew at the next step."""
        self.running = dict.fromkeys(self.running, (None, 0))

    def state_dict(self) -> dict[str, Any]:
        """Plain built-in types."""
        running = [[index, start, seen] for index, (start, seen) in self.running.items()]
        return {"attempts": [asdict(attempt) for attempt in self.attempts], "running": running}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue where ``state_dict`` was taken."""
        self.attempts = [RecoveryAttempt(**item) for item in state["attempts"]]
        self.running = {index: (start, seen) for index, start, seen in state["running"]}
