"""Models that the command line describes."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from audioloss_cli.probe.errors import UsageError
from audioloss_cli.probe.model_io.adapter import Options
from audioloss_cli.probe.model_io.adapters.generic import Adapter
from tests.probe.tiny_siblings import Toy, toy_batch

B, T, K, V = 2, 7, 3, 11

LOGITS = {
    "BTKV": True,
    "BT(KV)": True,
    "BTVK": True,
    "TKV": True,
    "KTV": True,
    "(BT)KV": True,
    "BKTV": False,
    "(BK)TV": False,
    "(KB)TV": True,
    "TBKV": False,
}
CODES = ["BTK", "BKT", "TBK", "BT", "TK", "KT", "T", "(BK)T", "(BT)K", "B(KT)"]


def made(**more: Any) -> Adapter:
    options = {"codes_key": "c", "labels_key": "l", "layout": "BTK", "logits_key": "logits", "logits_layout": "BTKV"}
    return Adapter({}, Options(**{**options, "num_codebooks": K, **more}))


def packed(values: Tensor, letters: str, layout: str) -> Tensor:
    """Contiguous, in another layout; letters that it lacks have one place, of which the first is taken."""
    plain = [letter for letter in layout if letter.isalpha()]
    for letter in set(letters) - set(plain):
        values = values.narrow(letters.index(letter), 0, 1)
    values = values.permute(
        *[letters.index(letter) for letter in plain], *[letters.index(x) for x in set(letters) - set(plain)]
    )
    shape: list[int] = []
    inside = start = False
    for mark in layout:
        if mark == "(":
            inside, start = True, True
        elif mark == ")":
            inside = False
        else:
            size = values.shape[plain.index(mark)]
            shape = [*shape[:-1], shape[-1] * size] if inside and not start else [*shape, size]
            start = False
    return values.reshape(shape).contiguous()


@pytest.mark.parametrize("layout", CODES)
def test_codes_are_read_and_written_in_every_layout(layout: str) -> None:
    values = torch.arange(B * T * K).view(B, T, K)
    books = K if "K" in layout else 1
    samples = B if "B" in layout else 1
    expected = values[:samples, :, :books].reshape(-1, books)
    adapter = made(layout=layout, num_codebooks=books)
    batch = {"c": packed(values, "BTK", layout), "l": packed(values + 100, "BTK", layout)}
    if layout == "(BT)K":
        assert adapter.codes(batch) is None, "without B nothing says where a sample ends"
        return
    found, labels, rows = adapter.codes(batch), adapter.labels(batch), adapter.samples(batch)
    assert torch.equal(found, expected)
    assert torch.equal(labels, expected + 100)
    assert rows.tolist() == sorted(list(range(samples)) * T)
    changed = adapter.with_codes(batch, expected.flip(0))
    assert torch.equal(changed["c"], packed(expected.flip(0).view(samples, T, books), "BTK", layout))
    assert torch.equal(batch["c"], packed(values, "BTK", layout))


@pytest.mark.parametrize("layout", LOGITS)
def test_logits_are_rows_of_columns_in_every_layout_and_a_view_where_strides_permit(layout: str) -> None:
    values = torch.randn(B, T, K, V, generator=torch.Generator().manual_seed(0))
    given = packed(values, "BTKV", layout)
    samples = B if "B" in layout else 1
    codes = torch.zeros(samples, T, K, dtype=torch.long)
    output = made(logits_layout=layout).run(lambda c, l: {"logits": given}, {"c": codes, "l": codes})  # noqa: E741
    assert output.rows is None
    assert torch.equal(output.logits, values[:samples].flatten(0, 1))
    assert (output.logits.data_ptr() == given.data_ptr()) is LOGITS[layout]


def test_a_mask_beside_the_codes_says_which_columns_count() -> None:
    batch = {"c": torch.arange(B * T * K).view(B, T, K), "l": torch.zeros(B, T, K).long(), "c_mask": torch.ones(B, T)}
    batch["c_mask"][1, 4:] = 0
    adapter = made()
    codes, samples = adapter.codes(batch), adapter.samples(batch)
    output = adapter.run(lambda **_: {"logits": torch.arange(float(B * T * K * V)).view(B, T, K, V)}, batch)
    assert len(codes) == len(output.rows) == 11
    assert samples.bincount().tolist() == [7, 4]
    assert torch.equal(output.logits[output.rows][:, 0, 0] / V, codes[:, 0].float())
    changed = adapter.with_codes(batch, codes + 1)["c"]
    assert torch.equal(changed[1, 4:], batch["c"][1, 4:])
    assert torch.equal(changed[0], batch["c"][0] + 1)


def test_a_forward_is_given_what_it_names_and_all_if_it_takes_any() -> None:
    seen: list[set[str]] = []

    def named(c: Tensor) -> dict[str, Tensor]:
        seen.append({"c"})
        return {}

    def anything(**batch: Tensor) -> dict[str, Tensor]:
        seen.append(set(batch))
        return {}

    batch = {"c": torch.zeros(B, T, K), "extra": torch.zeros(1)}
    for model in (named, anything):
        output = made().run(model, batch)
        assert output.logits is None
        assert output.loss is None
    assert seen == [{"c"}, {"c", "extra"}]


def test_the_vocabulary_is_the_configured_one_or_that_of_the_first_logits() -> None:
    adapter = Adapter({"codebook_size": 5, "num_codebooks": K}, made().options)
    assert (adapter.layout.vocab_size, adapter.layout.num_codebooks) == (5, K)
    adapter = made(codes_key="tokens", labels_key="targets", logits_key="out.logits")
    assert adapter.layout.vocab_size == 0
    with torch.no_grad():
        output = adapter.run(Toy(), toy_batch())
    assert adapter.layout.vocab_size == V
    shifted = output.logits.view(B, T, K, V)[:, :-1].flatten(0, 2)
    expected = nn.functional.cross_entropy(shifted, toy_batch()["targets"][:, 1:].flatten())
    assert float(output.loss) == pytest.approx(float(expected))


def test_an_exported_program_runs() -> None:
    batch = toy_batch()
    inputs = {"tokens": batch["tokens"], "targets": batch["targets"]}
    program = torch.export.export(Toy(), (), inputs).module()
    adapter = made(codes_key="tokens", labels_key="targets", logits_key="out.logits")
    assert adapter.run(program, batch).logits is not None


@pytest.mark.parametrize(
    ("options", "missing"),
    [
        ({}, "--labels-key, --layout, --logits-key, --logits-layout"),
        ({"labels_key": "l", "layout": "BTK", "logits_key": "x", "logits_layout": "BTKV"}, "--codebooks"),
        ({"labels_key": "l", "layout": "BT", "logits_key": "x"}, "--logits-layout"),
    ],
)
def test_what_was_not_said_is_named(options: dict[str, str], missing: str) -> None:
    with pytest.raises(UsageError, match=f"needs {missing}: say where"):
        Adapter({}, Options(**options))


@pytest.mark.parametrize(
    "options",
    [
        *({"layout": text} for text in ("BK", "BTT", "BTV", "btk", "B(TK", "()BT", "B-T", "BT\n")),
        *({"logits_layout": text} for text in ("BTK", "BT(K(V))", "BK(TV)", "BTKVX", "TV)")),
    ],
)
def test_a_layout_that_is_none_is_told(options: dict[str, str]) -> None:
    (value,) = options.values()
    with pytest.raises(UsageError, match="is no layout") as caught:
        made(**options)
    assert repr(value) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_logits_of_another_shape_are_none_or_have_no_rows() -> None:
    batch = toy_batch()
    adapter = made(codes_key="tokens", labels_key="targets", logits_layout="(BK)TV")
    for shape in ((B * K + 1, T, V), (B, T, V), (0, T, V)):
        assert adapter.run(lambda shape=shape, **_: {"logits": torch.zeros(shape)}, batch).logits is None
    assert adapter.run(lambda **_: {"logits": "text"}, batch).logits is None
