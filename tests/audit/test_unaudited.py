"""What was asked for and could not be audited in full: never in silence, never a crash."""

import json
from pathlib import Path

import pytest

from audioloss_cli import ScanConfig, scan
from audioloss_cli.model.exit_code import CLEAN, FINDINGS, NOT_AUDITED
from tests.wobble import wobbly

LOW, HIGH = [*wobbly(6.9, 20), *wobbly(0.001, 20)], wobbly(6.9, 40)


def rows(tag: str, values, **more):
    return [{"step": step, tag: value, **more} for step, value in enumerate(values)]


def test_damage_is_incomplete_unless_it_is_allowed(jsonl):
    path = jsonl(*rows("audio_loss", HIGH))
    path.write_text(path.read_text() + '{"step": 40, "audio_lo')
    assert scan(path).exit_code == NOT_AUDITED
    assert scan(path, ScanConfig(allow_defects=True)).exit_code == CLEAN
    assert scan(path, ScanConfig(fail_on="never")).exit_code == NOT_AUDITED


def test_found_trouble_wins_over_damage(jsonl):
    path = jsonl(*rows("audio_loss", LOW))
    path.write_text(path.read_text() + "{")
    assert scan(path).exit_code == FINDINGS


def why(report) -> list[tuple[str, str]]:
    assert report.exit_code == NOT_AUDITED
    return [(Path(item.asked).name, item.reason) for item in report.unaudited]


def test_what_cannot_be_audited_is_told_with_the_tags_that_are_there(tmp_path, jsonl):
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes.md").write_text("no log")
    silent = jsonl({"step": 1, "lr": 0.1, "accuracy": 0.5}, name="silent.jsonl")
    assert why(scan(tmp_path / "nowhere", allow_missing=True)) == [("nowhere", "no such file or directory")]
    assert why(scan(tmp_path / "empty")) == [("empty", "no logs in this directory")]
    assert why(scan(tmp_path / "notes.md")) == [("notes.md", "not recognised as a log")]
    assert why(scan(silent)) == [("silent.jsonl", "no loss among its scalars")]
    assert scan(silent).unaudited[0].tags == ["accuracy", "lr"]
    assert "--tag" in scan(silent).unaudited[0].hint


def test_each_path_must_lead_to_something(tmp_path, jsonl):
    good = jsonl(*rows("audio_loss", HIGH))
    (tmp_path / "empty").mkdir()
    assert why(scan([good, tmp_path / "empty"])) == [("empty", "no logs in this directory")]
    assert scan([good, tmp_path, good]).exit_code == CLEAN


def test_only_unreadable_files(tmp_path):
    (tmp_path / "events.out.tfevents.1").write_bytes(b"not an event file at all, but long enough")
    report = scan(tmp_path)
    assert [reason for _, reason in why(report)] == ["nothing readable in its logs"]
    assert [defect.kind for defect in report.defects] == ["framing"]


@pytest.mark.parametrize("name", ["events.out.tfevents.1", "log.jsonl"])
def test_a_git_lfs_pointer_is_named_with_its_remedy(name, tmp_path):
    (tmp_path / name).write_text("version https://git-lfs.github.com/spec/v1\noid sha256:abc\nsize 12345\n")
    (defect,) = scan(tmp_path).defects
    assert (defect.kind, "git lfs pull" in defect.message) == ("not-a-log", True)


def test_a_pattern_that_matches_nothing_does_not_pass_in_silence(jsonl):
    path = jsonl(*rows("audio_loss", HIGH, depth_loss=2.0))
    report = scan(path, ScanConfig(tags=("audio_loss", "deph_loss")))
    assert [(item.asked, item.hint) for item in report.unaudited] == [
        ("--tag deph_loss", "did you mean --tag 'depth_loss'?")
    ]
    assert report.exit_code == NOT_AUDITED


def test_a_forced_format_reads_what_no_reader_claims(tmp_path):
    path = tmp_path / "samples.jsonl"
    path.write_text("".join(json.dumps({"id": f"utt{n}", "audio_loss": loss}) + "\n" for n, loss in enumerate(LOW)))
    assert why(scan(path))[0][1].startswith("not a log of a training: samples of a data set")
    assert scan(path, ScanConfig(format="jsonl")).exit_code == FINDINGS


