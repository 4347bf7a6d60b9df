"""Metrics as Prometheus reads them; by its own tool where that is installed."""

import re
import shutil
import subprocess

import pytest

from audioloss_cli.model import View
from audioloss_cli.outputs import render
from tests.outputs.reports import REPORTS

_SAMPLE = re.compile(r'([a-z_]+)(?:\{((?:[a-z]+="(?:[^"\\\n]|\\["\\n])*",?)+)\})? (\S+)')


@pytest.mark.skipif(not shutil.which("promtool"), reason="no promtool here (Debian: prometheus)")
def test_promtool_finds_nothing_to_say():
    """All reports one after the other, since each start takes long; families then come again, so labels tell them."""
    for name in ("incidents", "standings", "hostile markup", "nothing finite"):
        text = render("prometheus", REPORTS[name], View())
        done = subprocess.run(
            ["promtool", "check", "metrics"], input=text, capture_output=True, text=True, check=False, errors="replace"
        )
        assert (done.returncode, done.stdout, done.stderr) == (0, "", ""), name


@pytest.mark.parametrize("report", REPORTS.values(), ids=REPORTS)
def test_families_stand_together_and_no_sample_comes_twice(report):
    families, keys = [], []
    for line in render("prometheus", report, View()).splitlines():
        if line.startswith("# TYPE "):
            families.append(line.split()[2])
        elif not line.startswith("#"):
            sample = _SAMPLE.fullmatch(line)
            assert sample, line
            assert sample[1] == families[-1]
            keys.append(line.rpartition(" ")[0])
            float(sample[3])
    assert len(families) == len(set(families))
    assert len(keys) == len(set(keys))
    assert f"audioloss_exit_code {report.exit_code}\n" in render("prometheus", report, View())


def test_what_is_found_known_and_suppressed_is_counted_apart():
    text = render("prometheus", REPORTS["standings"], View())
    assert 'audioloss_findings{severity="critical",standing="found"} 1\n' in text
    assert 'audioloss_findings{severity="critical",standing="known"} 1\n' in text
    assert 'audioloss_findings{severity="warning",standing="known"} 1\n' in text
    assert 'audioloss_findings{severity="critical",standing="suppressed"} 1\n' in text
    assert 'audioloss_incomplete{kind="stale-suppression"} 1\n' in render("prometheus", REPORTS["stale"], View())
    assert 'audioloss_run_findings{run="runs/a"} 1\n' in text
