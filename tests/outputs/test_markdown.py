"""Markdown as GitHub reads it; what strangers wrote is no markup."""

import re

import pytest

from audioloss_cli.model import View
from audioloss_cli.outputs import render
from audioloss_cli.outputs._markdown import code, prose
from tests.outputs.reports import REPORTS


@pytest.mark.parametrize("report", REPORTS.values(), ids=REPORTS)
def test_every_row_of_a_table_has_seven_cells(report):
    rows = [line for line in render("markdown", report, View()).splitlines() if line.startswith("| ")]
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} <= {8}


def test_the_verdict_comes_first():
    assert render("markdown", REPORTS["incidents"], View()).startswith(
        "# audioloss: FAIL (exit 1): 2 critical, 1 warning in 2 series of 2 runs\n\n## Found\n"
    )
    assert render("markdown", REPORTS["healthy"], View()) == (
        "# audioloss: PASS (exit 0): no incidents in 1 series of 1 run\n"
    )


def test_standings_have_tables_of_their_own():
    text = render("markdown", REPORTS["standings"], View())
    titles = re.findall(r"^## (.*)$", text, flags=re.MULTILINE)
    assert titles == ["Found", "What to do next", "Known, from the baseline", "Suppressed"]
    assert "1 critical, 2 known, 1 suppressed in 2 series of 2 runs\n" in text


def test_what_was_not_audited_and_what_is_stale_are_listed():
    assert render("markdown", REPORTS["defects"], View()).endswith(
        "\n## Not audited in full\n\n"
        "- `runs/a/f`: runs/a/f at byte 7: checksum: bad\n"
        "- `runs/c`: unreadable: Permission denied\n"
        "- `runs/d`: runs/d:3: malformed: bad\n"
    )
    assert render("markdown", REPORTS["stale"], View()).endswith(
        "\n## Suppressions that do nothing any more\n\n"
        "- `audioloss.toml`: suppression code = 'low-loss': matches nothing\n"
    )


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("runs/a", "`runs/a`"),
        ("a`b", "``a`b``"),
        ("`a``b`", "``` `a``b` ```"),
        ("a|b\n<x>", "`a\\|b\\n<x>`"),
        (" ", ""),
        ("", ""),
    ],
)
def test_a_name_is_a_span_of_code(text, span):
    assert code(text) == span


def test_in_a_sentence_nothing_is_a_link_a_mention_or_an_element():
    assert prose("see https://a.b and www.c.d, @user, <b>*x*</b> at 0.5: fine") == (
        "see https\\://a.b and www\\.c.d, @<!-- -->user, \\<b\\>\\*x\\*\\</b\\> at 0.5: fine"
    )
