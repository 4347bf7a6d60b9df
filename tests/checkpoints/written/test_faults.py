"""Faults planted in what real libraries have written: each is found, and nothing else is."""

import json
import math
import os
import pickle
import shutil
from pathlib import Path

import pytest
import torch

from audioloss_cli import Severity
from audioloss_cli.checkpoints.audit import audit_checkpoint
from audioloss_cli.checkpoints.check import run_checks
from audioloss_cli.checkpoints.evidence import CheckpointEvidence
from audioloss_cli.checkpoints.layouts import open_checkpoint
from audioloss_cli.model import Finding
from tests.checkpoints.written import writers
from tests.probe import tiny


def found(path: Path) -> list[Finding]:
    """All findings but facts."""
    findings, _ = run_checks(CheckpointEvidence(open_checkpoint(path)))
    return [finding for finding in findings if finding.severity is not Severity.INFO]


def codes(path: Path) -> list[tuple[str, str]]:
    return [(finding.code, finding.severity.value) for finding in found(path)]


UNFINISHED = [("unfinished-save", "warning")]


@pytest.mark.parametrize("name", ["optimizer.pt", "scheduler.pt", "rng_state.pth", "trainer_state.json"])
def test_a_trainer_that_was_stopped_while_it_saved(copied, name):
    path = copied("trainer")
    (path / name).unlink()
    (finding,) = found(path)
    assert (finding.code, finding.severity) == ("unfinished-save", Severity.WARNING)
    words = {"optimizer.pt": "optimizer", "scheduler.pt": "scheduler", "rng_state.pth": "random states"}
    assert f"has no {words.get(name, 'trainer state')}," in finding.message


def test_a_trainer_that_came_to_the_weights_alone(copied):
    path = copied("trainer")
    for name in ("optimizer.pt", "scheduler.pt", "rng_state.pth", "trainer_state.json"):
        (path / name).unlink()
    (finding,) = found(path)
    assert (finding.code, finding.severity) == ("unfinished-save", Severity.WARNING)
    assert "has no optimizer, no scheduler, no random states, no trainer state" in finding.message


def test_what_save_model_writes_at_the_end_is_whole(copied):
    """The weights and training_args.bin, under a name of the user's."""
    path = copied("trainer")
    for name in ("optimizer.pt", "scheduler.pt", "rng_state.pth", "trainer_state.json"):
        (path / name).unlink()
    final = path.rename(path.parent / "final")
    assert codes(final) == []


def test_a_trainer_without_weights(copied):
    path = copied("trainer")
    (path / "model.safetensors").unlink()
    assert codes(path) == [("unfinished-save", "critical")]


@pytest.mark.parametrize("name", ["optimizer.pt", "rng_state.pth", "trainer_state.json"])
def test_a_file_that_is_empty(copied, name):
    path = copied("trainer")
    (path / name).write_bytes(b"")
    assert {code for code, _ in codes(path)} == {"unfinished-save"}


