"""The files of checkpoints, audited from the command line: alone, several together, beside logs."""

import json
import math
import os
import re
import struct
from pathlib import Path

import pytest

from audioloss_cli.model.exit_code import CLEAN, FINDINGS, NOT_AUDITED, USAGE
from tests.checkpoints.build import Raw, safetensors_bytes, write_model, write_shards

NAN, ONE = struct.pack("<f", math.nan), struct.pack("<f", 1.0)


def drawn(seed: int, names=("layers.0.mlp.up_proj.weight", "audio_lm_head.weight"), size: int = 64) -> dict[str, Raw]:
    """Floats that differ from seed to seed, and from each other."""
    return {
        name: Raw(
            "F32", (8, size // 8), struct.pack(f"<{size}f", *(math.sin(seed + number * size + i) for i in range(size)))
        )
        for number, name in enumerate(names)
    }


def with_nan(tensors: dict[str, Raw]) -> dict[str, Raw]:
    name, (dtype, shape, data) = next(iter(tensors.items()))
    return {**tensors, name: Raw(dtype, shape, NAN + data[4:])}


def trained(directory: Path, steps: list[int], last=lambda tensors: tensors) -> Path:
    """A run directory with a checkpoint for each of the steps, and a log of a loss that learns."""
    for step in steps:
        tensors = drawn(step)
        write_model(directory / f"checkpoint-{step}", last(tensors) if step == steps[-1] else tensors)
    rows = ({"step": step, "audio_loss": 6.9 - 0.01 * step + 0.1 * math.sin(step)} for step in range(200))
    (directory / "log.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return directory


def test_a_healthy_checkpoint_is_clean_and_said_to_be_audited(audioloss, tmp_path):
    ran = audioloss("probe", "--ckpt", write_model(tmp_path / "model", drawn(1)))
    assert (ran.code, ran.out) == (
        CLEAN,
        f"1 clean checkpoint (2 tensors); -v shows it\n  {tmp_path}/model\n\n"
        "PASS (exit 0): nothing found in 1 checkpoint\n",
    )


def test_a_nan_is_critical_and_known_again_in_the_next_checkpoint(audioloss, tmp_path):
    first, second = (write_model(tmp_path / name, with_nan(drawn(seed))) for name, seed in (("a", 1), ("b", 2)))
    ran = audioloss("probe", "--ckpt", first, "--write-baseline", tmp_path / "known.json")
    assert (ran.code, "CRITICAL non-finite-weights" in ran.out) == (FINDINGS, True)
    again = audioloss("probe", "--ckpt", second, "--baseline", tmp_path / "known.json")
    assert (again.code, again.out.count("known: non-finite-weights")) == (CLEAN, 1)


@pytest.mark.parametrize(
    "command", [("scan", "--checkpoints"), ("probe", "--ckpt"), ("probe", "--log-dir", "{}", "--ckpt")]
)
def test_what_is_known_of_a_checkpoint_is_not_called_gone(command, audioloss, tmp_path):
    run = trained(tmp_path / "run", [10], with_nan)
    name, *options = (word.format(run) for word in command)
    baseline = tmp_path / "known.json"
    assert audioloss(name, *options, run, "--write-baseline", baseline).code == FINDINGS
    again = audioloss(name, *options, run, "--baseline", baseline)
    assert (again.code, "not found again" in again.out) == (CLEAN, False)
    other = trained(tmp_path / "other", [10])
    name, *options = (word.format(other) for word in command)
    text = " ".join(audioloss(name, *options, other, "--baseline", baseline).out.split())
    assert "1 of 1 known findings were not found again" in text


def test_headers_alone_say_nothing_of_values(audioloss, tmp_path):
    ran = audioloss("probe", "--ckpt", write_model(tmp_path / "model", with_nan(drawn(1))), "--headers")
    assert ran.code == CLEAN


def test_several_checkpoints_are_rows_and_each_is_held_against_the_one_before(audioloss, tmp_path):
    run = trained(tmp_path / "run", [9, 100, 1000])
    text = " ".join(audioloss("probe", "--ckpt", run).out.split())
    assert re.search(r"checkpoint-1000, step 1,000, changed \d+\.\d\d% to \d+\.\d\d%", text)
    document = json.loads(audioloss("probe", "--ckpt", run, "--report", "json").out)
    rows = {row["run"]: row["checkpoint"] for row in document["runs"]}
    assert list(rows) == [str(run / f"checkpoint-{step}") for step in (9, 100, 1000)]
    assert [row["step"] for row in rows.values()] == [9, 100, 1000]
    assert [row["against"] for row in rows.values()] == ["", *list(rows)[:2]]
    assert all(0 < module["change"] < 3 for module in rows[str(run / "checkpoint-100")]["modules"])


def test_two_that_are_the_same_bit_by_bit_are_said_to_be(audioloss, tmp_path):
    one, other = (write_model(tmp_path / name, drawn(1)) for name in ("one", "other"))
    ran = audioloss("probe", "--ckpt", one, "--against", other)
    assert "nothing-changed" in ran.out
    assert f"against {other}" in " ".join(ran.out.split())


def test_a_scan_audits_checkpoints_where_it_is_asked_to(audioloss, tmp_path):
    run = trained(tmp_path / "runs" / "a", [100, 200], last=with_nan)
    assert audioloss("scan", tmp_path / "runs").code == CLEAN
    ran = audioloss("scan", tmp_path / "runs", "--checkpoints")
    assert ran.code == FINDINGS
    assert "CRITICAL non-finite-weights" in ran.out
    assert ran.out.endswith("FAIL (exit 1): 1 critical in 1 series of 1 run and 2 checkpoints\n")
    left_out = audioloss("scan", tmp_path / "runs", "--checkpoints", "--exclude", "checkpoint-200")
    assert (left_out.code, left_out.out.splitlines()[-1]) == (
        CLEAN,
        "PASS (exit 0): nothing found in 1 series of 1 run and 1 checkpoint",
    )
    assert run.name in audioloss("scan", tmp_path / "runs", "--checkpoints", "--report", "junit").out


def test_checkpoints_alone_are_something_that_was_audited(audioloss, tmp_path):
    write_model(tmp_path / "runs" / "checkpoint-1", drawn(1))
    assert audioloss("scan", tmp_path / "runs").code == NOT_AUDITED
    assert audioloss("scan", tmp_path / "runs", "--checkpoints").code == CLEAN


def test_a_batch_beside_the_log_is_no_checkpoint(audioloss, tmp_path):
    run = trained(tmp_path / "run", [100])
    codes = {"audio_input_ids": Raw("I64", (2, 8)), "mask": Raw("BOOL", (2, 8))}
    (run / "batch.safetensors").write_bytes(safetensors_bytes(codes))
    document = json.loads(audioloss("scan", run, "--checkpoints", "--report", "json", "-v").out)
    assert [row["run"] for row in document["runs"] if row["checkpoint"]] == [str(run / "checkpoint-100")]
    assert str(run / "batch.safetensors") in [each["path"] for each in document["left_out"]]


@pytest.mark.parametrize("kind", ["json", "jsonl", "csv", "markdown", "sarif", "html", "concise", "prometheus"])
def test_every_report_names_it(audioloss, tmp_path, kind):
    model = write_model(tmp_path / "model", with_nan(drawn(1)))
    ran = audioloss("probe", "--ckpt", model, "--report", kind)
    assert (ran.code, "non-finite-weights" in ran.out) == (FINDINGS, True)


def test_what_is_damaged_beside_what_is_whole(audioloss, tmp_path):
    whole, torn = write_model(tmp_path / "whole", drawn(1)), write_shards(tmp_path / "torn")
    next(iter(sorted(torn.glob("*.safetensors")))).unlink()
    ran = audioloss("probe", "--ckpt", whole, "--ckpt", torn)
    assert (ran.code, "missing-shard" in ran.out) == (FINDINGS, True)
    assert ran.out.splitlines()[-1].endswith("in 2 checkpoints")


@pytest.mark.parametrize(
    ("name", "words"),
    [("empty", "no checkpoint in this directory"), ("text.txt", "not recognised as a checkpoint; known are")],
)
def test_what_is_no_checkpoint_is_not_audited(audioloss, tmp_path, name, words):
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.txt").write_text("no tensors")
    ran = audioloss("probe", "--ckpt", tmp_path / name)
    assert (ran.code, words in " ".join(ran.out.split())) == (NOT_AUDITED, True)


@pytest.mark.parametrize("name", ["missing", "empty"])
def test_a_base_that_is_none_is_a_usage_error(audioloss, tmp_path, name):
    (tmp_path / "empty").mkdir()
    ran = audioloss("probe", "--ckpt", write_model(tmp_path / "model", drawn(1)), "--against", tmp_path / name)
    assert (ran.code, "--against" in ran.err) == (USAGE, True)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may list any directory")
def test_a_directory_that_may_not_be_listed_is_named(audioloss, tmp_path):
    write_model(tmp_path / "runs" / "checkpoint-1", drawn(1))
    closed = tmp_path / "runs" / "closed"
    closed.mkdir(mode=0)
    ran = audioloss("probe", "--ckpt", tmp_path / "runs")
    assert (ran.code, str(closed) in ran.out) == (NOT_AUDITED, True)


def test_the_log_and_the_weights_speak_for_one_cause(audioloss, tmp_path):
    """Flat from the first point and NaN in the head: the log alone names the head as well."""
    run = tmp_path / "run"
    tensors = drawn(1, names=("audio_lm_head.weight",))
    write_model(run / "checkpoint-100", with_nan(tensors))
    rows = ({"step": step, "audio_loss": math.nan} for step in range(100))
    (run / "log.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    document = json.loads(audioloss("scan", run, "--checkpoints", "--report", "json").out)
    (diagnosis,) = [each for each in document["diagnoses"] if each["cause"] == "audio-head-frozen"]
    assert diagnosis["about"] == str(run / "checkpoint-100")
    assert any(clause.startswith("the log says: ") for clause in diagnosis["evidence"])
    assert any("NaN" in clause for clause in diagnosis["evidence"])


def test_a_link_to_itself_is_no_checkpoint(audioloss, tmp_path):
    (tmp_path / "loop.pt").symlink_to("loop.pt")
    ran = audioloss("probe", "--ckpt", tmp_path / "loop.pt", "--report", f"html={tmp_path / 'o.html'}")
    assert ran.code == NOT_AUDITED


def test_headers_are_not_compared_with_a_base(audioloss, tmp_path):
    model = write_model(tmp_path / "model", drawn(1))
    ran = audioloss("probe", "--ckpt", model, "--headers", "--against", write_model(tmp_path / "base", drawn(2)))
    assert (ran.code, "give one of them" in ran.err) == (USAGE, True)


def test_checkpoints_of_two_runs_that_are_the_same_are_said_to_be(audioloss, tmp_path):
    for run in ("one", "other"):
        write_model(tmp_path / run / "checkpoint-3", drawn(1))
    ran = audioloss("probe", "--ckpt", tmp_path / "one", "--ckpt", tmp_path / "other", "-v")
    told = " ".join(ran.out.split())
    assert ran.code == CLEAN
    assert "INFO nothing-changed all 2 tensors are bit by bit those of" in told
    assert "one/checkpoint-3, a checkpoint of another run" in told


def test_what_is_told_as_a_fact_gives_no_advice_unless_it_is_shown(audioloss, tmp_path):
    for run in ("one", "other"):
        write_model(tmp_path / run / "checkpoint-3", drawn(1))
    ran = audioloss("probe", "--ckpt", tmp_path / "one", "--ckpt", tmp_path / "other")
    assert (ran.code, "What to do next" in ran.out) == (CLEAN, False)
