"""The parts of the documentation that come from the probe, and the example in Python."""

import logging
import re

import pytest
import torch

from tests.make_readme import PROBE, ROOMS
from tests.test_readme import assert_up_to_date


@pytest.mark.exhaustive
def test_the_generated_parts_are_up_to_date():
    assert_up_to_date(PROBE)


def test_the_python_example_runs(jsonl, monkeypatch, tmp_path):
    text = (ROOMS / "README.md").read_text(encoding="utf-8")
    example, *_ = re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)
    jsonl({"step": 1, "audio_loss": 0.001}, name="runs/log.jsonl")
    monkeypatch.chdir(tmp_path)
    names = {"audio_loss": torch.tensor(0.004), "step": 7, "logger": logging.getLogger("test")}
    exec(example, names)
    assert len(names["incidents"]) == 1
    assert len(names["points"]) == 1
