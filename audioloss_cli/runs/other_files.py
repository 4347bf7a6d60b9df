"""Files beside logs: what is no log of a training, and what looks like one though no reader takes it."""

import csv
import json
import re
from typing import Any

from audioloss_cli.readers._rows.purpose import is_training_log
from audioloss_cli.storage.log_file import LogFile

_BY_NAME = (
    (re.compile(r"debug(?:-internal|-core|-cli)?\.log|wandb-(?:summary|metadata)\.json"), "a file of W&B about itself"),
    (
        re.compile(
            r"(?:.*[-_.])?config\.json|adapter_config\.json|(?:special_|added_)?tokens?(?:izer)?(?:_map|_config)?\.json"
            r"|.*\.index\.json|vocab\.(?:json|txt)|merges\.txt|preprocessor_config\.json|generation_config\.json"
            r"|requirements.*\.txt|readme.*|license.*|package(?:-lock)?\.json|conda-environment\.yaml|args\.json"
        ),
        "a configuration, a vocabulary or a description",
    ),
    (re.compile(r"(?:pip|apt|npm|conda|setup|install)[-_.]?(?:debug)?\.log"), "a log of an installation"),
)
_OURS = (
    (frozenset(("type", "severity", "code", "step", "message", "edge", "incident")), "alerts that audioloss wrote"),
    (frozenset(("schema", "exit_code", "gate")), "a report of audioloss"),
)
_LINES = 10
_WORDS = re.compile(
    r"(?:^|[^a-z])(?:metrics?|history|scalars?|losses|loss|(?:train|trainer|training)[-_.]?(?:logs?|stats))"
)
_UNREAD_SUFFIXES = frozenset(
    re.findall(
        r"\S+",
        """
        .parquet .feather .arrow .pkl .pickle .npy .npz .xlsx .xls .h5 .hdf5 .msgpack .db .sqlite .sqlite3 .mat
        .rds .avro
        """,
    )
)
_TEXT_SUFFIXES = frozenset(
    re.findall(
        r"\S+",
        """
        .log .txt .out .err .csv .tsv .json .jsonl .ndjson
        """,
    )
)
_LOSS_AND_NUMBER = re.compile(rb"(?i)\bloss(?:es)?\b[^\n\d]{0,12}\d+\.\d")
_FEWEST_LINES = 2


def is_no_log(file: LogFile, *, claimed: bool) -> str:
    """Return what a file is instead of a log of a training; empty if nobody can tell, or it is one.

    Args:
        file: the file.
        claimed: whether a reader takes it, which has seen then that its rows are those of a training.

    Raises:
        OSError: the file cannot be read.
    """
    by_name = next((reason for pattern, reason in _BY_NAME if pattern.fullmatch(file.name)), "")
    if by_name:
        return by_name
    if claimed and not _may_be_ours(file):
        return ""
    rows = _rows(file)
    if not rows:
        return "a report of audioloss" if b'"schema": "audioloss.report/' in file.head[:200] else ""
    ours = next((reason for keys, reason in _OURS if keys <= rows[0].keys()), "")
    return ours or ("" if is_training_log(rows) else "samples of a data set, predictions or losses by sample")


def _may_be_ours(file: LogFile) -> bool:
    return b'"incident"' in file.head[:4096] or b'"schema": "audioloss' in file.head[:200]


def looks_like_log(file: LogFile) -> tuple[str, str] | None:
    """Return why a file that no reader takes looks like a log all the same, and what to do; None if it does not.

    Raises:
        OSError: the file cannot be read.
    """
    suffix = file.suffix
    if suffix in _UNREAD_SUFFIXES and _WORDS.search(file.name):
        return (
            f"it is named like a log, and there is no reader for {suffix} files",
            "export it as CSV or JSON lines, or leave it out with --exclude",
        )
    if suffix in _TEXT_SUFFIXES or not suffix:
        found = len(_LOSS_AND_NUMBER.findall(file.head))
        if found >= _FEWEST_LINES and b"\0" not in file.head[:1024]:
            return (
                "it holds losses in a form that no reader knows",
                "name its form with --pattern, or leave it out with --exclude",
            )
        if file.is_damaged and _WORDS.search(file.name):
            return "it is named like a log, and its compressed content is damaged", "restore it, or --exclude it"
    return None


def _rows(file: LogFile) -> list[dict[str, Any]]:
    """The first rows of JSON lines or of a table; none if it is neither."""
    lines = file.lines[:_LINES]
    if lines and lines[0].lstrip().startswith(b"{"):
        return [row for line in lines if isinstance(row := _json(line), dict)]
    if file.suffix in (".csv", ".tsv") and len(lines) > 1:
        texts = [line.decode("utf-8", "replace") for line in lines]
        delimiter = "\t" if "\t" in texts[0] else ";" if ";" in texts[0] and "," not in texts[0] else ","
        try:
            return [dict(row) for row in csv.DictReader(texts, delimiter=delimiter, restkey="")]
        except csv.Error:
            return []
    return []


def _json(line: bytes) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None
