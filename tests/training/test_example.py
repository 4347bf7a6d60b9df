"""The example runs, and is stopped."""

import subprocess
import sys

from audioloss_cli import scan


def test_the_example(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "tests.training.example", str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert "ERROR critical non-finite-loss at step 13: loss is NaN at step 13" in done.stdout
    assert "stopped at step 13 of 100" in done.stdout
    assert "advise: all-masked" in done.stdout
    assert (tmp_path / "audioloss" / "step-13-non-finite-loss.json").is_file()
    assert [incident.first_step for incident in scan([str(tmp_path / "runs")]).incidents][:1] == [13]
