"""The example is stopped; what it prints stands in the README."""

from audioloss_cli import scan
from tests.training import example


def test_the_example(tmp_path):
    trainer, callback = example.fine_tune(tmp_path)
    assert (trainer.state.global_step, trainer.state.max_steps) == (13, 100)
    told = {taken.action: (taken.alert, taken.step, taken.outcome) for taken in callback.guard.taken}
    assert told["stop"][:2] == ("non-finite-loss", 13)
    assert told["advise"][2].startswith("all-masked")
    assert (tmp_path / "audioloss" / "step-13-non-finite-loss.json").is_file()
    assert [incident.first_step for incident in scan([str(tmp_path / "runs")]).incidents][:1] == [13]
