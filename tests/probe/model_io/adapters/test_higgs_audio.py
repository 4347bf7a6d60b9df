"""The original layout of Higgs Audio, against the layout of transformers and a model of the user's own."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from audioloss_cli.probe.model_io.adapter import Options
from audioloss_cli.probe.model_io.adapters import higgs_audio, higgs_audio_v2
from tests.probe import tiny
from tests.probe.model_io.adapters.healthy import ORIGINAL, tiny_model

LENGTHS = [((30, 20), (40,)), ((3,),), ((5,), (), (2, 9, 4))]
GIVEN = 116


def adapter(**more: Any) -> higgs_audio.Adapter:
    return higgs_audio.Adapter({**ORIGINAL, **more}, Options())


def rows_of_logits(output: Any) -> Tensor:
    return output.logits if output.rows is None else output.logits[output.rows]


@pytest.mark.parametrize("delay", [True, False])
@pytest.mark.parametrize("lengths", LENGTHS)
def test_it_runs_as_the_same_samples_do_in_the_layout_of_transformers(lengths: Any, delay: bool) -> None:
    model = tiny_model()
    original, expanded = (make(lengths, delay=delay) for make in (tiny.original_batch, tiny.hf_batch))
    with torch.no_grad():
        one = adapter().run(model, original)
        other = higgs_audio_v2.Adapter(tiny.config().to_dict(), Options()).run(model, expanded)
    torch.testing.assert_close(rows_of_logits(one), rows_of_logits(other), atol=1e-5, rtol=0)
    assert one.loss is None
    assert len(rows_of_logits(one)) == original["audio_out_ids"].shape[1]


def with_given_audio(batch: dict[str, Tensor], lengths: list[int]) -> dict[str, Tensor]:
    """Given audio before the first token and behind the last one of every text: two segments a sample."""
    generator = torch.Generator().manual_seed(5)
    audio = [tiny.with_ends(tiny.frames(each, generator)) for each in lengths]
    text = nn.functional.pad(batch["input_ids"], (1, 1), value=GIVEN)
    starts = torch.tensor([0, *[len(piece) for piece in audio[:-1]]]).cumsum(0)
    return {
        **batch,
        "input_ids": text,
        "attention_mask": torch.ones_like(text),
        "audio_in_ids": torch.cat(audio).T,
        "audio_in_ids_start": starts,
    }


def expanded_by_hand(batch: dict[str, Tensor]) -> tuple[list[list[int]], list[list[list[int]]]]:
    """For each text, token by token: ids with one placeholder a column, and the columns."""
    out = [piece.T.tolist() for piece in batch["audio_out_ids"].tensor_split(batch["audio_out_ids_start"][1:], dim=1)]
    given = [piece.T.tolist() for piece in batch["audio_in_ids"].tensor_split(batch["audio_in_ids_start"][1:], dim=1)]
    texts, columns = [], []
    for row in batch["input_ids"].tolist():
        texts.append([])
        columns.append([])
        for token in row:
            piece = {tiny.AUDIO: out, GIVEN: given}.get(token)
            taken = piece.pop(0) if piece is not None else []
            texts[-1] += [tiny.AUDIO] * len(taken) if piece is not None else [token]
            columns[-1] += taken
    return texts, columns


def test_given_audio_is_expanded_in_its_place_and_has_no_rows() -> None:
    batch = with_given_audio(tiny.original_batch(((6, 4), (8,))), [3, 7, 2, 5])
    model = tiny_model()
    with torch.no_grad():
        output = adapter().run(model, batch)
        expected = []
        for text, columns in zip(*expanded_by_hand(batch), strict=True):
            ids = torch.tensor([text])
            mask = torch.ones(1, len(columns), dtype=torch.bool)
            logits = model(input_ids=ids, audio_input_ids=torch.tensor([columns]), audio_input_ids_mask=mask).logits
            audio = logits[ids == tiny.AUDIO].reshape(-1, tiny.K, tiny.V)
            first, last = (3 + 9, -(7 + 9)) if not expected else (2 + 9, -(5 + 9))
            expected.append(audio[first:last])
    torch.testing.assert_close(rows_of_logits(output), torch.cat(expected), atol=1e-5, rtol=0)


def test_padding_on_the_left_changes_nothing() -> None:
    batch = tiny.original_batch(((6, 4), (8,)))
    turned = {**batch}
    for key in ("input_ids", "attention_mask"):
        turned[key] = batch[key].clone()
        turned[key][1] = batch[key][1].roll(4)
    assert turned["attention_mask"][1, :4].tolist() == [0, 0, 0, 0]
    model = tiny_model()
    with torch.no_grad():
        one, other = (rows_of_logits(adapter().run(model, each)) for each in (batch, turned))
    torch.testing.assert_close(one, other, atol=1e-4, rtol=1e-3)


@pytest.mark.parametrize("codes", [None, torch.zeros(0, 0, dtype=torch.long)])
def test_no_audio_gives_no_rows_as_upstream_does(codes: Tensor | None) -> None:
    output = adapter().run(tiny_model(), {**tiny.original_batch(), "audio_out_ids": codes})
    assert output.logits.shape == (0, 8, 1026)
    assert output.loss is None


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"audio_out_ids_start": torch.tensor([0, 39])}, RuntimeError, "hold 3 AUDIO_OUT tokens and the audio 2 seg"),
        ({"audio_out_ids_start": torch.tensor([0, 50, 39])}, RuntimeError, "audio_out_ids_start does not rise from 0"),
        ({"audio_out_ids_start": None}, RuntimeError, "the batch has no audio_out_ids_start"),
        ({"audio_out_ids": torch.full((8, 117), -100)}, IndexError, "out of range"),
        ({"audio_out_ids": torch.zeros(12, 117, dtype=torch.long)}, RuntimeError, "size"),
    ],
)
def test_what_cannot_run_raises(change: dict[str, Any], error: type[Exception], message: str) -> None:
    batch = {**tiny.original_batch(), **change}
    with pytest.raises(error, match=message):
        adapter().run(tiny_model(), batch)


class Own(nn.Module):
    """As the original: it takes ``audio_out_ids`` and no key that it does not name."""

    def forward(self, input_ids: Tensor, audio_out_ids: Tensor, label_audio_ids: Tensor | None = None) -> Any:
        one_hot = nn.functional.one_hot(audio_out_ids.T, 1026).float()
        return {"audio_logits": one_hot, "audio_loss": one_hot.mean(), "loss": torch.tensor(9.0)}


WRAPS = [lambda model: model, nn.DataParallel, lambda model: torch.compile(model, backend="eager")]


@pytest.mark.parametrize("wrap", WRAPS, ids=["bare", "parallel", "compiled"])
def test_a_model_of_the_original_kind_is_called_as_it_is(wrap: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    model = wrap(Own())
    batch = tiny.original_batch()
    output = adapter().run(model, batch)
    assert output.rows is None
    assert torch.equal(output.logits.argmax(-1), batch["audio_out_ids"].T)
    assert float(output.loss) == pytest.approx(1 / 1026)


def test_samples_come_from_the_text_and_else_from_one_group_a_segment() -> None:
    batch = tiny.original_batch(((3, 2), (4,)))
    expected = [0] * 12 + [0] * 11 + [1] * 13
    found = adapter().samples(batch)
    assert found.tolist() == expected
    del batch["input_ids"]
    assert adapter().samples(batch) is None, "arange(B) says nothing of three segments"
    found = adapter().samples({**batch, "audio_out_ids_start_group_loc": torch.tensor([0, 0, 1])})
    assert found.tolist() == expected


@pytest.mark.parametrize(
    ("lost", "groups", "expected"),
    [
        ((0, 6), torch.tensor([0, 0, 1]), ([1, 1], [2, 1])),
        ((0, 6), torch.tensor([0, 1]), ([1, 1], [1, 2])),
        ((1, 6), None, ([2, 0], [2, 1])),
    ],
)
def test_a_lost_placeholder_is_told_from_its_segment(
    lost: tuple[int, int], groups: Tensor | None, expected: tuple[list[int], list[int]]
) -> None:
    batch = {**tiny.original_batch(((3, 2), (4,))), "audio_out_ids_start_group_loc": groups}
    assert int(batch["input_ids"][lost]) == tiny.AUDIO
    batch["input_ids"][lost] = 9
    assert adapter().placeholders(batch) == expected


def test_labels_of_another_shape_are_none() -> None:
    batch = tiny.original_batch()
    batch["label_audio_ids"] = batch["label_audio_ids"][:, 1:]
    assert adapter().labels(batch) is None
    assert adapter().codes(batch) is not None


def test_the_configuration_is_read() -> None:
    layout = higgs_audio.Adapter({"model_type": "higgs_audio"}, Options(ignore_index=-1, shift=0)).layout
    assert (layout.num_codebooks, layout.vocab_size, layout.delayed) == (12, 1026, None)
    assert (layout.ignore_index, layout.shift, layout.text_vocab_size) == (-1, 0, None)
    assert adapter().layout.text_vocab_size == 128
    assert adapter().layout.delayed is True
