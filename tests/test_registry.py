"""Plugins by name."""

import sys

import pytest

from audioloss_cli import registry


def test_names_are_found_without_an_import():
    assert registry.names("readers") == ("jsonl", "tensorboard")
    assert registry.names("outputs") == ("json", "text")
    assert "critical_loss" in registry.names("rules")
    assert not any(name.startswith("_") for name in registry.names("rules"))
    assert registry.names("nowhere") == ()


def test_an_unknown_name_tells_the_known_ones():
    with pytest.raises(registry.UnknownPluginError, match="'xml' is not one of json, text"):
        registry.load("outputs", "xml")


def test_a_missing_package_tells_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "rich", None)
    monkeypatch.setitem(sys.modules, "rich.console", None)
    for name in [name for name in sys.modules if name.startswith("audioloss_cli.outputs.text")]:
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(
        registry.MissingDependencyError, match=r"outputs 'text' needs the package 'rich.*pip install audioloss-cli"
    ):
        registry.load("outputs", "text")
