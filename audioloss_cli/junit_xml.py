"""JUnit's XML: suites of cases, as both of its schemas want them (Ant's, and that of Jenkins)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal
from xml.sax.saxutils import escape, quoteattr

from audioloss_cli.model import printable

HEADER = '<?xml version="1.0" encoding="UTF-8"?>\n<testsuites>\n'
FOOTER = "</testsuites>\n"
Outcome = Literal["passed", "failure", "error", "skipped"]


@dataclass(frozen=True, slots=True)
class Case:
    """One test.

    Attributes:
        name: of the test.
        outcome: what came of it; an error is what kept it from being done.
        type: kind of failure or error, such as a code.
        message: a line.
        text: any number of lines.
        seconds: that it took.
    """

    name: str
    outcome: Outcome = "passed"
    type: str = ""
    message: str = ""
    text: Sequence[str] = ()
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Suite:
    """Tests that belong together.

    Attributes:
        name: of the suite, and of the class of its cases.
        cases: the tests.
        properties: names and values.
        output: lines that belong to all of it.
    """

    name: str
    cases: Sequence[Case]
    properties: Mapping[str, str] = field(default_factory=dict)
    output: Sequence[str] = ()


def suite_xml(suite: Suite, number: int) -> Iterator[str]:
    """Yield a suite as elements; ``number`` is 0 for the first one of a document."""
    outcomes = [case.outcome for case in suite.cases]
    counts = {"failures": "failure", "errors": "error", "skipped": "skipped"}
    attributes = {
        "name": suite.name or "-",
        "package": "audioloss",
        "id": str(number),
        "timestamp": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S"),
        "hostname": "localhost",
        "tests": str(len(outcomes)),
        **{name: str(outcomes.count(outcome)) for name, outcome in counts.items()},  # type: ignore[arg-type]
        "time": _seconds(sum(case.seconds for case in suite.cases)),
    }
    yield f"  <testsuite{_attributes(attributes)}>\n    <properties>\n"
    for name, value in suite.properties.items():
        yield f"      <property{_attributes({'name': name, 'value': value})}/>\n"
    yield "    </properties>\n"
    for case in suite.cases:
        yield from _case(case, suite.name or "-")
    yield f"    <system-out>{_lines(suite.output)}</system-out>\n    <system-err></system-err>\n  </testsuite>\n"


def _case(case: Case, suite: str) -> Iterator[str]:
    start = (
        f"    <testcase{_attributes({'classname': suite, 'name': case.name or '-', 'time': _seconds(case.seconds)})}"
    )
    if case.outcome == "passed":
        yield start + "/>\n"
        return
    kind = {} if case.outcome == "skipped" else {"type": case.type}
    inner = f"<{case.outcome}{_attributes({**kind, 'message': case.message})}>{_lines(case.text)}</{case.outcome}>"
    yield f"{start}>\n      {inner}\n    </testcase>\n"


def _seconds(seconds: float) -> str:
    return f"{seconds:.3f}"


def _attributes(values: Mapping[str, str]) -> str:
    return "".join(f" {name}={quoteattr(printable(value))}" for name, value in values.items())


def _lines(lines: Sequence[str]) -> str:
    return escape("\n".join(printable(line) for line in lines))
