"""What real libraries write is healthy: no finding, the right step, the right tensors, at the right places."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from audioloss_cli import Severity
from audioloss_cli.checkpoints.check import run_checks
from audioloss_cli.checkpoints.evidence import CheckpointEvidence
from audioloss_cli.checkpoints.layouts import open_checkpoint
from audioloss_cli.checkpoints.stored import Checkpoint, StoredTensor
from tests.checkpoints.written import writers
from tests.probe import tiny

DTYPES = {"F32": torch.float32, "BF16": torch.bfloat16, "F16": torch.float16, "I64": torch.int64}
TRAINED = ["optimizer", "random states", "scheduler", "trainer state"]


def values_of(tensor: StoredTensor) -> Tensor:
    """The values of a tensor, read at the place where it is said to lie."""
    if tensor.pieces:
        return torch.cat([values_of(piece).flatten() for piece in tensor.pieces]).reshape(tensor.shape)
    with tensor.file.open("rb") as stream:
        stream.seek(tensor.offset)
        found = torch.frombuffer(bytearray(stream.read(tensor.nbytes)), dtype=DTYPES[tensor.dtype])
    assert tensor.strides is None
    return found.reshape(tensor.shape)


def assert_healthy(opened: Checkpoint, step: int | None) -> None:
    findings, passed = run_checks(CheckpointEvidence(opened))
    assert [finding.message for finding in findings if finding.severity is not Severity.INFO] == []
    assert {"damaged-file", "duplicate-tensor"} <= passed.keys()
    assert opened.step == step
    assert opened.files == sorted(set(opened.files))
    assert all(file.is_file() for file in opened.files)


def assert_same(opened: Checkpoint, expected: dict[str, Tensor]) -> None:
    assert set(opened.tensors) == set(expected)
    for name, tensor in opened.tensors.items():
        assert torch.equal(values_of(tensor), expected[name].float().reshape(tensor.shape)), name


def initial() -> dict[str, Tensor]:
    return dict(tiny.model().state_dict())


def names_of_parts(opened: Checkpoint) -> list[str]:
    return sorted({part.name for part in opened.parts})


@pytest.mark.parametrize(("name", "files"), [("whole", 2), ("shards", 5)])
def test_save_pretrained(written, name, files):
    opened = open_checkpoint(written(name))
    assert_healthy(opened, None)
    assert_same(opened, initial())
    assert (opened.kind, len(opened.files), opened.resumable) == ("transformers directory", files, False)
    assert opened.config["num_codebooks"] == tiny.K
    one = open_checkpoint(
        written(name) / ("model.safetensors" if name == "whole" else "model-00001-of-00003.safetensors")
    )
    assert_healthy(one, None)
    assert one.kind == "safetensors file"
    assert bool(one.config) == (name == "whole")  # what a whole model has says nothing of one shard
    assert [note[:20] for note in one.notes] == ([] if name == "whole" else ["it is shard 1 of 3: "])


def test_a_model_of_pickles_in_shards(tmp_path):
    """transformers 5 no longer writes them; hubs are full of them."""
    names = [f"pytorch_model-0000{shard}-of-00002.bin" for shard in (1, 2)]
    weights = initial()
    weight_map = {name: names[index % 2] for index, name in enumerate(weights)}
    for file in names:
        torch.save({name: weights[name] for name in weights if weight_map[name] == file}, tmp_path / file)
    total = sum(weight.nbytes for weight in weights.values())
    index = {"metadata": {"total_size": total}, "weight_map": weight_map}
    (tmp_path / "pytorch_model.bin.index.json").write_text(json.dumps(index), encoding="utf-8")
    opened = open_checkpoint(tmp_path)
    assert_healthy(opened, None)
    assert_same(opened, weights)


def test_tied_weights_of_a_pickle_share_a_storage(tmp_path):
    weight = torch.ones(4, 3)
    torch.save({"embed.weight": weight, "head.weight": weight}, tmp_path / "pytorch_model.bin")
    opened = open_checkpoint(tmp_path)
    assert_healthy(opened, None)
    assert len({tensor.storage for tensor in opened.tensors.values()}) == 1


def test_an_adapter(written, tmp_path):
    opened = open_checkpoint(written("adapter"))
    assert_healthy(opened, None)
    assert (opened.kind, len(opened.tensors), opened.adapter_config["r"]) == ("LoRA adapter", 9, 4)
    assert all(name.startswith("base_model.model.") for name in opened.tensors)
    shutil.copytree(written("adapter"), tmp_path / "lora_adapters")
    nested = open_checkpoint(tmp_path)
    assert_healthy(nested, None)
    assert (set(nested.tensors), nested.adapter_config) == (set(opened.tensors), opened.adapter_config)


@pytest.mark.parametrize(("name", "tensors"), [("trainer", None), ("trainer, adapter", 9)])
def test_the_trainer(written, name, tensors):
    opened = open_checkpoint(written(name))
    assert_healthy(opened, writers.STEPS)
    assert (opened.kind, len(opened.tensors)) == ("HF Trainer checkpoint", tensors or len(initial()))
    assert opened.resumable
    assert names_of_parts(opened) == TRAINED
    assert {part.step for part in opened.parts} - {None} == {writers.STEPS}
    assert len(opened.files) == 7
    assert opened.imports  # of training_args.bin at the least


def test_the_trainer_where_it_saves_the_model_alone(written):
    opened = open_checkpoint(written("trainer, model only"))
    assert_healthy(opened, 1)
    assert not opened.resumable
    assert "cannot be resumed" in opened.notes[0]


def test_lightning(written):
    opened = open_checkpoint(written("lightning") / "epoch=0-step=2.ckpt")
    assert_healthy(opened, writers.STEPS)
    assert (opened.kind, opened.resumable) == ("Lightning checkpoint", True)
    assert names_of_parts(opened) == ["optimizer", "scheduler"]
    assert set(opened.tensors) == {f"model.{name}" for name in initial()}
    alone = open_checkpoint(written("lightning") / "weights.ckpt")
    assert_healthy(alone, writers.STEPS)
    assert not alone.resumable
    assert set(alone.tensors) == set(opened.tensors)


def test_accelerate(written):
    opened = open_checkpoint(written("accelerate"))
    assert_healthy(opened, 1)  # the optimizer says so, and nothing else does
    assert (opened.kind, len(opened.tensors)) == ("accelerate checkpoint", len(initial()))
    assert names_of_parts(opened) == ["optimizer", "random states", "scheduler"]


def test_distributed(written):
    opened = open_checkpoint(written("distributed"))
    assert_healthy(opened, writers.STEPS)
    assert opened.kind == "torch.distributed checkpoint"
    assert names_of_parts(opened) == ["optimizer"]
    assert set(opened.tensors) == set(initial())
    alone = open_checkpoint(written("fsdp"))
    assert_healthy(alone, None)
    assert_same(alone, initial())
    assert any(
        name.startswith("torch.distributed.checkpoint.metadata.") for names in alone.imports.values() for name in names
    )


def test_distributed_in_the_chunks_of_ranks(tmp_path):
    weights = initial()
    head, embed = "audio_lm_head.weight", "model.embed_tokens.weight"
    opened = open_checkpoint(writers.in_chunks(tmp_path / "step-40", weights, {head: (0, 1000), embed: (1, 7)}))
    assert_healthy(opened, 40)
    assert opened.tensors[head].shape == weights[head].shape
    assert [piece.shape for piece in opened.tensors[head].pieces] == [(1000, 32), (7208, 32)]
    cut = opened.tensors.pop(embed)
    assert (cut.shape, cut.is_in_order) == ((128, 32), False)
    assert {piece.shape for piece in cut.pieces} == {(128, 7), (128, 25)}
    assert torch.equal(values_of(cut.pieces[0]), weights[embed][:, :7])
    assert all(tensor.is_in_order for tensor in opened.tensors.values())
    del weights[embed]
    assert_same(opened, weights)


@pytest.mark.exhaustive
def test_fully_sharded_in_one_process(tmp_path):
    """What FSDP 2 saves are DTensors."""
    import torch.distributed as dist
    import torch.distributed.checkpoint as dcp
    from torch.distributed.fsdp import fully_shard

    dist.init_process_group("gloo", init_method=f"file://{tmp_path}/store", rank=0, world_size=1)
    try:
        mesh = dist.device_mesh.init_device_mesh("cpu", (1,))
        model = fully_shard(tiny.model(), mesh=mesh)
        place = tmp_path / "checkpoint-5" / "pytorch_model_fsdp_0"
        dcp.save({"model": model.state_dict()}, checkpoint_id=str(place))
    finally:
        dist.destroy_process_group()
    opened = open_checkpoint(place)
    assert_healthy(opened, None)
    assert_same(opened, initial())


@pytest.mark.exhaustive
def test_fully_sharded_by_two_processes(tmp_path):
    """Each rank writes its own file, and the weights are those that the ranks have together."""
    command = [sys.executable, "-m", "tests.checkpoints.written.fsdp_ranks", str(tmp_path)]
    shared = {**os.environ, "WORLD_SIZE": "2", "OMP_NUM_THREADS": "1"}
    ranks = [subprocess.Popen(command, env={**shared, "RANK": rank, "LOCAL_RANK": rank}) for rank in "01"]
    try:
        assert [rank.wait(timeout=300) for rank in ranks] == [0, 0]
    finally:
        for rank in ranks:
            rank.kill()
            rank.wait()
    place = tmp_path / f"step-{writers.STEPS}"
    assert [path.name for path in sorted(place.glob("*.distcp"))] == ["__0_0.distcp", "__1_0.distcp"]
    opened = open_checkpoint(place)
    assert_healthy(opened, writers.STEPS)
    assert names_of_parts(opened) == ["optimizer"]
    whole = torch.load(tmp_path / "whole.pt", weights_only=True)
    assert any(len(tensor.pieces) == 2 for tensor in opened.tensors.values())
    assert_same(opened, whole)
    (place / "__1_0.distcp").unlink()
    assert [fault.severity for fault in open_checkpoint(place).faults if fault.severity is Severity.CRITICAL]


def test_the_trainer_with_fsdp(written, tmp_path):
    """Weights and optimizer are directories of chunks."""
    place = tmp_path / "checkpoint-2"
    shutil.copytree(written("trainer"), place, ignore=shutil.ignore_patterns("model.safetensors", "optimizer.pt"))
    shutil.copytree(written("fsdp"), place / "pytorch_model_fsdp_0")
    shutil.copytree(written("distributed"), place / "optimizer_0")
    opened = open_checkpoint(place)
    assert_healthy(opened, writers.STEPS)
    assert opened.kind == "HF Trainer checkpoint with FSDP"
    assert names_of_parts(opened) == TRAINED
    assert_same(opened, initial())


@pytest.mark.parametrize("stage", [1, 3])
def test_deepspeed(written, stage):
    place = written(f"zero {stage}")
    for path in (place, place.parent):
        opened = open_checkpoint(path)
        assert_healthy(opened, writers.STEPS)
        assert (opened.kind, opened.resumable) == (f"DeepSpeed ZeRO {stage} checkpoint", True)
        assert_same(opened, initial())
        assert names_of_parts(opened) == ["optimizer", "scheduler"]
    assert len(opened.files) == (3 if stage == 1 else 4)


def test_deepspeed_with_frozen_weights_on_three_ranks(tmp_path):
    names = ["audio_lm_head.weight", "model.norm.weight"]
    opened = open_checkpoint(writers.zero(tmp_path, 3, world=3, frozen=names))
    assert_healthy(opened, writers.STEPS)
    assert_same(opened, initial())


@pytest.mark.parametrize("stage", [1, 3])
def test_the_trainer_with_deepspeed(written, tmp_path, stage):
    place = tmp_path / "checkpoint-2"
    ignored = ["optimizer.pt", "scheduler.pt", *(["model.safetensors"] if stage == 3 else [])]
    shutil.copytree(written("trainer"), place, ignore=shutil.ignore_patterns(*ignored))
    shutil.copytree(written(f"zero {stage}"), place / "global_step2")
    (place / "latest").write_text("global_step2", encoding="utf-8")
    (place / "rng_state.pth").rename(place / "rng_state_0.pth")
    shutil.copyfile(place / "rng_state_0.pth", place / "rng_state_1.pth")
    opened = open_checkpoint(place)
    assert_healthy(opened, writers.STEPS)
    assert opened.kind == f"HF Trainer checkpoint with DeepSpeed ZeRO {stage}"
    assert len(opened.tensors) == len(initial())
    assert names_of_parts(opened) == TRAINED


def test_deepspeed_universal(tmp_path):
    place = tmp_path / "global_step7_universal"
    for name, weight in initial().items():
        (place / "zero" / name).mkdir(parents=True)
        for file in ("fp32", "exp_avg", "exp_avg_sq"):
            torch.save({"param": weight}, place / "zero" / name / f"{file}.pt")
    torch.save(
        {"module": {}, "global_steps": 7, "param_shapes": [], "dp_world_size": 4}, place / "mp_rank_00_model_states.pt"
    )
    opened = open_checkpoint(place)
    assert_healthy(opened, 7)
    assert_same(opened, initial())


def training_file(**more: Any) -> dict[str, Any]:
    model = tiny.model()
    optimizer = torch.optim.AdamW(model.parameters())
    return {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "ema_decay": 0.9, **more}


@pytest.mark.parametrize(
    ("name", "held", "step"),
    [
        ("model.pt", lambda: tiny.model().state_dict(), None),
        ("checkpoint_step_700.pt", lambda: tiny.model().state_dict(), 700),
        ("ckpt.pth", lambda: training_file(global_step=12), 12),
        ("ckpt.pt", lambda: training_file(step=torch.tensor(13)), 13),
        ("ckpt_iter=90.bin", training_file, 90),
    ],
)
def test_a_file_of_a_plain_loop(tmp_path, name, held, step):
    torch.save(held(), tmp_path / name)
    opened = open_checkpoint(tmp_path / name)
    assert_healthy(opened, step)
    assert_same(opened, initial())


def test_precisions_that_are_mixed_on_purpose(tmp_path):
    """Norms in fp32 beside bf16 weights, LoRA in fp32 upon bf16, a router or head of its own: all of them are usual."""
    from safetensors.torch import save_file

    weights = {name: weight.bfloat16() if "norm" not in name else weight for name, weight in initial().items()}
    for layer in range(8):
        for half, shape in (("A", (4, 32)), ("B", (32, 4))):
            weights[f"model.layers.{layer}.self_attn.q_proj.lora_{half}.weight"] = torch.ones(shape)
            weights[f"model.layers.{layer}.self_attn.q_proj.base_layer.weight"] = torch.ones(4, dtype=torch.bfloat16)
    weights["audio_lm_head.weight"] = weights["audio_lm_head.weight"].float()
    save_file(weights, tmp_path / "model.safetensors")
    assert_healthy(open_checkpoint(tmp_path), None)


def test_the_cache_of_the_hub(written, tmp_path):
    """Its snapshots are links to blobs beside them, which is healthy."""
    model = tmp_path / "models--bosonai--higgs"
    (model / "blobs").mkdir(parents=True)
    snapshot = model / "snapshots" / "0123abcd"
    snapshot.mkdir(parents=True)
    for number, file in enumerate(sorted(written("shards").iterdir())):
        shutil.copyfile(file, model / "blobs" / f"blob{number}")
        (snapshot / file.name).symlink_to(Path("../../blobs") / f"blob{number}")
    opened = open_checkpoint(snapshot)
    assert_healthy(opened, None)
    assert len(opened.tensors) == len(initial())
