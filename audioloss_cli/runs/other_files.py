"""Files beside logs: what is no log of a training, and what looks like one though no reader takes it."""

import json
import re
from typing import Any

from audioloss_cli.runs.own_reports import is_own_report
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
_UNREAD_COMPRESSIONS = (".bz2", ".xz", ".lzma", ".lz4", ".br", ".z", ".7z", ".rar")
_NAMED_LIKE_LOGS = re.compile(
    r"(?:^|[^a-z])(?:logs?|runs?|wandb|mlruns|tensorboard|tfevents|lightning_logs|console|stdout)(?![a-z])"
)
_LOSS_AND_NUMBER = re.compile(rb"(?i)\bloss(?:es)?\b[^\n\d]{0,12}\d+\.\d")
_FEWEST_LINES = 2


def is_no_log(file: LogFile) -> str:
    """Return what a file is by its name, or as something that audioloss wrote; empty if that does not tell.

    Raises:
        OSError: the file cannot be read.
    """
    by_name = next((reason for pattern, reason in _BY_NAME if pattern.fullmatch(file.name)), "")
    if by_name:
        return by_name
    if b'"schema": "audioloss.baseline' in file.head[:200]:
        return "a baseline of audioloss"
    if is_own_report(file):
        return "a report of audioloss"
    if b'"incident"' not in file.head[:4096]:
        return ""
    row = _object(file.lines[0]) if file.lines else {}
    return next((reason for keys, reason in _OURS if keys <= row.keys()), "")


def looks_like_log(file: LogFile) -> tuple[str, str] | None:
    """Return why a file that no reader takes looks like a log all the same, and what to do; None if it does not.

    Raises:
        OSError: the file cannot be read.
    """
    by_name = looks_like_log_by_name(file)
    if by_name is not None:
        return by_name
    suffix = file.suffix
    if file.is_named_archive and (_NAMED_LIKE_LOGS.search(file.name) or _WORDS.search(file.name)):
        return "it is named like an archive of logs, and cannot be opened as one", "restore it, or --exclude it"
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


def looks_like_log_by_name(file: LogFile) -> tuple[str, str] | None:
    """Return the same of a file that cannot be looked into, or need not be."""
    suffix = file.suffix
    if suffix in _UNREAD_SUFFIXES and _WORDS.search(file.name):
        return (
            f"it is named like a log, and there is no reader for {suffix} files",
            "export it as CSV or JSON lines, or leave it out with --exclude",
        )
    if suffix in _UNREAD_COMPRESSIONS and (_WORDS.search(file.name) or _NAMED_LIKE_LOGS.search(file.name)):
        return (
            f"it is named like a log, and what is compressed as {suffix} is not read",
            "decompress it, or leave it out with --exclude",
        )
    return None


def is_named_like_log(file: LogFile) -> bool:
    """Tell whether the name alone is one that a logger gives, for what has no content: a link that leads nowhere."""
    if "tfevents" in file.name or file.suffix == ".wandb" or file.name == "trainer_state.json":
        return True
    return file.suffix in _TEXT_SUFFIXES | _UNREAD_SUFFIXES and _WORDS.search(file.name) is not None


def _object(line: bytes) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
