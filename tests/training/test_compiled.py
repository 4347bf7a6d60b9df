"""Models that are compiled, or run as CUDA graphs, under the hooks of the guard."""

import pytest
import torch

from audioloss_cli.training import AudioLossGuard, Policy
from audioloss_cli.training.integrations.lightning.step import ModelInputs
from audioloss_cli.training.integrations.transformers.forward_hook import ForwardHook

SILENT = Policy(critical=(), warning=())


class Told(torch.nn.Module):
    """Its loss is what it is given."""

    def __init__(self):
        super().__init__()
        self.part = torch.nn.Parameter(torch.ones(1))

    def forward(self, told):
        return {"loss": (self.part * told).sum()}


@pytest.fixture
def _compiled_once():
    """What was compiled before would be taken for a model with other hooks, too."""
    torch._dynamo.reset()
    with torch._dynamo.config.patch(error_on_recompile=True):
        yield
    torch._dynamo.reset()


@pytest.mark.filterwarnings("ignore:.*")
@pytest.mark.usefixtures("_compiled_once")
def test_a_model_that_is_compiled_with_its_hooks_is_watched():
    """Between its graphs: in one of them a hook would be traced anew at every loss."""
    guard, net = AudioLossGuard(policy=SILENT, jsonl=False, first_batches=0), Told()
    hook = ForwardHook(guard)
    hook.attach(net, None)
    net.compile(backend="eager")
    told = [5 + 0.01 * (step % 7) for step in range(30)]
    for step, value in enumerate(told):
        net(told=torch.tensor(value))["loss"].backward()
        guard.pipeline.close(step)
    guard.flush()
    assert [value for _, value, _ in guard.pipeline.watch.points] == pytest.approx(told)


@pytest.mark.filterwarnings("ignore:.*")
@pytest.mark.usefixtures("_compiled_once")
def test_what_a_compiled_model_is_given_is_seen():
    inputs, net = ModelInputs(), Told()
    inputs.attach(net, torch.nn.Module())
    net.compile(backend="eager")
    for step in range(4):
        net(told=torch.tensor(5.0 + step))
        given, batch = inputs.pair({"told": 0, "text": "filtered out"})
        assert (given["told"].item(), batch["text"]) == (5 + step, "filtered out")
    assert inputs.pair({"told": 1}) == ({"told": 1}, None)


@pytest.mark.filterwarnings("ignore:.*")
@pytest.mark.usefixtures("_compiled_once")
@pytest.mark.parametrize("hooked", [True, False])
def test_a_graph_that_must_be_whole_says_what_breaks_it(hooked):
    net = Told()
    if hooked:
        ForwardHook(AudioLossGuard(policy=SILENT, jsonl=False)).attach(net, None)
    else:
        ModelInputs().attach(net, torch.nn.Module())
    net.compile(backend="eager", fullgraph=True)
    with pytest.raises(torch._dynamo.exc.Unsupported, match=r"audioloss reads .* compile the model without fullgraph"):
        net(told=torch.tensor(5.0))


@pytest.mark.usefixtures("_compiled_once")
def test_a_loss_that_the_next_replay_overwrites_is_read_as_it_was():
    """That of a model in CUDA graphs lies where the next pass, or a compiled optimiser, writes its own numbers."""
    guard, net = AudioLossGuard(policy=SILENT, jsonl=False, first_batches=0), Told()
    ForwardHook(guard).attach(net, None)
    for step in range(3):
        outputs = net(told=torch.tensor(5.0 + step))
        with torch.no_grad():
            outputs["loss"].zero_()
        guard.pipeline.close(step)
    guard.flush()
    assert [value for _, value, _ in guard.pipeline.watch.points] == [5, 6, 7]
