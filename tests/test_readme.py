"""The README says what the program does."""

import re

import pytest

from tests.make_readme import BESIDE, CORE, README, Parts, generated

NUMBER = re.compile(r"\b\d+\.\d+\b")
TEXT = README.read_text(encoding="utf-8")


def assert_up_to_date(parts: Parts) -> None:
    """Another processor rounds the figures of the probe differently in their last digits."""
    made = generated(TEXT, parts)
    assert NUMBER.sub("#", made) == NUMBER.sub("#", TEXT), "run: python -m tests.make_readme"
    for now, then in zip(NUMBER.findall(made), NUMBER.findall(TEXT), strict=True):
        assert float(now) == pytest.approx(float(then), rel=0.01)


def test_the_generated_parts_are_up_to_date():
    """Those that the core prints; `tests/probe` and `tests/training` hold the others to it."""
    assert_up_to_date(CORE)


@pytest.mark.parametrize("path", BESIDE, ids=lambda path: path.parent.name)
def test_what_lies_beside_a_room_is_up_to_date_too(path):
    text = path.read_text(encoding="utf-8")
    assert generated(text, BESIDE[path]) == text, "run: python -m tests.make_readme"
    for target in re.findall(r"\]\((?!http)([^)#]+)\)", text):
        assert (path.parent / target).exists(), target


def test_there_are_two_commands():
    """`.ci/run` takes them from here."""
    assert len(re.findall(r"^```sh$", TEXT, flags=re.MULTILINE)) == 2


def test_every_link_into_the_project_leads_somewhere():
    for target in re.findall(r"\]\((?!http)([^)#]+)\)", TEXT):
        assert (README.parent / target).exists(), target


def test_the_configuration_example_is_one(audioloss, monkeypatch, tmp_path):
    from audioloss_cli.config import make_config

    examples = re.findall(r"```toml\n(.*?)```", TEXT, flags=re.DOTALL)
    (example,) = [each for each in examples if "[tool.audioloss]" in each]
    (tmp_path / "pyproject.toml").write_text(example)
    config = make_config(tmp_path / "pyproject.toml", {})
    assert (config.scale, config.fail_on, len(config.tags)) == (8, "critical", 2)
    assert config.suppress[0]["reason"] == "the learning rate is swept on purpose"
    assert (config.ignore, config.kinds, config.rules) == (
        ("loss-spike",),
        {"*/mel_loss": "small"},
        {"log-drop": {"ratio": 8}},
    )
