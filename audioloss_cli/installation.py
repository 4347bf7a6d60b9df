"""How to install more of this package, from where it came: it may be on no index (PEP 610)."""

import json
import shlex
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

_NAME = "audioloss-cli"
_PROJECT = Path(__file__).resolve().parent.parent


def command(extra: str = "") -> str:
    """The command of a shell that installs the package with an extra, or anew without one."""
    return f"pip install {_source(f'[{extra}]' if extra else '')}"


def _source(extra: str) -> str:
    origin = _origin()
    url = str(origin.get("url", ""))
    if "dir_info" in origin and urlsplit(url).scheme == "file":
        return _directory(Path(url2pathname(urlsplit(url).path)), extra, editable=_is_editable(origin))
    if "vcs_info" in origin:
        known = origin["vcs_info"]
        revision = known.get("requested_revision") or known.get("commit_id")
        url = f"{known.get('vcs', 'git')}+{url}" + (f"@{revision}" if revision else "")
    if url:
        below = f"#subdirectory={origin['subdirectory']}" if origin.get("subdirectory") else ""
        return shlex.quote(f"{_NAME}{extra} @ {url}{below}")
    if (_PROJECT / "pyproject.toml").is_file():  # it runs from a checkout and is not installed
        return _directory(_PROJECT, extra, editable=True)
    return shlex.quote(f"{_NAME}{extra}")


def _directory(place: Path, extra: str, *, editable: bool) -> str:
    """The directory it was installed from; a relative path would look like a name of a package."""
    return ("-e " if editable else "") + shlex.quote(f"{place}{extra}")


def _is_editable(origin: Mapping[str, Any]) -> bool:
    return bool(origin["dir_info"].get("editable"))


def _origin() -> Mapping[str, Any]:
    """What the installer wrote down of where the package came from; empty for an index, or if it is not installed."""
    try:
        text = metadata.distribution(_NAME).read_text("direct_url.json")
        found = json.loads(text) if text else {}
    except (metadata.PackageNotFoundError, OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
