"""The loss that a framework logs as the one that is trained, beside the one that is read at each step."""

from collections import deque
from collections.abc import Iterable

from audioloss_cli.model import Alert
from audioloss_cli.training.arrivals import Arrivals
from audioloss_cli.training.inputs import FirstLooks
from audioloss_cli.training.logged_apart import Line
from audioloss_cli.training.long_way import LongWay
from audioloss_cli.training.respond import Responder
from audioloss_cli.training.watch import Watch


class Trained(LongWay):
    """Watches it once it is another loss, see ``LoggedApart``.

    Attributes:
        unsettled: lines of steps whose losses are still on their way from a device.
    """

    def __init__(self, watch: Watch, responder: Responder, looks: FirstLooks, arrivals: Arrivals) -> None:
        super().__init__(watch, responder, looks, arrivals)
        self.unsettled = deque[Line]()

    def logs_from(self, step: int, lines: Iterable[Line]) -> None:
        """A training begins, or goes on after this step with what it has logged so far."""
        self.unsettled.clear()
        self._watch.logs_from(step, lines)

    def trained(self, line: Line) -> list[Alert]:
        """What the framework logs; where several ranks train, it travels with the next step, so that all see it."""
        if not self._arrivals.alone:
            self._micro.note("trained", line.value)
            return []
        self.unsettled.append(line)
        return self.settle()

    def settle(self) -> list[Alert]:
        """Compare what can be compared by now."""
        lines, found = self.unsettled, []
        while lines and lines[0].step <= self._watch.last_step:
            found += self._watch.trained(lines.popleft())
        return self._handled(found)

    def flush(self) -> list[Alert]:
        """As ``LongWay.flush``, and what was logged of the steps that have arrived by that."""
        return super().flush() + self.settle()
