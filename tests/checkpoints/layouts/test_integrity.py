"""Faults planted in directories of safetensors: each is found, told with its place, and nothing else is."""

import json
import os
import re
import shutil
from pathlib import Path

import pytest

from audioloss_cli import Severity
from audioloss_cli.checkpoints.check import run_checks
from audioloss_cli.checkpoints.evidence import CheckpointEvidence
from audioloss_cli.checkpoints.layouts import kind_of, open_checkpoint
from audioloss_cli.checkpoints.stored import ReadError
from audioloss_cli.model import Finding
from tests.checkpoints.build import (
    Raw,
    model_tensors,
    read_index,
    safetensors_bytes,
    write_index,
    write_model,
    write_shards,
)

FIRST, SECOND = "model-00001-of-00003.safetensors", "model-00002-of-00003.safetensors"
ALL = len(model_tensors())


def found(path: Path) -> list[Finding]:
    findings, _ = run_checks(CheckpointEvidence(open_checkpoint(path)))
    for finding in findings:
        assert finding.message == " ".join(finding.message.split())
        assert len(finding.message) < 2000
        json.dumps(finding.evidence)
    return findings


def codes(path: Path) -> list[tuple[str, str]]:
    return [(finding.code, finding.severity.value) for finding in found(path)]


@pytest.fixture
def shards(tmp_path):
    return write_shards(tmp_path / "model")


def test_health(shards, tmp_path):
    assert codes(shards) == []
    opened = open_checkpoint(shards)
    assert (len(opened.tensors), len(opened.files), opened.config) == (ALL, 5, {"model_type": "made_up"})
    assert codes(write_model(tmp_path / "one")) == []


def test_a_shard_that_is_missing(shards):
    (shards / SECOND).unlink()
    (finding,) = found(shards)
    assert (finding.code, finding.severity) == ("missing-shard", Severity.CRITICAL)
    assert f"missing are 1 of 3 shards ({SECOND}) and with them 3 of 8 tensors" in finding.message
    assert finding.evidence["files"] == [SECOND]


def test_an_index_that_is_missing(shards):
    (shards / "model.safetensors.index.json").unlink()
    assert codes(shards) == [("missing-shard", "critical")]
    assert len(open_checkpoint(shards).tensors) == ALL
    (shards / FIRST).unlink()
    assert codes(shards) == [("missing-shard", "critical")] * 2
    assert "these are missing: 1" in found(shards)[1].message


@pytest.mark.parametrize("name", ["model-00003-of-00007.safetensors", "model-00004-of-00003.safetensors"])
def test_a_shard_of_another_save(shards, name):
    shutil.copyfile(shards / FIRST, shards / name)
    (finding,) = found(shards)
    assert (finding.code, finding.severity) == ("stray-shard", Severity.WARNING)
    assert name in finding.message


def test_shards_beside_a_whole_model(shards):
    write_model(shards)
    (finding,) = found(shards)
    assert (finding.code, finding.severity) == ("stray-shard", Severity.WARNING)
    assert "3 shards of another save, model.safetensors is loaded instead" in finding.message


def test_other_files_beside_shards_are_none_of_another_save(shards):
    for name in ("tokenizer-e351c8d8-checkpoint125.safetensors", "consolidated.safetensors", "vocab.bin"):
        shutil.copyfile(shards / FIRST, shards / name)
    assert codes(shards) == []


def changed_map(shards: Path, **more: str | None) -> None:
    index = read_index(shards)
    weight_map = {**index["weight_map"], **more}
    write_index(shards, {name: file for name, file in weight_map.items() if file}, index["metadata"]["total_size"])


def test_an_index_that_is_wrong(shards):
    changed_map(shards, **{"embed.weight": SECOND, "layers.9.weight": FIRST, "audio_lm_head.weight": None})
    findings = found(shards)
    assert [(finding.code, finding.severity.value) for finding in findings] == [
        ("wrong-weight-map", "critical"),
        ("wrong-weight-map", "warning"),
        ("wrong-weight-map", "warning"),
    ]
    for finding, name in zip(findings, ("layers.9.weight", "embed.weight", "audio_lm_head.weight"), strict=True):
        assert name in finding.message
    assert FIRST in findings[1].message


