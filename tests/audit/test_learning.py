"""What a scan says of whether a run learns."""

import json
import math

import pytest

from audioloss_cli import scan
from audioloss_cli.naming import Role, classify

CHANCE = math.log(1026)
FIGURES = {
    "learning/nats_below_chance": "nats-below-chance",
    "learning/nats_below_chance/codebook_3": "nats-below-chance",
    "train/learning/label_share": "label-share",
    "learning/audio_grad_norm": "audio-grad-norm",
}


def logged(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return scan([str(path)]).runs[0]


def test_an_audio_loss_that_starts_at_chance_is_told_by_how_much_it_is_below(tmp_path):
    rows = [{"step": step, "audio_loss": CHANCE - 0.01 * step} for step in range(200)]
    (figure,) = logged(tmp_path / "metrics.jsonl", rows).learning
    assert (figure.kind, figure.tag, figure.codebook, figure.last_step) == (
        "nats-below-chance",
        "audio_loss",
        None,
        199,
    )
    assert figure.first == pytest.approx(0.02, abs=0.003)
    assert figure.last == pytest.approx(1.97, abs=0.003)
    assert figure.chance.startswith("ln 102")  # the nearest of three vocabularies
    assert not figure.has_learnt_nothing


def test_of_a_sum_over_codebooks_it_is_their_mean(tmp_path):
    rows = [{"step": step, "audio_loss": 8 * (CHANCE - 0.01 * step)} for step in range(100)]
    (figure,) = logged(tmp_path / "metrics.jsonl", rows).learning
    assert figure.last == pytest.approx(0.97, abs=0.003)


def test_a_loss_of_which_chance_is_not_known_gives_no_figure(tmp_path):
    assert logged(tmp_path / "metrics.jsonl", [{"step": step, "audio_loss": 3.1} for step in range(50)]).learning == []


def test_what_the_guard_logged_is_no_loss_and_is_told(tmp_path):
    rows = [{"step": step, "audio_loss": 4.0, **dict.fromkeys(FIGURES, 0.001 * step)} for step in range(1, 100)]
    run = logged(tmp_path / "metrics.jsonl", rows)
    assert [item.tag for item in run.series] == ["audio_loss"]
    assert run.not_audited == []
    assert {item.tag: item.kind for item in run.learning} == FIGURES
    assert {item.tag: item.codebook for item in run.learning}["learning/nats_below_chance/codebook_3"] == 3
    assert all(item.last == pytest.approx(0.097) for item in run.learning)


@pytest.mark.parametrize("tag", FIGURES)
def test_its_tags_are_known(tag):
    found = classify(tag)
    assert found.role is Role.LEARNING
    assert found.matters
    assert (found.says_loss, found.names_audio, found.family) == (False, False, "")


def test_what_is_counted_by_the_second_is_no_phoneme_error_rate():
    assert classify("train/train_samples_per_second").role is Role.OTHER
    assert classify("eval_steps_per_second").role is Role.OTHER
    assert classify("eval/per").role is Role.SCORE


def test_text_says_it_where_nothing_is_learnt_and_else_with_v(tmp_path, audioloss):
    rows = [{"step": step, "audio_loss": CHANCE + 0.01 * (step % 3)} for step in range(150)]
    (tmp_path / "flat.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    rows = [{"step": step, "audio_loss": CHANCE - 0.01 * step} for step in range(150)]
    (tmp_path / "falls.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    said = audioloss("scan", str(tmp_path / "flat.jsonl"))
    assert "nats above chance" in said.out
    assert "learning:" not in audioloss("scan", str(tmp_path / "falls.jsonl")).out
    assert "nats below chance (ln 10" in audioloss("scan", "-v", str(tmp_path / "falls.jsonl")).out
