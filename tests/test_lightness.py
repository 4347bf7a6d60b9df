"""What a fresh interpreter imports, and what it does not."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.event_files import scalar_event, write

HEAVY = {
    *("torch", "pandas", "numpy", "tensorboard", "tensorboardX", "transformers", "google.protobuf", "matplotlib"),
    *("accelerate", "lightning", "audioloss_cli.training"),
}
# Of the standard library and of what Typer brings; each costs 5 to 100 ms, and no small scan needs it.
SLOW = {
    *(
        "pydantic",
        "multiprocessing",
        "concurrent.futures",
        "asyncio",
        "hashlib",
        "tempfile",
        "backports.zstd",
        "msgspec",
    ),
    *("jinja2", "statistics", "fractions", "decimal", "random", "pickle", "rich.console", "importlib.metadata"),
}
JSON_LINES = "audioloss_cli.readers.jsonl.reading"
# What help and the version have no use for.
UNUSED = {
    *("rich", "json", "tomllib", "audioloss_cli.audit", "audioloss_cli.config.files", "audioloss_cli.naming"),
    "audioloss_cli.model.report",
}
SAMPLES = Path(__file__).parent.parent / "sample_logs"

RUN = """
import sys
from audioloss_cli import cli
code = cli.execute({arguments!r})
print("loaded:", *sorted(set({heavy!r}) & set(sys.modules)), file=sys.stderr)
sys.exit(code)
"""


def loaded_by(program: str) -> tuple[int, str]:
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    return done.returncode, done.stderr.strip().splitlines()[-1]


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["scan", "--help"], ["probe", "-h"], ["rules"]])
def test_help_is_light(arguments):
    assert loaded_by(RUN.format(arguments=arguments, heavy=HEAVY | SLOW | UNUSED)) == (0, "loaded:")


@pytest.mark.parametrize(("sample", "unused"), [("collapse-tensorboard", {JSON_LINES}), ("collapse-jsonl", set())])
@pytest.mark.parametrize("report", ["text", "json"])
def test_a_small_scan_is_light(sample, report, unused):
    arguments = ["scan", str(SAMPLES / sample), "--report", report, "--fail-on", "critical"]
    assert loaded_by(RUN.format(arguments=arguments, heavy=HEAVY | SLOW | {"rich"} | unused)) == (1, "loaded:")


def test_numbers_on_the_command_line_are_light():
    arguments = ["scan", str(SAMPLES / "healthy"), "--jobs", "1", "--window", "100", "--threshold", "0.02"]
    assert loaded_by(RUN.format(arguments=arguments, heavy=HEAVY | SLOW)) == (0, "loaded:")


@pytest.mark.parametrize(
    "number", ["-1", "+2", "1_000", "1.5", "1e3", "\N{ARABIC-INDIC DIGIT TWO}", " 3", "", ".", "9" * 400]
)
def test_a_number_means_the_same_whoever_reads_it(number, monkeypatch, capsys):
    from audioloss_cli import cli
    from audioloss_cli.cli import _coercion

    said = []
    for read in (_coercion._read, lambda asked, value: value):
        monkeypatch.setattr(_coercion, "_read", read)
        codes = [
            cli.execute(["scan", str(SAMPLES / "healthy"), option, number]) for option in ("--jobs", "--threshold")
        ]
        said.append((codes, *capsys.readouterr()))
    assert said[0] == said[1]


def test_files_on_the_command_line_are_light(tmp_path):
    (tmp_path / "audioloss.toml").write_text("threshold = 0.01\n")
    options = ["--config", str(tmp_path / "audioloss.toml"), "--output", str(tmp_path / "report.txt")]
    arguments = ["scan", str(SAMPLES / "healthy"), *options]
    heavy = HEAVY | SLOW - {"tempfile", "random", "hashlib"}  # the report takes its place when it is whole
    assert loaded_by(RUN.format(arguments=arguments, heavy=heavy)) == (0, "loaded:")


@pytest.mark.parametrize("file", ["report.txt", ".", "", "-", "gone/report.txt", "a\0b", "looped", "é" * 300])
def test_a_path_means_the_same_whoever_reads_it(file, monkeypatch, capsys, tmp_path):
    from audioloss_cli import cli
    from audioloss_cli.cli import _coercion

    monkeypatch.chdir(tmp_path)
    (tmp_path / "looped").symlink_to("looped")
    said = []
    for read in (_coercion._read, lambda asked, value: value):
        monkeypatch.setattr(_coercion, "_read", read)
        codes = [cli.execute(["scan", str(SAMPLES / "healthy"), option, file]) for option in ("--config", "--output")]
        said.append((codes, *capsys.readouterr()))
        for written in tmp_path.glob("*.txt"):
            written.unlink()
    assert said[0] == said[1]


def test_colours_need_no_console():
    arguments = ["scan", str(SAMPLES / "healthy"), "--color"]
    assert loaded_by(RUN.format(arguments=arguments, heavy={"rich.style", "rich.console", "rich.text"})) == (
        0,
        "loaded: rich.style",
    )


def test_a_scan_of_five_thousand_points_is_light(tmp_path):
    path = write(
        tmp_path / "events.tfevents", [scalar_event(step, {"audio_loss": 2.0 + step % 7}) for step in range(5000)]
    )
    unused = {"rich", "json", "tomllib", JSON_LINES, "audioloss_cli.causes._weigh"}
    assert loaded_by(RUN.format(arguments=["scan", str(path)], heavy=HEAVY | SLOW | unused)) == (0, "loaded:")


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
