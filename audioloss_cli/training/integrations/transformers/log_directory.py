"""Where the TensorBoard of a ``transformers.Trainer`` is written."""

import os
from pathlib import Path
from typing import Any


def log_directory(args: Any) -> Path | None:
    """Where the TensorBoard callback of this process writes; None if it does not."""
    if "tensorboard" not in (args.report_to or ()):
        return None
    named = os.environ.get("TENSORBOARD_LOGGING_DIR") or getattr(args, "logging_dir", None)  # an argument until 4.57
    above = Path(named).expanduser() if named else Path(args.output_dir) / "runs"
    own = [path for path in above.rglob("events.out.tfevents.*") if f".{os.getpid()}." in path.name]
    return max(own, key=lambda path: path.stat().st_mtime).parent if own else above if named else None
