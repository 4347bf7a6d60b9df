"""Series that are named with --tag and are no losses: what makes sense for them, in their own words."""

import math
from random import Random

import pytest

from audioloss_cli import scan
from audioloss_cli.config import ScanConfig


def noisy(level, count, noise=0.1):
    chance = Random(1)
    return [level * math.exp(chance.gauss(0, noise)) for _ in range(count)]


def schedule(count):
    """Up to 3e-4 and down to nothing, constant in between."""
    return [3e-4 * min(1.0, (at + 1) / 50, max(0.0, (count - 1 - at) / 100)) for at in range(count)]


def found(jsonl, tag, values, count=600):
    """Code, severity and message of what is found in a series beside a healthy loss."""
    rows = [
        {"step": at, "loss": loss, **({tag: values[at]} if at < len(values) else {})}
        for at, loss in enumerate(noisy(4.0, count, 0.02))
    ]
    report = scan(jsonl(*rows), ScanConfig(tags=(tag,)))
    return [(incident.code, incident.message) for incident in report.incidents]


@pytest.mark.parametrize(
    ("tag", "values"),
    [
        ("learning_rate", schedule(600)),
        ("train/grad_norm", [v / (1 + at / 50) for at, v in enumerate(noisy(2.0, 600))]),
        ("train/accuracy", [min(1.0, v * at / 500) for at, v in enumerate(noisy(1.0, 600, 0.03))]),
        ("train/grad_norm", noisy(0.004, 600)),
        ("gpu/temperature", [40.0] * 300 + [80.0] * 300),
    ],
)
def test_what_is_healthy_for_it_is_silent(jsonl, tag, values):
    assert found(jsonl, tag, values) == []


@pytest.mark.parametrize(
    ("tag", "values", "code", "said"),
    [
        ("learning_rate", [*schedule(600)[:300], math.nan], "non-finite-loss", "learning rate"),
        ("train/grad_norm", [*noisy(1.0, 400), *[80.0] * 5, *noisy(1.0, 195)], "loss-spike", "gradient norm"),
        ("train/grad_norm", [*noisy(1.0, 400), *[0.25] * 200], "frozen-loss", "gradient norm"),
        ("train/accuracy", [*noisy(0.4, 300), *[0.4375] * 300], "frozen-loss", "score"),
        ("learning_rate", schedule(600)[:200], "series-ends-early", "learning rate"),
        ("gpu/temperature", [*noisy(50.0, 300), math.inf], "non-finite-loss", "value"),
    ],
)
def test_what_is_wrong_with_it_is_said_in_its_own_words(jsonl, tag, values, code, said):
    known = dict(found(jsonl, tag, values))
    assert code in known
    assert said in known[code]
    assert "loss" not in known[code]


def test_a_loss_by_its_name_keeps_every_rule(jsonl):
    assert ("critical-loss" in dict(found(jsonl, "mel/ce_loss", [*noisy(4.0, 300), *noisy(0.001, 300)]))) is True
