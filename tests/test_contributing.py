"""The plugin examples of CONTRIBUTING.md are plugins; `tests/probe` and `tests/training` try those of their wings."""

import re
import types
from pathlib import Path

from audioloss_cli import Limits, Severity
from audioloss_cli.model import RuleText, View
from audioloss_cli.outputs import pieces
from audioloss_cli.storage.log_file import LogFile
from tests.causes.runs import scene_of, series
from tests.outputs.reports import REPORTS

TEXT = (Path(__file__).parent.parent / "CONTRIBUTING.md").read_text(encoding="utf-8")
READER, RULE, OUTPUT, CHECK, CAUSE, ACTION = re.findall(r"```python\n(.*?)```", TEXT, flags=re.DOTALL)


def plugin(source: str) -> types.ModuleType:
    """The example as a module."""
    module = types.ModuleType("example")
    exec(source, module.__dict__)
    return module


def test_the_reader_is_one(tmp_path):
    reader = plugin(READER)
    (tmp_path / "x.csv").write_text("step,loss\n1,2.5\n2,oops\n3,3.5\n")
    defect, series = reader.read(tmp_path / "x.csv")
    assert (defect.line, list(series.steps), list(series.values)) == (3, [1, 3], [2.5, 3.5])
    assert reader.claims(LogFile(Path("x.columns")))


def test_the_rule_is_one():
    rule = plugin(RULE)
    assert rule.Rule(Limits()).severity is Severity.CRITICAL
    assert RuleText.of(rule).fix.startswith("Check that")


def test_the_report_format_is_one():
    output = plugin(OUTPUT).Output
    assert "".join(pieces(output(View()), REPORTS["empty"])) == "exit 0\n"
    lines = "".join(pieces(output(View()), REPORTS["incidents"])).splitlines()
    assert lines[0].startswith("loss/audio: loss")
    assert lines[-1] == "exit 1"


def test_the_root_cause_is_one():
    cause = plugin(CAUSE)
    rises, falls = series("audio_loss", lambda step: 3 + step / 20), series("audio_loss", lambda step: 3 - step / 500)
    assert cause.weigh(scene_of(500, rises)).evidence == ["rises from 3.5 to 28"]
    assert cause.weigh(scene_of(500, falls)) is None
    assert RuleText.of(cause).fix == "Check the scheduler."


def test_every_room_of_the_table_is_there():
    root = Path(__file__).parent.parent / "audioloss_cli"
    rooms = [
        name for row in re.findall(r"^\| (`.*?) \|", TEXT, flags=re.MULTILINE) for name in re.findall(r"`(.*?)`", row)
    ]
    assert {path.name for path in root.iterdir() if path.name not in ("__init__.py", "__pycache__", "README.md")} == {
        name.rstrip("/") for name in rooms
    }
