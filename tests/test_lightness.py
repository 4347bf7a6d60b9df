"""What a fresh interpreter imports, and what it does not."""

import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = {"torch", "pandas", "numpy", "tensorboard", "tensorboardX", "transformers", "google.protobuf", "matplotlib"}
SAMPLES = Path(__file__).parent.parent / "sample_logs"

RUN = """
import sys
from audioloss_cli import cli
code = cli.run({arguments!r})
print("loaded:", *sorted(set({heavy!r}) & set(sys.modules)), file=sys.stderr)
sys.exit(code)
"""


def loaded_by(program: str) -> tuple[int, str]:
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    return done.returncode, done.stderr.strip().splitlines()[-1]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--help"], 0),
        (["--version"], 0),
        (["scan", "--help"], 0),
        (["scan", str(SAMPLES / "collapse-tensorboard")], 1),
        (["scan", str(SAMPLES / "collapse-jsonl"), "--report", "json"], 1),
    ],
)
def test_the_command_line_is_light(arguments, code):
    more = HEAVY | ({"rich"} if "scan" not in arguments or "--help" in arguments else set())
    assert loaded_by(RUN.format(arguments=arguments, heavy=more)) == (code, "loaded:")


@pytest.mark.parametrize("name", ["AudioLossMonitor", "scan", "Report", "Severity"])
def test_the_library_is_light(name):
    program = f"""
import sys
from audioloss_cli import {name}
print("loaded:", *sorted({HEAVY | {"typer", "rich"}!r} & set(sys.modules)), file=sys.stderr)
"""
    assert loaded_by(program) == (0, "loaded:")


def test_every_public_name_is_there():
    import audioloss_cli

    for name in audioloss_cli.__all__:
        assert getattr(audioloss_cli, name) is not None
    assert set(audioloss_cli.__all__) <= set(dir(audioloss_cli))
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        audioloss_cli.nothing  # noqa: B018
