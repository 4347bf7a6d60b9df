"""Where the results of tests go: text on standard output, JUnit's XML on it or in a file."""

import os
from collections.abc import Sequence
from pathlib import Path

from audioloss_cli.alert_tests.coverage import coverage, coverage_lines
from audioloss_cli.alert_tests.difference import lines_of
from audioloss_cli.alert_tests.junit import junit_xml
from audioloss_cli.alert_tests.run import Result
from audioloss_cli.config import ConfigError
from audioloss_cli.destinations import Destination
from audioloss_cli.output_file import write_file
from audioloss_cli.terminal import WriteError, put

KINDS = ("text", "junit")


def check_reports(reports: Sequence[Destination], files: Sequence[Path]) -> None:
    """Refuse what only an audit can be reported as, and to write over what is read.

    Raises:
        ConfigError: there is such a report.
    """
    read = {os.path.realpath(file) for file in files}
    for each in reports:
        if each.kind not in KINDS:
            raise ConfigError(f"{each}: tests are reported as {' or '.join(KINDS)}, not as {each.kind}")
        if each.file is not None and os.path.realpath(each.file) in read:
            raise ConfigError(f"{each}: is one of the files that are read; name another file")


def write_reports(
    results: Sequence[Result], reports: Sequence[Destination], *, verbosity: int, with_coverage: bool
) -> None:
    """Write every report.

    Raises:
        WriteError: one of them cannot be written.
    """
    for each in reports:
        junit = each.kind == "junit"
        text = "".join(junit_xml(results) if junit else _text(results, verbosity, with_coverage=with_coverage))
        if each.file is None:
            put(text)
            continue
        try:
            write_file(each.file, text)
        except BrokenPipeError:
            pass  # whoever reads from it has seen enough
        except OSError as error:
            raise WriteError(f"cannot write the report to {each.file}: {error.strerror}") from None


def _text(results: Sequence[Result], verbosity: int, *, with_coverage: bool) -> list[str]:
    failed = sum(not result.passed for result in results)
    word = "FAIL" if failed else "PASS"
    lines = [line for result in results for line in lines_of(result, verbose=verbosity > 0)] if verbosity >= 0 else []
    lines += coverage_lines(coverage(results)) if with_coverage else []
    lines.append(f"{word} (exit {int(failed > 0)}): {len(results) - failed} passed, {failed} failed")
    return [f"{line}\n" for line in lines]
