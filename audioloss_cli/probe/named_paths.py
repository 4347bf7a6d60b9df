"""What a probe is pointed at is there: looked at before torch is imported, which takes seconds."""

import os
import re
from pathlib import Path

from audioloss_cli.probe.errors import UnreadableError

_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+")


def refuse_missing(checkpoint: str, data: str, held_out: str = "") -> None:
    """Refuse a checkpoint or data that is not there.

    Args:
        checkpoint: what ``--ckpt`` names; empty for nothing.
        data: what ``--data`` names; an import string is left to whoever imports it.
        held_out: what ``--held-out`` names; empty for nothing.

    Raises:
        UnreadableError: one of them is not there.
    """
    if checkpoint and _is_missing(checkpoint):
        if _HUB_ID.fullmatch(checkpoint) and _is_missing(checkpoint.partition("/")[0]):
            raise UnreadableError(_not_downloaded(checkpoint))
        raise UnreadableError(f"{checkpoint}: no such file or directory")
    for option, what in (("--data", data), ("--held-out", held_out)):
        if what and _is_missing(what) and (":" not in what or "://" in what):
            raise UnreadableError(
                f"{option} {what!r}: there is no such file; an import string has the form 'package.module:factory'"
            )


def _is_missing(path: str) -> bool:
    """What is there and cannot be reached is told by whoever reads it."""
    try:
        os.stat(path)  # noqa: PTH116  # that of Path takes apart a text that is no path
    except (FileNotFoundError, NotADirectoryError):
        return True
    except (OSError, ValueError):
        return False
    return False


def _not_downloaded(hub_id: str) -> str:
    """Where the copy of a model of the Hugging Face hub lies, or how to get one."""
    kept = _in_the_cache(hub_id)
    if kept is not None:
        return (
            f"{hub_id} is a model of the Hugging Face hub, which nothing is loaded from; its copy here is --ckpt {kept}"
        )
    return (
        f"{hub_id}: no such file or directory; if it is a model of the Hugging Face hub, get it with "
        f"hf download {hub_id}, which prints the directory that --ckpt takes"
    )


def _in_the_cache(hub_id: str) -> Path | None:
    """The snapshot that ``huggingface_hub`` keeps of the main branch; its directories are as of its version 1."""
    home = os.environ.get("HF_HOME") or Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache", "huggingface")
    cache = Path(os.environ.get("HF_HUB_CACHE") or Path(home, "hub")).expanduser()
    kept = cache / f"models--{hub_id.replace('/', '--')}"
    try:
        snapshot = kept / "snapshots" / (kept / "refs" / "main").read_text(encoding="utf-8").strip()
        return snapshot if (snapshot / "config.json").exists() else None
    except (OSError, ValueError):
        return None
