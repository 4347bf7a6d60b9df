"""The parts of the documentation that come from the live wing."""

import ast
import re
import tomllib

import pytest
import torch
import transformers

from audioloss_cli import registry
from audioloss_cli.training import policy
from audioloss_cli.training.integrations import launch
from tests.make_readme import ROOT, TRAINING
from tests.test_readme import TEXT, assert_up_to_date
from tests.training import loops


@pytest.mark.exhaustive
def test_the_generated_parts_are_up_to_date():
    assert_up_to_date(TRAINING)


def test_the_three_lines_for_a_trainer_are_right():
    """What the Trainer then does with the callback is the example that is run for the lines below it."""
    example, *_ = re.findall(r"```python\n(.*?)```", TEXT, flags=re.DOTALL)
    given = {}
    exec(example, {"Trainer": lambda *_, **arguments: given.update(arguments)})
    assert isinstance(given["callbacks"][0], transformers.TrainerCallback)


IN_FULL = (ROOT / "audioloss_cli" / "training" / "README.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```python\n(.*?)```", IN_FULL, flags=re.DOTALL)


def test_each_example_is_python_and_each_setting_is_known():
    for example in EXAMPLES:
        ast.parse(example)
    for example in re.findall(r"```toml\n(.*?)```", IN_FULL, flags=re.DOTALL):
        assert tomllib.loads(example)["training"].keys() <= {*launch.POLICY, *launch.GUARD}


def test_the_plain_loop_runs_as_it_stands(tmp_path, monkeypatch):
    (loop,) = [each for each in EXAMPLES if "guard.should_stop" in each]
    monkeypatch.chdir(tmp_path)
    model = loops.model()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    scheduler = torch.optim.lr_scheduler.ConstantLR(optimizer, 1.0)
    loader = [loops.sample(index) for index in range(100)]
    names = {"model": model, "optimizer": optimizer, "scheduler": scheduler, "loader": loader}
    exec(loop, names)
    assert names["guard"].taken == []
    assert names["guard"].monitor.diagnostics()["points"] == 100
    assert (tmp_path / "out" / "audioloss" / "metrics.jsonl").is_file()


def test_every_action_stands_in_the_table():
    assert set(re.findall(r"^\| `([a-z-]+)` \|", IN_FULL, flags=re.MULTILINE)) == {
        registry.code_of(name) for name in registry.names(policy.FOLDER)
    }
