"""Every import of the package is one that the table in CONTRIBUTING.md allows, and plugins never import each other."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from audioloss_cli import registry

PACKAGE = "audioloss_cli"
ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
# Plugins are the modules and packages right below these.
FOLDERS = (
    *("readers", "readers.text.dialects", "rules", "causes", "outputs", "cli", "runs.findings", "findings.policies"),
    *("probe.model_io.adapters", "probe.model_io.checkpoint.kinds", "probe.checks", "probe.data"),
    *("training.response.actions", "training.sinks", "checkpoints.families", "checkpoints.checks"),
    *("checkpoints.formats", "checkpoints.layouts"),
)


def table() -> dict[str, set[str]]:
    """The rooms that each room may import, by name."""
    rows = re.findall(r"^\| (`.*?) \|.*\| (.*?) \|$", TEXT, flags=re.MULTILINE)
    allowed: dict[str, set[str]] = {}
    for rooms, words in rows:
        names = {part.strip(" `").replace(" ", "_") for part in re.split(r",| and | through the ", words)}
        if "all above" in words:
            names |= set(allowed)
        if "what they may import" in words:
            names |= {inner for name in names & set(allowed) for inner in allowed[name]}
        own = [room.rstrip("/").removesuffix(".py") for room in re.findall(r"`(.*?)`", rooms)]
        allowed |= {room: names | set(own) for room in own}
    return allowed


ALLOWED = table()


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """Lines, and the modules of the package that are imported there, for types alone as well."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}:{node.lineno}: a relative import"
            is_folder = ROOT.joinpath(*(node.module or "").split(".")).is_dir()
            found = [f"{node.module}.{alias.name}" if is_folder else str(node.module) for alias in node.names]
        else:
            continue
        yield from ((node.lineno, name.partition(".")[2]) for name in found if name.startswith(f"{PACKAGE}."))


def modules(room: str) -> list[Path]:
    folder = ROOT.joinpath(PACKAGE, *room.split("."))
    return sorted(folder.rglob("*.py")) if folder.is_dir() else [folder.with_suffix(".py")]


def is_open(name: str, room: str) -> bool:
    """Whether this room may import a module or a name of another one; of the readers only what their door has."""
    other, _, inner = name.partition(".")
    place = ROOT.joinpath(PACKAGE, other, inner.partition(".")[0] or "nothing")
    is_plugin = other == "readers" and (place.is_dir() or place.with_suffix(".py").exists())
    return other == room or (other in ALLOWED[room] and not is_plugin)


def test_the_table_is_understood():
    assert len(ALLOWED) > 20
    assert ALLOWED["model"] == {"model", "_lazy"}
    assert ALLOWED["storage"] == {"storage", "model"}
    assert {"registry", "readers"} <= ALLOWED["runs"]
    assert {"runs", "monitor", "causes", "storage", "config"} <= ALLOWED["audit"]
    assert not is_open("runs.gather", "storage")
    assert is_open("readers.Reader", "runs")
    assert not is_open("readers._rows.purpose", "runs")


@pytest.mark.parametrize("room", sorted(ALLOWED))
def test_a_room_imports_what_the_table_allows(room):
    refused = [
        f"{path.relative_to(ROOT)}:{line}: {name}"
        for path in modules(room)
        for line, name in imports(path)
        if not is_open(name, room)
    ]
    assert refused == []


@pytest.mark.parametrize("folder", FOLDERS)
def test_plugins_do_not_import_each_other(folder):
    plugins = registry.names(folder)
    assert plugins
    for plugin in plugins:
        others = tuple(f"{folder}.{name}." for name in plugins if name != plugin)
        for path in modules(f"{folder}.{plugin}"):
            assert [name for _, name in imports(path) if f"{name}.".startswith(others)] == [], path
