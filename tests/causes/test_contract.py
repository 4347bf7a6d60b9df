"""What every root cause promises."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from audioloss_cli import causes, registry
from audioloss_cli.causes import FOLDER
from audioloss_cli.model import RuleText

CAUSES = registry.names(FOLDER)
FOLDERS = ("probe.checks", "checkpoints.checks")
CHECKS = {registry.code_of(name) for folder in FOLDERS for name in registry.names(folder)}  # by name: some need torch
ALLOWED = tuple(f"audioloss_cli.{room}" for room in ("registry", "model", "naming", "causes._"))
OWN_DOOR = ("audioloss_cli.causes.FOLDER", "audioloss_cli.causes.Cause")
ROOM = Path(causes.__file__).parent
CATALOGUE = {
    *("no-shift", "double-shift", "inputs-filtered", "over-masked", "all-masked", "in-place-masking", "constant-loss"),
    *("audio-loss-not-added", "delay-mismatch", "audio-head-frozen", "loss-scale", "bad-codes", "memorised"),
}


def test_they_are_those_of_the_catalogue():
    assert {registry.code_of(name) for name in CAUSES} == CATALOGUE


@pytest.mark.parametrize("name", CAUSES)
def test_its_docstring_says_what_why_and_fix(name):
    text = RuleText.of(registry.load(FOLDER, name))
    for part in (text.title, text.what, text.why, text.fix):
        assert part[0].isupper()
        assert part.endswith(".")


@pytest.mark.parametrize("name", CAUSES)
def test_it_is_confirmed_by_one_of_its_own_checks(name):
    cause = registry.load(FOLDER, name)
    codes = {*cause.CODES, *getattr(cause, "ALSO", ())}
    assert cause.CODES
    assert codes <= CHECKS
    assert cause.CONFIRMED_BY in codes


def test_no_code_speaks_for_two_causes_and_no_two_causes_are_equally_early():
    modules = [registry.load(FOLDER, name) for name in CAUSES]
    codes = [code for module in modules for code in (*module.CODES, *getattr(module, "ALSO", ()))]
    assert len(set(codes)) == len(codes)
    assert len({module.ORDER for module in modules}) == len(modules)


def test_no_cause_imports_torch_or_numpy():
    program = (
        f"import sys; from audioloss_cli import registry; [registry.load({FOLDER!r}, name) for name in {CAUSES!r}];"
        "sys.exit(any(name in sys.modules for name in ('torch', 'numpy', 'audioloss_cli.probe')))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


@pytest.mark.parametrize("path", sorted(ROOM.glob("*.py")), ids=lambda path: path.name)
def test_it_imports_records_the_registry_and_its_own_room(path):
    """Causes share private modules and never import each other."""
    imported = {
        f"{node.module}.{alias.name}"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("audioloss_cli")
        for alias in node.names
    }
    assert [name for name in imported if not name.startswith(ALLOWED) and name not in OWN_DOOR] == []
