"""Detectors over healthy logs of other people's runs, where ``AUDIOLOSS_CORPUS`` names a directory of them."""

import csv
import json
import os
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from audioloss_cli import scan
from audioloss_cli.model import RunReport, Series
from tests.benchmarks.detection.alarm import Alarm, merged
from tests.benchmarks.detection.detectors import OURS, alarms_of, config, make
from tests.benchmarks.markdown import table

CORPUS = Path(os.environ.get("AUDIOLOSS_CORPUS", Path(__file__).parents[4] / "shared" / "corpus"))
KINDS = ("tfevents", "jsonl", "trainer_state")


def section(names: Sequence[str], corpus: Path = CORPUS) -> Iterator[str]:
    """Lines to print: a table, then each alarm.

    What ours audits by its defaults is what every detector gets: the loss series of the training. An alarm on any of
    them is false. Peers see each series by itself, for a scan keeps no others.
    """
    if not (corpus / "manifest.tsv").is_file():
        yield "no corpus of real logs here: set AUDIOLOSS_CORPUS"
        return
    with (corpus / "manifest.tsv").open(newline="", encoding="utf-8") as stream:
        entries = [row for row in csv.DictReader(stream, delimiter="\t") if is_healthy(row["label"])]
    entries = [row for row in entries if row["kind"] in KINDS]
    with TemporaryDirectory() as scratch:
        paths = {row["id"]: readable(corpus / row["file"], Path(scratch) / row["id"]) for row in entries}
        audited = {key: scan([path], points=True).runs for key, path in paths.items()}
        points = sum(item.points for runs in audited.values() for run in runs for item in run.series)
        yield f"{points:,} points in the audited series of {len(entries)} healthy files"
        found = {name: list(_alarms(name, paths, audited)) for name in names}
    rows = [[name, f"{len(each)}", f"{1e6 * len(each) / points:.1f}"] for name, each in found.items()]
    yield table(["detector", "false alarms", "per 1M points"], rows)
    for name, each in found.items():
        yield from (f"false   {name}: {key}: {a.code or 'alarm'} on {a.tag} at step {a.step}" for key, a in each)


def is_healthy(label: str) -> bool:
    """Labels of logs that deserve no alarm."""
    return label.startswith("healthy") or label == "rl_healthy"


def readable(path: Path, directory: Path) -> Path:
    """The file itself, or the ``log_history`` of a trainer_state.json as JSON lines."""
    if path.name != "trainer_state.json":
        return path
    rows = json.loads(path.read_text(encoding="utf-8"))["log_history"]
    directory.mkdir()
    target = directory / "log_history.jsonl"
    target.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return target


def _alarms(name: str, paths: dict[str, Path], audited: dict[str, list[RunReport]]) -> Iterator[tuple[str, Alarm]]:
    for key, path in paths.items():
        if name in OURS:
            found = [alarm for run in scan([path], config(name), points=True).runs for alarm in alarms_of(run)]
        else:
            series = [item.series for run in audited[key] for item in run.series]
            found = [alarm for item in series for alarm in merged(make(name).alarms([_named(item)]), _cadence(item))]
        yield from ((key, alarm) for alarm in found)


def _named(series: Series) -> Series:
    """A training loss called ``ce`` is a loss for peers too."""
    tag = series.tag if "loss" in series.tag else f"{series.tag} (loss)"
    return Series(tag, series.steps, series.values, series.wall_times)


def _cadence(series: Series) -> int:
    gaps = [after - before for before, after in pairwise(series.steps) if after > before]
    return int(median(gaps)) if gaps else 1
