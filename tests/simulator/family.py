"""What a family is, and the register of all of them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from tests.simulator.curves import Curve
from tests.simulator.stage import Flags, Stage, Steps, Values


@dataclass(frozen=True, slots=True)
class Sketch:
    """What a family draws on a stage; every array has one value for each logged step.

    Attributes:
        healthy: what the run would have logged without its failure, by tag; the first tag is the audited one.
        failed: the series that the failure changes; the others stay as they are.
        absent: points of a series that the failed run does not log at all.
        true: for gradual collapses the loss without noise (nats, mean over codebooks) as a function of the step.
        audited: the main tag, if it is not the first.
        steps: what the log says are the steps, if it counts something else than the stage, or goes back; arrays then
            have one value for each of them.
        counted: the same as a report counts them, if it does not take them as they stand.
    """

    healthy: Mapping[str, Values]
    failed: Mapping[str, Values] = field(default_factory=dict)
    absent: Mapping[str, Flags] = field(default_factory=dict)
    true: Curve | None = None
    audited: str = ""
    steps: Steps | None = None
    counted: Steps | None = None


@dataclass(frozen=True, slots=True)
class Family:
    """One way in which training goes well, or wrong.

    Attributes:
        faults: codes of which any one names the fault rightly; empty for a healthy family.
        severity: what the failure deserves at least, taken loosely.
        least_points: logged points that must show the failure, lest it look like something healthy.
        detectable: False where the log holds too little to tell the failure from a healthy change.
    """

    name: str
    draw: Callable[[Stage], Sketch]
    faults: tuple[str, ...] = ()
    severity: str = "warning"
    detectable: bool = True
    least_points: int = 1

    @property
    def is_healthy(self) -> bool:
        """Whether any alarm on it is a false one."""
        return not self.faults


FAMILIES: dict[str, Family] = {}
HEALTHY: list[str] = []
FAILURES: list[str] = []

Draw = Callable[[Stage], Sketch]


def healthy(draw: Draw) -> Draw:
    """Register a healthy family under the function's name."""
    FAMILIES[draw.__name__] = Family(draw.__name__, draw)
    HEALTHY.append(draw.__name__)
    return draw


def failure(
    *faults: str, severity: str = "critical", detectable: bool = True, least_points: int = 1
) -> Callable[[Draw], Draw]:
    """Register a failure under the function's name; ``faults`` are the codes of which any one is right."""

    def register(draw: Draw) -> Draw:
        FAMILIES[draw.__name__] = Family(draw.__name__, draw, faults, severity, detectable, least_points)
        FAILURES.append(draw.__name__)
        return draw

    return register
