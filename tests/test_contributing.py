"""The plugin examples of CONTRIBUTING.md are plugins."""

import re
import types
from pathlib import Path

import pytest

from audioloss_cli import Limits, Severity
from audioloss_cli.model import RuleText, View
from audioloss_cli.probe.evidence import Evidence
from audioloss_cli.probe.layout import Layout
from audioloss_cli.storage.log_file import LogFile
from tests.outputs.reports import REPORTS

TEXT = (Path(__file__).parent.parent / "CONTRIBUTING.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```python\n(.*?)```", TEXT, flags=re.DOTALL)


@pytest.fixture
def examples() -> list[types.ModuleType]:
    modules = []
    for source in EXAMPLES:
        module = types.ModuleType("example")
        exec(source, module.__dict__)
        modules.append(module)
    return modules


def test_there_is_one_for_each_kind(examples, tmp_path):
    reader, rule, output, check, action = examples
    (tmp_path / "x.csv").write_text("step,loss\n1,2.5\n2,oops\n3,3.5\n")
    defect, series = reader.read(tmp_path / "x.csv")
    assert (defect.line, list(series.steps), list(series.values)) == (3, [1, 3], [2.5, 3.5])
    assert reader.claims(LogFile(Path("x.columns")))
    assert rule.Rule(Limits()).severity is Severity.CRITICAL
    assert RuleText.of(rule).fix.startswith("Check that")
    assert output.render(REPORTS["empty"], View()) == "clean\n"
    evidence = Evidence(Layout("none", (), 8, 1026), {"learning_rate": -1.0})
    assert [problem.severity for problem in check.check(evidence)] == [Severity.CRITICAL]
    assert RuleText.of(check).fix == "Check the scheduler."
    case = types.SimpleNamespace(loop=types.SimpleNamespace(model=types.SimpleNamespace(max_norm=1.0)))
    assert action.act(case) == "max_norm is 0.5"


def test_every_room_of_the_table_is_there():
    root = Path(__file__).parent.parent / "audioloss_cli"
    rooms = [
        name for row in re.findall(r"^\| (`.*?) \|", TEXT, flags=re.MULTILINE) for name in re.findall(r"`(.*?)`", row)
    ]
    assert {path.name for path in root.iterdir() if path.name not in ("__init__.py", "__pycache__")} == {
        name.rstrip("/") for name in rooms
    }
