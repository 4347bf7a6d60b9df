"""``audioloss rules`` and ``audioloss rule``."""

import subprocess
import sys

import pytest

from audioloss_cli import registry


def test_every_code_is_listed_once_with_its_title(audioloss):
    lines = audioloss("rules").out.splitlines()
    listed = [line.split()[0] for line in lines if line.startswith("  ") and line[2] != " "]
    folders = ("rules", "runs.findings", "findings.policies", "probe.checks", "checkpoints.checks", "causes")
    assert listed == [registry.code_of(name) for folder in folders for name in registry.names(folder)]
    assert "  critical-loss" in "\n".join(lines)
    assert audioloss("rules").out.count(".\n") == len(listed)
    assert max(map(len, lines)) <= 80


@pytest.mark.parametrize("code", ["critical-loss", "label-leak", "no-shift", "No_Shift"])
def test_a_code_is_explained(code, audioloss):
    ran = audioloss("rule", code)
    assert ran.code == 0
    assert [part.split(":")[0] for part in ran.out.split("\n\n")[1:4]] == ["What", "Why", "Fix"]
    assert ran.out.startswith(code.lower().replace("_", "-"))
    assert max(map(len, ran.out.splitlines())) <= 100


def test_a_code_of_a_check_and_of_a_cause_is_explained_twice(audioloss):
    out = audioloss("rule", "memorised").out
    assert "memorised (probe check)" in out
    assert "memorised (root cause)" in out


def test_a_mistyped_code_is_a_usage_error_with_a_hint(audioloss):
    ran = audioloss("rule", "critcal-loss")
    assert (ran.code, ran.err.count("\n")) == (2, 1)
    assert "did you mean 'critical-loss'?" in ran.err


def test_no_plugin_is_imported_for_it():
    program = (
        "import sys; from audioloss_cli import cli; cli.execute(['rules']);"
        "heavy = ('torch', 'audioloss_cli.probe.checks', 'audioloss_cli.rules');"
        "sys.exit(any(name.startswith(heavy) for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-OO", "-c", program], capture_output=True, check=False).returncode == 0
