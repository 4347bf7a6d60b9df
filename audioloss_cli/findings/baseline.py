"""The baseline: a file of the findings that are known already, which do not fail the gate again."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from audioloss_cli.config import ConfigError
from audioloss_cli.findings.identity import LENGTHS, Identity, identities, identities_of_probe
from audioloss_cli.model import Finding, Incident, Report, Severity
from audioloss_cli.output_file import write_file

SCHEMA = "audioloss.baseline/1"
_TEXTS = ("fingerprint", "code", "run", "tag", "beginning")


@dataclass(frozen=True, slots=True)
class Entry:
    """One finding that is known.

    Attributes:
        fingerprint: see ``Incident``.
        severity: how bad it was.
        code, run, tag: for whoever reads the file.
        aliases: the fingerprints under other names of the run.
        points: of how many of the first points of the series ``beginning`` is a digest; 0 if there is no series.
        beginning: with another one, it is another run in the same place.
    """

    fingerprint: str
    severity: Severity
    code: str
    run: str
    tag: str
    aliases: tuple[str, ...] = ()
    points: int = 0
    beginning: str = ""

    @classmethod
    def of(cls, finding: Incident | Finding, identity: Identity) -> Self:
        """Return what is noted of a finding."""
        count = len(identity.beginning)
        return cls(
            identity.fingerprint,
            finding.severity,
            finding.code,
            identity.run,
            identity.tag,
            identity.other_fingerprints,
            LENGTHS[count - 1] if count else 0,
            identity.beginning[-1] if count else "",
        )

    @classmethod
    def read(cls, row: Any) -> Self:
        """Read one row of the file.

        Raises:
            ValueError: it is none.
        """
        if not isinstance(row, dict) or not all(isinstance(row.get(name, ""), str) for name in _TEXTS):
            raise ValueError("it is no table of texts")
        if not row.get("fingerprint") or not isinstance(row.get("points", 0), int):
            raise ValueError("it has no fingerprint, or no number of points")
        aliases = row.get("aliases", [])
        if not isinstance(aliases, list) or not all(isinstance(alias, str) for alias in aliases):
            raise ValueError("its aliases are no list of texts")
        texts = {name: row.get(name, "") for name in _TEXTS}
        severity = Severity(str(row.get("severity")))
        return cls(severity=severity, points=row.get("points", 0), aliases=tuple(aliases), **texts)

    def begins_as(self, identity: Identity) -> bool:
        """Tell whether the run of a finding is the one that was noted, by the first points of the series."""
        if not self.points:
            return True
        count = LENGTHS.index(self.points) if self.points in LENGTHS else len(LENGTHS)
        return count < len(identity.beginning) and identity.beginning[count] == self.beginning


class Baseline:
    """The findings of a file, and which of them were seen again.

    Args:
        file: its name, for the report.
        entries: what stands in it.
    """

    def __init__(self, file: str, entries: list[Entry]) -> None:
        self.file, self._entries = file, entries
        self._by_fingerprint = {entry.fingerprint: entry for entry in entries}
        self._by_alias: dict[str, list[Entry]] = {}
        for entry in entries:
            for alias in entry.aliases:
                self._by_alias.setdefault(alias, []).append(entry)
        self._seen = set[str]()

    @classmethod
    def read(cls, file: str) -> Self:
        """Read a baseline.

        Raises:
            ConfigError: it cannot be read, or is none.
        """
        try:
            document = json.loads(Path(file).read_bytes())
        except OSError as error:
            hint = "; make it with --write-baseline" if isinstance(error, FileNotFoundError) else ""
            raise ConfigError(f"--baseline {file}: {error.strerror}{hint}") from None
        except (ValueError, RecursionError) as error:
            raise ConfigError(f"--baseline {file}: no JSON: {error}; make it with --write-baseline") from None
        if not isinstance(document, dict) or document.get("schema") != SCHEMA:
            raise ConfigError(f"--baseline {file}: is no baseline ({SCHEMA}); make it with --write-baseline")
        return cls(file, list(_entries(file, document.get("findings"))))

    def entry_of(self, identity: Identity) -> Entry | None:
        """Return what is known of a finding; None if it is new, or of another run in the same place.

        The one or the other may be known by another name, but not both: two files of one directory share such a name.
        """
        own = identity.fingerprint
        named = [self._by_fingerprint.get(name) for name in (own, *identity.other_fingerprints)]
        for entry in (*named, *self._by_alias.get(own, [])):
            if entry is not None and entry.begins_as(identity):
                self._seen.add(entry.fingerprint)
                return entry
        return None

    @property
    def remark(self) -> str:
        """Return a sentence on what stands in the file and was not found again; empty if there is nothing."""
        gone = len(self._entries) - len(self._seen)
        if not gone:
            return ""
        return f"baseline {self.file}: {gone:,} of {len(self._entries):,} known findings were not found again"


def _entries(file: str, rows: Any) -> Iterator[Entry]:
    if not isinstance(rows, list):
        raise ConfigError(f"--baseline {file}: has no list of findings; make it with --write-baseline")
    for number, row in enumerate(rows, 1):
        try:
            yield Entry.read(row)
        except ValueError as error:
            raise ConfigError(f"--baseline {file}: finding {number}: {error}; make it with --write-baseline") from None


def write_baseline(file: Path, report: Report) -> int:
    """Write what counts in a report, and what was known already, as the new baseline; return how many findings that is.

    What is suppressed stays out of it, and so does what is no trouble.

    Raises:
        ConfigError: the file holds something else than a baseline.
        OSError: it cannot be written.
    """
    refuse_other_file(file)
    found = [pair for run in report.runs for pair in identities(run)]
    entries = [
        Entry.of(finding, identity)
        for finding, identity in [*found, *identities_of_probe(report.findings)]
        if finding.standing != "suppressed" and finding.severity is not Severity.INFO
    ]
    rows = [json.dumps({key: value for key, value in asdict(entry).items() if value}) for entry in entries]
    listed = ",".join(f"\n    {row}" for row in rows) + ("\n  " if rows else "")
    write_file(file, f'{{\n  "schema": "{SCHEMA}",\n  "findings": [{listed}]\n}}\n')
    return len(entries)


def refuse_other_file(file: Path) -> None:
    """Refuse to write a baseline over anything else: a log, a checkpoint.

    Raises:
        ConfigError: the file holds something else.
    """
    try:
        if not file.exists():
            return
        if not file.is_file():  # a pipe or a terminal might keep its reader waiting
            raise ConfigError(f"--write-baseline {file}: is no file; name another one")
        with file.open("rb") as stream:
            head = stream.read(200)
    except OSError:
        return  # writing says what is wrong
    if head.strip() and SCHEMA.encode() not in head:
        raise ConfigError(f"--write-baseline {file}: holds something else than a baseline; name another file")
