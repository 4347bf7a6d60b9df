"""Reports that audioloss wrote into a directory which is scanned later: they hold losses, and are no logs."""

import re

from audioloss_cli.storage.compressed import Damage, compression, pieces
from audioloss_cli.storage.encoding import in_utf8
from audioloss_cli.storage.log_file import HEAD_BYTES, LogFile

# JSON and JSON lines, GitLab's code quality, SARIF, JUnit, CSV, Prometheus' exposition, Markdown, HTML.
_BY_HEAD = re.compile(
    rb'\s*\{\s*"schema": "audioloss|\[\s*\{"type": "issue", "check_name": |'
    rb'\{\s*"\$schema": "https://json\.schemastore\.org/sarif|'
    rb'<\?xml [^>]*>\s*<testsuites>\s*<testsuite [^>]*package="audioloss"|'
    rb"kind,run,tag,code,severity,fails,standing,|# HELP audioloss_exit_code |"
    rb"# audioloss: [A-Z ]+ \(exit \d|<!DOCTYPE html>[^\0]{,800}<title>[A-Z ]+: audioloss report</title>"
)
# Text: a run and its format, above a series and how long it is; a diagnosis; concise: path:tag: CODE severity.
_BEGINNING = re.compile(
    rb"[^\n]+  \[[a-z_]+(?:(?:, |\+)[a-z_]+)*\]\r?\n(?:  [^\n]*\n)*?"
    rb"(?:    |  [^\n]*: no incidents in )[\d,]+ points?, [a-z]+ -?[\d,]+ to -?[\d,]+|"
    rb"Diagnosis\r?\n  1\. [a-z]|"
    rb"[^\n]+: [a-z][a-z0-9-]+ (?:info|warning|critical|defect)(?: at step -?[\d,]+)?: |"
    rb"::(?:error|warning|notice) (?:file=[^\n]*,)?title="
)
_VERDICT = re.compile(rb"(?m)^(?:audioloss: )?(?:PASS|FAIL|INCOMPLETE|NOT AUDITED) \(exit \d(?: by --exit-zero)?\): ")
_COLORS = re.compile(rb"\x1b\[[\d;]*m")


def is_own_report(file: LogFile) -> bool:
    """Tell whether a file is a report of audioloss, and nothing else.

    Text begins as a report does and ends in its only verdict: the output of a job in which a training ran between two
    audits is a log.

    Raises:
        OSError: the file cannot be read.
    """
    if _BY_HEAD.match(file.head):
        return True
    if _BEGINNING.match(_COLORS.sub(b"", file.head)) is None:
        return False
    text = _COLORS.sub(b"", _content(file)).rstrip()
    verdicts = list(_VERDICT.finditer(text))
    return len(verdicts) == 1 and b"\n" not in text[verdicts[0].start() :]


def _content(file: LogFile) -> bytes:
    with file.path.open("rb") as stream:
        read = in_utf8(pieces(stream, compression(stream), lambda: HEAD_BYTES))
        return b"".join(piece for piece in read if not isinstance(piece, Damage))
