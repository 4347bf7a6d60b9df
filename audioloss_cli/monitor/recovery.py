"""Corrective actions, and whether the loss came back within a window after each."""

import time
from dataclasses import asdict
from typing import Any

from audioloss_cli.records import RecoveryAttempt


class RecoveryLog:
    """Every attempt so far; those whose window still runs are judged at each point.

    A rollback makes the steps go back. The window of an attempt then starts anew at the first step after the rollback.
    """

    def __init__(self, window: int) -> None:
        self.window = window
        self.attempts: list[RecoveryAttempt] = []
        self._running: dict[int, int | None] = {}  # index of the attempt -> step at which its window starts

    @property
    def running(self) -> bool:
        """Whether some attempt is not judged yet."""
        return bool(self._running)

    def record(self, step: int, action: str) -> RecoveryAttempt:
        """Add an attempt, with the time of now."""
        attempt = RecoveryAttempt(step, action, time.time())
        self._running[len(self.attempts)] = step
        self.attempts.append(attempt)
        return attempt

    def judge(self, step: int, *, firing: bool) -> None:
        """Take in whether anything fires at ``step``: back means True, still firing a window later means False."""
        for index, start in list(self._running.items()):
            attempt = self.attempts[index]
            if not firing:
                attempt.recovered, attempt.recovered_step = True, step
            elif start is None:
                self._running[index] = step
            elif step - start >= self.window:
                attempt.recovered = False
            if attempt.recovered is not None:
                del self._running[index]

    def restart(self) -> None:
        """The steps went back: every running window starts anew at the next step."""
        self._running = dict.fromkeys(self._running)

    def state_dict(self) -> dict[str, Any]:
        """Plain built-in types."""
        return {"attempts": [asdict(attempt) for attempt in self.attempts], "running": list(self._running.items())}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue where ``state_dict`` was taken."""
        self.attempts = [RecoveryAttempt(**item) for item in state["attempts"]]
        self._running = {index: start for index, start in state["running"]}  # noqa: C416  # JSON gives lists, not pairs
