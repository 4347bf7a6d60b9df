"""What every check promises, whatever the evidence lacks."""

import json
import math
from dataclasses import replace
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from audioloss_cli import Report, Severity, registry
from audioloss_cli.model import RuleText, View
from audioloss_cli.outputs import render
from audioloss_cli.probe.check import FOLDER, Outcome, run_checks
from audioloss_cli.probe.measure.alignment import Audio, targets
from audioloss_cli.probe.measure.evidence import Evidence, Gradient, LabelResponse, Logged, Perturbation, Weights
from audioloss_cli.probe.measure.statistics import logit_statistics
from audioloss_cli.probe.model_io.layout import Field, Layout
from tests.probe.checks.evidences import FIRES, IGNORED, LAYOUT, V, nan_logits, seen

CHECKS = registry.names(FOLDER)
#: Measured facts: never a warning.
FACTS = {"cross_entropy", "data_summary", "logit_summary", "special_labels", "text_alone"}
#: They look at a whole data set, not at a batch.
OF_THE_DATA = {"data_summary", "duplicate_samples", "text_alone"}
#: Their docstrings say why nothing is ever ruled out by them.
NEVER_RULED_OUT = OF_THE_DATA | {
    "cross_entropy",
    "logged_loss",
    "logit_summary",
    "at_chance",
    "constant_log",
    "special_labels",
}


def assert_sound(outcome: Outcome) -> None:
    """Fit for the screen and for JSON; nothing both found and ruled out."""
    grave = {finding.code for finding in outcome.findings if finding.severity is not Severity.INFO}
    assert not grave & outcome.passed.keys()
    for text in (*(finding.message for finding in outcome.findings), *outcome.passed.values()):
        assert text == " ".join(text.split())
        assert "  " not in text
        assert text
    report = Report(findings=outcome.findings)
    document = json.loads(render("json", report, View()))
    assert [item["code"] for item in document["findings"]] == [finding.code for finding in outcome.findings]


@pytest.mark.parametrize("name", CHECKS)
def test_its_docstring_says_what_why_and_fix(name):
    text = RuleText.of(registry.load(FOLDER, name))
    for part in (text.title, text.what, text.why, text.fix):
        assert part[0].isupper()
        assert part.endswith(".")


def test_every_check_has_evidence_in_which_it_must_find_something():
    missing, unknown = set(CHECKS) - set(FIRES), set(FIRES) - set(CHECKS)
    assert not missing, f"tests/probe/checks/evidences.py: FIRES needs a line for {', '.join(sorted(missing))}"
    assert not unknown, f"tests/probe/checks/evidences.py: FIRES has a line for {', '.join(sorted(unknown))}, no check"


@pytest.mark.parametrize("name", sorted(set(FIRES) & set(CHECKS)))
def test_it_finds_its_fault_and_not_in_health(name):
    outcome = run_checks(FIRES[name](), (name,))
    assert {finding.code for finding in outcome.findings} == {registry.code_of(name)}
    assert any(finding.severity is not Severity.INFO for finding in outcome.findings) == (name not in FACTS)
    assert all(finding.advice for finding in outcome.findings)
    assert_sound(run_checks(FIRES[name]()))
    health = run_checks(seen(), (name,))
    assert [finding for finding in health.findings if finding.severity is not Severity.INFO] == []
    assert bool(health.passed) == (name not in NEVER_RULED_OUT)


NOTHING = Layout("nothing", (), num_codebooks=0, vocab_size=0)


@pytest.mark.parametrize("name", CHECKS)
def test_where_there_is_nothing_it_finds_nothing_and_rules_nothing_out(name):
    outcome = run_checks(Evidence(NOTHING, {}), (name,))
    assert (outcome.findings, outcome.passed) == ([], {})


def lacking(**more: Any) -> Evidence:
    """Healthy evidence whose audio lacks something."""
    return replace(seen(), audio=replace(seen().audio, **more))


def rows_of(count: int, **more: Any) -> Evidence:
    """As many rows of audio, and logits for them."""
    cells, places = torch.zeros(count, 4, dtype=torch.long), torch.zeros(count, dtype=torch.long)
    logits = torch.randn(count, 4, V, generator=torch.Generator().manual_seed(0))
    audio = Audio(cells, cells, places, places, ([], []))
    stats = logit_statistics(logits, targets(audio, LAYOUT))
    return replace(seen(), audio=audio, again=audio, stats=stats, **more)


LACKING = {
    "everything": lambda: Evidence(LAYOUT, {}),
    "the batch": lambda: replace(seen(), batch={}),
    "values": lambda: replace(seen(), batch=dict.fromkeys(seen().batch)),
    "stats": lambda: replace(seen(), stats=None),
    "codes": lambda: lacking(codes=None),
    "labels": lambda: lacking(labels=None),
    "codes and labels": lambda: lacking(codes=None, labels=None),
    "segments and samples": lambda: lacking(segments=None, samples=None, placeholders=None),
    "targets": lambda: replace(seen(), stats=logit_statistics(torch.randn(5, 4, V))),
    "rows": lambda: rows_of(0),
    "rows but one": lambda: rows_of(1),
    "codebooks": lambda: lacking(codes=torch.zeros(52, 0, dtype=torch.long), labels=None),
    "finite logits": lambda: seen(logits=torch.full((52, 4, V), math.nan)),
    "one finite logit": lambda: seen(logits=nan_logits()),
    "any finite number": lambda: seen(
        reported=math.nan,
        held_out=math.nan,
        perturbation=Perturbation(0, math.nan, math.inf),
        gradients={"head": Gradient(0, 0, 0.0)},
        logged=(Logged("a", "b", 0, math.nan, math.inf),),
    ),
    "a vocabulary": lambda: replace(seen(), layout=replace(LAYOUT, vocab_size=0, num_codebooks=0), text_tokens=3),
}


