"""An audio loss that stops being a number is found however many rows came before its first one, in any format."""

import json
from pathlib import Path

import pytest

from audioloss_cli import scan
from audioloss_cli.model.exit_code import FINDINGS
from tests.wobble import wobbly

NUMBERS = wobbly(4.0, 30)
BEHIND = 270


def rows(nulls: int) -> list[dict[str, float | None]]:
    values = [None] * nulls + NUMBERS + [None] * BEHIND
    return [{"step": step, "audio_loss": value, "lr": 0.1} for step, value in enumerate(values)]


def json_lines(path: Path, nulls: int) -> Path:
    path = path / "log.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows(nulls)))
    return path


def json_array(path: Path, nulls: int) -> Path:
    path = path / "log.json"
    path.write_text(json.dumps(rows(nulls), indent=1))
    return path


def history(path: Path, nulls: int) -> Path:
    path = path / "trainer_state.json"
    path.write_text(json.dumps({"log_history": rows(nulls), "global_step": nulls + 300}))
    return path


def table(path: Path, nulls: int) -> Path:
    path = path / "metrics.csv"
    cells = (f"{row['step']},{'' if row['audio_loss'] is None else row['audio_loss']},0.1\n" for row in rows(nulls))
    path.write_text("step,audio_loss,lr\n" + "".join(cells))
    return path


@pytest.mark.parametrize("nulls", [0, 100, 999, 1000, 1100, 5000])
@pytest.mark.parametrize("write", [json_lines, json_array, history, table])
def test_any_number_of_null_rows_in_front_gives_the_same_verdict(write, nulls, tmp_path):
    report = scan(write(tmp_path, nulls))
    assert report.exit_code == FINDINGS
    assert [(item.code, item.first_step) for item in report.incidents] == [("missing-loss", nulls + len(NUMBERS))]
