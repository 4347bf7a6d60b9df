"""A file in place of options, and what --show-layout says of what it describes."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from tests.probe import tiny_families

HERE = "tests.probe.test_adapter_file"
FIRST, CODES, TEXT = 60, 40, 50

KYUTAI = """
adapter = "generic"
[labels]
key = "codes"
axes = "BKT"
first = 1
shift = 0
[logits]
key = "logits"
axes = "BKTV"
[vocabulary]
codebooks = 4
ids = 40
"""
TEXT_MODEL = f"""
adapter = "generic"
[codes]
key = "input_ids"
axes = "BT"
[labels]
key = "labels"
axes = "BT"
[logits]
key = "logits"
axes = "BTV"
[vocabulary]
first_id = {FIRST}
ids = {CODES}
"""
COSY = """
adapter = "generic"
[labels]
key = "speech_labels"
axes = "BT"
ignore = -1
shift = 0
[logits]
key = "logits"
axes = "BTV"
prefix = 6
[vocabulary]
codebooks = 1
ids = 40
"""


class TextModel(nn.Module):
    """As Orpheus: one vocabulary, text ids first, audio ids behind them, a causal loss over both."""

    config = SimpleNamespace(to_dict=lambda: {"model_type": "llama", "vocab_size": FIRST + CODES})

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.table = nn.Embedding(FIRST + CODES, 16)
        self.mix = nn.Linear(16, 16)
        self.lm_head = nn.Linear(16, FIRST + CODES)

    def forward(self, input_ids: Tensor, labels: Tensor, shift: int = 1) -> dict[str, Tensor]:
        logits = self.lm_head(self.mix(self.table(input_ids)).cumsum(1).tanh())
        rows = logits[:, : logits.shape[1] - shift].flatten(0, 1)
        return {"loss": nn.functional.cross_entropy(rows, labels[:, shift:].flatten()), "logits": logits}


class Unshifted(TextModel):
    def forward(self, input_ids: Tensor, labels: Tensor, shift: int = 0) -> dict[str, Tensor]:
        return super().forward(input_ids, labels, shift)


class Cosy(nn.Module):
    """As CosyVoice's language model: text before speech in one sequence, one stream of codes, -1 does not count."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.text, self.speech = nn.Embedding(TEXT, 16), nn.Embedding(CODES, 16)
        self.mix, self.head = nn.Linear(16, 16), nn.Linear(16, CODES)

    def forward(self, text: Tensor, speech: Tensor, speech_labels: Tensor) -> dict[str, Tensor]:
        hidden = torch.cat([self.text(text), self.speech(speech.clamp(min=0))], 1)
        logits = self.head(self.mix(hidden).cumsum(1).tanh())
        start = text.shape[1]
        loss = nn.functional.cross_entropy(logits[:, start:].flatten(0, 1), speech_labels.flatten(), ignore_index=-1)
        return {"loss": loss, "logits": logits}


def text_batch() -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(1)
    text = torch.randint(1, TEXT, (2, 5), generator=generator)
    audio = FIRST + tiny_families.walk(generator, 2, 40)
    ids = torch.cat([text, audio, torch.full((2, 1), 2)], 1)
    return {"input_ids": ids, "labels": ids.clone()}


def cosy_batch() -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(1)
    codes = tiny_families.walk(generator, 2, 40)
    labels = torch.cat([codes[:, 1:], torch.full((2, 1), -1)], 1)
    labels[1, 30:] = -1
    return {"text": torch.randint(1, TEXT, (2, 6), generator=generator), "speech": codes, "speech_labels": labels}


def run(cli: Any, place: Path, model: Any, batch: dict[str, Tensor], file: str, *more: str) -> Any:
    torch.save(model().state_dict(), place / "weights.pt")
    torch.save(batch, place / "batch.pt")
    (place / "project.toml").write_text(file)
    where = f"{model.__module__}:{model.__qualname__}"
    words = ("--ckpt", str(place / "weights.pt"), "--data", str(place / "batch.pt"), "--model", where)
    return cli("probe", *words, "--adapter-file", str(place / "project.toml"), "--device", "cpu", *more)


FILES = {
    "kyutai": (tiny_families.Kyutai, tiny_families.kyutai_batch, KYUTAI),
    "a text model": (TextModel, text_batch, TEXT_MODEL),
    "cosyvoice": (Cosy, cosy_batch, COSY),
}


