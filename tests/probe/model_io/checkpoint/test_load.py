"""Which kind a path is, and what is said of one that is none."""

import errno
from pathlib import Path

import pytest
import torch

from audioloss_cli.probe.errors import EnvironmentalError, UnreadableError
from audioloss_cli.probe.model_io.checkpoint.kinds import state_dict
from tests.probe.model_io.checkpoint.models import linear, load

LINEAR = "tests.probe.model_io.checkpoint.models:linear"


@pytest.mark.parametrize(
    ("names", "told"),
    [
        ([], "is no checkpoint: there is no config.json"),
        (["readme.txt"], "is no checkpoint: there is no config.json"),
        (["w.safetensors"], "it holds weights but no config.json; name it with --config-json, or pass --model"),
        ([".metadata", "__0_0.distcp"], "is a torch.distributed.checkpoint"),
        (["pytorch_model_fsdp_0/.metadata", "config.json"], "pytorch_model_fsdp_0 is a torch.distributed.checkpoint"),
        (["zero_to_fp32.py", "config.json"], "holds DeepSpeed shards"),
        (["config.json"], "is no JSON"),
    ],
)
def test_directories(tmp_path: Path, names: list[str], told: str) -> None:
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    with pytest.raises(UnreadableError, match=told) as caught:
        load(tmp_path)
    assert caught.value.exit_code == 3


def test_files(tmp_path: Path) -> None:
    with pytest.raises(UnreadableError, match="no such file or directory"):
        load(tmp_path / "gone.pt")
    (tmp_path / "w.onnx").touch()
    with pytest.raises(UnreadableError, match=r"its name ends in none of \.pt"):
        load(tmp_path / "w.onnx")


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory"),
        MemoryError(),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"),
    ],
)
def test_out_of_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def fail(_: object) -> None:
        raise error

    monkeypatch.setattr(state_dict, "build", fail)
    torch.save(linear().state_dict(), tmp_path / "w.pt")
    with pytest.raises(
        EnvironmentalError, match="out of memory on cpu: try --dtype bfloat16, --device cpu or fewer"
    ) as caught:
        load(tmp_path / "w.pt", model=LINEAR)
    assert caught.value.exit_code == 4


def test_a_file_that_cannot_be_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(path: Path) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(state_dict, "read_weights", fail)
    (tmp_path / "w.pt").touch()
    with pytest.raises(UnreadableError, match=r"w\.pt: Permission denied"):
        load(tmp_path / "w.pt", model=LINEAR)
