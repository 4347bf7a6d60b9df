"""A series that was logged again and again, and then is not, while others go on."""

import math

import pytest

from audioloss_cli import scan
from audioloss_cli.monitor import AudioLossMonitor
from tests.wobble import wobbly

CODE = "series-ends-early"
LEVELS = wobbly(4.0, 2000)


def rows(count, has_audio, *, stride=1, **names):
    """``loss`` in each row, ``audio_loss`` where ``has_audio`` says so."""
    for n in range(count):
        row = {"step": n * stride, "loss": 2 * LEVELS[n]}
        yield (
            row
            | ({"audio_loss": LEVELS[n]} if has_audio(n) else {})
            | {k: LEVELS[n] for k, at in names.items() if at(n)}
        )


def found(path):
    return [(item.tag, i.code, i.first_step) for run in scan(path).runs for item in run.series for i in item.incidents]


@pytest.mark.parametrize("stride", [1, 10, 500])
@pytest.mark.parametrize("last", [4, 150, 350])
def test_it_is_found_where_it_ends(jsonl, stride, last):
    ((tag, code, step),) = found(jsonl(*rows(400, lambda n: n < last, stride=stride)))
    assert (tag, code) == ("audio_loss", CODE)
    assert last * stride <= step <= (last + 12) * stride


@pytest.mark.parametrize(
    "has_audio",
    [
        lambda n: n % 20 == 0,  # more seldom than the others
        lambda n: n < 392,  # a few rows at the end
        lambda n: n % 200 < 100 and n < 300,  # phases with audio and phases without
        lambda n: n > 200,  # begins late
    ],
)
def test_what_is_logged_more_seldom_is_healthy(jsonl, has_audio):
    assert found(jsonl(*rows(400, has_audio))) == []


def test_a_loss_with_another_name_from_there_on_goes_on(jsonl):
    path = jsonl(*rows(400, lambda n: n < 200, **{"train/audio_loss": lambda n: n >= 200}))
    assert found(path) == []


def test_an_earlier_launch_without_it_went_no_further(jsonl):
    text = list(rows(400, lambda n: False))
    assert found(jsonl(*text, *rows(100, lambda n: True))) == []


def test_a_live_loop_says_so_itself_and_that_it_is_back():
    monitor = AudioLossMonitor()
    for step in range(100):
        monitor.update(LEVELS[step], step, 0.0)
    assert [alert.code for step in range(100, 200) for alert in monitor.absent(step, 0.0)][:1] == [CODE]
    monitor.update(LEVELS[200], 200, 0.0)
    monitor.update(LEVELS[201], 201, 0.0)
    (incident,) = monitor.incidents
    assert (incident.resolution, incident.resolved_step, incident.code) == ("recovered", 200, CODE)
    assert math.isnan(incident.worst_value)


def test_what_a_live_loop_does_not_say_is_no_trouble():
    monitor = AudioLossMonitor()
    for step in [*range(100), *range(5000, 5100)]:
        assert monitor.update(LEVELS[step % 100], step, 0.0) == []
    assert monitor.absent(5100, 0.0) == []