def report_of(done: Any) -> dict[str, Any]:
    return json.loads(done.out)  # type: ignore[no-any-return]


@pytest.mark.parametrize("name", ["a text model", "cosyvoice"])
def test_a_project_is_described_once(audioloss: Any, tmp_path: Path, name: str) -> None:
    model, batch, file = FILES[name]
    done = run(audioloss, tmp_path, model, batch(), file, "--report", "json", "--backward")
    report = report_of(done)
    assert done.code == 0, report
    assert [each["code"] for each in report["findings"] if each["severity"] != "info"] == []
    assert "cross-entropy" in [each["code"] for each in report["findings"]]


def test_a_text_model_without_a_shift(audioloss: Any, tmp_path: Path) -> None:
    done = run(audioloss, tmp_path, Unshifted, text_batch(), TEXT_MODEL, "--report", "json")
    assert [each["cause"] for each in report_of(done)["diagnoses"]] == ["no-shift"]


def test_masked_labels_of_one_stream(audioloss: Any, tmp_path: Path) -> None:
    batch = cosy_batch()
    batch["speech_labels"] = torch.full_like(batch["speech_labels"], -1)
    done = run(audioloss, tmp_path, Cosy, batch, COSY, "--report", "json")
    assert [each["cause"] for each in report_of(done)["diagnoses"]][:1] == ["all-masked"]


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("kyutai", ["labels read: 48 rows of 4 codebooks, 192 of 192 count", "logits read: 48 rows of [4, 40]"]),
        ("a text model", ["labels read: 80 rows of 1 codebooks", "seen: the label at t is the code at t +0"]),
        ("cosyvoice", ["labels that do not count: -1", "of no role: text, speech", "logits read: 80 rows of [1, 40]"]),
    ],
)
def test_what_is_understood_is_shown(audioloss: Any, tmp_path: Path, name: str, told: list[str]) -> None:
    model, batch, file = FILES[name]
    done = run(audioloss, tmp_path, model, batch(), file, "--show-layout")
    assert done.code == 0
    assert [part for part in told if part not in done.out] == [], done.out


def test_what_a_model_raises_is_shown(audioloss: Any, tmp_path: Path) -> None:
    batch = {name: value for name, value in cosy_batch().items() if name != "speech"}
    done = run(audioloss, tmp_path, Cosy, batch, COSY, "--show-layout")
    assert done.code == 0
    assert "the model raised TypeError" in done.out


@pytest.mark.parametrize(
    ("file", "told"),
    [
        ("[codes", "is no TOML"),
        ("[code]\nkey = 'x'", "[code] is no table of it"),
        ("[codes]\nname = 'x'", "'name' is no entry of [codes]; there are key, axes, first"),
        ("[vocabulary]\nids = true", "[vocabulary] ids must be a whole number"),
        ("adapter = 3", "adapter must be a text"),
        (TEXT_MODEL.replace(f"ids = {CODES}", ""), "--first-id also needs --vocab-size"),
    ],
)
def test_a_file_that_is_wrong_is_told_in_one_line(audioloss: Any, tmp_path: Path, file: str, told: str) -> None:
    done = run(audioloss, tmp_path, TextModel, text_batch(), file)
    assert done.code in (2, 3)
    assert told in done.err
    assert len(done.err.splitlines()) == 1


class Prompted(Cosy):
    """With three columns of its own before the text."""

    def forward(self, text: Tensor, speech: Tensor, speech_labels: Tensor) -> dict[str, Tensor]:
        found = super().forward(text, speech, speech_labels)
        return {**found, "logits": torch.cat([found["logits"][:, :3], found["logits"]], 1)}


def test_a_prefix_is_taken_for_what_lies_beside_the_audio_and_else_asked_for(audioloss: Any, tmp_path: Path) -> None:
    file = COSY.replace("prefix = 6", "")
    assert run(audioloss, tmp_path, Cosy, cosy_batch(), file).code == 0
    done = run(audioloss, tmp_path, Prompted, cosy_batch(), file)
    assert (done.code, "--logits-prefix (9, if the last 40 are scored)" in done.err) == (3, True)
    assert run(audioloss, tmp_path, Prompted, cosy_batch(), file, "--logits-prefix", "9").code == 0