@pytest.mark.parametrize("name", ["optimizer.pt", "scheduler.pt", "rng_state.pth", "training_args.bin"])
def test_a_file_that_is_cut_short(copied, name):
    path = copied("trainer")
    whole = (path / name).read_bytes()
    (path / name).write_bytes(whole[: len(whole) // 2])
    assert {code for code, _ in codes(path)} == {"damaged-file"}


def test_one_byte_that_is_missing_is_a_file_cut_short(copied):
    file = copied("trainer") / "optimizer.pt"
    os.truncate(file, file.stat().st_size - 1)
    (finding,) = found(file.parent)
    assert (finding.code, "is cut short" in finding.message) == ("damaged-file", True)


@pytest.mark.parametrize("text", ['{"global_step": 2, "log_', "[]", "{}", '{"global_step": "2"}'])
def test_a_state_that_is_damaged(copied, text):
    path = copied("trainer")
    (path / "trainer_state.json").write_text(text, encoding="utf-8")
    assert codes(path) == [("damaged-file", "warning")]
    assert open_checkpoint(path).step == writers.STEPS  # by its name


def test_ranks_that_are_missing(copied):
    path = copied("trainer")
    for rank in (0, 1, 3):
        shutil.copyfile(path / "rng_state.pth", path / f"rng_state_{rank}.pth")
    (path / "rng_state.pth").unlink()
    (finding,) = found(path)
    assert (finding.code, finding.evidence["ranks"]) == ("unfinished-save", [2])
    for rank in (0, 1):  # the second of two nodes
        (path / f"rng_state_{rank}.pth").unlink()
    shutil.copyfile(path / "rng_state_3.pth", path / "rng_state_2.pth")
    assert codes(path) == []


def test_an_optimizer_of_another_save(copied, written):
    path = copied("trainer")
    (first,) = (each for each in written("trainer").parent.iterdir() if each.name == "checkpoint-1")
    shutil.copyfile(first / "optimizer.pt", path / "optimizer.pt")
    (finding,) = found(path)
    assert (finding.code, finding.severity) == ("unfinished-save", Severity.WARNING)
    assert (finding.evidence["step"], finding.evidence["state"]) == (1, 2)


def test_trainings_in_fp16_skip_steps(copied, written):
    """Where gradients overflow, the optimizer does not step, and no scheduler does."""
    path = copied("trainer")
    first = written("trainer").parent / "checkpoint-1"
    shutil.copyfile(first / "optimizer.pt", path / "optimizer.pt")
    shutil.copyfile(first / "scheduler.pt", path / "scheduler.pt")
    torch.save({"scale": 65536.0}, path / "scaler.pt")
    assert codes(path) == []


def test_a_directory_that_is_named_for_another_step(copied):
    path = copied("trainer")
    assert codes(path.rename(path.parent / "checkpoint-best")) == []
    assert codes((path.parent / "checkpoint-best").rename(path.parent / "checkpoint-900")) == UNFINISHED


def test_a_state_of_a_long_training_is_not_parsed(copied):
    path = copied("trainer")
    state = json.loads((path / "trainer_state.json").read_bytes())
    state["log_history"] = [{"loss": 1.0, "step": step, "text": "x" * 500} for step in range(9000)]
    text = json.dumps(state, indent=2, sort_keys=True) + "\n"
    assert len(text) > 4 << 20
    (path / "trainer_state.json").write_text(text, encoding="utf-8")
    assert codes(path) == []
    assert open_checkpoint(path).step == 2
    (path / "trainer_state.json").write_text(text[:-100], encoding="utf-8")
    assert codes(path) == [("damaged-file", "warning")]


def test_accelerate_without_its_optimizer(copied):
    path = copied("accelerate")
    (path / "optimizer.bin").unlink()
    assert codes(path) == UNFINISHED


def test_distributed_without_its_metadata(copied):
    path = copied("distributed")
    (path / ".metadata").unlink()
    assert codes(path) == [("unfinished-save", "critical")]
    path = copied("fsdp")
    (path / "__0_0.distcp").unlink()
    assert codes(path) == [("missing-shard", "critical")]


def test_distributed_that_is_cut_short(copied):
    path = copied("fsdp")
    whole = (path / "__0_0.distcp").read_bytes()
    (path / "__0_0.distcp").write_bytes(whole[:-100])
    (finding,) = found(path)
    assert (finding.code, finding.severity) == ("damaged-file", Severity.CRITICAL)
    assert "for 1: model.audio_lm_head.weight" in finding.message
    metadata = (path / ".metadata").read_bytes()
    (path / ".metadata").write_bytes(metadata[: len(metadata) // 2])
    assert {code for code, _ in codes(path)} == {"damaged-file"}


def test_distributed_with_a_file_of_another_save(copied):
    path = copied("fsdp")
    shutil.copyfile(path / "__0_0.distcp", path / "__1_0.distcp")
    assert codes(path) == [("stray-shard", "warning")]


@pytest.mark.parametrize("name", ["../fsdp.distcp", "/etc/passwd", "..\\fsdp.distcp", "a/b.distcp", ""])
def test_metadata_that_leaves_the_checkpoint(copied, name):
    path = copied("fsdp")
    metadata = pickle.loads((path / ".metadata").read_bytes())
    info = metadata.storage_data[next(iter(metadata.storage_data))]
    info.relative_path = name
    (path / ".metadata").write_bytes(pickle.dumps(metadata))
    (path.parent / "fsdp.distcp").write_bytes(b"not opened")
    assert codes(path) == [("path-leaves-checkpoint", "critical")]


def test_metadata_whose_chunks_make_no_tensor(tmp_path):
    path = writers.in_chunks(tmp_path / "x", {"a": torch.ones(8, 2), "b": torch.ones(8, 2)}, {})
    metadata = pickle.loads((path / ".metadata").read_bytes())
    metadata.state_dict_metadata["a"].size = torch.Size([9, 2])
    metadata.state_dict_metadata["b"].properties.dtype = torch.float64
    (path / ".metadata").write_bytes(pickle.dumps(metadata))
    (finding,) = found(path)
    assert (finding.code, finding.evidence["tensors"]) == ("damaged-file", ["a", "b"])


@pytest.mark.parametrize(("stage", "rank"), [(1, 1), (3, 0), (3, 1)])
def test_deepspeed_without_the_optimizer_of_a_rank(copied, stage, rank):
    path = copied(f"zero {stage}")
    (path / f"zero_pp_rank_{rank}_mp_rank_00_optim_states.pt").unlink()
    (finding,) = found(path)
    assert (finding.code, finding.severity) == ("unfinished-save", Severity.CRITICAL)
    assert (finding.evidence["ranks"], finding.evidence["world"]) == ([rank], 2)


def test_deepspeed_without_the_model_of_a_rank(copied):
    path = copied("zero 3")
    (path / "zero_pp_rank_1_mp_rank_00_model_states.pt").unlink()
    (finding,) = found(path)
    assert "states of the model are missing of 1 of 2 ranks: 1" in finding.message


def test_deepspeed_without_any_optimizer(copied):
    path = copied("zero 1")
    for rank in range(2):
        (path / f"zero_pp_rank_{rank}_mp_rank_00_optim_states.pt").unlink()
    assert codes(path) == [("unfinished-save", "critical")]


def test_deepspeed_with_a_rank_of_another_save(copied):
    path = copied("zero 1")
    name = "zero_pp_rank_{}_mp_rank_00_optim_states.pt"
    shutil.copyfile(path / name.format(1), path / name.format(2))
    assert codes(path) == [("stray-shard", "warning")]


def test_deepspeed_whose_latest_names_what_is_not_there(tmp_path):
    writers.zero(tmp_path, 1)
    (tmp_path / "latest").write_text("global_step99\n", encoding="utf-8")
    (finding,) = found(tmp_path)
    assert (finding.code, finding.severity) == ("unfinished-save", Severity.CRITICAL)
    assert f"names global_step99, which is not there; there is global_step{writers.STEPS}" in finding.message


def test_deepspeed_whose_states_are_too_short(tmp_path):
    path = writers.zero(tmp_path, 3)
    file = path / "zero_pp_rank_1_mp_rank_00_optim_states.pt"
    states = torch.load(file, weights_only=True)
    groups = states["optimizer_state_dict"]["fp32_flat_groups"]
    states["optimizer_state_dict"]["fp32_flat_groups"] = [groups[0], groups[1][:-5000].clone()]
    torch.save(states, file)
    assert ("missing-shard", "critical") in codes(path)


def test_a_directory_of_many_steps_is_none_itself(tmp_path):
    from audioloss_cli.checkpoints.discover import checkpoints_under

    places = [writers.zero(tmp_path / name, 1) for name in ("a", "b")]
    places[1].rename(tmp_path / "a" / "global_step10")
    (tmp_path / "b" / "latest").unlink()
    assert list(checkpoints_under(tmp_path)) == [tmp_path / "a" / "global_step2", tmp_path / "a" / "global_step10"]


def test_a_training_that_ended_leaves_its_last_model_above_its_checkpoints(written, tmp_path):
    from audioloss_cli.checkpoints.discover import checkpoints_under

    run = tmp_path / "run"
    for step in (9, 10):
        shutil.copytree(written("trainer"), run / f"checkpoint-{step}")
    shutil.copyfile(written("trainer") / "model.safetensors", run / "model.safetensors")
    assert list(checkpoints_under(tmp_path)) == [run / "checkpoint-9", run / "checkpoint-10", run]


def test_a_file_of_any_name(tmp_path):
    from safetensors.torch import save_file

    save_file({"a": torch.ones(3)}, tmp_path / "anything.safetensors")
    opened = open_checkpoint(tmp_path / "anything.safetensors")
    assert (opened.kind, list(opened.tensors)) == ("safetensors file", ["a"])
    torch.save(tiny.model().state_dict(), tmp_path / "anything.pt")
    assert open_checkpoint(tmp_path / "anything.pt").kind == "torch file"


def test_a_byte_of_a_chunk_that_has_changed(copied):
    """torch.load does not look at the checksums."""
    from audioloss_cli.checkpoints.audit import audit_checkpoint

    path = copied("distributed")
    assert audit_checkpoint(path).findings == []
    place = open_checkpoint(path).tensors["audio_lm_head.weight"]
    data = bytearray(place.file.read_bytes())
    data[place.offset + 5] ^= 1
    place.file.write_bytes(data)
    (finding,) = audit_checkpoint(path).findings
    assert (finding.code, finding.severity) == ("damaged-file", Severity.CRITICAL)
    assert finding.evidence["offsets"] == [place.offset]


def test_what_a_sharded_checkpoint_would_import(tmp_path):
    """Values that are no tensors are unpickled by whoever loads them."""
    import torch.distributed.checkpoint as dcp

    with pytest.warns(UserWarning, match="torch.distributed is disabled"):
        dcp.save({"model": {"a": torch.ones(3)}, "path": Path("x")}, checkpoint_id=str(tmp_path / "x"))
    imports = open_checkpoint(tmp_path / "x").imports
    assert any(name.startswith("pathlib.") for name in imports[tmp_path / "x" / "__0_0.distcp"])


def test_a_nan_in_the_state_of_the_optimizer(copied):
    path = copied("trainer")
    state = torch.load(path / "optimizer.pt", weights_only=True)
    next(iter(state["state"].values()))["exp_avg"].view(-1)[3] = math.nan
    torch.save(state, path / "optimizer.pt")
    (finding,) = [each for each in audit_checkpoint(path).findings if each.code == "non-finite-state"]
    assert "exp_avg" in finding.message
