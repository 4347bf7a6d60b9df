"""Which device and dtype, and what it means to run out of memory."""

import pytest
import torch

from audioloss_cli.probe.errors import EnvironmentalError, UsageError
from audioloss_cli.probe.model_io.device import DTYPES, choose_device, choose_dtype, memory_guard

CPU = torch.device("cpu")


@pytest.fixture
def no_accelerator(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)


@pytest.fixture
def one_cuda_device(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "Some GPU")


def test_auto_says_what_it_chose(no_accelerator):
    assert choose_device("auto") == (CPU, "device cpu, chosen by auto: there is no CUDA or MPS device here")


def test_auto_takes_cuda_first(one_cuda_device):
    assert choose_device("auto") == (torch.device("cuda"), "device cuda (Some GPU), chosen by auto")


def test_auto_takes_mps_before_the_cpu(no_accelerator, monkeypatch):
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert choose_device("auto") == (torch.device("mps"), "device mps, chosen by auto")


def test_as_asked(one_cuda_device):
    assert choose_device("cpu")[0] == CPU
    assert choose_device("cuda")[0] == torch.device("cuda")
    assert choose_device("cuda:0") == (torch.device("cuda", 0), "device cuda:0, as asked")


@pytest.mark.parametrize(
    "wanted", ["", "gpu", "CUDA", "cuda:", "cuda:x", "cuda:-1", "cuda:٣", "cpu:", "cpu:0", "mps:0"]
)
def test_no_such_device(wanted, one_cuda_device):
    with pytest.raises(UsageError, match="is not one of auto, cpu, cuda, cuda:N, mps"):
        choose_device(wanted)


@pytest.mark.parametrize("wanted", ["cuda", "cuda:0", "mps"])
def test_a_device_that_is_not_here(wanted, no_accelerator):
    with pytest.raises(EnvironmentalError, match=f"--device {wanted}: there is no .* device here"):
        choose_device(wanted)


def test_a_number_that_is_too_high(one_cuda_device):
    with pytest.raises(EnvironmentalError, match="--device cuda:1: the last CUDA device here is cuda:0"):
        choose_device("cuda:1")


def test_dtypes():
    assert [choose_dtype(name) for name in DTYPES] == [torch.float32, torch.bfloat16, torch.float16]
    assert choose_dtype("") is None
    with pytest.raises(UsageError, match="--dtype 'fp16' is not one of float32, bfloat16, float16"):
        choose_dtype("fp16")


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"),
        MemoryError(),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"),
    ],
)
def test_out_of_memory_is_one_line_with_a_remedy(error):
    with (
        pytest.raises(EnvironmentalError, match="out of memory on cpu: use a smaller batch") as caught,
        memory_guard(CPU),
    ):
        raise error
    assert "\n" not in str(caught.value)


def test_a_real_allocation_that_fails():
    with pytest.raises(EnvironmentalError, match="out of memory"), memory_guard(CPU):
        torch.empty(2**58, dtype=torch.uint8)


def test_what_is_no_lack_of_memory_passes():
    with pytest.raises(RuntimeError, match="shape"), memory_guard(CPU):
        raise RuntimeError("shape '[2]' is invalid")
    with memory_guard(CPU):
        pass
