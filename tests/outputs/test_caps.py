"""What the text report leaves out when there is much of it, and says that it does."""

import pytest

from tests.wobble import wobbly

HEALTHY = wobbly(3.0, 3)


@pytest.fixture
def rows(jsonl):
    """A log of one audio loss."""

    def write(values, name="log.jsonl"):
        return jsonl(*({"step": step, "audio_loss": value} for step, value in enumerate(values)), name=name)

    return write


@pytest.mark.parametrize(("count", "left_out"), [(10, ""), (11, "1 more incident"), (13, "3 more incidents")])
def test_ten_incidents_of_a_series(count, left_out, rows, audioloss):
    """Each is over for good before the next: a window of 2 steps has stayed healthy."""
    path = rows([*HEALTHY, 0.001] * count)
    brief, full = (audioloss("scan", path, "--window", "2", *more).out for more in ([], ["-v"]))
    assert brief.count("CRITICAL critical-loss, steps") == min(count, 10)
    assert [line for line in brief.splitlines() if "more incident" in line] == (
        [f"  ... and {left_out}; -v lists them"] if left_out else []
    )
    assert full.count("CRITICAL critical-loss, steps") == count
    assert "... and" not in full
    assert brief.endswith(f"\nFAIL (exit 1): {count} critical in 1 series of 1 run\n")


def test_eight_changes_of_an_incident(rows, audioloss):
    """Trouble that returns within the window, and too seldom to be flapping, is one incident."""
    text = audioloss("scan", rows([0.001, *wobbly(3.0, 1500)] * 6), "--window", "2000").out
    assert text.count("    step ") == 8
    assert "    ... and 4 more changes" in text.splitlines()
    assert "fired 6 times" in text


def test_clean_runs_are_counted(rows, audioloss, tmp_path):
    for number in range(23):
        rows(HEALTHY, name=f"runs/{number:02}.jsonl")
    rows([3.0, 0.001], name="runs/zz-last-and-bad.jsonl")
    brief, full = (audioloss("scan", tmp_path / "runs", *more).out for more in ([], ["-v"]))
    assert "23 clean runs (23 series, 69 points); -v shows them" in brief.splitlines()
    assert "zz-last-and-bad.jsonl" in brief.splitlines()[0]
    assert "22.jsonl" not in brief
    assert "22.jsonl  [jsonl]" in full


def test_runs_without_a_loss_are_counted(rows, jsonl, audioloss, tmp_path):
    rows(HEALTHY, name="runs/good.jsonl")
    for number in range(3):
        jsonl(*({f"tag{tag:02}": 1.0} for tag in range(12)), name=f"runs/silent{number}.jsonl")
    brief, full = (audioloss("scan", tmp_path / "runs", *more).out for more in ([], ["-v"]))
    assert "3 runs not audited; -v says why" in brief.splitlines()
    assert "silent0.jsonl" not in brief
    for number in range(3):
        assert f"silent{number}.jsonl [jsonl]: no loss to audit among its scalars" in " ".join(full.split())
    assert "tag09)" in full
    assert "tag10" not in full


def test_twenty_defects(tmp_path, rows, audioloss):
    for number in range(25):
        path = rows(wobbly(3.0 + number / 100, 28), name=f"runs/{number}.jsonl")
        first, *others = path.read_text().splitlines(keepends=True)
        path.write_text("".join([first, "no row\n", *others]))
    brief, full = (audioloss("scan", tmp_path / "runs", *more).out for more in ([], ["-v"]))
    assert brief.count("malformed:") == 20
    assert "  ... and 5 more; -v lists them" in brief.splitlines()
    assert full.count("malformed:") == 25
    assert brief.endswith("\nINCOMPLETE (exit 3): no incidents, 25 defects in 25 series of 25 runs\n")
    assert "25 damaged runs without incidents (25 series, 700 points); -v shows them" in brief.splitlines()


def test_twenty_tags_of_a_path_without_a_loss(jsonl, audioloss):
    path = jsonl(*({f"tag{tag:02}": 1.0} for tag in range(24)))
    text = " ".join(audioloss("scan", path).out.split())
    assert "scalars there: tag00, tag01, " in text
    assert "tag19, and 4 more" in text
    assert "tag20" not in text
