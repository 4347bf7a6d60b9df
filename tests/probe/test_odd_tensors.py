"""A field of any dtype and any layout of torch or numpy is a finding or one line, never an exception."""

import json
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from audioloss_cli import Severity
from audioloss_cli.probe import validate_model_inputs
from tests.effort import rows
from tests.probe.model_io.adapters.healthy import HEALTHY
from tests.probe.training import checkpoint

# No check can look at them: each is a wrong dtype wherever a field is declared.
UNREADABLE: dict[str, Callable[[Tensor], Any]] = {
    "complex32": lambda field: field.to(torch.complex32),
    "complex64": lambda field: field.to(torch.complex64),
    "complex128": lambda field: field.to(torch.complex128),
    "conjugated": lambda field: field.to(torch.complex64).conj(),
    "float4": lambda field: torch.zeros(field.shape, dtype=torch.uint8).view(torch.float4_e2m1fn_x2),
    "quint8": lambda field: torch.quantize_per_tensor(field.float(), 1.0, 0, torch.quint8),
    "qint32": lambda field: torch.quantize_per_tensor(field.float(), 1.0, 0, torch.qint32),
    "sparse": lambda field: field.to_sparse(),
    "nested": lambda field: torch.nested.nested_tensor(list(field)),
    "meta": lambda field: field.to("meta"),
}
# What is wrong for ids may be right for a mask.
ODD: dict[str, Callable[[Tensor], Any]] = {
    **{
        name: lambda field, name=name: field.to(getattr(torch, name))
        for name in (
            *("bool", "uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32"),
            *("float8_e4m3fn", "float8_e5m2", "float8_e8m0fnu", "bfloat16", "float16", "float32", "float64"),
        )
    },
    "compressed": lambda field: field.to_sparse_csr(),
    "jagged": lambda field: torch.nested.nested_tensor(list(field), layout=torch.jagged),
    "negated": lambda field: torch._neg_view(field.float()),
    "with a gradient": lambda field: field.float().requires_grad_(),
    "0-d": lambda field: torch.tensor(3),
    "empty": lambda field: torch.zeros(0),
    "five axes": lambda field: field.reshape(1, 1, 1, *field.shape),
    "largest": lambda field: torch.full(field.shape, 2**63 - 1),
    "smallest": lambda field: torch.full(field.shape, -(2**63)),
    "NaN": lambda field: torch.full(field.shape, float("nan")),
    "text": lambda field: "text",
    "bytes": lambda field: b"bytes",
    "None": lambda field: None,
    "number": lambda field: 3j,
    "numpy number": lambda field: np.int64(3),
    "numpy complex": lambda field: field.numpy().astype(np.complex64),
    "numpy text": lambda field: np.array(["a", "b"]),
    "numpy objects": lambda field: np.array([None, {}], dtype=object),
    "numpy times": lambda field: field.numpy().astype("datetime64[s]"),
    "numpy records": lambda field: np.zeros(3, dtype=[("a", "i4")]),
    "numpy longdouble": lambda field: field.numpy().astype(np.longdouble),
    "numpy big-endian": lambda field: field.numpy().astype(">i8"),
    "numpy uint64": lambda field: field.numpy().astype(np.uint64),
    "list": lambda field: field.tolist(),
    "words": lambda field: ["a", "b"],
    "dict": lambda field: {"a": field},
    "object": lambda field: object(),
}


def fields() -> list[tuple[str, str]]:
    found = []
    for family, healthy in HEALTHY.items():
        found += [(family, key) for key, value in healthy.batch().items() if isinstance(value, Tensor)]
    return found


def with_field(family: str, key: str, make: Callable[[Tensor], Any]) -> dict[str, Any]:
    batch = HEALTHY[family].batch()
    with warnings.catch_warnings(action="ignore"):  # some of these layouts are in beta
        return {**batch, key: make(batch[key])}


def findings(family: str, batch: dict[str, Any]) -> list[Any]:
    healthy = HEALTHY[family]
    return validate_model_inputs(batch, config=healthy.config, options=healthy.options, adapter=family)


@pytest.mark.sampled(3)
@pytest.mark.parametrize(("family", "key"), fields())
def test_what_nothing_can_be_computed_of_is_a_wrong_dtype(family, key):
    for name, make in UNREADABLE.items():
        found = findings(family, with_field(family, key, make))
        told = [each for each in found if each.code == "wrong-dtype" and key in each.message]
        assert bool(told) is (key != "unknown"), name
        assert all(each.severity is Severity.CRITICAL for each in told)


@pytest.mark.sampled(3)
@pytest.mark.parametrize(("family", "key"), rows(fields(), fields()[::3]))
def test_nothing_in_a_field_is_an_exception(family, key):
    for make in ODD.values():
        try:
            batch = with_field(family, key, make)
        except (RuntimeError, ValueError, IndexError):  # torch has no such tensor of that many axes
            continue
        findings(family, batch)


@pytest.mark.sampled(3)
@pytest.mark.parametrize("name", ["complex64", "bool", "float8_e4m3fn", "uint16", "sparse", "text", "words", "meta"])
@pytest.mark.parametrize("key", ["input_ids", "audio_input_ids", "audio_labels", "attention_mask"])
def test_a_file_with_one_is_a_finding_or_a_line(key, name, audioloss, tmp_path, monkeypatch):
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    make = (UNREADABLE | ODD)[name]
    torch.save(with_field("higgs_audio_v2", key, make), "batch.pt")
    words = ["--ckpt", checkpoint("untrained"), "--data", "batch.pt", "--device", "cpu", "--dump-batch", "dump.json"]
    ran = audioloss("probe", *words, "--report", "json", "--held-out", "batch.pt")
    assert ran.code in ((0, 1, 3) if key == "attention_mask" else (1, 3))
    if ran.code == 3:
        assert ran.err.startswith("audioloss: error: ")
        assert ran.err.count("\n") == 1
    else:
        assert json.loads(Path("dump.json").read_text())["batches"][0]["entries"][key]
        codes = {finding["code"] for finding in json.loads(ran.out)["findings"]}
        assert (ran.code == 0) or codes & {"wrong-dtype", "forward-failed", "bad-attention-mask"}


def test_complex_ids_are_named(audioloss, tmp_path, monkeypatch):
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    torch.save(with_field("higgs_audio_v2", "input_ids", UNREADABLE["complex64"]), "batch.pt")
    ran = audioloss("probe", "--ckpt", checkpoint("untrained"), "--data", "batch.pt", "--device", "cpu")
    assert (ran.code, ran.err) == (1, "")
    assert "input_ids is complex64; ids and labels must be int64 tensors" in " ".join(ran.out.split())
