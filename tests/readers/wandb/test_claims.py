"""Which files are of W&B, and of which run."""

from pathlib import Path

import pytest

from audioloss_cli import registry
from audioloss_cli.storage.log_file import LogFile

WANDB = registry.load("readers", "wandb")


@pytest.mark.parametrize(
    ("name", "content", "claimed"),
    [
        ("run-x.wandb", b"", True),
        ("run-x.wandb", b"version https://git-lfs", True),
        ("renamed", b":W&B\xe1\xbe\x00", True),
        ("wandb-history.jsonl", b'{"loss": 1, "_step": 0}\n', True),
        ("inspected.txt", b'{"num":1,"type":"header","header":{}}\n', True),
        ("rows.jsonl", b'{"num": 1, "loss": 2}\n', False),
        ("wandb-summary.json", b'{"audio_loss": 1, "_step": 3}', False),
        ("wandb-metadata.json", b'{"os": "Linux"}', False),
        ("config.yaml", b"lr:\n  value: 1\n", False),
        ("requirements.txt", b"torch==2.13.0\n", False),
        ("debug-internal.log", b'{"time":"2026-01-01T00:00:00Z","level":"INFO","msg":"x"}\n', False),
        ("output.log", b"step 1 loss 2\n", False),
    ],
)
def test_it_claims(tmp_path, name, content, claimed):
    (tmp_path / name).write_bytes(content)
    assert WANDB.claims(LogFile(tmp_path / name)) is claimed


@pytest.mark.parametrize(
    ("path", "run"),
    [
        ("wandb/run-20260101_120000-x/run-x.wandb", "wandb/run-20260101_120000-x"),
        ("a/offline-run-20260101_120000-x/run-x.wandb", "a/offline-run-20260101_120000-x"),
        ("wandb/latest-run/run-x.wandb", "wandb/latest-run"),
        ("wandb/run-20190101_120000-x/wandb-history.jsonl", "wandb/run-20190101_120000-x"),
        ("wandb/run-20190101_120000-x/files/wandb-history.jsonl", "wandb/run-20190101_120000-x"),
        ("exports/run-x.wandb", "exports/run-x.wandb"),
        ("run-x.wandb", "run-x.wandb"),
    ],
)
def test_a_run_is_its_directory(path, run):
    assert WANDB.run_of(Path(path)) == Path(run)
