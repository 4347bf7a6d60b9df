"""The first rows of a log are taken in together where they are alike: with what each by itself would have given."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audioloss_cli.readers import jsonl as reader
from audioloss_cli.readers._rows.table import Table
from tests.effort import examples
from tests.readers.jsonl.test_typed import in_bits

STEPS = st.sampled_from([0, 1, 1, 2, 3, 7, 1.5, -1, 1 << 62, 1 << 70, "4", None, float("nan"), float("inf")])
NUMBERS = st.sampled_from([0.5, 2, -1.25, 1 << 80, float("nan"), float("-inf"), None, "3.5", "n/a", True, [1.0, None]])
KINDS = (
    ("step", "loss"),
    ("step", "loss", "lr"),
    ("loss",),
    ("epoch", "loss"),
    ("step", "eval_loss"),
    ("run", "step", "loss"),
    ("timestamp", "step", "loss"),
    ("step", "a", "a/0"),
)


@st.composite
def rows(draw: st.DrawFn) -> list[dict[str, object]]:
    """Stretches of rows with the same keys, mostly of numbers that rise."""
    found = list[dict[str, object]]()
    for _ in range(draw(st.integers(1, 5))):
        keys, odd = draw(st.sampled_from(KINDS)), draw(st.integers(0, 3)) == 0
        for _ in range(draw(st.integers(1, 6))):
            row: dict[str, object] = {}
            for key in keys:
                if key == "run":
                    row[key] = draw(st.sampled_from(["one", "two"]))
                elif key in ("step", "epoch"):
                    row[key] = draw(STEPS) if odd else len(found)
                else:
                    row[key] = draw(NUMBERS) if odd else len(found) / 8
            found.append(row)
    return found


@settings(max_examples=examples(400), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows())
def test_rows_taken_in_together_give_what_each_gives(tmp_path, rows):
    path = tmp_path / "log.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    together = in_bits(list(reader.read(path)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Table, "add_alike", lambda *_: False)
        assert in_bits(list(reader.read(path))) == together


def test_rows_that_are_alike_are_not_taken_in_one_by_one(tmp_path, monkeypatch):
    path = tmp_path / "log.jsonl"
    path.write_text("".join(json.dumps({"step": step, "loss": 1.0}) + "\n" for step in range(300)))
    alone = list[object]()
    monkeypatch.setattr(Table, "add", lambda self, row: alone.append(row) or iter(()))
    (series,) = reader.read(path)
    assert (list(series.steps), alone) == (list(range(300)), [])
