"""Programs of torch.export: what runs, and what is refused before torch sees it."""

import contextlib
import io
import json
import os
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from audioloss_cli.probe.errors import EnvironmentalError, UnreadableError
from audioloss_cli.probe.model_io.checkpoint.expressions import is_harmless
from tests.effort import one_in
from tests.probe.model_io.checkpoint.models import load
from tests.probe.model_io.checkpoint.test_files import Bomb

MODEL, CONSTANTS = "w/models/model.json", "w/data/constants/model_constants_config.json"
INPUTS = "w/data/sample_inputs/model.pt"
EVIL = "__import__('os').mkdir('{}')"


class Program(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.embedding, self.head = nn.Embedding(5, 4), nn.Linear(4, 5)
        self.register_buffer("scale", torch.tensor(2.0), persistent=False)

    def forward(self, codes: Tensor) -> dict[str, Any]:
        hidden = torch.div(self.embedding(codes) * self.scale, 3, rounding_mode="floor")
        return {"logits": self.head(hidden), "length": codes.shape[1] * 2 + 1}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    length = torch.export.Dim("length", min=2, max=64)
    program = torch.export.export(Program(), (torch.ones(2, 3, dtype=torch.long),), dynamic_shapes=({1: length},))
    torch.export.save(program, tmp_path / "w.pt2")
    return tmp_path / "w.pt2"


def rewrite(path: Path, edits: dict[str, bytes | None]) -> None:
    """With other contents, and right checksums."""
    with zipfile.ZipFile(path) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()} | edits
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in entries.items():
            if data is not None:
                archive.writestr(name, data)


def edit_json(path: Path, entry: str, edit: Callable[[Any], None]) -> None:
    with zipfile.ZipFile(path) as archive:
        found = json.loads(archive.read(entry))
    edit(found)
    rewrite(path, {entry: json.dumps(found).encode()})


def graph(model: Any) -> Any:
    return model["graph_module"]["graph"]


def refused(path: Path) -> str:
    with pytest.raises(UnreadableError) as caught:
        load(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("length", [2, 7])
def test_round_trip(path: Path, length: int) -> None:
    codes = torch.arange(length)[None].expand(2, -1) % 5
    loaded = load(path)
    assert (loaded.config, loaded.layout_name, loaded.kind) == ({}, "", "torch.export program")
    assert torch.equal(loaded.module(codes)["logits"], Program()(codes)["logits"])
    assert {name for name, _ in loaded.tensors()} >= {"embedding.weight", "head.weight"}


def test_dtype_is_not_applied(path: Path) -> None:
    assert any("is not applied" in note for note in load(path, dtype=torch.bfloat16).notes)


def test_a_pickle_among_its_inputs(path: Path, tmp_path: Path) -> None:
    buffer = io.BytesIO()
    torch.save(((Bomb(tmp_path / "ran"),), {}), buffer)
    rewrite(path, {INPUTS: buffer.getvalue()})
    assert f"asks for {os.mkdir.__module__}.mkdir" in refused(path)
    rewrite(path, {INPUTS: b"cos\nmkdir\n(S'" + str(tmp_path / "ran").encode() + b"'\ntR."})
    assert "is a bare pickle" in refused(path)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("edit", "told"),
    [
        (lambda model: graph(model)["nodes"][0].update(target="torch.serialization.os.system"), "says target"),
        (lambda model: graph(model)["nodes"][0].update(target="torch.ops.aten.from_file.default"), "says target"),
        (lambda model: graph(model)["nodes"][0].update(target="_operator.methodcaller"), "says target"),
        (lambda model: graph(model)["nodes"][1].update(name="x = 1; import os #"), "says name"),
        (lambda model: graph(model)["tensor_values"].update({EVIL: {}}), "has the name"),
        (
            lambda model: graph(model)["sym_int_values"].update(metadata={"as_expr": {"expr_str": EVIL, "hint": None}}),
            "says expr_str",
        ),
        (
            lambda model: model["graph_module"]["module_call_graph"][0]["signature"].update(
                forward_arg_names=[f"codes={EVIL}"]
            ),
            "says forward_arg_names",
        ),
        (
            lambda model: model["graph_module"]["module_call_graph"][0]["signature"].update(
                in_spec='[1, {"type": "collections.defaultdict", "context": "[]", "children_spec": []}]'
            ),
            "says in_spec",
        ),
    ],
)
def test_code_in_the_graph(path: Path, edit: Callable[[Any], None], told: str) -> None:
    edit_json(path, MODEL, edit)
    assert told in refused(path)


@pytest.mark.parametrize(
    "expression",
    one_in(
        3,
        [
            EVIL,
            "Symbol('s0').__class__",
            'Add("__import__(0)")',
            "eval(chr(49))",
            "[c for c in (1,)]",
            "Symbol('a(b)')",
            "(lambda: 0)()",
            "f'{1}'",
            "1 +",
        ],
    ),
)
def test_expressions(path: Path, expression: str) -> None:
    edit_json(path, MODEL, lambda model: _replace(model, expression))
    assert "says expr_str" in refused(path)


