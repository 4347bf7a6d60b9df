"""Which tensors are broken at rest, how bad that is, and what is healthy although it looks alike."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from audioloss_cli import Severity
from audioloss_cli.checkpoints.check import run_checks
from audioloss_cli.checkpoints.evidence import CheckpointEvidence
from audioloss_cli.checkpoints.health import TensorStatistics, examine
from audioloss_cli.checkpoints.stored import Checkpoint, StoredTensor
from tests.checkpoints.checks.evidences import EMBEDDINGS, FAMILY, HEAD, HIDDEN, MLP, NORM, K, V, seen

CODES = {
    *("constant-weights", "dead-codes", "denormal-weights", "empty-weights", "extreme-weights", "non-finite-weights"),
    *("unread-values", "zero-weights"),
}


def found_in(evidence: CheckpointEvidence) -> dict[str, Severity]:
    return {each.code: each.severity for each in run_checks(evidence)[0] if each.code in CODES}


def message_of(evidence: CheckpointEvidence, code: str) -> str:
    return next(each.message for each in run_checks(evidence)[0] if each.code == code)


def one(
    name: str, shape: tuple[int, ...], dtype: str = "BF16", step: int | None = 500, **more: Any
) -> CheckpointEvidence:
    """A checkpoint of one tensor."""
    tensor = StoredTensor(name, dtype, shape, Path("a.safetensors"), 0)
    usual = {"lowest": -0.1, "highest": 0.1, "norm": 0.02 * math.sqrt(tensor.elements)}
    found = {name: TensorStatistics(tensor.elements, **{**usual, **more})}
    return CheckpointEvidence(Checkpoint(Path("a"), "file", {name: tensor}, step=step), FAMILY, found)


def zeros(name: str, shape: tuple[int, ...], **more: Any) -> CheckpointEvidence:
    return one(name, shape, zero=math.prod(shape), lowest=0.0, highest=0.0, norm=0.0, is_constant=True, **more)


def constant(name: str, shape: tuple[int, ...], value: float = 1.0, **more: Any) -> CheckpointEvidence:
    return one(name, shape, lowest=value, highest=value, norm=value, is_constant=True, **more)


HEALTHY = {
    "zero bias": lambda: zeros("layers.0.q_proj.bias", (64,)),
    "zero-centred norm": lambda: zeros("layers.0.input_layernorm.weight", (64,)),
    "fresh lora_B": lambda: zeros("base_model.model.layers.0.audio_mlp.up_proj.lora_B.weight", (64, 8)),
    "lora_B of an audio head": lambda: zeros("audio_head.lora_B.default.weight", (64, 8)),
    "mask of zeros": lambda: zeros("layers.0.attn.mask", (64, 64)),
    "integers of zeros": lambda: zeros("layers.0.qzeros", (64, 64), dtype="I32"),
    "residual scale of zero": lambda: zeros("layers.0.gate.weight", (1, 64)),
    "norm of ones": lambda: constant("norm.weight", (64,)),
    "scales of weight_norm": lambda: constant("conv.weight_g", (64, 1, 1)),
    "scales of blocks": lambda: constant("layers.0.mlp.up_proj.weight_scale_inv", (64, 64), 3.0),
    "causal mask of infinities": lambda: one("attn.causal_mask", (64, 64), "F32", infinite=2016, first_bad=1),
    "small float16": lambda: one("layers.0.mlp.up_proj.weight", (64, 64), "F16", denormal=900),
    "float8 with a scale": lambda: one(
        "layers.0.mlp.up_proj.weight", (64, 64), "F8_E4M3", denormal=4000, highest=448.0
    ),
    "outlier channels": lambda: one("layers.0.mlp.down_proj.weight", (64, 64), "F16", highest=900.0, norm=1000.0),
    "bias of a key": lambda: one("layers.0.self_attn.k_proj.bias", (512,), highest=400.0, norm=1500.0),
    "variances of a batch norm": lambda: one("bn.running_var", (64,), "F32", highest=3e6, norm=4e6),
    "sizes of clusters": lambda: one("quantizer.cluster_size", (1024,), "F32", highest=5e5, norm=9e5),
    "extra state": lambda: one("layers.0.attn._extra_state", (0,), "U8"),
    "padding at the end of each codebook": lambda: seen(
        {EMBEDDINGS: {"dead": 8, "dead_rows": tuple(V * book + row for book in range(K) for row in (V - 2, V - 1))}}
    ),
    "one padding row inside": lambda: seen({EMBEDDINGS: {"dead": 1, "dead_rows": (7,)}}),
    "rows of one initialisation at the end": lambda: seen(
        {HEAD: {"twins": 7, "twin_rows": tuple((K * V - 8, K * V - 7 + row) for row in range(7))}}
    ),
    "reserved rows of the text": lambda: seen(
        {"embed_tokens.weight": {"twins": 50, "twin_rows": tuple((10, 11 + row) for row in range(50))}}
    ),
}


@pytest.mark.parametrize("what", HEALTHY)
def test_it_is_healthy_to_have(what):
    assert set(found_in(HEALTHY[what]()).values()) <= {Severity.INFO}


BROKEN = {
    "NaN in a norm": (lambda: one("norm.weight", (64,), nan=1, first_bad=3), "non-finite-weights", Severity.CRITICAL),
    "NaN in a mask": (lambda: one("attn.mask", (64,), nan=1, first_bad=3), "non-finite-weights", Severity.CRITICAL),
    "zero head": (lambda: zeros(HEAD, (64, 64)), "zero-weights", Severity.CRITICAL),
    "zero head at step 0": (lambda: zeros(HEAD, (64, 64), step=0), "zero-weights", Severity.CRITICAL),
    "zero codebook of many": (lambda: zeros("audio_head.3.weight", (64, 64)), "zero-weights", Severity.CRITICAL),
    "zero audio FFN": (lambda: zeros(MLP, (64, 64)), "zero-weights", Severity.CRITICAL),
    "zero matrix": (lambda: zeros("layers.0.mlp.up_proj.weight", (64, 64)), "zero-weights", Severity.WARNING),
    "zero matrix, step unknown": (lambda: zeros("a.weight", (64, 64), step=None), "zero-weights", Severity.WARNING),
    "zero experts": (lambda: zeros("mlp.experts.gate_up_proj", (4, 64, 64)), "zero-weights", Severity.WARNING),
    "constant head": (lambda: constant(HEAD, (64, 64), 0.5), "constant-weights", Severity.CRITICAL),
    "constant matrix": (lambda: constant("a.weight", (64, 64)), "constant-weights", Severity.WARNING),
    "memory nobody wrote": (lambda: one("norm.weight", (64,), "F32", denormal=8), "denormal-weights", Severity.WARNING),
    "float16 that is too small": (
        lambda: one("a.weight", (64, 64), "F16", denormal=3000),
        "denormal-weights",
        Severity.WARNING,
    ),
    "a flipped exponent": (
        lambda: one("a.weight", (64, 64), highest=3e30, norm=3e30),
        "extreme-weights",
        Severity.WARNING,
    ),
    "the end of float16": (lambda: one("a.weight", (64, 64), "F16", lowest=-4e4), "extreme-weights", Severity.WARNING),
    "one value of 5,000 times the others": (
        lambda: one("a.weight", (64, 64), highest=300.0, norm=math.hypot(300.0, 0.02 * 64)),
        "extreme-weights",
        Severity.WARNING,
    ),
    "placeholders": (lambda: one("a.weight", (0,)), "empty-weights", Severity.CRITICAL),
    "a third of a codebook": (
        lambda: seen({HEAD: {"dead": 12, "dead_rows": tuple(range(V, V + 12))}}),
        "dead-codes",
        Severity.WARNING,
    ),
    "the last codebooks": (
        lambda: seen({HEAD: {"dead": 2 * V, "dead_rows": tuple(range(2 * V, 4 * V))}}),
        "dead-codes",
        Severity.CRITICAL,
    ),
    "a third at the end of a codebook": (
        lambda: seen({HEAD: {"dead": 12, "dead_rows": tuple(range(2 * V - 12, 2 * V))}}),
        "dead-codes",
        Severity.WARNING,
    ),
    "a whole codebook": (
        lambda: seen({HEAD: {"dead": V, "dead_rows": tuple(range(V, 2 * V))}}),
        "dead-codes",
        Severity.CRITICAL,
    ),
    "copies": (
        lambda: seen({HEAD: {"twins": 5, "twin_rows": tuple((2, row) for row in range(5, 10))}}),
        "dead-codes",
        Severity.WARNING,
    ),
}


@pytest.mark.parametrize("what", BROKEN)
def test_it_is_found(what):
    evidence, code, severity = BROKEN[what]
    assert found_in(evidence()) == {code: severity}


def test_a_matrix_of_zeros_at_step_0_is_only_told():
    assert found_in(zeros("layers.0.o_proj.weight", (64, 64), step=0)) == {"zero-weights": Severity.INFO}


def test_a_layer_that_is_a_thousand_times_its_like_is_found():
    names = [f"layers.{layer}.mlp.up_proj.weight" for layer in range(4)]
    tensors = {name: StoredTensor(name, "BF16", (64, 64), Path("a"), 0) for name in names}
    found = {name: TensorStatistics(4096, lowest=-0.1, highest=0.1, norm=1.28) for name in names}
    found[names[2]] = TensorStatistics(4096, lowest=-90.0, highest=90.0, norm=64 * 30.0)
    evidence = CheckpointEvidence(Checkpoint(Path("a"), "file", tensors), None, found)
    assert found_in(evidence) == {"extreme-weights": Severity.WARNING}
    assert message_of(evidence, "extreme-weights") == (
        "1 tensor holds extreme values: layers.2.mlp.up_proj.weight (about 30, where other layers have 0.02)"
    )


def test_what_is_alike_is_one_finding_with_the_audio_first_and_the_number_in_all():
    changes = {name: {"nan": 2, "first_bad": HIDDEN} for name in (NORM, MLP, HEAD, EMBEDDINGS, "text_head.weight")}
    message = message_of(seen(changes), "non-finite-weights")
    assert message.startswith("5 tensors hold NaN or infinity: audio_head.weight (2 NaN of 2,176, the first at [1, 0])")
    assert message.endswith(" and 1 more")
    assert "layers.0.audio_mlp.up_proj.weight (2 NaN of 1,024, the first at [1, 0])" in message


def test_dead_codes_are_told_by_codebook():
    evidence = seen({HEAD: {"dead": 4, "dead_rows": tuple(range(2 * V + 3, 2 * V + 7))}})
    assert message_of(evidence, "dead-codes") == (
        "4 rows of the audio's tables are zero or copies of others: "
        "audio_head.weight codebook 2: 4 of 34 (3, 4, 5 and 1 more)"
    )


def test_a_long_list_of_rows_at_the_end_of_a_table_is_padding_though_it_is_cut():
    name, rows = "audio_embeddings.weight", 1500
    listed = tuple(range(1270, 1370))
    assert found_in(one(name, (rows, 16), dead=230, dead_rows=listed)) == {"dead-codes": Severity.INFO}
    assert found_in(one(name, (rows, 16), dead=229, dead_rows=listed)) == {"dead-codes": Severity.WARNING}


def test_a_last_codebook_is_no_padding_where_no_configuration_says_how_many_there_are():
    evidence = one("audio_embeddings.weight", (8208, 16), dead=1026, dead_rows=tuple(range(7182, 8208)))
    assert found_in(evidence) == {"dead-codes": Severity.WARNING}


def test_a_dead_codebook_does_not_hide_another_one(tmp_path):
    rows = 4 * 1026
    values = np.random.default_rng(0).normal(size=(rows, 4)).astype("<f4")
    values[:1026] = values[2052:3078] = 0
    evidence = one("audio_embeddings.weight", (rows, 4))
    evidence.checkpoint.config = {"num_codebooks": 4}
    tensor = StoredTensor("audio_embeddings.weight", "F32", (rows, 4), tmp_path / "values", 0)
    tensor.file.write_bytes(values.tobytes())
    evidence.checkpoint.tensors = {tensor.name: tensor}
    evidence.statistics = examine(evidence.checkpoint.tensors, rows_of=[tensor.name]).statistics
    assert message_of(evidence, "dead-codes") == (
        "2,052 rows of the audio's tables are zero or copies of others: audio_embeddings.weight codebook 0: "
        "1,026 of 1,026 (0, 1, 2 and 1,023 more), audio_embeddings.weight codebook 2: "
        "1,026 of 1,026 (0, 1, 2 and 1,023 more)"
    )


def test_a_row_of_a_table_with_three_axes_is_a_codebook():
    evidence = one("audio_head", (31, 64, 64), twins=1, twin_rows=((0, 4),))
    assert found_in(evidence) == {"dead-codes": Severity.CRITICAL}


@pytest.mark.parametrize(("zero", "severity"), [(1, Severity.WARNING), (2, None), (3, None)])
def test_a_norm_of_zeros_among_others_is_found_and_a_model_whose_norms_begin_as_zeros_is_not(zero, severity):
    names = [f"layers.{layer}.post_norm.weight" for layer in range(3)]
    evidence = one(names[0], (16,))
    for at, name in enumerate(names):
        evidence.checkpoint.tensors[name] = StoredTensor(name, "BF16", (16,), Path("model.safetensors"), 0)
        evidence.statistics[name] = TensorStatistics(16, zero=16 if at < zero else 0, lowest=0.0, highest=1.0, norm=1.0)
    assert found_in(evidence) == ({"zero-weights": severity} if severity else {})
