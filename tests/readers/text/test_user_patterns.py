"""``--pattern``: lines as the user says what they are like."""

import time

import pytest

from audioloss_cli import ScanConfig, scan
from audioloss_cli.config import ConfigError, make_config
from audioloss_cli.model import ReadOptions
from tests.readers.text.reads import points, write

PATTERN = r"step (?P<step>\d+) .{0,80}?audio (?P<audio_loss>[-+.\deE]+)"
CONTENT = "".join(f"at step {step} of it audio {step / 8} or so\n" for step in range(1, 50))


def test_its_groups_are_the_step_and_the_numbers(tmp_path):
    found = points(write(tmp_path, CONTENT), ReadOptions(line_patterns=(PATTERN,)))
    assert found == {"audio_loss": [(step, step / 8) for step in range(1, 50)]}


def test_a_file_is_claimed_for_it_alone(tmp_path):
    path = write(tmp_path, CONTENT)
    assert scan(path).unaudited
    report = scan(path, ScanConfig(line_patterns=(PATTERN,)))
    assert [item.tag for run in report.runs for item in run.series] == ["audio_loss"]


def test_other_lines_are_read_as_ever(tmp_path):
    found = points(write(tmp_path, CONTENT + "text loss: 2.5\ntext loss: 2.5\n"), ReadOptions(line_patterns=(PATTERN,)))
    assert set(found) == {"audio_loss", "text loss"}


def test_it_may_stand_in_the_configuration(tmp_path):
    file = tmp_path / "audioloss.toml"
    file.write_text(f"pattern = ['{PATTERN}']\n")
    assert make_config(file, {}).line_patterns == (PATTERN,)
    file.write_text("pattern = ['(']\n")
    with pytest.raises(ConfigError, match=r"pattern .* is no regular expression"):
        make_config(file, {})


@pytest.mark.parametrize(
    "part", ["(?:a|a)*", "(?:a+)+", ".*", "[^x]*a*", r"(?:\w+\s?)*", r"\d*\d*", "(?P<b>x)(?P=b)", r"(?:x.{0,90}){9}"]
)
def test_what_could_hang_is_refused(part):
    with pytest.raises(ConfigError, match=r"--pattern .* could take minutes"):
        make_config(None, {"line_patterns": (rf"{part}y(?P<audio_loss>\d+)",)})


@pytest.mark.parametrize(
    "text",
    [
        PATTERN,
        r"(?i)iter (?P<iteration>\d+)/\d+ \| audio: (?P<audio_loss>\S{1,20})",
        r"^\[(?P<step>\d+)\] (?:\w{1,20}=[\d.]{1,20} )?a=(?P<a>[\d.]+)$",
        r"loss=(?P<loss>[^,]*),",
        r"(?P<loss>\d+\.\d+)$",
    ],
)
def test_what_is_taken_ends_soon_on_the_worst_line(text):
    pattern = make_config(None, {"line_patterns": (text,)}).line_patterns[0]
    from audioloss_cli.naming.line_pattern import LONGEST_LINE, LinePattern

    search = LinePattern(pattern).search
    start = time.process_time()
    for piece in ("1", "step 1 ", "iter 1/1 | ", "a=1 ", "loss=", ".", "x", " "):
        search((piece * LONGEST_LINE)[: LONGEST_LINE - 1] + "!")
    assert time.process_time() - start < 60  # a pattern that hangs takes for ever


def test_a_pattern_without_a_number_is_refused():
    with pytest.raises(ConfigError, match="names no number"):
        make_config(None, {"line_patterns": (r"step (?P<step>\d+)",)})


def test_it_is_not_applied_to_lines_beyond_4_kb(tmp_path):
    content = CONTENT + "at step 99 of it audio 1.5 " + "x" * 5000 + "\n"
    found = points(write(tmp_path, content), ReadOptions(line_patterns=(PATTERN,)))
    assert 99 not in [step for step, _ in found["audio_loss"]]
