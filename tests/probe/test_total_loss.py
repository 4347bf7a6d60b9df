"""A model whose outputs hold the loss of the whole: what of the audio is in it, by its account and by its change."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from audioloss_cli.model import Report, Severity
from audioloss_cli.probe import ProbeConfig, probe
from audioloss_cli.probe.adapter import Options
from tests.probe import tiny

HERE = "tests.probe.test_total_loss"
TEXT, HIDDEN = 128, 32


class Trainable(nn.Module):
    """In the original layout, as trainers make it: audio logits, text logits, and a total.

    Args:
        how: the total is made: ``constant``, ``unshifted``, ``twice`` shifted, ``not added``, ``detached`` or healthy.
        parts: whether the text loss has a name among the outputs, as ``llm_loss``.
        summed: whether the audio loss is the sum over codebooks.
    """

    config = SimpleNamespace(
        to_dict=lambda: {
            "model_type": "higgs_audio",
            "audio_num_codebooks": tiny.K,
            "audio_out_token_idx": tiny.AUDIO,
            "use_delay_pattern": True,
            "text_config": {"vocab_size": TEXT},
        }
    )

    def __init__(self, how: str = "healthy", *, parts: bool = True, summed: bool = False) -> None:
        super().__init__()
        self.how, self.parts, self.summed = how, parts, summed
        self.audio_codebook_embeddings = nn.Embedding(tiny.K * tiny.V, HIDDEN)
        self.embed_tokens, self.rest = nn.Embedding(TEXT, HIDDEN), nn.Linear(HIDDEN, HIDDEN)
        self.audio_lm_head, self.text_lm_head = nn.Linear(HIDDEN, tiny.K * tiny.V), nn.Linear(HIDDEN, TEXT)

    def forward(
        self, input_ids: Tensor, audio_out_ids: Tensor, label_ids: Tensor, label_audio_ids: Tensor, **_: Any
    ) -> dict[str, Tensor]:
        offsets = tiny.V * torch.arange(tiny.K)[:, None]
        hidden = self.rest(self.audio_codebook_embeddings(audio_out_ids + offsets).sum(0)).cumsum(0).tanh()
        audio_logits = self.audio_lm_head(hidden).reshape(-1, tiny.K, tiny.V)
        logits = self.text_lm_head(self.rest(self.embed_tokens(input_ids)) + hidden.mean(0))
        text = cross_entropy(logits[:, :-1].flatten(0, 1), label_ids[:, 1:].flatten())
        audio = self._audio(audio_logits, label_audio_ids)
        audio = {"detached": audio.detach(), "not added": 0 * audio.detach()}.get(self.how, audio)
        total = torch.tensor(0.004, requires_grad=True) if self.how == "constant" else text + audio
        named = {"llm_loss": total if self.how == "constant" else text} if self.parts else {}
        return {"loss": total, "audio_logits": audio_logits, "logits": logits, **named}

    def _audio(self, logits: Tensor, labels: Tensor) -> Tensor:
        shift = {"unshifted": 0, "twice": 2}.get(self.how, 1)
        rows = logits[: len(logits) - shift]
        each = [cross_entropy(rows[:, book], labels[book, shift:]) for book in range(tiny.K)]
        return torch.stack(each).sum() if self.summed else torch.stack(each).mean()


def make(**arguments: Any) -> Trainable:
    torch.manual_seed(3)
    return Trainable(**arguments)


def probed(place: Path, *, backward: bool = False, **arguments: Any) -> Report:
    torch.save(make(**arguments).state_dict(), place / "weights.pt")
    torch.save(tiny.original_batch(((40,), (30,)), distinct=64), place / "batch.pt")
    names = (str(place / "weights.pt"), str(place / "batch.pt"))
    return probe(ProbeConfig(*names, model=f"{HERE}:make", model_arguments=arguments, backward=backward))


def grave(report: Report) -> list[str]:
    return [each.code for each in report.findings if each.severity is not Severity.INFO]


FORMS = [{}, {"parts": False}, {"summed": True, "parts": False}]
CAUSES = {
    "constant": "constant-loss",
    "unshifted": "no-shift",
    "twice": "double-shift",
    "not added": "audio-loss-not-added",
}


@pytest.mark.parametrize("backward", [False, True])
@pytest.mark.parametrize("form", FORMS, ids=["text loss named", "total alone", "sum, total alone"])
def test_health_is_no_finding(tmp_path: Path, form: dict[str, Any], backward: bool) -> None:
    report = probed(tmp_path, backward=backward, **form)
    assert (grave(report), report.diagnoses) == ([], [])


@pytest.mark.parametrize("backward", [False, True])
@pytest.mark.parametrize("form", FORMS, ids=["text loss named", "total alone", "sum, total alone"])
@pytest.mark.parametrize("how", CAUSES)
def test_each_fault_of_the_total_has_its_own_name(
    tmp_path: Path, how: str, form: dict[str, Any], backward: bool
) -> None:
    report = probed(tmp_path, backward=backward, how=how, **form)
    assert [each.cause for each in report.diagnoses] == [CAUSES[how]], [each.message for each in report.findings]


def test_a_part_without_a_gradient_shows_in_the_backward_pass_alone(tmp_path: Path) -> None:
    assert grave(probed(tmp_path, how="detached")) == []
    assert grave(probed(tmp_path, how="detached", backward=True)) == ["no-audio-gradient"]


@pytest.mark.parametrize(("steps", "expected"), [(20, []), (300, ["at-chance"])])
def test_how_long_it_trained_makes_chance_level_a_finding(tmp_path: Path, steps: int, expected: list[str]) -> None:
    (tmp_path / "trainer_state.json").write_text(f'{{"global_step": {steps}}}')
    assert grave(probed(tmp_path)) == expected


class Masking(nn.Module):
    """As audiocraft's solver has it: the codes are scored, and of the labels it matters only which of them count."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding, self.head = nn.Embedding(41, HIDDEN), nn.Linear(HIDDEN, 40)

    def forward(self, codes: Tensor, labels: Tensor) -> dict[str, Tensor]:
        before = torch.nn.functional.pad(codes[..., :-1], (1, 0), value=40)
        logits = self.head(self.embedding(before))
        counts = labels != -100
        return {"logits": logits, "loss": cross_entropy(logits[counts], codes[counts])}


def masking() -> Masking:
    torch.manual_seed(3)
    return Masking()


@pytest.mark.parametrize("backward", [False, True])
def test_a_loss_that_labels_do_not_move_is_no_constant_where_it_is_what_the_logits_give(
    tmp_path: Path, backward: bool
) -> None:
    torch.save(masking().state_dict(), tmp_path / "weights.pt")
    codes = torch.randint(0, 40, (2, 4, 30), generator=torch.Generator().manual_seed(1))
    torch.save({"codes": codes, "labels": codes.clone()}, tmp_path / "batch.pt")
    options = Options(
        labels_key="labels", layout="BKT", logits_key="logits", logits_layout="BKTV", num_codebooks=4, shift=0
    )
    names = (str(tmp_path / "weights.pt"), str(tmp_path / "batch.pt"))
    report = probe(ProbeConfig(*names, model=f"{HERE}:masking", adapter="generic", options=options, backward=backward))
    assert (grave(report), report.diagnoses) == ([], [])
