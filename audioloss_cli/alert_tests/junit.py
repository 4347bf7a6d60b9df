"""Results of tests as JUnit's XML: a suite for each file."""

from collections.abc import Iterator, Sequence
from itertools import groupby

from audioloss_cli.alert_tests.coverage import coverage
from audioloss_cli.alert_tests.difference import lines_of
from audioloss_cli.alert_tests.run import Result
from audioloss_cli.junit_xml import FOOTER, HEADER, Case, Suite, suite_xml


def junit_xml(results: Sequence[Result]) -> Iterator[str]:
    """Yield the document; the coverage of rules stands in the properties of each suite."""
    yield HEADER
    for number, (file, group) in enumerate(groupby(results, key=lambda result: str(result.test.path))):
        of_file = list(group)
        spoke = {f"tests in which {code} spoke": str(count) for code, count in coverage(of_file).items()}
        yield from suite_xml(Suite(file, [_case(result) for result in of_file], spoke), number)
    yield FOOTER


def _case(result: Result) -> Case:
    if result.passed:
        return Case(result.test.name, seconds=result.seconds)
    _, *lines = lines_of(result)
    differences = len(result.missing) + len(result.unexpected) + len(result.firing)
    message = f"{differences} difference{'s' if differences > 1 else ''} from what was expected"
    return Case(result.test.name, "failure", "difference", message, lines, result.seconds)
