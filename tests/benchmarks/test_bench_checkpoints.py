"""The benchmark of checkpoints measures what it says, and memory does not grow with a file."""

import pytest

from audioloss_cli.checkpoints.layouts import open_checkpoint
from tests.benchmarks.bench_checkpoints import audited, headers, peak_of, plain_read, write_model, write_sharded

_MOST = 200.0  # MB


def test_contenders_read_what_is_written(tmp_path):
    path = tmp_path / "model.safetensors"
    write_model(path, 4 << 20)
    plain_read(path)
    assert audited(path) == audited(path, quick=True) == audited(path, jobs=2) == 16
    write_sharded(tmp_path / "large")
    opened = open_checkpoint(tmp_path / "large")
    assert opened.faults == []
    assert sum(tensor.elements for tensor in opened.tensors.values()) > 70e9


@pytest.mark.exhaustive  # processes of their own
def test_memory_is_the_same_whatever_the_size(tmp_path):
    peaks = []
    for nbytes in (16 << 20, 512 << 20):
        write_model(tmp_path / "model.safetensors", nbytes)
        peaks.append(peak_of(tmp_path / "model.safetensors", 2))
    assert max(peaks) < _MOST
    assert peaks[1] - peaks[0] < 20
    write_sharded(tmp_path / "large")
    assert all(seconds > 0 for seconds in headers(tmp_path / "large"))
