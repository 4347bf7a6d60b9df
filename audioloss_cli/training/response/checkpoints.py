"""The checkpoints of a run, and which of them was written before anything went wrong."""

from collections.abc import Callable, Iterable
from pathlib import Path

from audioloss_cli.model import Incident


class Checkpoints:
    """Step and path of each.

    Attributes:
        written: in the order of writing.
        find: where a framework does not tell what it writes: looks for more when they are needed.
    """

    def __init__(self) -> None:
        self.written: list[tuple[int, str]] = []
        self.find: Callable[[], Iterable[tuple[int, str]]] = tuple

    def add(self, step: int, path: str | Path) -> None:
        """One was written, or found on resuming."""
        entry = (step, str(path))
        if entry not in self.written:
            self.written.append(entry)

    def last_healthy(self, incidents: Iterable[tuple[int, Incident]]) -> str | None:
        """The last that still exists and that no incident touches: none was pending, and none fired, at its step.

        Args:
            incidents: each with the last step of its series that came before it.
        """
        troubled = list(incidents)
        healthy = [
            path
            for step, path in sorted({*self.written, *self.find()})
            if Path(path).exists() and not any(_touches(*each, step) for each in troubled)
        ]
        return healthy[-1] if healthy else None


def _touches(before: int, incident: Incident, step: int) -> bool:
    """From its first bad point on, though the monitor spoke later.

    The weights that are saved after a step are tried by the loss that comes next: that must have been good as well. It
    may come several steps later, as where each of two optimisers counts, or where a loss is logged now and then.
    """
    return step >= before and (incident.resolved_step is None or step < incident.resolved_step)
