"""Which loss rules the tests exercise: those that spoke in a test, by how many tests."""

from collections import Counter
from collections.abc import Iterator, Sequence
from textwrap import wrap

from audioloss_cli.alert_tests.happened import rules
from audioloss_cli.alert_tests.run import Result

_WIDEST = 100  # columns of prose


def coverage(results: Sequence[Result]) -> dict[str, int]:
    """Return for each loss rule, by code, in how many tests it spoke; a rule that only stayed silent was not tried."""
    spoke = Counter(code for result in results for code in {alert.code for alert in result.happened})
    return {code: spoke[code] for code in rules()}


def coverage_lines(found: dict[str, int]) -> Iterator[str]:
    """Yield the number of rules that spoke, a line for each of them, and the others."""
    spoke = {code: count for code, count in found.items() if count}
    yield f"rules exercised: {len(spoke)} of {len(found)}"
    for code, count in spoke.items():
        yield f"  {code}: {count} test{'s' if count > 1 else ''}"
    silent = [code for code, count in found.items() if not count]
    if silent:
        text = f"  in no test: {', '.join(silent)}"
        yield from wrap(text, _WIDEST, subsequent_indent="    ", break_on_hyphens=False)
