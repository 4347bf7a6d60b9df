"""JSON documents of every form that trainings leave, by the numbers that they hold."""

import gzip
import json
import math
import random
import subprocess
import sys

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from audioloss_cli import registry
from audioloss_cli.model import Defect
from audioloss_cli.storage.encoding import encoding_of
from audioloss_cli.storage.log_file import LogFile
from tests.event_files import read

reader = registry.load("readers", "json")
ROWS = [{"step": 10 * step, "loss": 4 / (step + 1), "lr": 0.1} for step in range(30)]
LOSSES = [row["loss"] for row in ROWS]
ORDINALS = list(range(1, 31))
STEPS = [row["step"] for row in ROWS]


def points(path, content: str | bytes, tag: str = "loss"):
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    assert reader.claims(LogFile(path)), "not claimed"
    series, defects = read(path, "json")
    assert defects == []
    return list(series[tag].steps), list(series[tag].values)


@pytest.mark.parametrize(
    "content",
    [
        json.dumps(ROWS),
        json.dumps(ROWS, indent=2),
        "[\n" + ",\n".join(map(json.dumps, ROWS)) + "\n]\n",
        "[\n" + ",\n".join(map(json.dumps, ROWS)) + ",\n]",
        "\n".join(json.dumps(row, indent=4) for row in ROWS),
        "".join(json.dumps(row, indent=1) for row in ROWS),
        ",\n".join(json.dumps(row, indent=1) for row in ROWS),
        json.dumps({"config": {"seed": 1}, "metrics": ROWS}),
        json.dumps({"log_history": ROWS, "best": None}, indent=2),
        json.dumps({"step": STEPS, "loss": LOSSES}),
        json.dumps({"step": dict(enumerate(STEPS)), "loss": dict(enumerate(LOSSES))}),  # pandas
        json.dumps({row["step"]: {"loss": row["loss"]} for row in ROWS}, indent=1),
    ],
)
@pytest.mark.parametrize("suffix", [".json", ".jsonl"])
@pytest.mark.parametrize("pack", [bytes, gzip.compress, lambda data: data.decode().encode("utf-16")])
def test_the_steps_and_losses_of_every_form(content, suffix, pack, tmp_path):
    assert points(tmp_path / f"metrics{suffix}", pack(content.encode())) == (STEPS, LOSSES)


@pytest.mark.parametrize(
    "document", [{"loss": LOSSES, "val_loss": LOSSES}, {"history": {"loss": LOSSES}, "epochs": 30}]
)
def test_the_history_of_keras(document, tmp_path):
    tag = "loss" if "loss" in document else "history/loss"
    assert points(tmp_path / "history.json", json.dumps(document), tag) == (ORDINALS, LOSSES)


def test_the_history_of_audiocraft(tmp_path):
    rows = [{"train": {"ce": loss, "lr": 0.1}, "valid": {"ce": loss + 1}} for loss in LOSSES]
    assert points(tmp_path / "history.json", json.dumps(rows, indent=2), "train/ce") == (ORDINALS, LOSSES)


@pytest.mark.parametrize("write", ["{}", "tensor({})", "tensor({}, device='cuda:0')", "np.float32({})", " {} "])
def test_numbers_as_strings(write, tmp_path):
    rows = [{**row, "loss": write.format(row["loss"])} for row in ROWS]
    assert points(tmp_path / "metrics.json", json.dumps(rows, indent=1)) == (STEPS, LOSSES)


def test_percent_and_commas(tmp_path):
    rows = [{"step": f"{1000 + step:,}", "accuracy": f"{step}.5%"} for step in range(30)]
    found = points(tmp_path / "metrics.json", json.dumps(rows, indent=1), "accuracy")
    assert found == ([*range(1000, 1030)], [step + 0.5 for step in range(30)])


@pytest.mark.parametrize("names", [("name", "value"), ("metric", "value"), ("tag", "val")])
def test_the_long_form(names, tmp_path):
    name, value = names
    rows = [{name: tag, value: row[tag], "step": row["step"]} for row in ROWS for tag in ("loss", "lr")]
    assert points(tmp_path / "metrics.json", json.dumps(rows, indent=1)) == (STEPS, LOSSES)


