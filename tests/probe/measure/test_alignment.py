"""Offsets are compared on made-up logits of known models: honest ones, copying ones, and those that cannot be told."""

from typing import Any

import pytest
import torch
from torch import Tensor

from audioloss_cli.model import Report, Severity
from audioloss_cli.probe import ProbeConfig, probe, validate_audio_logits
from audioloss_cli.probe.measure.alignment import Audio, match_labels
from audioloss_cli.probe.model_io.layout import Layout
from tests.probe import tiny
from tests.probe.test_matrix import built, healthy, names_of
from tests.probe.training import checkpoint

K, V = tiny.K, tiny.V


def chain(frames: int, segments: int, *, sticky: float, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Codes [N, K] of which each repeats with a probability, else mostly moves on by 7; and their segments."""
    generator = torch.Generator().manual_seed(seed)
    codes = torch.randint(0, 1024, (segments, frames, K), generator=generator)
    for t in range(1, frames):
        chance = torch.rand(segments, K, generator=generator)
        follows = torch.where(
            torch.rand(segments, K, generator=generator) < 0.8, (codes[:, t - 1] + 7) % 1024, codes[:, t]
        )
        codes[:, t] = torch.where(chance < sticky, codes[:, t - 1], follows)
    return codes.flatten(0, 1), torch.arange(segments).repeat_interleave(frames)


def honest(codes: Tensor, sticky: float) -> Tensor:
    """What a calibrated model of the chain says: logits [N, K, V]."""
    shares = torch.full((*codes.shape, V), (1 - sticky) * 0.2 / V)
    shares.scatter_add_(2, codes[..., None], torch.full((*codes.shape, 1), sticky))
    shares.scatter_add_(2, ((codes + 7) % 1024)[..., None], torch.full((*codes.shape, 1), (1 - sticky) * 0.8))
    return shares.log()


def copying(codes: Tensor) -> Tensor:
    return torch.nn.functional.one_hot(codes, V) * 14.0


def grave(logits: Tensor, codes: Tensor, segments: Tensor, **more: Any) -> list[str]:
    found = validate_audio_logits(logits, codes, codes, segments=segments, **more)
    return [finding.code for finding in found if finding.severity is not Severity.INFO]


@pytest.mark.sampled(4)
@pytest.mark.parametrize("sticky", [0.0, 0.3, 0.6, 0.8, 0.9])
@pytest.mark.parametrize("frames", [2, 3, 5, 20, 40])
@pytest.mark.parametrize("seed", range(4))
def test_an_honest_model_is_no_leak_however_short_or_repetitive_its_audio(frames, sticky, seed):
    codes, segments = chain(frames, 6, sticky=sticky, seed=seed)
    assert set(grave(honest(codes, sticky), codes, segments)) <= {"memorised"}


def of(code: str, logits: Tensor, codes: Tensor, segments: Tensor) -> list[Severity]:
    found = validate_audio_logits(logits, codes, codes, segments=segments)
    return [finding.severity for finding in found if finding.code == code]


@pytest.mark.parametrize(("sticky", "said"), [(0.3, []), (0.7, [Severity.INFO]), (0.9, [Severity.INFO])])
def test_that_codes_repeat_is_a_note_where_the_model_does_not_copy(sticky, said):
    """Whether it knows how often they repeat, or has learnt nothing yet."""
    codes, segments = chain(60, 6, sticky=sticky)
    untrained = torch.randn(*codes.shape, V, generator=torch.Generator().manual_seed(0))
    assert of("poor-codes", honest(codes, sticky), codes, segments) == said
    assert of("poor-codes", untrained, codes, segments) == said


@pytest.mark.parametrize("sticky", [0.7, 0.9])
def test_that_codes_repeat_is_a_fault_where_the_loss_copies(sticky):
    codes, segments = chain(60, 6, sticky=sticky)
    assert of("poor-codes", copying(codes), codes, segments) == [Severity.WARNING]


def test_codes_that_need_next_to_nothing_but_a_copy_are_a_fault_though_the_model_is_honest():
    codes, segments = chain(100, 6, sticky=0.985)
    assert of("poor-codes", honest(codes, 0.985), codes, segments) == [Severity.WARNING]


def test_codes_that_repeat_in_one_codebook_are_a_fault_where_its_loss_copies():
    codes, segments = chain(60, 6, sticky=0.0)
    codes[:, 3] = chain(60, 6, sticky=0.95)[0][:, 3]
    logits = honest(codes, 0.0)
    assert of("poor-codes", logits, codes, segments) == []
    logits[:, 3] = copying(codes)[:, 3]
    assert of("poor-codes", logits, codes, segments) == [Severity.WARNING]


@pytest.mark.parametrize("sticky", [0.0, 0.6, 0.8, 0.9])
def test_a_copying_model_is_a_leak_on_repetitive_audio_too(sticky):
    codes, segments = chain(40, 6, sticky=sticky)
    assert "label-leak" in grave(copying(codes), codes, segments)


def test_a_model_that_predicts_the_code_after_next_is_a_double_shift():
    codes, segments = chain(40, 6, sticky=0.0)
    later = torch.cat([codes[2:], codes[:2]])
    assert "double-shift" in grave(copying(later), codes, segments)


@pytest.mark.parametrize(("ahead", "codes_told"), [(1, []), (2, ["double-shift"])])
def test_a_little_that_was_learnt_of_the_code_after_next_is_a_double_shift(ahead, codes_told):
    """A tenth of a nat in each codebook, which the mean over all of them tells from chance."""
    codes, segments = chain(200, 4, sticky=0.0)
    codes %= 64
    logits = torch.full((*codes.shape, V), -20.0)
    logits[..., :64] = 0.0  # it knows which codes there are
    target = torch.cat([codes[ahead:], codes[:ahead]])
    lean = torch.zeros_like(logits).scatter_(-1, target[..., None], 0.25)
    assert grave(logits + lean, codes, segments) == codes_told


def test_labels_alone_that_the_loss_does_not_shift_are_no_leak():
    """As MusicGen and Dia do it: the inputs are shifted, the labels stand where their logits are."""
    codes, segments = chain(60, 4, sticky=0.0)
    labels = torch.cat([codes[1:], codes[:1]])
    found = validate_audio_logits(honest(codes, 0.0), labels, shift=0, segments=segments)
    assert [finding.code for finding in found if finding.severity is not Severity.INFO] == []


def test_too_few_codes_in_a_row_are_said_to_tell_nothing():
    codes, segments = chain(2, 3, sticky=0.0)
    found = {each.code: each.message for each in validate_audio_logits(copying(codes), codes, codes, segments=segments)}
    assert "too few codes in a row to compare offsets" in found["cross-entropy"]


LAYOUT = Layout("test", (), K, V, tiny.BOS, tiny.EOS)


@pytest.mark.parametrize("offset", [-2, -1, 0, 1, 2, 3])
def test_the_offset_of_the_labels_is_found_in_each_codebook(offset):
    codes, segments = chain(50, 3, sticky=0.2)
    match = match_labels(Audio(codes, codes.roll(-offset, 0), segments), LAYOUT)
    assert match is not None
    assert match.offsets == (offset,) * K
    assert match.unrelated == ()


def test_silence_fits_every_offset_and_counts_as_the_right_one():
    codes = torch.full((60, K), 5)
    match = match_labels(Audio(codes, codes, torch.zeros(60, dtype=torch.long)), LAYOUT)
    assert match is not None
    assert match.offsets == (0,) * K


def probed(change: Any, tmp_path: Any) -> Report:
    batch = healthy()
    torch.save({**batch, "audio_labels": change(batch["audio_labels"].clone())}, tmp_path / "b.pt")
    return probe(ProbeConfig(str(checkpoint("untrained")), str(tmp_path / "b.pt")))


@pytest.mark.parametrize(
    "change",
    [
        lambda labels: labels.flip(2),
        lambda labels: labels.flip(0),
        lambda labels: labels.roll(2, 1),
        lambda labels: labels.roll(-2, 1),
        lambda labels: torch.where(labels >= 0, torch.randint_like(labels, 1024), labels),
    ],
    ids=["codebooks reversed", "samples swapped", "two early", "two late", "random"],
)
def test_labels_that_are_not_the_codes_do_not_pass(change, tmp_path):
    report = probed(change, tmp_path)
    assert "labels-of-other-audio" in [finding.code for finding in report.findings]
    assert report.exit_code == 1


@pytest.mark.parametrize(
    ("kind", "cause"), [("HalfDeaf", "inputs-filtered"), ("HalfPeeking", "no-shift"), ("Unshifted", "no-shift")]
)
def test_what_the_last_codebook_alone_would_not_show(kind, cause, tmp_path):
    torch.save(healthy(), tmp_path / "b.pt")
    report = probe(built(tmp_path, "wrapped", {"kind": kind}, str(tmp_path / "b.pt")))
    assert names_of(report)[:1] == [cause], [(finding.code, finding.message) for finding in report.findings]


def test_nothing_is_ruled_out_that_a_model_at_chance_cannot_show(tmp_path):
    report = probed(lambda labels: torch.full_like(labels, -100), tmp_path)
    assert not any(clause.startswith(("no-shift", "double-shift")) for clause in report.diagnoses[0].ruled_out)


def test_a_loss_that_a_change_cannot_reach_is_not_called_constant(tmp_path):
    batch = healthy(lengths=((30,), (60,)))
    batch["audio_labels"][1] = -100
    torch.save(batch, tmp_path / "b.pt")
    report = probe(built(tmp_path, "wrapped", {"kind": "Accumulating"}, str(tmp_path / "b.pt")))
    assert "constant-loss" not in names_of(report)
    assert "loss-scale" in names_of(report)
