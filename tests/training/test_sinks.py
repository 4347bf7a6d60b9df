"""Where alerts are announced."""

import json
import logging
import math

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch.utils.tensorboard import SummaryWriter

from audioloss_cli.training import AudioLossGuard, Policy


def collapse(guard):
    """Down at step 51, back at step 61."""
    for step in range(1, 200):
        guard.step(0.004 if 51 <= step <= 60 else 5.0 + 0.01 * (step % 7))
    guard.finish()


def test_tensorboard_holds_the_way_down_and_back(tmp_path):
    guard = AudioLossGuard(
        policy=Policy(critical=("stop",)), directory=tmp_path / "alerts", tensorboard=tmp_path / "tb"
    )
    collapse(guard)
    events = EventAccumulator(str(tmp_path / "tb")).Reload()
    points = {each.step: each.value for each in events.Scalars("alerts/audio_loss")}
    assert sorted(points) == list(range(1, 200))
    assert points[51] == 0.004 or math.isclose(points[51], 0.004, rel_tol=1e-6)
    severities = [(each.step, each.value) for each in events.Scalars("alerts/severity")]
    assert severities[0] == (51, 2.0)
    assert severities[-1][1] == 0.0
    texts = events.Tags()["tensors"]
    assert {"alerts/message/text_summary", "alerts/action/text_summary"} <= set(texts)


def test_a_writer_of_the_runs_own_stays_open(tmp_path):
    writer = SummaryWriter(str(tmp_path / "tb"))
    guard = AudioLossGuard(policy=Policy(critical=()), directory=tmp_path, tensorboard=writer)
    guard.step(math.nan)
    guard.finish()
    writer.add_scalar("after", 1.0, 1)
    writer.close()
    assert "after" in EventAccumulator(str(tmp_path / "tb")).Reload().Tags()["scalars"]


def test_a_healthy_run_opens_no_file(tmp_path):
    guard = AudioLossGuard(directory=tmp_path / "alerts", tensorboard=tmp_path / "tb")
    for step in range(50):
        guard.step(5.0 + 0.01 * (step % 7))
    guard.finish()
    assert list(tmp_path.iterdir()) == []


def test_lines_of_json_tell_the_story(tmp_path, caplog):
    with caplog.at_level(logging.INFO, "audioloss"):
        collapse(AudioLossGuard(policy=Policy(critical=("stop",), warning=()), directory=tmp_path))
    lines = [json.loads(line) for line in (tmp_path / "alerts.jsonl").read_text().splitlines()]
    edges = [(line.get("edge"), line["step"]) for line in lines if line["event"] == "alert"]
    assert edges[0] == ("fired", 51)
    assert "recovered" in [edge for edge, _ in edges]
    assert {line["action"] for line in lines if line["event"] == "action"} == {"stop"}
    assert "recovered at step 61" in caplog.text


def test_without_jsonl_nothing_is_written(tmp_path):
    guard = AudioLossGuard(policy=Policy(critical=("stop",)), directory=tmp_path / "alerts", jsonl=False)
    guard.step(math.nan)
    assert not (tmp_path / "alerts").exists()
