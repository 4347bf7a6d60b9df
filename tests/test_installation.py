"""The command that installs more of the package names where it came from (PEP 610)."""

import json
import shlex
from importlib import metadata
from pathlib import Path

import pytest

from audioloss_cli import installation


class Installed:
    def __init__(self, text):
        self.text = text

    def read_text(self, name):
        assert name == "direct_url.json"
        return self.text


@pytest.mark.parametrize(
    ("origin", "source"),
    [
        ({"url": "file:///home/me/my%20code", "dir_info": {"editable": True}}, ["-e", "/home/me/my code[probe]"]),
        ({"url": "file:///home/me/code", "dir_info": {}}, ["/home/me/code[probe]"]),
        (
            {"url": "https://host/a/b.git", "vcs_info": {"vcs": "git", "requested_revision": "v1", "commit_id": "1a"}},
            ["audioloss-cli[probe] @ git+https://host/a/b.git@v1"],
        ),
        (
            {"url": "https://host/b.git", "vcs_info": {"vcs": "git", "commit_id": "1a"}, "subdirectory": "py"},
            ["audioloss-cli[probe] @ git+https://host/b.git@1a#subdirectory=py"],
        ),
        (
            {"url": "file:///tmp/audioloss_cli-1.whl", "archive_info": {}},
            ["audioloss-cli[probe] @ file:///tmp/audioloss_cli-1.whl"],
        ),
    ],
)
def test_it_comes_from_where_the_package_came_from(origin, source, monkeypatch):
    monkeypatch.setattr(metadata, "distribution", lambda _: Installed(json.dumps(origin)))
    assert shlex.split(installation.command("probe")) == ["pip", "install", *source]


@pytest.mark.parametrize("text", [None, "", "no json", "[]"])
def test_it_comes_from_an_index_where_nothing_else_is_known(text, monkeypatch, tmp_path):
    monkeypatch.setattr(metadata, "distribution", lambda _: Installed(text))
    monkeypatch.setattr(installation, "_PROJECT", tmp_path)
    assert shlex.split(installation.command("probe")) == ["pip", "install", "audioloss-cli[probe]"]
    assert installation.command() == "pip install audioloss-cli"


def test_a_checkout_that_is_not_installed_names_itself(monkeypatch):
    def nothing(_):
        raise metadata.PackageNotFoundError

    monkeypatch.setattr(metadata, "distribution", nothing)
    root = Path(installation.__file__).parents[1]
    assert shlex.split(installation.command()) == ["pip", "install", "-e", str(root)]
