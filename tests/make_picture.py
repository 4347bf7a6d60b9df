"""Draws the picture of the README, a terminal with a scan in it: ``python -m tests.make_picture``."""

import io
import os
import re
import subprocess
import sys
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

ROOT = Path(__file__).parent.parent
PICTURE = ROOT / ".github" / "scan.svg"
COMMAND = ("scan", "sample_logs/collapse-tensorboard")
_COLUMNS = 90


def printed() -> str:
    """What the command prints on a terminal of 90 columns, with its colours."""
    environment = {**os.environ, "COLUMNS": str(_COLUMNS), "PYTHONUTF8": "1"}
    environment.pop("NO_COLOR", None)
    done = subprocess.run(
        [sys.executable, "-m", "audioloss_cli", *COMMAND, "--color", "always"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        encoding="utf-8",
    )
    return done.stdout


def picture() -> str:
    """The picture as SVG; it takes no font from the network."""
    console = Console(record=True, width=_COLUMNS, file=io.StringIO(), force_terminal=True, legacy_windows=False)
    console.print(Text(f"$ audioloss {' '.join(COMMAND)}"))
    console.print(Text.from_ansi(printed()))
    svg = console.export_svg(title="audioloss", theme=MONOKAI, unique_id="audioloss")
    return re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL).rstrip() + "\n"


if __name__ == "__main__":
    PICTURE.parent.mkdir(exist_ok=True)
    PICTURE.write_text(picture(), encoding="utf-8")
