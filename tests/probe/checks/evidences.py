"""Evidence of a made-up family of 4 codebooks: healthy, and broken in one way for each check."""

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from audioloss_cli.probe.measure.alignment import Audio, shifted, targets
from audioloss_cli.probe.measure.data_figures import DataFigures
from audioloss_cli.probe.measure.evidence import REST, Evidence, Gradient, LabelResponse, Logged, Perturbation, Weights
from audioloss_cli.probe.measure.samples import samples_of
from audioloss_cli.probe.measure.statistics import logit_statistics
from audioloss_cli.probe.model_io.layout import Field, Layout

K, V, BOS, EOS, FRAMES, IGNORED = 4, 34, 32, 33, 24, -100
LAYOUT = Layout(
    name="a made-up family",
    fields=(
        Field("text", "text", "B S", required=True),
        Field("attention", "attention", "B S", kind="mask"),
        Field("codes", "codes", "B T K", required=True),
        Field("codes_mask", "codes-mask", "B T", kind="mask"),
        Field("labels", "audio-labels", "B T K", required=True),
        Field("starts", "positions", "N", required=True),
    ),
    num_codebooks=K,
    vocab_size=V,
    bos=BOS,
    eos=EOS,
    text_vocab_size=100,
    delayed=False,
    parameters={"head": r"\bhead\b", "embeddings": r"\bembed\b"},
)
Change = Callable[[Tensor], Tensor]


def random_codes(distinct: int = BOS) -> Tensor:
    """[2, T, K]: two samples, each from BOS to EOS, not delayed."""
    inside = torch.randint(0, distinct, (2, FRAMES, K), generator=torch.Generator().manual_seed(1))
    ends = torch.ones(2, 1, K, dtype=torch.long)
    return torch.cat([BOS * ends, inside, EOS * ends], 1)


def random_logits(rows: int = 2 * (FRAMES + 2), books: int = K, ids: int = V) -> Tensor:
    return torch.randn(rows, books, ids, generator=torch.Generator().manual_seed(2))


def certain_of(offset: int, books: slice = slice(None)) -> Tensor:
    """Logits that know the code at an offset, in some codebooks."""
    rows, segments = random_codes().flatten(0, 1), torch.arange(2).repeat_interleave(FRAMES + 2)
    known = 20.0 * torch.nn.functional.one_hot(shifted(rows, segments, offset, 0), V)
    logits = random_logits()
    logits[:, books] += known[:, books]
    return logits


def seen(
    codes: Tensor | None = None,
    labels: Tensor | None = None,
    logits: Tensor | None = None,
    layout: Layout = LAYOUT,
    batch: dict[str, Any] | None = None,
    **more: Any,
) -> Evidence:
    """All that a probe with everything asked for knows of a healthy batch and model, but for what is given."""
    codes = random_codes() if codes is None else codes
    labels = codes.masked_fill(codes == BOS, IGNORED) if labels is None else labels
    text = torch.full((2, FRAMES + 6), 7)
    fields = {"text": text, "attention": torch.ones_like(text), "codes": codes, "labels": labels}
    fields["starts"] = torch.tensor([0, codes.shape[1]])
    samples = torch.arange(2).repeat_interleave(codes.shape[1])
    audio = Audio(codes.flatten(0, 1), labels.flatten(0, 1), samples, samples, ([26, 26], [26, 26]))
    found = Evidence(layout, {**fields, **(batch or {})}, audio, again=audio, kept=frozenset(fields))
    logits = random_logits() if logits is None else logits
    wanted = [each for each in targets(audio, layout) if each.shape == logits.shape[:2]]
    found.stats = logit_statistics(logits, wanted)
    found.reported = found.recomputed
    found.perturbation = Perturbation(row=12, before=0.0, after=0.5, loss_moved=True)
    found.gradients = {"head": Gradient(1, 1, 0.5), "embeddings": Gradient(1, 1, 0.1), REST: Gradient(9, 9, 2.0)}
    found.response = LabelResponse(moved=True, offset=1, loss=4.0)
    return replace(found, **more)


def labelled(change: Change) -> Evidence:
    """With other labels for the healthy codes."""
    return seen(labels=change(random_codes().masked_fill(random_codes() == BOS, IGNORED)))


def masked_behind(first: int) -> Change:
    def change(labels: Tensor) -> Tensor:
        labels[:, first:] = IGNORED
        return labels

    return change


def with_cell(value: int) -> Tensor:
    codes = random_codes()
    codes[0, 5, 0] = value
    return codes


def collated_again() -> Evidence:
    healthy = seen()
    assert healthy.audio.labels is not None
    return replace(healthy, again=replace(healthy.audio, labels=torch.full_like(healthy.audio.labels, IGNORED)))


def log_says(value: float, highest: float = 7.0) -> tuple[Logged, ...]:
    return (Logged("runs/a", "loss/audio", 500, value, value, highest),)


def nan_logits() -> Tensor:
    logits = random_logits()
    logits[3, 1, 2] = math.nan
    return logits