@pytest.mark.parametrize("text", ["{}", "[]", '{"weight_map": 5}', '{"weight_map": {"a": 5}}', "{", "", "[" * 10_000])
def test_an_index_that_makes_no_sense(shards, text):
    (shards / "model.safetensors.index.json").write_text(text, encoding="utf-8")
    grave = [each for each in found(shards) if each.severity is not Severity.INFO]
    assert len(open_checkpoint(shards).tensors) == ALL
    assert {each.code for each in grave} <= {"wrong-weight-map", "damaged-file", "unfinished-save"}
    assert grave


def test_a_tensor_in_two_shards(shards):
    twice = {"embed.weight": Raw("BF16", (10, 4)), "audio_lm_head.weight": Raw("BF16", (16, 4))}
    index = read_index(shards)
    place = shards / index["weight_map"]["audio_lm_head.weight"]
    rest = {name: raw for name, raw in model_tensors().items() if index["weight_map"][name] == place.name}
    place.write_bytes(safetensors_bytes({**rest, **twice}))
    findings = found(shards)
    assert [(each.code, each.severity.value) for each in findings] == [("duplicate-tensor", "warning")]
    assert findings[0].evidence["tensors"] == ["embed.weight"]


@pytest.mark.parametrize("size", [1, 10**30, 3.5])
def test_a_total_size_that_is_wrong(shards, size):
    write_index(shards, read_index(shards)["weight_map"], size)
    assert codes(shards) == [("wrong-total-size", "warning")]


@pytest.mark.parametrize(
    "name",
    [
        "../outside.safetensors",
        "/etc/passwd",
        "a/../../outside.safetensors",
        "C:\\x.safetensors",
        "..\\outside.safetensors",
    ],
)
def test_an_index_that_leaves_the_checkpoint(shards, name):
    """What it names there is not opened: were it, it would be found damaged."""
    (shards.parent / "outside.safetensors").write_bytes(b"no safetensors")
    changed_map(shards, **{"embed.weight": name})
    findings = found(shards)
    assert ("path-leaves-checkpoint", Severity.CRITICAL) in {(each.code, each.severity) for each in findings}
    assert {each.code for each in findings} <= {"path-leaves-checkpoint", "wrong-weight-map"}


def test_a_link_that_leaves_the_checkpoint(shards):
    outside = shards.parent / "outside.safetensors"
    (shards / FIRST).rename(outside)
    (shards / FIRST).symlink_to(outside)
    (finding,) = found(shards)
    assert (finding.code, finding.severity) == ("path-leaves-checkpoint", Severity.WARNING)
    assert len(open_checkpoint(shards).tensors) == ALL


def test_links_that_are_healthy(shards):
    (shards / FIRST).rename(shards / "blob")
    (shards / FIRST).symlink_to("blob")
    latest = shards.parent / "latest"
    latest.symlink_to(shards)
    assert codes(shards) == codes(latest) == []
    file = shards.parent / "best.safetensors"
    file.symlink_to(shards / FIRST)
    assert codes(file) == []


def test_links_to_nothing_and_in_a_circle(shards):
    (shards / FIRST).unlink()
    (shards / FIRST).symlink_to("nowhere")
    (shards / SECOND).unlink()
    (shards / SECOND).symlink_to(SECOND)
    assert codes(shards) == [("damaged-file", "critical")] * 2


def test_what_is_no_regular_file_is_not_opened(shards):
    (shards / FIRST).unlink()
    os.mkfifo(shards / FIRST)  # opening it would wait for ever
    (shards / SECOND).unlink()
    (shards / SECOND).mkdir()
    assert codes(shards) == [("damaged-file", "critical")] * 2


def test_a_file_that_is_empty(shards):
    (shards / FIRST).write_bytes(b"")
    (finding,) = found(shards)
    assert (finding.code, finding.severity) == ("unfinished-save", Severity.CRITICAL)
    (shards.parent / "m.safetensors").write_bytes(b"")
    assert codes(shards.parent / "m.safetensors") == [("unfinished-save", "critical")]


@pytest.mark.parametrize("name", ["model.safetensors.tmp", "tmp_model.safetensors", ".tmp-1234", "x.incomplete"])
def test_what_a_save_leaves_that_did_not_finish(shards, name):
    (shards / name).write_bytes(b"abc")
    assert codes(shards) == [("unfinished-save", "warning")]


def test_a_directory_that_was_not_given_its_name(tmp_path):
    assert codes(write_model(tmp_path / "tmp-checkpoint-500")) == [("unfinished-save", "critical")]


