"""Lines that are made to take long, or much memory: what they hold is read as far as a name can be."""

import json
import subprocess
import sys

import pytest

from tests.event_files import read

MEGABYTE = 1 << 20
HOSTILE = {
    "an outer key of 1 MB": '{"' + "k" * MEGABYTE + '": {' + ", ".join(f'"{n}": {n}' for n in range(3000)) + "}}",
    "an outer key of 4 KB": '{"' + "k" * 4000 + '": {' + ", ".join(f'"{n}": {n}' for n in range(70_000)) + "}}",
    "a key of 40,000 parts": '{"' + "a/" * 40_000 + '": 1}',
    "many keys of many parts": "{" + ", ".join(f'"{n}{"/a" * 1000}": 1' for n in range(500)) + "}",
    "numbers and nulls": "{" + ", ".join(f'"n{n}": {n}, "x{n}": null' for n in range(5000)) + "}",
    "learning rates": "{" + ", ".join(f'"lr {n}": {n}' for n in range(5000)) + "}",
    "a number and another null a row": "\n".join(f'{{"k": {n}, "x{n}": null}}' for n in range(35_000)),
    "another number and a null a row": "\n".join(f'{{"k{n}": {n}, "x": null}}' for n in range(35_000)),
    "a parent that is null": '{"a": {'
    + ",".join(f'"{n}":{n}' for n in range(40_000))
    + "}}\n"
    + '{"a":null}\n' * 45_000,
    "empty lists": '{"a": [' + "[]," * 330_000 + "[]]}",
    "no newline": "[" * MEGABYTE,
    "nothing but newlines": "\n" * MEGABYTE,
    "bad lines": "\n".join('{"step": 1, "loss": {"' for _ in range(45_000)),
    "lost newlines": '{"step": 1, "loss": 2}' * 45_000,
    "runs": "\n".join(f'{{"run_name": "{n}", "step": {n}}}' for n in range(30_000)),
}


def peak(content: str, path) -> int:
    """Kilobytes that a reading takes above its imports."""
    path.write_text(content)
    code = (
        "import sys, resource, pathlib; import audioloss_cli.readers.jsonl.typed, audioloss_cli.readers.jsonl.reading;"
        "from audioloss_cli.readers import jsonl; from audioloss_cli.storage.log_file import LogFile;"
        "peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss; before = peak();"
        "path = pathlib.Path(sys.argv[1]); jsonl.claims(LogFile(path));"
        "sum(1 for _ in jsonl.read(path)); print(peak() - before)"
    )
    told = subprocess.run([sys.executable, "-c", code, path], timeout=90, check=True, capture_output=True)
    return int(told.stdout)


@pytest.mark.exhaustive
@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE)
def test_no_megabyte_takes_long_or_much_memory(content, tmp_path):
    assert peak(content, tmp_path / "x.jsonl") < 200 << 10


@pytest.mark.exhaustive
def test_megabytes_of_empty_lists_are_read_in_little_more_than_their_own_memory(tmp_path):
    content = '{"step": 1, "a": [' + "[]," * (4 << 20) + '[]], "audio_loss": 2.5}\n'
    assert peak(content, tmp_path / "x.jsonl") < 100 << 10
    series, defects = read(tmp_path / "x.jsonl", "jsonl")
    assert (list(series["audio_loss"].values), defects) == ([2.5], [])


@pytest.mark.parametrize(
    "odd",
    [
        "7" * 5000,
        "-" + "7" * 5000,
        "[" * 1200 + "]" * 1200,
        '{"a": ' * 1200 + "1" + "}" * 1200,
        "[" + "0, " * 10**6 + "0]",
    ],
)
def test_a_row_with_an_odd_value_is_read_as_far_as_its_audio_loss(odd, tmp_path):
    path = tmp_path / "x.jsonl"
    path.write_text("".join(f'{{"step": {step}, "odd": {odd}, "audio_loss": {step}.5}}\n' for step in range(3)))
    series, defects = read(path, "jsonl")
    assert (list(series["audio_loss"].values), defects) == ([0.5, 1.5, 2.5], [])


def test_a_key_that_is_too_long_is_told_once_and_costs_no_other(tmp_path):
    path = tmp_path / "x.jsonl"
    rows = [{"step": step, "k" * 5000: {"a": 1.0}, "audio_loss": step + 0.5} for step in range(2000)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    series, (defect,) = read(path, "jsonl")
    assert len(series["audio_loss"]) == 2000
    assert set(series) == {"audio_loss"}
    assert (defect.kind, defect.line) == ("malformed", 1)
    assert "longer than 4096 characters" in defect.message
    assert "the last in line 2000" in defect.message


def test_many_stretches_of_bad_lines_are_told_with_their_number(tmp_path):
    path = tmp_path / "x.jsonl"
    path.write_text("".join(f'{{"step": {step}, "loss": 1.5}}\noops\n' for step in range(300)))
    series, defects = read(path, "jsonl")
    assert len(series["loss"]) == 300
    assert len(defects) == 21
    assert "280 more" in defects[-1].message
