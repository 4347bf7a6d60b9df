"""The benchmark of reports measures what a scan takes, and finds what is broken."""

import pytest

from audioloss_cli import outputs
from tests.benchmarks.bench_reports import make, measured

_MOST = 250.0  # MB


@pytest.mark.exhaustive  # two scans in processes of their own
def test_memory_hardly_grows_with_the_runs(tmp_path):
    peaks = []
    for runs in (220, 420):  # the first hundred fill what Python keeps for itself
        directory = tmp_path / str(runs)
        make(directory, runs, 2000, 0.5)
        peak, _ = measured(directory, outputs.names())
        assert all((directory / kind).stat().st_size for kind in outputs.names())
        assert (directory / "json").read_text().count('"code": "critical-loss"') >= runs // 2
        peaks.append(peak)
    assert peaks[1] < _MOST
    assert peaks[1] - peaks[0] < 10  # MB, for 200 runs more