def test_a_shard_that_is_cut_short_is_told_once(shards):
    whole = (shards / FIRST).read_bytes()
    (shards / FIRST).write_bytes(whole[:-10])
    assert codes(shards) == [("damaged-file", "critical")]


def test_a_configuration_that_is_damaged(shards):
    (shards / "config.json").write_text('{"a": ', encoding="utf-8")
    assert codes(shards) == [("damaged-file", "critical")]
    (shards / "config.json").write_text('{"a":' * 200 + "1" + "}" * 200, encoding="utf-8")
    assert codes(shards) == [("damaged-file", "critical")]


def test_an_adapter_without_its_configuration(tmp_path):
    halves = {"A": (4, 8), "B": (8, 4)}
    tensors = {f"base_model.model.q_proj.lora_{half}.weight": Raw("F32", shape) for half, shape in halves.items()}
    write_model(tmp_path, tensors, "adapter_model.safetensors")
    assert codes(tmp_path) == [("unfinished-save", "critical")]
    (tmp_path / "adapter_config.json").write_text('{"r": 4}', encoding="utf-8")
    assert codes(tmp_path) == []
    assert open_checkpoint(tmp_path).adapter_config == {"r": 4}


def test_a_directory_that_cannot_be_read(shards):
    if os.geteuid() == 0:
        pytest.skip("root reads everything")
    (shards / FIRST).chmod(0)
    assert codes(shards) == [("damaged-file", "critical")]


class TestMixedDtypes:
    def write(self, path: Path, **dtypes: str) -> Path:
        tensors = model_tensors(layers=8)
        for part, dtype in dtypes.items():
            name = re.sub("_DOT_", ".", part)
            tensors[name] = replace_dtype(tensors[name], dtype)
        return write_model(path, tensors)

    def test_one_weight_of_another_dtype(self, tmp_path):
        (finding,) = found(self.write(tmp_path, layers_DOT_3_DOT_mlp_DOT_up_proj_DOT_weight="F32"))
        assert (finding.code, finding.severity) == ("mixed-dtypes", Severity.WARNING)
        assert "layers.3.mlp.up_proj.weight (F32, others BF16)" in finding.message

    def test_kinds_of_modules_may_differ(self, tmp_path):
        norms = {f"layers_DOT_{layer}_DOT_input_layernorm_DOT_weight": "F32" for layer in range(8)}
        assert codes(self.write(tmp_path, embed_DOT_weight="F32", **norms)) == []

    def test_half_of_the_layers_may_differ(self, tmp_path):
        layers = {f"layers_DOT_{layer}_DOT_mlp_DOT_up_proj_DOT_weight": "F32" for layer in range(4)}
        assert codes(self.write(tmp_path, **layers)) == []

    def test_a_quantised_model(self, tmp_path):
        layers = {f"layers_DOT_{layer}_DOT_mlp_DOT_up_proj_DOT_weight": "I8" for layer in range(7)}
        assert codes(self.write(tmp_path, **layers)) == []


def replace_dtype(raw: Raw, dtype: str) -> Raw:
    return raw._replace(dtype=dtype)


def test_names_of_strangers_in_messages(shards):
    """A name as long as the header allows makes no message as long; escapes are the business of the terminal."""
    changed_map(shards, **{"x" * 100_000: FIRST, "embed.weight": None})
    assert {finding.code for finding in found(shards)} == {"wrong-weight-map"}


def test_what_is_no_checkpoint(tmp_path):
    for name in ("model.txt", "optimizer.pt", "training_args.bin", "trainer_state.json"):
        (tmp_path / name).write_bytes(b"{}")
        assert kind_of(tmp_path / name) is None
    (tmp_path / "optimizer.pt").unlink()
    assert kind_of(tmp_path) is None  # a log, and the arguments of a training
    with pytest.raises(ReadError, match="is no checkpoint that is known"):
        open_checkpoint(tmp_path)


def test_steps_in_names(tmp_path):
    for name, step in {
        "checkpoint-500": 500,
        "global_step20": 20,
        "step=7": 7,
        "epoch=3-step=900": 900,
        "checkpoint_000100": 100,
        "iter-40": 40,
        "step-1000-unsharded": 1000,
        "higgs-audio-v2": None,
        "model-3b": None,
        "checkpoint-best": None,
    }.items():
        assert open_checkpoint(write_model(tmp_path / name)).step == step, name