@pytest.mark.parametrize(
    ("name", "document"),
    [
        ("config.json", {"vocab_size": 32000, "codebook_loss_weights": [1.0] * 8, "layers": [1, 2, 3]}),
        ("data.json", [{"audio": f"{n}.wav", "text": "x", "duration": 3.5} for n in range(40)]),
        ("losses.json", [{"id": n, "loss": 0.5} for n in range(40)]),
        ("predictions.json", [{"prompt": "a", "prediction": "b"}] * 40),
        ("all_results.json", {"train_loss": 0.5, "epoch": 3.0}),
        ("vocab.json", {str(n): n for n in range(200)}),
        ("tokenizer.json", {"version": "1", "added_tokens": [{"id": n, "content": "x"} for n in range(9)]}),
        ("weights.index.json", {"metadata": {"size": 5}, "weight_map": {"a": "b"}}),
        ("empty.json", []),
    ],
)
@pytest.mark.parametrize("indent", [None, 2])
def test_what_is_no_log_of_a_training(name, document, indent, tmp_path):
    (tmp_path / name).write_text(json.dumps(document, indent=indent))
    claimed = [
        one for one in registry.names("readers") if registry.load("readers", one).claims(LogFile(tmp_path / name))
    ]
    assert claimed == []


def test_a_long_document_is_claimed_by_its_beginning(tmp_path):
    rows = [{"step": step, "loss": random.Random(step).random()} for step in range(20_000)]
    for document in (rows, {"loss": [row["loss"] for row in rows]}):
        for indent in (None, 2):
            assert len(points(tmp_path / "history.json", json.dumps(document, indent=indent))[0]) == 20_000


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.integers(0, 10**6), lost=st.integers(0, 60), noise=st.binary(max_size=20), form=st.integers(0, 2))
def test_damage_costs_the_rows_it_touches_and_is_told(at, lost, noise, form, tmp_path):
    content = [
        json.dumps(ROWS, indent=2),
        json.dumps(ROWS),
        "\n".join(json.dumps(row, indent=1) for row in ROWS),
    ][form].encode()
    at %= len(content)
    damaged = content[:at] + noise + content[at + lost :]
    assume(encoding_of(damaged[:4]) is None and not damaged.startswith((b"\x1f\x8b", b"\x28\xb5")))
    path = tmp_path / "x.json"
    path.write_bytes(damaged)
    series, defects = read(path, "json")
    found = list(zip(series["loss"].steps, series["loss"].values, strict=True)) if "loss" in series else []
    try:
        json.loads(damaged if form < 2 else b"[%b]" % damaged.replace(b"\n{", b"\n,{"))
    except ValueError:
        assert defects or len(found) == 30
    for row in ROWS:
        text = (f'"step": {row["step"]},').encode()
        start, end = content.index(text), content.index(b"}", content.index(text))
        if end < at or start - 20 > at + lost:
            assert (row["step"], row["loss"]) in found


@pytest.mark.parametrize(("cut", "rows"), [(-30, 29), (-2, 30)])
def test_a_document_that_ends_before_its_end(cut, rows, tmp_path):
    path = tmp_path / "metrics.json"
    path.write_text(json.dumps(ROWS, indent=2)[:cut])
    series, (defect,) = read(path, "json")
    assert list(series["loss"].values) == LOSSES[:rows]
    assert defect.kind == "truncated"


@pytest.mark.parametrize(
    "content",
    [
        "[" * 500_000,
        '{"a":' * 150_000,
        '[{"loss": 1, "a": "' + "x" * 10**6,
        '{"' + "k" * 10**6 + '": [1, 2, 3]}',
        '[{"step": 1, "loss": ' + "7" * 10**6 + "}, {}]",
        "[" + "{]" * 300_000,
        '[{"loss": 1},' + '{"a": {"b": ' * 80_000,
        '{"loss": [' + "1," * 400_000 + "1]}",
        "[" + ",".join(f'{{"k{n}": {n}}}' for n in range(60_000)) + "]",
    ],
    ids=["lists", "objects", "text", "key", "digits", "halves", "nested", "column", "keys"],
)
@pytest.mark.exhaustive
def test_no_megabyte_takes_long_or_much_memory(content, tmp_path):
    path = tmp_path / "metrics.json"
    path.write_text(content)
    code = (
        "import sys, resource, pathlib; from audioloss_cli import registry;"
        "from audioloss_cli.storage.log_file import LogFile; import audioloss_cli.readers.json.reading;"
        "peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss; before = peak();"
        "reader = registry.load('readers', 'json'); path = pathlib.Path(sys.argv[1]); reader.claims(LogFile(path));"
        "sum(1 for _ in reader.read(path)); print(peak() - before)"
    )
    told = subprocess.run([sys.executable, "-c", code, path], timeout=60, check=True, capture_output=True)
    assert int(told.stdout) < 200 << 10


def test_no_value_is_made_up(tmp_path):
    path = tmp_path / "x.json"
    path.write_text('[{"step": 1, "loss": NaN}, {"step": 2, "loss": Infinity}, {"step": 3, "loss": 1e999}]')
    series, defects = read(path, "json")
    assert not any(isinstance(one, Defect) for one in defects)
    first, *others = series["loss"].values
    assert math.isnan(first)
    assert others == [math.inf, math.inf]
