"""What every signature promises."""

import ast
from pathlib import Path

import pytest

import audioloss_cli.causes
from audioloss_cli import registry
from audioloss_cli.causes._weigh import FOLDER

SIGNATURES = registry.names(FOLDER)
ALLOWED = tuple(f"audioloss_cli.{room}" for room in ("registry", "model", "naming", "causes._"))
CAUSES, CHECKS = "probe.causes", "probe.checks"  # by name: the modules that read them need torch
ROOM = Path(audioloss_cli.causes.__file__).parent


def test_there_is_one_for_each_root_cause():
    assert registry.names(CAUSES) == SIGNATURES


@pytest.mark.parametrize("name", SIGNATURES)
def test_it_is_confirmed_by_a_check_of_its_own_cause(name):
    cause, code = registry.load(CAUSES, name), registry.load(FOLDER, name).CONFIRMED_BY
    assert code in {*cause.CODES, *getattr(cause, "ALSO", ())}
    assert code in {registry.code_of(each) for each in registry.names(CHECKS)}


@pytest.mark.parametrize("name", SIGNATURES)
def test_it_has_a_caption_of_one_line(name):
    text = registry.docstring(FOLDER, name)
    assert text.endswith(".")
    assert "\n" not in text


@pytest.mark.parametrize("path", sorted(ROOM.glob("*.py")), ids=lambda path: path.name)
def test_it_imports_records_the_registry_and_its_own_room(path):
    """Signatures share private modules and never import each other."""
    imported = {
        (node.module, alias.name)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("audioloss_cli")
        for alias in node.names
    }
    for module, name in imported:
        full = f"{module}.{name}"
        assert full.startswith(ALLOWED)