def test_a_path_that_is_not_there_raises_in_python(tmp_path, jsonl):
    good = jsonl(*rows("audio_loss", HIGH))
    for paths in (tmp_path / "nowhere", [good, tmp_path / "nowhere"]):
        with pytest.raises(FileNotFoundError, match=r"no such file or directory to audit: .*nowhere"):
            scan(paths)


@pytest.mark.parametrize(
    ("tag", "hint"),
    [
        ("loss", "a glob matches the whole tag: --tag '*loss*' matches 2 of them"),
        ("audio_los", "did you mean --tag 'audio_loss'?"),
        ("nothing*", "name the series to audit with --tag"),
    ],
)
def test_a_word_of_tags_is_no_glob_that_matches_them(tag, hint, jsonl):
    report = scan(jsonl(*rows("audio_loss", HIGH, text_loss=2.0)), ScanConfig(tags=(tag,)))
    assert [item.hint for item in report.unaudited] == [hint]


def test_no_path_at_all_is_refused():
    for nothing in ([], (), iter(())):
        with pytest.raises(ValueError, match="no path to audit"):
            scan(nothing)


@pytest.mark.parametrize(
    ("path", "reason"),
    [("", "an empty path; is a variable not set?"), ("a\0b", "embedded null byte"), ("x" * 999, "File name too long")],
)
def test_a_path_that_can_be_none_has_its_reason(path, reason, audioloss, jsonl):
    good = jsonl(*rows("audio_loss", HIGH))
    ran = audioloss("scan", good, path, "--report", "json")
    (item,) = json.loads(ran.out)["unaudited"]
    assert (ran.code, item["asked"], item["reason"]) == (NOT_AUDITED, path, reason)


def test_the_order_of_the_paths_does_not_matter(tmp_path, jsonl, audioloss):
    jsonl(*rows("audio_loss", HIGH), name="runs/good/log.jsonl")
    jsonl(*rows("lr", HIGH), name="runs/silent/log.jsonl")
    one = scan([tmp_path / "runs", tmp_path / "runs" / "silent"])
    other = scan([tmp_path / "runs" / "silent", tmp_path / "runs"])
    assert why(one) == why(other) == [("silent", "no loss among its scalars")]
    assert repr(one) == repr(other)
    assert scan(tmp_path / "runs").exit_code == CLEAN


def test_an_audio_loss_that_is_always_null_was_not_audited(audioloss, jsonl):
    path = jsonl(*({"step": step, "train/audio_loss": None, "loss": value} for step, value in enumerate(HIGH)))
    report = scan(path)
    assert why(report) == [("log.jsonl", "train/audio_loss: null in every row")]
    assert (report.runs[0].blank, report.incidents) == (["train/audio_loss"], [])
    assert "train/audio_loss: null in every row" in audioloss("scan", path).out
    assert scan(path, ScanConfig(tags=("loss",))).exit_code == CLEAN


def test_an_audio_loss_with_numbers_vouches_for_one_that_is_always_null(jsonl):
    report = scan(jsonl(*rows("audio_loss", HIGH, codebook_0_loss=None)))
    assert (report.exit_code, report.runs[0].blank) == (CLEAN, ["codebook_0_loss"])
    assert "codebook_0_loss: null in every row" in report.runs[0].note


def test_a_log_that_vanishes_before_it_is_read_is_a_defect(jsonl, tmp_path):
    jsonl(*rows("audio_loss", HIGH), name="a.jsonl")
    gone = jsonl(*rows("audio_loss", LOW), name="b.jsonl")
    report = scan(tmp_path, progress=lambda *_: gone.unlink(missing_ok=True))
    (defect,) = report.defects
    assert (report.exit_code, defect.kind, defect.path) == (NOT_AUDITED, "unreadable", str(gone))
    assert "No such file or directory; check that it exists" in defect.message
    assert [len(run.series) for run in report.runs] == [1, 0]
