"""From lines of console output to series."""

import gzip
import math

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audioloss_cli import registry, scan
from audioloss_cli.model import Note, ReadOptions
from audioloss_cli.readers._rows.steps import STEP_KEYS
from audioloss_cli.readers.text.parser import Parser
from tests.readers.bits import in_bits
from tests.readers.text.reads import TEXT, defects, points, series, write

LINES = [f"Step {step}: Text Loss = 2.5, Audio Loss = {5 - step / 100}\n" for step in range(1, 201)]
AUDIO = [(step, 5 - step / 100) for step in range(1, 201)]


@pytest.mark.parametrize(
    "content",
    [
        "".join(LINES).encode(),
        "".join(LINES).replace("\n", "\r\n").encode(),
        "".join(LINES).replace("\n", "\r").encode(),
        "\ufeff".encode() + "".join(LINES).encode(),
        "".join(LINES).encode("utf-16"),
        "".join(LINES).encode("utf-16-le"),
        gzip.compress("".join(LINES).encode()),
        "".join(LINES[:100]).encode() + "".join(LINES[100:]).encode("utf-16-le"),
        "".join(f"\x1b[32m{line[:-1]}\x1b[0m\n" for line in LINES).encode(),
        "".join(f"[rank0]: {line}" for line in LINES).encode(),
        "".join(f"\x1b[36m(RayTrainWorker pid=218, ip=10.0.0.12)\x1b[0m {line}" for line in LINES).encode(),
        "".join(f"(TrainTrainable pid=218) {line}" for line in LINES).encode(),
        "".join(
            f"2024-01-01 10:00:{number % 60:02},{number:03} INFO {line}" for number, line in enumerate(LINES)
        ).encode(),
        "".join(f"warning {line.encode().hex()[:9]}\n{line}" for line in LINES).encode(),
    ],
    ids=[
        "lf",
        "crlf",
        "cr",
        "bom",
        "utf16",
        "utf16le",
        "gz",
        "appended",
        "colours",
        "rank",
        "ray",
        "ray_alone",
        "stamps",
        "warnings",
    ],
)
def test_the_same_lines_in_any_dress(tmp_path, content):
    path = write(tmp_path, content)
    assert points(path)["Audio Loss"] == AUDIO
    assert defects(path) == []


def test_a_line_for_the_step_and_lines_for_its_losses(tmp_path):
    content = "".join(f"Step {step}\n  Text loss: 2.5\n  Audio loss: {step / 8}\n" for step in range(10, 1000, 10))
    assert points(write(tmp_path, content))["Audio loss"] == [(step, step / 8) for step in range(10, 1000, 10)]


@pytest.mark.parametrize("name", [name for name in STEP_KEYS if "/max_" not in name])
def test_every_name_of_a_step_is_one_in_a_dict(name, tmp_path):
    content = "".join(f"{{'{name}': {10 * step}, 'loss': {5 + step / 8}}}\n" for step in range(9))
    assert points(write(tmp_path, content)) == {"loss": [(10 * step, 5 + step / 8) for step in range(9)]}


def test_losses_without_a_step_are_counted(tmp_path):
    content = "".join(f"Codebook 0 loss: {n}\nCodebook 1 loss: {n}\nAudio loss: {n}\n" for n in range(200))
    found = points(write(tmp_path, content))
    assert found["Codebook 1 loss"] == found["Audio loss"] == [(n, n) for n in range(200)]


def test_the_place_of_the_progress_bar_is_the_step_of_a_row_that_has_none(tmp_path):
    """As tqdm.write leaves it: the bar before a row may be older, the one that is drawn behind it is not."""
    bar, row = "\r{0:3}%|#   | {0}/1000 [00:10<10:00,  1.{0}it/s]", "\r      \r{{'loss': {0}, 'epoch': {1}}}\n"
    content = bar.format(0)
    content += "".join(row.format(step / 4, step / 400) + bar.format(step) for step in range(5, 1000, 5))
    assert points(write(tmp_path, content))["loss"] == [(step, step / 4) for step in range(5, 1000, 5)]


def test_a_bar_with_a_name_gives_the_step_as_one_without(tmp_path):
    content = "".join(
        f"{{'loss': {step / 4}, 'epoch': {step / 400}}}\nTrain: {step // 10:3}%|#   | {step}/1000 [00:10<10:00]\n"
        for step in range(5, 1000, 5)
    )
    found = points(write(tmp_path, content))
    assert found == {"loss": [(step, step / 4) for step in range(5, 1000, 5)]}


