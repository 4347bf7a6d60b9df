"""The life of an incident: pending, firing, resolved (the vocabulary of Prometheus' alerting rules)."""

from typing import Any

from audioloss_cli.model import Alert, Incident, Point, Severity
from audioloss_cli.model.alert import EdgeKind
from audioloss_cli.model.axis import STEPS, TimeAxis
from audioloss_cli.model.incident import Resolution
from audioloss_cli.monitor.history.series_history import SeriesHistory
from audioloss_cli.monitor.lifecycle import incident_alerts
from audioloss_cli.monitor.lifecycle.asked_rules import AskedRules
from audioloss_cli.monitor.ruleset import CodedRule, RuleGroup

REFIRES_THAT_FLAP = 3
FLAP_STEPS, FLAP_POINTS = 1000, 20  # whichever lasts longer: a sparse log has few points in 1000 steps
# A window that saw a single point saw no stretch of anything, whatever the logging cadence.
POINTS_OF_A_WINDOW = 2


class Lifecycle(AskedRules):
    """The incidents of one group of rules on one series: at most one is open at a time.

    A stretch opens ``pending`` at the first point at which a rule of the group holds, and is ``firing`` once one of
    them has held for its steps and points. It is ``resolved`` at the first healthy point, and closed for good once a
    whole window has stayed healthy: trouble that returns before that re-fires the same incident. After 3 re-fires
    within 1000 steps or 20 points it flaps: it stays firing, with reminders only, until a whole window is healthy.

    Each point is first looked at, then advanced by: what one group sees at a point decides whether another may warn.
    """

    def __init__(self, rules: RuleGroup, window: int, prefix: str, axis: TimeAxis = STEPS) -> None:
        super().__init__(rules)
        self.group = rules.name
        self.window = axis.span_of(window)
        self.flap_steps = axis.span_of(FLAP_STEPS)
        self.axis = axis
        self.prefix = prefix
        self.start_afresh(0)

    def start_afresh(self, segment: int) -> None:
        """Forget every incident; the next point belongs to ``segment``."""
        self.segment = segment
        self.closed = []
        self._reset()

    def _reset(self) -> None:
        self.open = None
        self._since = {}
        self._now, self._held, self._speaks_against = 0, [], False
        self._speaker: CodedRule | None = None  # the gravest rule heard since the incident last fired
        self._last_alert = 0
        self._healthy: Point | None = None  # first point of the healthy stretch that follows the trouble
        self._healthy_points = 0
        self._refires: list[tuple[int, int]] = []  # step and number of the point at each re-fire
        self._points = 0

    @property
    def bad(self) -> bool:
        """Whether the open incident fires and its last point was not a healthy one."""
        return self.firing and self._healthy is None

    @property
    def critical(self) -> bool:
        """Whether a critical rule holds at the current point, and has for long enough."""
        return bool(self._held) and any(
            coded.rule.severity is Severity.CRITICAL and self._has_waited(coded) for coded in self._held
        )

    def advance(self, point: Point, history: SeriesHistory, *, inhibited: bool) -> list[Alert]:
        """Advance by the point that was looked at.

        Args:
            point: the same one.
            history: the series so far.
            inhibited: something critical of another kind holds here: a warning stays unsaid, and is said afterwards if
                it still holds.
        """
        if self._held:
            return self._bad_point(point, history, inhibited=inhibited)
        return self._good_point(point) if self._speaks_against else []

    def end(self, resolution: Resolution) -> None:
        """Close what is open, because the run ended or the steps went back, and start afresh."""
        incident = self.open
        if incident is not None and incident.fired_step is not None:
            if incident.state == "firing":
                incident.resolution = resolution
            self.closed.append(incident)
        self._reset()

    # A point at which some rule of the group holds.

    def _bad_point(self, point: Point, history: SeriesHistory, *, inhibited: bool) -> list[Alert]:
        if self.open is None:
            self.open = self._begin(point)
        incident, came_back = self.open, self._healthy is not None
        self._healthy, self._healthy_points = None, 0
        self._extend(incident, point)
        speaker = self._ready(inhibited=inhibited)
        return self._speak(incident, point, history, speaker, came_back=came_back) if speaker else []

    def _ready(self, *, inhibited: bool) -> CodedRule | None:
        """The gravest rule that holds, has waited and may speak."""
        for coded in reversed(self._held):
            if (not inhibited or coded.rule.severity is Severity.CRITICAL) and self._has_waited(coded):
                return coded
        return None

    def _has_waited(self, coded: CodedRule) -> bool:
        since, points = self._since[coded.code]
        return self._now - since >= coded.wait and points >= coded.rule.for_points

    def _begin(self, point: Point) -> Incident:
        coded = self._held[-1]
        return Incident(
            id=self._id(point.step),
            code=coded.code,
            type=coded.rule.type,
            severity=coded.rule.severity,
            group=self.group,
            segment=self.segment,
            first_step=point.step,
            last_step=point.step,
            worst_value=point.value,
            worst_step=point.step,
            first_wall_time=point.wall_time,
        )

    def _id(self, step: int) -> str:
        """By first step; a number tells apart those of later segments, and those that share a step."""
        name = f"{self.prefix}{self.group}@{step}" + (f".{self.segment}" if self.segment else "")
        last = self.closed[-1] if self.closed else None
        shared = last is not None and (last.segment, last.first_step) == (self.segment, step)
        return f"{name}+{len(self.closed)}" if shared else name

    def _extend(self, incident: Incident, point: Point) -> None:
        incident.points += 1
        incident.last_step, incident.last_wall_time = point.step, point.wall_time
        if self._held[-1].rule.worse(point.value, incident.worst_value):
            incident.worst_value, incident.worst_step = point.value, point.step

    def _speak(
        self, incident: Incident, point: Point, history: SeriesHistory, speaker: CodedRule, *, came_back: bool
    ) -> list[Alert]:
        edge = self._edge(incident, point.step, speaker, came_back=came_back)
        if edge is None:
            return []
        message = speaker.rule.explain(point, history, *self._since[speaker.code]) + self.axis.remark(point.step)
        self._last_alert = point.step
        if edge == "reminder":
            return [incident_alerts.reminder(incident, point, speaker, message)]
        self._speaker = speaker
        if edge == "fired" or speaker.rank > self._rank(incident.code):
            incident_alerts.adopt(incident, speaker, message, history.kind)
        return [incident_alerts.edge_alert(incident, point, speaker, edge, message)]

    def _edge(self, incident: Incident, step: int, speaker: CodedRule, *, came_back: bool) -> EdgeKind | None:
        if incident.fired_step is None:
            incident.fired_step = step
            incident.fire_count = 1
            return "fired"
        if incident.state == "resolved":
            self._refire(incident, step)
            return "refired"
        incident.fire_count += came_back
        if self._speaker is None or speaker.rank > self._speaker.rank:
            return "escalated"
        return "reminder" if step - self._last_alert >= self.window else None

    def _refire(self, incident: Incident, step: int) -> None:
        self._refires.append((step, self._points))
        recent = [
            before
            for before, number in self._refires
            if step - before < self.flap_steps or self._points - number < FLAP_POINTS
        ]
        incident.flapping = len(recent) >= REFIRES_THAT_FLAP
        incident.fire_count += 1
        incident.resolved_step = incident.resolution = None
        incident.resolved_wall_time = float("nan")

    def _rank(self, code: str) -> tuple[int, int, int, int, int]:
        """Of the rule with this code; the lowest for a code that a loaded state knows and this monitor does not."""
        return next((coded.rank for coded in self.rules if coded.code == code), (-1, 0, 0, 0, 0))

    # A point that speaks against every rule of the group.

    def _good_point(self, point: Point) -> list[Alert]:
        incident = self.open
        if incident is None:
            return []
        if incident.state == "pending":
            self._reset()
            return []
        if self._healthy is None and incident.state == "resolved":  # it came back in between, and that stayed unsaid
            incident.resolved_step, incident.resolved_wall_time = point.step, point.wall_time
        healthy = self._healthy = self._healthy or point
        self._healthy_points += 1
        calm = point.step - healthy.step + 1 >= self.window and self._healthy_points >= POINTS_OF_A_WINDOW
        alerts = []
        if incident.state == "firing" and (calm or not incident.flapping):
            incident.resolved_step, incident.resolved_wall_time = healthy.step, healthy.wall_time
            incident.resolution = "recovered"
            alerts = [incident_alerts.recovered(incident, point)]
        if calm:
            self.closed.append(incident)
            self._reset()
        return alerts

    # Saving and restoring.

    def state_dict(self) -> dict[str, Any]:
        """Plain built-in types; see ``AudioLossMonitor.state_dict``."""
        return {
            "segment": self.segment,
            "closed": [incident.to_state() for incident in self.closed],
            "open": None if self.open is None else self.open.to_state(),
            "since": {code: list(pair) for code, pair in self._since.items()},
            "speaker": None if self._speaker is None else self._speaker.code,
            "last_alert": self._last_alert,
            "healthy": None if self._healthy is None else list(self._healthy[:3]),
            "healthy_points": self._healthy_points,
            "refires": [list(pair) for pair in self._refires],
            "points": self._points,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue where ``state_dict`` was taken."""
        self._reset()
        self.segment = state["segment"]
        self.closed = [Incident.from_state(item) for item in state["closed"]]
        self.open = None if state["open"] is None else Incident.from_state(state["open"])
        self._since = {code: (step, points) for code, (step, points) in state["since"].items()}
        self._speaker = next((coded for coded in self.rules if coded.code == state["speaker"]), None)
        self._last_alert = state["last_alert"]
        self._healthy = None if state["healthy"] is None else Point(*state["healthy"][:3])
        self._healthy_points = state["healthy_points"]
        self._refires = [(step, number) for step, number in state["refires"]]
        self._points = state["points"]
