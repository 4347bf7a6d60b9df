"""The settings in the configuration files beside a run, as flat keys and texts."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from audioloss_cli.runs.run_files import configuration_files

_MOST_KEYS, _LONGEST, _DEEPEST, _LONGEST_LINE = 4000, 200, 12, 1000
_YAML = re.compile(
    r"^(?P<indent> *)(?P<item>- +)?(?P<key>[^\s:#'\"-][^:#]*?|'[^']*'|\"[^\"]*\") *:(?: +(?P<value>.*))?$"
)
_COMMENT = re.compile(r"\s+#.*$")
#: What must not come into a log of CI because it differs.
_SECRET = re.compile(r"token(?!i[sz]|s\b|_id|_len)|secret|passw|api_?key|credential", re.IGNORECASE)
HIDDEN = "(not shown)"


def settings_beside(paths: Iterable[Path]) -> dict[str, dict[str, str]]:
    """Return the settings beside the logs at ``paths``: by name of the file, the nearest one of each name, and by key.

    Nothing in a file is executed; what cannot be read is left out, since it is no log.
    """
    found = dict[str, dict[str, str]]()
    for file in configuration_files(paths):
        if file.name not in found:
            found[file.name] = dict(islice(_settings_of(file), _MOST_KEYS))
    return found


def _settings_of(file: Path) -> Iterator[tuple[str, str]]:
    try:
        text = file.read_text(encoding="utf-8", errors="replace")
        pairs = list(_flat(json.loads(text), "", 0) if file.suffix == ".json" else _yaml_pairs(text.splitlines()))
    except (OSError, ValueError, RecursionError):
        return
    for key, value in pairs:
        yield key, value if len(value) <= _LONGEST else f"{value[:_LONGEST]}..."


def is_secret(key: str) -> bool:
    """Whether the value of a key is nobody's business."""
    return _SECRET.search(key) is not None


def _flat(value: Any, key: str, depth: int) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping) and value and depth < _DEEPEST:
        for name, item in value.items():
            yield from _flat(item, f"{key}.{name}" if key else str(name), depth + 1)
    elif key:
        yield key, value if isinstance(value, str) else json.dumps(value, sort_keys=True)


def _yaml_pairs(lines: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Keys with a value in one line, under the keys that they are indented below; other YAML is left out."""
    above = list[tuple[int, str]]()
    for line in lines:
        found = _YAML.match(line) if len(line) <= _LONGEST_LINE else None
        if found is None:
            continue
        indent = len(found["indent"]) + len(found["item"] or "")
        above = [each for each in above if each[0] < indent][:_DEEPEST]
        above.append((indent, found["key"].strip("'\"")))
        value = _COMMENT.sub("", found["value"] or "").strip().strip("'\"")
        if value:
            yield ".".join(key for _, key in above), value