def test_bars_that_came_before_the_rows_are_no_steps(tmp_path):
    bars = "".join(f"\r{step}%|# | {step}/100 [00:10<10:00,  1.02it/s]" for step in range(1, 101))
    rows = "".join(f"{{'loss': {number}, 'epoch': {number / 40}}}\n" for number in range(1, 60))
    assert points(write(tmp_path, bars + "\n" + rows))["loss"] == [(number - 1, number) for number in range(1, 60)]


def test_a_bar_that_is_drawn_again_is_one_point(tmp_path):
    content = "".join(
        f"\rEpoch 0:  1%|# | {step}/100 [00:1{again}<10:00, loss={step}]" for step in range(60) for again in "123"
    )
    assert points(write(tmp_path, content))["loss"] == [(step, step) for step in range(60)]


def test_a_value_of_an_epoch_is_one_point_however_often_a_bar_shows_it(tmp_path):
    content = ""
    for number in range(1, 121):
        epoch, place = divmod(number - 1, 30)
        content += f"\rEpoch {epoch}:  1%|# | {place + 1}/30 [00:10<10:00, v_num=0, loss_step={9 - number / 50:.3f}"
        content += f", val_loss={8 - epoch}.5, loss_epoch={8 - epoch}.250]" if epoch else "]"
    found = points(write(tmp_path, content))
    assert [step for step, _ in found["loss_step"]] == list(range(1, 121))
    assert found["loss_epoch"] == [(31, 7.25), (61, 6.25), (91, 5.25)]
    assert found["val_loss"] == [(31, 7.5), (61, 6.5), (91, 5.5)]


def test_a_held_out_loss_that_stays_for_many_epochs_is_a_point_in_each_second_one(tmp_path):
    content = "".join(
        f"\rEpoch {epoch}:  1%|# | {place}/3 [00:10<10:00, loss={9 - epoch / 9 - place:.3f}, val_loss=3.5]"
        for epoch in range(8)
        for place in (1, 2, 3)
    )
    assert points(write(tmp_path, content))["val_loss"] == [(6 * time + 1, 3.5) for time in range(4)]


@pytest.mark.parametrize("name", ["loss", "train_loss", "loss_step", "loss_epoch", "val_loss"])
def test_a_constant_loss_is_a_point_each_time_that_a_bar_shows_it_alone(tmp_path, name):
    content = "".join(f"\rEpoch 0:  1%|# | {step}/300 [00:10<10:00, {name}=6.931]" for step in range(1, 301))
    assert points(write(tmp_path, content))[name] == [(step, 6.931) for step in range(1, 301)]


def test_a_step_that_starts_anew_in_each_epoch_goes_on(tmp_path):
    content = "".join(
        f"Epoch [{epoch}/3], Step [{step}/50], Loss: {epoch + step}\n"
        for epoch in (1, 2, 3)
        for step in range(10, 60, 10)
    )
    assert [step for step, _ in points(write(tmp_path, content))["Loss"]] == list(range(10, 160, 10))


def test_a_restart_goes_back(tmp_path):
    epochs = "".join(
        f"Epoch {e} | step {s} | loss: 1.5\n" for e, steps in ((1, (1, 2)), (2, (1, 2)), (1, (1,))) for s in steps
    )
    assert [step for step, _ in points(write(tmp_path, epochs))["loss"]] == [1, 2, 3, 4, 1]


def test_an_epoch_stands_in_for_the_step(tmp_path):
    content = "".join(f"--- epoch {epoch} ---\ntrain/loss   : {epoch / 2}\neval/loss   : 3\n" for epoch in range(1, 9))
    path = write(tmp_path, content)
    assert points(path)["train/loss"] == [(epoch, epoch / 2) for epoch in range(1, 9)]
    assert {item.step_source for item in series(path).values()} == {"epoch"}


def test_held_out_lines_have_names_of_their_own(tmp_path):
    content = "> TRAINING\n --> STEP: 1/9 -- GLOBAL_STEP: {0}\n | > loss: 2.5\n> EVALUATION\n | > loss: 3.5\n"
    found = points(write(tmp_path, "".join(content.format(step) for step in range(1, 5))))
    assert found["loss"] == [(step, 2.5) for step in range(1, 5)]
    assert found["eval/loss"] == [(step, 3.5) for step in range(1, 5)]


