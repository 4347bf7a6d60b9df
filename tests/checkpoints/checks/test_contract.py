"""What every check of a checkpoint promises, whatever the evidence lacks."""

import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audioloss_cli import Report, Severity, registry
from audioloss_cli.checkpoints.check import FOLDER, run_checks
from audioloss_cli.checkpoints.evidence import CheckpointEvidence
from audioloss_cli.checkpoints.health import TensorStatistics
from audioloss_cli.checkpoints.stored import ITEMSIZES, Checkpoint, StoredTensor
from audioloss_cli.model import Finding, RuleText, View
from audioloss_cli.outputs import render
from tests.checkpoints.checks import of_models
from tests.checkpoints.checks.evidences import FAMILY, SHAPES, seen
from tests.checkpoints.checks.of_models import FIRES

CHECKS = registry.names(FOLDER)
#: Facts: never a warning.
FACTS: set[str] = set()
#: Their docstrings say why nothing is ever ruled out by them.
NEVER_RULED_OUT: set[str] = {*of_models.NEVER_RULED_OUT}
#: Ruled out only where there is a comparison, a LoRA, or another thing that the healthy evidence has not.
NEEDS_MORE = {
    *of_models.NEEDS_MORE,
    *("missing_shard", "stray_shard", "wrong_weight_map", "wrong_total_size"),  # several files of weights, an index
    *("path_leaves_checkpoint", "unfinished_save"),  # several files, the state of a training
    *("mixed_dtypes", "missing_tensor"),  # several layers
    "non_finite_state",  # an optimizer
    "code_in_config",  # a directory that is there
}


def assert_sound(findings: list[Finding], passed: dict[str, str]) -> None:
    """Fit for the screen and for JSON; nothing both found and ruled out."""
    grave = {finding.code for finding in findings if finding.severity is not Severity.INFO}
    assert not grave & passed.keys()
    for text in (*(finding.message for finding in findings), *passed.values()):
        assert text
        assert text == " ".join(text.split())
    document = json.loads(render("json", Report(findings=findings), View()))
    assert [item["code"] for item in document["findings"]] == [finding.code for finding in findings]


@pytest.mark.parametrize("name", CHECKS)
def test_its_docstring_says_what_why_and_fix(name):
    text = RuleText.of(registry.load(FOLDER, name))
    for part in (text.title, text.what, text.why, text.fix):
        assert part[0].isupper() or part[0] == "`"
        assert part.endswith(".")


def test_every_check_has_evidence_in_which_it_must_find_something():
    missing, unknown = set(CHECKS) - set(FIRES), set(FIRES) - set(CHECKS)
    assert not missing, f"tests/checkpoints/checks/evidences.py: FIRES needs a line for {', '.join(sorted(missing))}"
    assert not unknown, f"tests/checkpoints/checks/evidences.py: FIRES has a line for {', '.join(sorted(unknown))}"


@pytest.mark.parametrize("name", sorted(set(FIRES) & set(CHECKS)))
def test_it_finds_its_fault_and_not_in_health(name):
    findings, passed = run_checks(FIRES[name]())
    own = [finding for finding in findings if finding.code == registry.code_of(name)]
    assert own
    assert any(finding.severity is not Severity.INFO for finding in own) == (name not in FACTS)
    assert all(finding.advice for finding in own)
    assert_sound(findings, passed)


def test_health_is_clean_and_ruled_out_by_each():
    findings, passed = run_checks(seen())
    assert [finding for finding in findings if finding.severity is not Severity.INFO] == []
    assert {registry.code_of(name) for name in set(CHECKS) - NEVER_RULED_OUT - NEEDS_MORE} <= passed.keys()
    assert_sound(findings, passed)


LACKING = {
    "everything": lambda: CheckpointEvidence(Checkpoint(Path("x"), "file")),
    "values": lambda: CheckpointEvidence(seen().checkpoint, FAMILY),
    "family": lambda: CheckpointEvidence(seen().checkpoint, None, seen().statistics),
    "configuration": lambda: seen(config={}),
    "sense in the configuration": lambda: seen(
        config={key: [key] for key in ("model_type", "num_codebooks", "hidden_size")}
    ),
    "step": lambda: seen(step=None),
    "tensors": lambda: seen(tensors={}),
    "finite values": lambda: seen(
        {name: {"norm": math.nan, "lowest": math.nan, "highest": math.nan} for name in SHAPES}
    ),
}


@pytest.mark.parametrize("what", LACKING)
def test_no_check_minds_that_there_is_no(what):
    assert_sound(*run_checks(LACKING[what]()))


NAMES = st.sampled_from([*SHAPES, "weight", "a.lora_B.weight", "a.lora_A.weight", "layers.99.mlp.weight"])
COUNTS = st.integers(0, 20)
FLOATS = st.floats() | st.sampled_from([0.0, 1.0, math.nan, math.inf])
ROWS = st.lists(st.integers(0, 150), max_size=5).map(tuple)
STATISTICS = st.builds(
    TensorStatistics,
    elements=COUNTS,
    nan=COUNTS,
    infinite=COUNTS,
    zero=COUNTS,
    denormal=COUNTS,
    first_bad=st.integers(-1, 20),
    lowest=FLOATS,
    highest=FLOATS,
    norm=FLOATS,
    is_constant=st.booleans(),
    dead_rows=ROWS,
    twin_rows=st.lists(st.tuples(st.integers(0, 150), st.integers(0, 150)), max_size=5).map(tuple),
    dead=COUNTS,
    twins=COUNTS,
)


@st.composite
def evidences(draw: st.DrawFn) -> CheckpointEvidence:
    names = draw(st.lists(NAMES, unique=True, max_size=5))
    dtypes, shapes = st.sampled_from([*ITEMSIZES, "F4"]), st.lists(st.integers(0, 40), max_size=3).map(tuple)
    opened: dict[str, Any] = {
        name: StoredTensor(name, draw(dtypes), draw(shapes), Path("a.safetensors"), 0) for name in names
    }
    config = draw(
        st.dictionaries(st.sampled_from(["num_codebooks", "codebook_size", "model_type"]), st.integers(-1, 9))
    )
    checkpoint = Checkpoint(Path("a"), "file", opened, config=config, step=draw(st.none() | st.integers(0, 9)))
    statistics = {name: draw(STATISTICS) for name in names if draw(st.booleans())}
    return CheckpointEvidence(checkpoint, draw(st.sampled_from([None, FAMILY])), statistics)


@given(evidences())
def test_no_check_minds_any_evidence(evidence):
    assert_sound(*run_checks(evidence))
