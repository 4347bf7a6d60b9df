"""``audioloss plot``: every point of the runs that are named, in the terminal."""

from pathlib import Path

import pytest

SAMPLES = Path(__file__).parent.parent.parent / "sample_logs"


def test_runs_are_drawn_over_each_other(audioloss):
    ran = audioloss("plot", SAMPLES / "collapse-tensorboard", SAMPLES / "healthy")
    assert (ran.code, ran.err) == (1, "")
    assert ran.out.count("(log scale)") == 1
    assert f"  a  {SAMPLES / 'collapse-tensorboard'}\n" in ran.out
    assert f"  b  {SAMPLES / 'healthy'}\n" in ran.out
    assert "critical-loss from step 430" in " ".join(ran.out.split())


def test_without_a_path_it_is_this_directory(audioloss, monkeypatch):
    monkeypatch.chdir(SAMPLES / "nan")
    ran = audioloss("plot")
    assert ran.code == 1
    assert ran == audioloss("plot", ".")


def test_it_draws_points_and_not_the_envelope(audioloss, jsonl):
    """64 parts are kept of a clean series; the chart is finer than that."""
    rows = [{"step": step, "audio_loss": 3.0 + (step % 2) * 0.5} for step in range(3000)]
    ran = audioloss("plot", jsonl(*rows))
    assert ran.code == 0
    (first, *_) = [line for line in ran.out.splitlines() if "┤" in line]
    assert " " not in first.partition("┤")[2]


def test_a_tag_is_chosen(audioloss):
    ran = audioloss("plot", SAMPLES / "nan", "--tag", "*text*")
    assert ran.code == 0
    assert ran.out.startswith("train/text_loss")


def test_what_cannot_be_drawn_is_said(audioloss, tmp_path):
    ran = audioloss("plot", tmp_path / "nothing")
    assert ran.code == 3
    assert "NOT AUDITED" in ran.out
    assert "no such file or directory" in ran.out


def test_it_can_be_written_to_a_file(audioloss, tmp_path):
    ran = audioloss("plot", SAMPLES / "healthy", "-o", tmp_path / "chart.txt")
    assert (ran.code, ran.out) == (0, "")
    assert "train/audio_loss" in (tmp_path / "chart.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("color", ["--color", "--no-color"])
def test_colours_are_asked_for(audioloss, color, monkeypatch):
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert ("\x1b[" in audioloss("plot", SAMPLES / "healthy", color).out) == (color == "--color")