def test_each_rank_is_a_run(tmp_path):
    content = "".join(f"[rank{rank}]: step {step} loss {rank + step}\n" for step in range(1, 30) for rank in (0, 1))
    found = series(write(tmp_path, content))
    assert {run: list(item.values) for (run, tag), item in found.items() if tag == "loss"} == {
        "": list(range(1, 30)),
        "rank 1": list(range(2, 31)),
    }


@pytest.mark.parametrize(
    "line", ["Epoch:[{epoch}/2]({place}/40) loss:{loss} lr:0.1\n", "Epoch {epoch} ({place}/40) loss: {loss}\n"]
)
def test_the_place_in_an_epoch_is_no_rank(tmp_path, line):
    rows = [(epoch, place) for epoch in (1, 2) for place in range(0, 40, 4)]
    content = "".join(line.format(epoch=e, place=place, loss=9 - e - place / 8) for e, place in rows)
    found = series(write(tmp_path, content))
    assert {run for run, _ in found} == {""}
    assert list(found["", "loss"].steps) == list(range(0, 80, 4))


def test_the_rank_behind_the_place_in_the_code_is_one(tmp_path):
    content = "".join(
        f"2024-01-01 INFO [train.py:903] ({rank}/2) Epoch 1, batch {step}, loss={rank + step}.5\n"
        for step in range(30)
        for rank in (0, 1)
    )
    found = series(write(tmp_path, content))
    assert {run: list(item.values) for (run, _), item in found.items()} == {
        "": [step + 0.5 for step in range(30)],
        "rank 1": [step + 1.5 for step in range(30)],
    }


def test_null_is_missing_and_nan_is_a_value(tmp_path):
    rows = [
        "{'loss': 2.5, 'step': 1}",
        "{'loss': None, 'step': 2}",
        "{'loss': nan, 'step': 3}",
        "{'loss': 2.5, 'step': 4}",
    ]
    report = scan(write(tmp_path, "\n".join(rows)))
    assert [(incident.code, incident.first_step) for incident in report.incidents] == [("missing-loss", 2)]
    assert [(step, math.isnan(value)) for step, value in points(tmp_path / "train.log")["loss"]] == [
        (1, False),
        (2, True),
        (3, True),
        (4, False),
    ]


def test_a_constant_that_comes_once_is_no_series(tmp_path):
    code = "def f():\n    train_loss = 0.0\n    best_loss = 100\n    val_loss = 0.0\n"
    rows = "".join(f"step:{step} val_loss:{step / 2}\n" for step in range(1, 50))
    found = points(write(tmp_path, code + rows))
    assert found == {"val_loss": [(step, step / 2) for step in range(1, 50)]}


def test_the_first_nan_counts_though_its_line_came_never_before(tmp_path):
    found = points(write(tmp_path, "".join(LINES) + "Step 201: Text Loss = 2.5, Audio Loss = nan\n"))
    step, value = found["Audio Loss"][-1]
    assert step == 201
    assert math.isnan(value)


@pytest.mark.parametrize(
    ("line", "tags"),
    [
        ("Step {n} | Loss: {loss:.4f} | Text: 2.1000 | Audio: {audio:.4f}\n", ("Loss", "Loss/Text", "Loss/Audio")),
        ("Step {n}: loss={loss:.4f}, text=2.1000, audio={audio:.4f}\n", ("loss", "loss/text", "loss/audio")),
        (
            "{{'step': {n}, 'loss': {loss:.4f}, 'text': 2.1, 'audio': {audio:.4f}}}\n",
            ("loss", "loss/text", "loss/audio"),
        ),
        (
            "valid: step {n} loss={loss:.4f} audio={audio:.4f} text=2.1\n",
            ("eval/loss", "eval/loss/text", "eval/loss/audio"),
        ),
    ],
)
@pytest.mark.parametrize("count", [30, 1500])
def test_what_a_loss_is_the_sum_of_are_its_parts(tmp_path, line, tags, count):
    rows = [(step, 2.1 + step / 512, step / 512) for step in range(count)]
    content = "".join(line.format(n=step, loss=loss, audio=audio) for step, loss, audio in rows)
    found = points(write(tmp_path, content))
    assert set(found) == set(tags)
    assert found[tags[2]] == [(step, float(f"{audio:.4f}")) for step, _, audio in rows]
    assert {value for _, value in found[tags[1]]} == {2.1}


