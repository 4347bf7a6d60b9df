"""A configuration beside the weights names code, or a chat template is code.

What: A key (``auto_map``, ``_target_``, ``class_path``) or a tag of YAML names what is imported and called; or a chat
template reaches beyond the messages, such as into ``__globals__``. Nothing was followed: the files were read as text.

Why: A trainer or a tokenizer that follows them runs what they name. A custom model has an honest ``auto_map``, which
runs only where ``trust_remote_code=True`` is given, so that is a fact and no warning; a template of a chat has no
reason to touch Python's own attributes.

Fix: Read the named code before you pass ``trust_remote_code=True``. Do not load a tokenizer with such a template: put
the one of the base model in its place.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from audioloss_cli.checkpoints.checks import _templates
from audioloss_cli.checkpoints.evidence import CheckpointEvidence
from audioloss_cli.checkpoints.pickles.imports import judge
from audioloss_cli.model import Problem, Severity

_FILES = (
    *("config.json", "generation_config.json", "tokenizer_config.json", "chat_template.json", "processor_config.json"),
    *("preprocessor_config.json", "adapter_config.json", "hparams.yaml", "config.yaml", "config.yml"),
)
_TEMPLATES = ("chat_template*.jinja", "additional_chat_templates/*.jinja")
_TARGETS = frozenset({"_target_", "class_path", "_component_"})
_LONGEST, _MOST_VALUES, _MOST_TEMPLATES = 16 << 20, 1_000_000, 20
_TARGET_LINE = re.compile(
    r"^[ \t]*(?:-[ \t]+)?(_target_|class_path|_component_)[ \t]*:[ \t]*[\"']?([\w.]+)", re.MULTILINE
)
_REMOTE_LINE = re.compile(r"^[ \t]*trust_remote_code[ \t]*:[ \t]*true\b", re.MULTILINE | re.IGNORECASE)
_TAG = re.compile(
    r"!!python/(?!tuple\b|str\b|unicode\b|none\b|bool\b|int\b|float\b|dict\b|list\b|bytes\b)[\w/]+:([\w.]*)"
)
_SHOWN, _LONGEST_SHOWN, _LONGEST_NAME = 5, 200, 1000


class _Find(NamedTuple):
    severity: Severity
    file: str
    text: str


def check(evidence: CheckpointEvidence) -> Iterator[Problem]:
    """One problem for each severity, with what was found where."""
    found = _found(evidence)
    for severity in (Severity.CRITICAL, Severity.WARNING, Severity.INFO):
        each = [f"{find.file}: {find.text}"[:_LONGEST_SHOWN] for find in found if find.severity is severity]
        if each:
            more = f" and {len(each) - _SHOWN} more" if len(each) > _SHOWN else ""
            yield Problem(severity, "; ".join(each[:_SHOWN]) + more, {"found": each[:100], "count": len(each)})


def passed(evidence: CheckpointEvidence) -> str:
    """Which files were looked at."""
    names = [path.name for path in _files(evidence)]
    if not names or any(find.severity is not Severity.INFO for find in _found(evidence)):
        return ""
    return f"no code stands in {', '.join(names[:_SHOWN])}"


def _files(evidence: CheckpointEvidence) -> list[Path]:
    path = evidence.checkpoint.path
    directory = path if path.is_dir() else path.parent
    templates = [each for pattern in _TEMPLATES for each in sorted(directory.glob(pattern))][:_MOST_TEMPLATES]
    named = [directory / name for name in _FILES]
    return [each for each in (*named, *templates) if each.is_file() and each.stat().st_size <= _LONGEST]


def _found(evidence: CheckpointEvidence) -> list[_Find]:
    return [find for path in _files(evidence) for find in _of_file(path)]


def _of_file(path: Path) -> Iterator[_Find]:
    try:
        text = path.read_bytes().decode("utf-8", "replace")
    except OSError:  # whoever opens the checkpoint tells of it
        return
    if path.suffix == ".jinja":
        yield from _of_template(text, path.name)
    elif path.suffix == ".json":
        try:
            found = json.loads(text)
        except (ValueError, RecursionError):
            return
        yield from _of_json(found, path.name)
    else:
        yield from _of_yaml(text, path.name)


def _of_template(text: str, file: str) -> Iterator[_Find]:
    yield from (_Find(severity, file, f"its template {what}") for severity, what in _templates.problems(text))


def _of_json(found: Any, file: str) -> Iterator[_Find]:
    level = [found]
    for _ in range(_MOST_VALUES):
        if not level:
            return
        value = level.pop()
        if isinstance(value, list):
            level += value
        elif isinstance(value, dict):
            for key, inner in value.items():
                yield from _of_entry(key, inner, file)
                level.append(inner)


def _of_entry(key: str, value: Any, file: str) -> Iterator[_Find]:
    if key in ("auto_map", "custom_pipelines") and value:
        names = sorted({each for each in _strings(value) if "." in each})
        text = f"{key} names code of its own ({', '.join(names[:_SHOWN])}), which runs where trust_remote_code is given"
        yield _Find(Severity.INFO, file, text)
    elif key == "trust_remote_code" and value is True:
        yield _Find(Severity.INFO, file, "trust_remote_code is true")
    elif key in _TARGETS and isinstance(value, str):
        yield _of_target(key, value, file)
    elif key in ("chat_template", "template"):
        yield from (find for text in _strings(value) for find in _of_template(text, file))


def _of_target(key: str, name: str, file: str) -> _Find:
    """Whatever runs code is critical; other classes are what a configuration is for."""
    is_bad = judge(name[:_LONGEST_NAME]) is Severity.CRITICAL
    text = f"{key} names {name[:100]!r}, which is called where the configuration is followed"
    return _Find(Severity.CRITICAL if is_bad else Severity.INFO, file, text)


def _of_yaml(text: str, file: str) -> Iterator[_Find]:
    yield from (_of_target(key, name, file) for key, name in _TARGET_LINE.findall(text))
    if _REMOTE_LINE.search(text):
        yield _Find(Severity.INFO, file, "trust_remote_code is true")
    for name in dict.fromkeys(_TAG.findall(text)):
        severity = judge(name[:_LONGEST_NAME]) or Severity.INFO
        yield _Find(severity, file, f"a tag of YAML names {name[:100]!r}, which an unsafe loader calls")


def _strings(value: Any) -> list[str]:
    """Strings of a value of one or two levels."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else [value]
    return [
        each
        for item in inner
        for each in (item if isinstance(item, list) else item.values() if isinstance(item, dict) else [item])
        if isinstance(each, str)
    ]