#: check -> evidence in which it must find something; a new check adds a line.
def of_the_data(*batches: dict[str, Tensor]) -> Evidence:
    """Evidence of a whole data set; each batch has the audio of ``seen``, if it has any."""
    figures = DataFigures(K, V)
    for batch in batches:
        figures.add(samples_of(Evidence(LAYOUT, batch, seen().audio if "codes" in batch else Audio())), None)
    return Evidence(LAYOUT, {}, data=figures)


FIRES: dict[str, Callable[[], Evidence]] = {
    "all_masked": lambda: labelled(lambda labels: torch.full_like(labels, IGNORED)),
    "at_chance": lambda: seen(logits=random_logits() / 10, trained_steps=300),
    "audio_loss_not_in_total": lambda: seen(response=LabelResponse(moved=False, elsewhere=True, loss=2.0)),
    "bad_attention_mask": lambda: seen(batch={"attention": torch.tensor([[1, 0, 1, 1], [1, 1, 1, 1]])}),
    "bad_positions": lambda: seen(batch={"starts": torch.tensor([0, 0])}),
    "broken_weights": lambda: seen(weights=Weights(faults={"audio.head.weight": "all zero"})),
    "codebook_collapse": lambda: seen(logits=certain_of(1, slice(1))),
    "constant_log": lambda: seen(logged=log_says(0.004, 0.004)),
    "constant_logits": lambda: seen(logits=torch.zeros_like(random_logits())),
    "constant_loss": lambda: seen(
        reported=0.001, gradients={}, response=None, perturbation=Perturbation(12, 0.0, 0.5, loss_moved=False)
    ),
    "cross_entropy": seen,
    "data_summary": lambda: of_the_data(seen().batch),
    "delay_mismatch": lambda: seen(layout=replace(LAYOUT, delayed=True)),
    "dominant_label": lambda: labelled(lambda labels: torch.where((labels >= 0) & (labels < 24), 7, labels)),
    "double_shift": lambda: labelled(lambda labels: labels.roll(-1, 1)),
    "dropped_by_trainer": lambda: seen(kept=frozenset({"text"})),
    "duplicate_samples": lambda: of_the_data(*[seen().batch] * 5),
    "empty_input": lambda: seen(batch={"codes": torch.zeros(0, 0, dtype=torch.long)}),
    "empty_logits": lambda: seen(logits=random_logits()[:0]),
    "few_distinct_labels": lambda: labelled(lambda labels: labels.masked_fill(labels > 1, IGNORED)),
    "forward_failed": lambda: replace(seen(), stats=None, failure="the model raised RuntimeError: no"),
    "frozen_audio": lambda: seen(gradients={"head": Gradient(1, 0, 0.0), "embeddings": Gradient(1, 1, 0.1)}),
    "id_out_of_range": lambda: seen(codes=with_cell(V)),
    "ignored_index_in_inputs": lambda: seen(codes=with_cell(IGNORED)),
    "input_ignored": lambda: seen(perturbation=Perturbation(12, 0.0, 0.0, tuple(range(K)))),
    "labels_of_other_audio": lambda: seen(
        labels=random_codes().flip(2).masked_fill(random_codes().flip(2) >= BOS, IGNORED)
    ),
    "label_leak": lambda: seen(logits=certain_of(0)),
    "logit_summary": seen,
    "logged_loss": lambda: seen(logged=log_says(0.004)),
    "loss_scale": lambda: seen(reported=(seen().recomputed or 0) / 16),
    "low_valid_fraction": lambda: labelled(masked_behind(8)),
    "masked_samples": lambda: labelled(lambda labels: labels.index_fill(0, torch.tensor(1), IGNORED)),
    "memorised": lambda: seen(logits=certain_of(1)),
    "missing_input": lambda: seen(batch={"codes": None}),
    "missing_weights": lambda: seen(weights=Weights(missing=("audio.head.weight",))),
    "mutated_by_collator": collated_again,
    "no_audio_gradient": lambda: seen(gradients={"head": Gradient(1, 1, 0.0), REST: Gradient(9, 9, 2.0)}),
    "non_finite_gradient": lambda: seen(gradients={"head": Gradient(1, 1, math.nan)}),
    "non_finite_logits": lambda: seen(logits=nan_logits()),
    "not_causal": lambda: seen(perturbation=Perturbation(12, 0.5, 0.5, loss_moved=True)),
    "placeholder_mismatch": lambda: replace(seen(), audio=replace(seen().audio, placeholders=([26, 20], [26, 26]))),
    "poor_codes": lambda: seen(codes=torch.where(random_codes() < BOS, 7, random_codes())),
    "special_labels": lambda: labelled(lambda _: random_codes()),
    "text_alone": lambda: of_the_data({"text": torch.ones(2, 3, dtype=torch.long)}),
    "wrong_dtype": lambda: seen(batch={"codes": random_codes().to(torch.bfloat16)}),
    "wrong_logits_shape": lambda: seen(logits=random_logits(books=K + 1)),
    "wrong_text_shape": lambda: seen(batch={"attention": torch.ones(2, 3, dtype=torch.long)}),
    "wrong_shape": lambda: seen(batch={"codes": random_codes().transpose(1, 2)}),
}