def test_an_expression_that_torch_would_run(path: Path, tmp_path: Path) -> None:
    edit_json(path, MODEL, lambda model: _replace(model, EVIL.format(tmp_path / "ran")))
    refused(path)
    assert not (tmp_path / "ran").exists()
    with contextlib.suppress(Exception):
        torch.export.load(path)
    assert (tmp_path / "ran").exists(), "torch evaluates it; if it no longer does, the check can go"


@pytest.mark.parametrize(
    ("entries", "told"),
    [
        ({"w/data/aotinductor/model/a.so": b"\x7fELF"}, "is compiled code"),
        ({"w/data/constants/opaque_obj_0": b"x"}, "is an object of another class than a tensor"),
        ({CONSTANTS: b'{"config": {"c": {"path_name": "opaque_obj_0"}}}'}, "says path_name 'opaque_obj_0'"),
        ({CONSTANTS: b'{"config": {"c": {"path_name": "tensor_0", "use_pickle": true}}}'}, "has a pickled tensor"),
        ({"w/models/Model.json": b"{}"}, "two of its entries go by one name"),
        ({MODEL: None}, "there is no models/model.json"),
        ({MODEL: b"{"}, "is no JSON"),
        ({"w/archive_version": b"99"}, "is no program that torch"),
    ],
)
def test_refused_entries(path: Path, entries: dict[str, bytes | None], told: str) -> None:
    rewrite(path, entries)
    assert told in refused(path)


def test_damage(path: Path) -> None:
    data = path.read_bytes()
    where = data.index(b"serialized" if b"serialized" in data else b'"graph_module"')
    path.write_bytes(data[:where] + b"X" + data[where + 1 :])
    assert "the checksum of" in refused(path)
    path.write_bytes(data[: len(data) // 2])
    assert "is damaged or cut short" in refused(path)


def test_environment_is_as_it_was(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", "1")
    load(path)
    assert os.environ["TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD"] == "1"
    assert "TORCH_FORCE_WEIGHTS_ONLY_LOAD" not in os.environ


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")
def test_cuda(path: Path) -> None:
    codes = torch.ones(2, 3, dtype=torch.long, device="cuda")
    assert load(path, device=torch.device("cuda")).module(codes)["logits"].is_cuda


def _replace(model: Any, expression: str) -> None:
    graph(model)["tensor_values"]["codes"]["sizes"][1]["as_expr"]["expr_str"] = expression


@pytest.mark.parametrize(
    "expression",
    one_in(
        3,
        [
            "9**9**9**9",
            "1<<(10**12)",
            "Float('1e1000000000')",
            "Float('1', 1000000000)",
            "Pow(Integer(10), Pow(Integer(10), Integer(10)))",
            "PowByNatural(Integer(10), Integer(1000000000))",
            "LShift(Integer(1), Integer(1000000000000))",
            "((9**64)**64)**64",
            "2**Symbol('s77')",
            "Symbol('s77')" + "+1" * 900,
            "9" * 3999,
            "Max(" + ", ".join(f"Symbol('s{number}')" for number in range(150)) + ")",
        ],
    ),
)
def test_expressions_that_do_not_end(path: Path, expression: str) -> None:
    where = {"metadata": {"as_expr": {"expr_str": expression, "hint": None}}}
    edit_json(path, MODEL, lambda model: graph(model)["sym_int_values"].update(where))
    assert "says expr_str" in refused(path)


@pytest.mark.parametrize(
    "expression",
    [
        "Symbol('s77', positive=True, integer=True)",
        "Add(Mul(Integer(2), Symbol('s77', positive=True, integer=True)), Integer(1))",
        "FloorDiv(Add(Symbol('s77', integer=True), Integer(-1)), Integer(2))",
        "Pow(Symbol('s77', integer=True), Rational(1, 2))",
        "Pow(Symbol('s77', integer=True), Integer(-1))",
        "Mul(Float('0.5', precision=53), ToFloat(Symbol('s77', integer=True)))",
        "9223372036854775807",
        "1 << 20",
    ],
)
def test_expressions_that_torch_writes(expression: str) -> None:
    assert is_harmless(expression)


def test_weights_that_claim_more_than_is_stored(path: Path) -> None:
    def enlarge(found: Any) -> None:
        meta = found["config"]["head.bias"]["tensor_meta"]
        meta.update(sizes=[{"as_int": 10**6}] * 2, strides=[{"as_int": 0}] * 2)

    weights = "w/data/weights/model_weights_config.json"
    edit_json(path, weights, enlarge)
    assert "claims tensors of 1,000,000,0" in refused(path)
    edit_json(
        path, weights, lambda found: found["config"]["head.bias"]["tensor_meta"].update(strides=[{"as_int": 9}] * 2)
    )
    assert "which is more than is stored" in refused(path)


def test_an_archive_in_the_archive_that_inflates(path: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("model/data.pkl", bytes(1 << 20))
    rewrite(path, {INPUTS: buffer.getvalue()})
    assert "data.pkl is compressed" in refused(path)


def test_a_torch_that_cannot_read_it_safely_is_told_in_one_line(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch.export.pt2_archive._package", None)
    with pytest.raises(EnvironmentalError, match=r"w\.pt2: torch .* install torch 2\.10 or newer") as caught:
        load(path)
    assert "\n" not in str(caught.value)