@pytest.mark.parametrize(
    "line", ["step {n} loss={loss} text=120 audio=350\n", "step {n} loss={loss} text=2.5 audio=1.5\n"]
)
def test_a_text_and_an_audio_that_a_loss_is_no_sum_of_are_no_losses(tmp_path, line):
    content = "".join(line.format(n=step, loss=9 - step / 100) for step in range(50))
    assert set(points(write(tmp_path, content))) == {"loss", "text", "audio"}


def test_a_note_says_what_was_taken(tmp_path):
    (note,) = [item for item in TEXT.read(write(tmp_path, "".join(LINES))) if isinstance(item, Note)]
    assert "the step is 'step'" in note.message
    assert "Text Loss, Audio Loss as in 'Step 1: Text Loss = 2.5, Audio Loss = 4.99'" in note.message


def test_a_text_without_metrics_is_told(tmp_path):
    (defect,) = defects(write(tmp_path, "nothing\nto be seen\n"))
    assert defect.kind == "not-a-log"
    assert "--pattern" in defect.message


def test_a_line_that_is_too_long_is_told_if_it_may_hold_a_loss(tmp_path):
    (defect,) = defects(write(tmp_path, "".join(LINES) + "loss " * 300_000 + "\n" + LINES[0]))
    assert (defect.kind, defect.line) == ("malformed", 201)
    assert defects(write(tmp_path, "".join(LINES) + "x" * (3 << 20) + "\n" + LINES[0])) == []


def test_console_output_that_wandb_keeps_is_of_its_run(tmp_path):
    path = tmp_path / "wandb" / "run-1-abc" / "files" / "output.log"
    assert TEXT.run_of(path) == tmp_path / "wandb" / "run-1-abc"
    assert TEXT.run_of(tmp_path / "files" / "output.log") == tmp_path / "files" / "output.log"


NUMBERS = st.one_of(
    st.integers(0, 10**6).map(str),
    st.floats(0.0001, 100).map(lambda value: f"{value:.4f}"),
    st.floats(1e-9, 1e-3).map(lambda value: f"{value:.2e}"),
    st.sampled_from(["nan", "inf", "-0.5", "1,234", ".5", "5.", "1e3"]),
)
KINDS = st.lists(
    st.sampled_from(
        [
            "Step {n}: Text Loss = {a}, Audio Loss = {b}",
            "Step {n}",
            "audio loss: {a}",
            "Codebook {k} loss: {a}",
            "{{'loss': {a}, 'grad_norm': {b}, 'epoch': {k}}}",
            "{{'eval_loss': {a}, 'step': {n}}}",
            "epoch {k} | step {n}/50 | loss={a} lr={b}",
            "validation: loss={a}",
            " {k}%|##  | {n}/500 [00:0{k}<10:00, 1.{k}it/s]",
            "",
            "a warning {k}",
            "x=1,{k} loss: {a}",
            "[1,2] loss: [{a}]",
        ]
    ),
    min_size=1,
    max_size=5,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(kinds=KINDS, numbers=st.lists(NUMBERS, min_size=4, max_size=40), odd=st.integers(0, 400), spare=st.booleans())
def test_lines_by_template_are_read_as_lines_one_by_one(tmp_path, kinds, numbers, odd, spare):
    lines = []
    for row in range(400 // len(kinds)):
        for place, kind in enumerate(kinds):
            a, b = numbers[(row * 7 + place) % len(numbers)], numbers[(row * 3 + place) % len(numbers)]
            lines.append(kind.format(n=row, a=a, b=b, k=(row if spare else place) % 7))
    lines.insert(odd % len(lines), "Step 5 audio loss: nan")
    path = write(tmp_path, "\n".join(lines))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("audioloss_cli.readers.text.reading._ROWS_TO_LEARN_FROM", 40)
        fast = in_bits(TEXT.read(path))
        patch.setattr(Parser, "learn", lambda self, line, entry: None)
        assert in_bits(TEXT.read(path)) == fast


def test_what_is_not_wanted_is_not_kept(tmp_path):
    path = write(tmp_path, "".join(LINES))
    found = points(path, ReadOptions(lambda tag: "Audio" in tag))
    assert found == {"Text Loss": [], "Audio Loss": AUDIO}


def test_dialects_are_found_in_their_folder():
    assert {"objects", "key_values", "vits"} <= set(registry.names("readers.text.dialects"))