@pytest.mark.parametrize("what", LACKING)
def test_no_check_minds_that_there_is_no(what):
    outcome = run_checks(LACKING[what]())
    assert_sound(outcome)
    assert_sound(Outcome(outcome.findings))


CODES = st.integers(-1, 9) | st.sampled_from([IGNORED, 2**40])
FLOATS = st.floats(allow_subnormal=False)
LOGITS = st.floats(width=32) | st.sampled_from([math.nan, math.inf, -math.inf, 0.0, 1e4])


@st.composite
def cells(draw: st.DrawFn, rows: int, books: int, times: int) -> Tensor:
    values = draw(st.lists(CODES, min_size=rows * books, max_size=rows * books))
    return torch.tensor(values, dtype=torch.long).reshape(rows, books).repeat(times, 1)


@st.composite
def places(draw: st.DrawFn, rows: int, times: int) -> Tensor:
    steps = draw(st.lists(st.integers(0, 1), min_size=rows, max_size=rows))
    return torch.tensor(steps, dtype=torch.long).repeat_interleave(times).cumsum(0)


@st.composite
def audios(draw: st.DrawFn, rows: int, books: int, times: int) -> Audio:
    """Codes and labels of as many rows so many times, as ``read_audio`` gives them."""
    codes, labels = (draw(st.none() | cells(rows, books, times)) for _ in range(2))
    segments = None if codes is None and labels is None else draw(places(rows, times))
    samples = None if segments is None else draw(st.none() | places(rows, times))
    counts = st.lists(st.integers(0, 3), min_size=2, max_size=2)
    return Audio(codes, labels, segments, samples, draw(st.none() | st.tuples(counts, counts)))


@st.composite
def layouts(draw: st.DrawFn, books: int) -> Layout:
    special = st.none() | st.integers(0, 9)
    return Layout(
        "any",
        tuple(field for field in LAYOUT.fields if draw(st.booleans())),
        num_codebooks=draw(st.sampled_from([0, books, books + 1])),
        vocab_size=draw(st.integers(0, 9)),
        bos=draw(special),
        eos=draw(special),
        text_vocab_size=draw(special),
        shift=draw(st.integers(0, 2)),
        reduction=draw(st.sampled_from(["mean", "sum"])),
        delayed=draw(st.none() | st.booleans()),
        parameters=draw(st.sampled_from([{}, LAYOUT.parameters])),
    )


@st.composite
def batches(draw: st.DrawFn, names: list[Field]) -> dict[str, Any]:
    """Whatever may lie under the names of the layout."""
    shape = draw(st.lists(st.integers(0, 3), max_size=3))
    dtype = draw(st.sampled_from([torch.int64, torch.bool, torch.float32, torch.bfloat16, torch.uint8]))
    value = st.sampled_from([None, "text", torch.zeros(shape, dtype=dtype), torch.ones(2, 3, 4, dtype=torch.long)])
    return {field.name: draw(value) for field in names if draw(st.booleans())}


@st.composite
def evidences(draw: st.DrawFn) -> Evidence:
    rows, books = draw(st.integers(0, 6)), draw(st.integers(1, 3))
    times = draw(st.sampled_from([1, 12]))  # few rows tell nothing, and drawing many takes long
    layout, audio = draw(layouts(books)), draw(audios(rows, books, times))
    found = Evidence(layout, draw(batches(list(LAYOUT.fields))), audio, draw(st.none() | audios(rows, books, times)))
    if draw(st.booleans()):
        shape = (draw(st.sampled_from([rows, 0, 3])), draw(st.sampled_from([books, 2])), draw(st.integers(1, 4)))
        values = draw(st.lists(LOGITS, min_size=math.prod(shape), max_size=math.prod(shape)))
        logits = torch.tensor(values).reshape(shape).repeat(times, 1, 1)
        fitting = [each for each in targets(audio, layout) if each.shape == logits.shape[:2]]
        found.stats = logit_statistics(logits, fitting)
    group = st.builds(Gradient, st.integers(0, 2), st.integers(0, 2), FLOATS)
    found.gradients = draw(st.dictionaries(st.sampled_from(["head", "rest"]), group))
    found.gradient_source = draw(st.sampled_from(["total", "reported", "recomputed", ""]))
    found.perturbation = draw(
        st.none()
        | st.builds(
            Perturbation,
            st.just(0),
            st.none() | FLOATS,
            FLOATS,
            st.sampled_from([(), (0,), tuple(range(books))]),
            st.none() | st.booleans(),
        )
    )
    found.reported, found.held_out = draw(st.none() | FLOATS), draw(st.none() | FLOATS)
    found.response = draw(
        st.none()
        | st.builds(LabelResponse, st.booleans(), st.none() | st.integers(0, 2), st.none() | st.booleans(), FLOATS)
    )
    found.trained_steps, found.total = draw(st.none() | st.integers(0, 500)), draw(st.none() | FLOATS)
    found.would_keep = draw(st.none() | st.just(frozenset({"codes"})))
    found.text_tokens, found.kept = draw(st.integers(0, 5)), draw(st.none() | st.just(frozenset({"codes"})))
    names = st.sampled_from([(), ("head.weight",), ("x", "y")])
    found.weights = Weights(draw(names), draw(names), draw(names), draw(st.sampled_from([{}, {"x": "NaN"}])))
    found.logged = draw(
        st.just(()) | st.tuples(st.builds(Logged, st.just("a"), st.just("b"), st.just(1), FLOATS, FLOATS, FLOATS))
    )
    return found


@given(evidences())
def test_no_check_minds_any_evidence(evidence):
    assert_sound(run_checks(evidence))
