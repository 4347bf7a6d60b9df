"""Plugins by name."""

import subprocess
import sys
from pathlib import Path

import pytest

from audioloss_cli import registry


@pytest.mark.parametrize(
    ("folder", "some"), [("readers", {"jsonl", "tensorboard"}), ("outputs", {"json", "text"}), ("rules", {"low_loss"})]
)
def test_names_are_those_of_the_files(folder, some):
    entries = (Path(registry.__file__).parent / folder).iterdir()
    plugins = {path.stem for path in entries if path.suffix == ".py" or (path / "__init__.py").is_file()}
    assert registry.names(folder) == tuple(sorted(name for name in plugins if not name.startswith("_")))
    assert some <= set(registry.names(folder))


def test_a_folder_that_is_not_there_has_no_names():
    assert registry.names("nowhere") == ()


def test_names_are_found_without_an_import():
    program = "import sys; from audioloss_cli import registry; registry.names('readers'); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "audioloss_cli.registry" in done.stdout.split()
    assert not [name for name in done.stdout.split() if name.startswith("audioloss_cli.readers")]


@pytest.mark.parametrize("folder", ["readers", "outputs", "rules"])
def test_an_unknown_name_tells_the_known_ones(folder):
    with pytest.raises(registry.UnknownPluginError) as caught:
        registry.load(folder, "xml")
    assert str(caught.value) == f"'xml' is not one of {', '.join(registry.names(folder))}"


def test_a_stable_code_is_the_file_name_with_hyphens():
    assert registry.code_of("critical_loss") == "critical-loss"


def without_crc32c(monkeypatch):
    monkeypatch.setitem(sys.modules, "google_crc32c", None)
    for name in [name for name in sys.modules if name.startswith("audioloss_cli.readers.tensorboard")]:
        monkeypatch.delitem(sys.modules, name)


def test_a_missing_package_tells_what_to_install(monkeypatch):
    without_crc32c(monkeypatch)
    with pytest.raises(
        registry.MissingDependencyError,
        match=r"readers 'tensorboard' needs the package 'google_crc32c', which is not installed: pip install .+",
    ):
        registry.load("readers", "tensorboard")


def test_a_module_of_our_own_that_is_missing_is_no_missing_package(monkeypatch):
    """That is our mistake, and no package would mend it."""
    for name in [name for name in sys.modules if name.startswith("audioloss_cli.outputs.text")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "audioloss_cli.outputs.text.verdict", None)
    with pytest.raises(ModuleNotFoundError, match=r"audioloss_cli\.outputs\.text\.verdict"):
        registry.load("outputs", "text")


def test_a_missing_package_exits_4(audioloss, monkeypatch, jsonl):
    without_crc32c(monkeypatch)
    ran = audioloss("scan", jsonl({"step": 1, "audio_loss": 3.0}))
    assert (ran.code, ran.out, ran.err.count("\n")) == (4, "", 1)
    assert "pip install " in ran.err
