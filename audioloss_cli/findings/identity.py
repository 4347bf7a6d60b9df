"""What a finding is known by in the next scan: where it stands in its run, and never a step, a code or a full path.

Codes change when an incident escalates, steps when a log has grown, full paths when a directory is moved.
"""

import os
import posixpath
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from audioloss_cli.model import Finding, Incident, RunReport

#: A series is known again by digests of so many of its first values: a log may have had fewer when they were noted.
LENGTHS = (1, 2, 4, 8, 16)
THE_ROOT = "."  # the name of a run that is the scanned root itself
_SEPARATOR = "\0"
_FNV_OFFSET, _FNV_PRIME, _FNV_MASK = 0xCBF29CE484222325, 0x100000001B3, (1 << 64) - 1


class Identity(NamedTuple):
    """What tells one finding from all others of a report.

    Attributes:
        group: of the rules that share an incident; the code of any other finding.
        run: see ``RunReport.identity``; empty for a probe, whose checkpoints follow each other.
        other_names: what the run is called by a scan of the directory above, and once it has a second log.
        tag: of the series; empty for a finding about a run.
        segment: of the series.
        ordinal: how many findings with the same group, run, tag and segment come before it.
        beginning: see ``beginning_of``; empty if there is no series.
    """

    group: str
    run: str
    other_names: tuple[str, ...] = ()
    tag: str = ""
    segment: int = 0
    ordinal: int = 0
    beginning: tuple[str, ...] = ()

    @property
    def fingerprint(self) -> str:
        """16 hexadecimal digits."""
        return self._fingerprint(self.run)

    @property
    def other_fingerprints(self) -> tuple[str, ...]:
        """The fingerprints under the other names of the run."""
        return tuple(map(self._fingerprint, self.other_names))

    def _fingerprint(self, run: str) -> str:
        parts = (self.group, run, self.tag, str(self.segment), str(self.ordinal))
        return f"{_fnv_1a(_SEPARATOR.join(parts).encode('utf-8', 'surrogatepass')):016x}"


def identities(run: RunReport) -> Iterator[tuple[Incident | Finding, Identity]]:
    """Yield every incident of a run and every finding about it, in their order, each with its identity."""
    counted, others = Counter[tuple[str, str, int]](), _other_names(run)
    for item in run.series:
        for incident in item.incidents:
            place = (incident.group, item.tag, incident.segment)
            yield incident, Identity(place[0], run.identity, others, *place[1:], counted[place], item.beginning)
            counted[place] += 1
    for finding in run.findings:
        place = (finding.code, tag_of(finding), 0)
        yield finding, Identity(place[0], run.identity, others, *place[1:], counted[place])
        counted[place] += 1


def _other_names(run: RunReport) -> tuple[str, ...]:
    """A run of one file is called as its directory once another log of it lies there."""
    names = [name for name in (run.identity, run.alias) if name]
    directories = [posixpath.dirname(name) or THE_ROOT for name in names] if run.run in run.files else []
    return tuple(dict.fromkeys([*names[1:], *directories]))


def identities_of_probe(findings: Sequence[Finding]) -> Iterator[tuple[Finding, Identity]]:
    """Yield the findings of a probe, each with its identity.

    No checkpoint is named in it: what is known of one is known of the next one of the same training.
    """
    counted = Counter[tuple[str, str]]()
    for finding in findings:
        place = (finding.code, tag_of(finding))
        yield finding, Identity(place[0], "", tag=place[1], ordinal=counted[place])
        counted[place] += 1


def tag_of(finding: Finding) -> str:
    """Return the series or the field of the batch that a finding is about; empty if it is about none."""
    tags = finding.evidence.get("tags") or [finding.evidence.get("tag") or finding.evidence.get("field") or ""]
    return tags[0] if isinstance(tags, list) and isinstance(tags[0], str) else ""


def beginning_of(values: Sequence[Any]) -> tuple[str, ...]:
    """Return a digest of the first value of a series, of its first 2, 4, 8 and 16, as far as it has so many.

    Values count to four digits, so that one that was kept in float32 is the same as in float64. Steps do not count:
    what a log calls a step may become clear only as it grows.
    """
    texts = [f"{value:.4g}" for value in values[: LENGTHS[-1]]]
    return tuple(f"{zlib.crc32(' '.join(texts[:count]).encode()):08x}" for count in LENGTHS if count <= len(texts))


class RunNames:
    """How fingerprints name runs: relative to the scanned root; of several roots, to what is above them all.

    Args:
        roots: files and directories, as they were given.
        pipes: names of runs that came through a pipe: they lie nowhere, and are called as they are.
    """

    def __init__(self, roots: Iterable[str], pipes: Iterable[str] = ()) -> None:
        places = sorted({_directory(root) for root in roots})
        self._pipes = frozenset(pipes)
        try:
            self._base = os.path.commonpath(places) if places else ""
        except ValueError:  # on several drives
            self._base = ""

    def of(self, run: str) -> tuple[str, str]:
        """Return the identity and the alias of a run; see ``RunReport``."""
        if not self._base or run in self._pipes:
            return run, ""
        place, above = os.path.abspath(run), os.path.basename(self._base)  # noqa: PTH100, PTH119  # no link is followed
        if place == self._base or self._base.startswith(place.rstrip(os.sep) + os.sep):
            return THE_ROOT, os.path.basename(place)  # noqa: PTH119
        below = self._base.rstrip(os.sep) + os.sep
        if not place.startswith(below):
            return run, ""
        name = place.removeprefix(below).replace(os.sep, "/")
        return name, f"{above}/{name}" if above else ""


def _fnv_1a(data: bytes) -> int:
    """The 64-bit hash FNV-1a of Fowler, Noll and Vo: enough to tell findings apart, without importing hashlib."""
    found = _FNV_OFFSET
    for byte in data:
        found = (found ^ byte) * _FNV_PRIME & _FNV_MASK
    return found


def _directory(root: str) -> str:
    place = os.path.abspath(root)  # noqa: PTH100  # links must not be followed
    return place if os.path.isdir(place) else os.path.dirname(place)  # noqa: PTH112, PTH120
