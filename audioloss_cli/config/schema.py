"""The JSON schema of audioloss.toml, by which editors complete it, made from the declaration of the settings."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Annotated, Any

import msgspec

from audioloss_cli.config.conversion import bounded
from audioloss_cli.config.declared import setting_of
from audioloss_cli.config.files import TRAINING
from audioloss_cli.config.scan_config import SETTINGS, ScanConfig

FILE = Path(__file__).parent / "audioloss-toml.schema.json"
_TEXT = {"type": "string", "minLength": 1}
_PATTERN = {**_TEXT, "description": "Glob, or regular expression behind 're:'."}
_SUPPRESSION = {
    **dict.fromkeys(("run", "tag", "code"), _PATTERN),
    "fingerprint": {**_TEXT, "description": "Of one finding."},
    "reason": {**_TEXT, "description": "Why it is accepted."},
    "until": {**_TEXT, "description": "The last day on which it is, such as 2026-12-31."},
}


def schema(options: Mapping[str, Mapping[str, float]], formats: Sequence[str]) -> dict[str, Any]:
    """The schema as a document.

    Args:
        options: code -> option -> default, of every loss rule.
        formats: names of the log formats.
    """
    found = msgspec.json.schema(_table(), ref_template="#/$defs/{name}")["$defs"]["audioloss"]
    keys: dict[str, Any] = found["properties"]
    keys["rules"] |= _rules(options)
    keys["format"]["anyOf"][0] = {"enum": list(formats)}
    for name in ("ignore", "select"):
        next(each for each in keys[name].get("anyOf", [keys[name]]) if "items" in each)["items"] = {
            "enum": list(options)
        }
    by_series = {setting.key: keys[setting.key] for setting in SETTINGS.values() if setting.by_series}
    keys["overrides"]["items"] = _entry({"run": _PATTERN, "tag": _PATTERN, **_bare(by_series)})
    keys["suppress"]["items"] = {**_entry(_SUPPRESSION), "required": ["reason"]}
    keys[TRAINING] = {"type": "object", "description": "What audioloss run gives to the guard of a training."}
    title = "audioloss.toml, and [tool.audioloss] of pyproject.toml"
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **found, "title": title}


def document_text(document: Mapping[str, Any]) -> str:
    """The schema as it lies in ``FILE``."""
    return json.dumps(document, indent=2) + "\n"


def _table() -> Any:
    """A struct with the keys, the types and the sentences of the settings."""
    rows = []
    for item in fields(ScanConfig):
        setting = setting_of(item)
        described = Annotated[bounded(setting, item.type), msgspec.Meta(description=setting.help)]  # type: ignore[valid-type]
        default = {"default_factory": dict} if item.name in ("kinds", "rules") else {"default": item.default}
        rows.append((item.name, described, msgspec.field(name=setting.key, **default)))
    return msgspec.defstruct("audioloss", rows, forbid_unknown_fields=True)


def _bare(keys: Mapping[str, Any]) -> dict[str, Any]:
    """An entry that leaves a key out takes what counts for all series, not the default."""
    return {name: {word: value for word, value in key.items() if word != "default"} for name, key in keys.items()}


def _entry(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": dict(properties), "additionalProperties": False}


def _rules(options: Mapping[str, Mapping[str, float]]) -> dict[str, Any]:
    number = {"type": "number", "exclusiveMinimum": 0}
    tables = {
        code: _entry({name: {**number, "default": default} for name, default in own.items()})
        for code, own in options.items()
        if own
    }
    return {"properties": tables, "additionalProperties": False}
