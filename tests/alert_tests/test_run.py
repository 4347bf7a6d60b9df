"""What passes, what fails, and what says nothing. The series are short, so that no rule knows what is usual there."""

import pytest

from audioloss_cli.alert_tests.difference import lines_of
from audioloss_cli.alert_tests.file import read_tests
from audioloss_cli.alert_tests.run import run_test
from audioloss_cli.config import ConfigError

DIP = '"3 3.2 0.008 0.004 3.1 3.3"'  # fires at 2, escalates at 3, recovers at 4


@pytest.fixture
def run(tmp_path):
    """The result of one test, given its keys and its series."""

    def runner(keys: str, series: str = f"audio_loss = {DIP}"):
        path = tmp_path / "alerts.toml"
        path.write_text(f'[[test]]\nname = "it"\n{keys}\n[test.series]\n{series}\n', encoding="utf-8")
        (test,) = read_tests(path)
        return run_test(test)

    return runner


def expecting(*items: str, more: str = "") -> str:
    return f"{more}\nalerts = [{', '.join('{' + item + '}' for item in items)}]"


FIRED, ESCALATED = 'step = 2, code = "low-loss"', 'step = 3, code = "critical-loss"'
RECOVERED = 'step = 4, code = "critical-loss", edge = "recovered"'


@pytest.mark.parametrize(
    ("items", "passed"),
    [
        ([FIRED, ESCALATED], True),
        ([ESCALATED, FIRED], True),
        ([FIRED, ESCALATED, RECOVERED], True),
        ([FIRED, ESCALATED, 'step = 4, type = "recovered"'], True),
        ([FIRED, ESCALATED, 'step = 4, severity = "info", edge = "recovered"'], True),
        (['step = 2, type = "warning"', 'step = 3, severity = "critical", edge = "escalated"'], True),
        ([FIRED, f'{ESCALATED}, tag = "audio_loss"'], True),
        ([], False),
        ([FIRED], False),
        ([ESCALATED], False),
        ([FIRED, FIRED, ESCALATED], False),
        ([FIRED, ESCALATED, RECOVERED, RECOVERED], False),
        ([FIRED, 'step = 3, code = "low-loss"'], False),
        ([FIRED, f'{ESCALATED}, edge = "fired"'], False),
        ([FIRED, f'{ESCALATED}, severity = "warning"'], False),
        ([FIRED, f'{ESCALATED}, type = "warning"'], False),
        (['step = 1, code = "low-loss"', ESCALATED], False),
        ([FIRED, ESCALATED, 'step = 5, type = "recovered"'], False),
        ([FIRED, ESCALATED, 'step = 4, code = "critical-loss"'], False),  # a recovery is no alert that fires
        ([FIRED, ESCALATED, 'step = 99, code = "critical-loss"'], False),
    ],
)
def test_alerts_are_all_that_is_raised(items, passed, run):
    assert run(expecting(*items)).passed is passed


def test_an_exact_test_lists_recoveries_too(run):
    assert not run(expecting(FIRED, ESCALATED, more="exact = true")).passed
    assert run(expecting(FIRED, ESCALATED, RECOVERED, more="exact = true")).passed


def test_what_comes_back_is_listed_again(run):
    series = 'audio_loss = "3 0.004 3.1 0.003 3.2"'
    first = 'step = 1, code = "critical-loss"'
    assert not run(expecting(first), series).passed
    assert run(expecting(first, 'step = 3, type = "critical", edge = "refired"'), series).passed


def test_each_expectation_stands_for_one_alert(run):
    series = f"audio_loss = {DIP}\naudio_loss_2 = {DIP}"
    loose, one, other = 'step = 2, type = "warning"', f'{FIRED}, tag = "audio_loss"', f'{FIRED}, tag = "audio_loss_2"'
    for items in ([loose, one], [one, loose], [loose, other], [loose, loose], [one, other]):
        assert run(expecting(*items, ESCALATED, ESCALATED), series).passed
    for items in ([loose], [one, one], [loose, loose, loose]):
        assert not run(expecting(*items, ESCALATED, ESCALATED), series).passed


@pytest.mark.parametrize(
    ("at", "codes", "passed"),
    [
        (1, "[]", True),
        (1, '["low-loss"]', False),
        (2, '["low-loss"]', True),
        (2, "[]", False),
        (2, '["low-loss", "critical-loss"]', False),
        (3, '["critical-loss"]', True),
        (3, '["low-loss"]', False),
        (4, "[]", True),
        (5, "[]", True),
        (5, '["critical-loss"]', False),
    ],
)
def test_what_fires_at_a_step(at, codes, passed, run):
    assert run(f"firing = [{{at = {at}, codes = {codes}}}]").passed is passed
    assert run(f"{expecting(FIRED, ESCALATED)}\nfiring = [{{at = {at}, codes = {codes}}}]").passed is passed
    assert not run(f"{expecting(FIRED)}\nfiring = [{{at = {at}, codes = {codes}}}]").passed


def test_what_fires_between_points_and_on_one_series(run):
    series = 'audio_loss = "3 0.004x4"\naudio_loss_2 = "3 3.1 2.9 3.2 3.3"'
    keys = "interval = 10\nfiring = [{{at = {}, codes = {}, tag = '{}'}}]"
    assert run(keys.format(15, '["critical-loss"]', "audio_loss"), series).passed
    assert run(keys.format(9, "[]", "audio_loss"), series).passed
    assert run(keys.format(40, "[]", "audio_loss_2"), series).passed
    assert not run(keys.format(40, "[]", "audio_loss"), series).passed


def test_settings_decide(run):
    lower = 'threshold = 0.001, "critical-threshold" = 0.001'
    assert run(f"alerts = []\nconfig = {{{lower}, adaptive = false}}").passed
    assert run(expecting('step = 3, code = "early-drop"', more=f"config = {{{lower}}}")).passed
    assert run(f"alerts = []\nconfig = {{{lower}, ignore = ['early-drop']}}").passed
    assert run("alerts = []\nconfig = {kind = 'small'}").passed
    assert not run("alerts = []").passed


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ("select = ['log-dorp']", "select names 'log-dorp', which is no loss rule; did you mean 'log-drop'?"),
        ("ignore = ['xyz']", "ignore names 'xyz', which is no loss rule"),
        ("rules = {log-drop = {ratoi = 8}}", "rules has no option 'ratoi' for log-drop; its options: ratio"),
        ("select = ['log-drop'], ignore = ['log-drop']", "select leaves no rule"),
        ("kind = 'cross'", "kind must be one of auto, ce, small, rl"),
    ],
)
def test_rules_that_there_are_not_are_refused(config, words, run):
    with pytest.raises(ConfigError) as raised:
        run(f"alerts = []\nconfig = {{{config}}}")
    assert "alerts.toml: test 1 'it': config: " in str(raised.value)
    assert words in str(raised.value)


@pytest.mark.parametrize(
    ("keys", "series", "words"),
    [
        ("alerts = []", 'grad_norm = "1 2"', "no loss to audit among its scalars; name a series like a loss"),
        ("alerts = []\nconfig = {tag = ['x']}", 'audio_loss = "3 2"', "no loss to audit among its scalars"),
        ("alerts = []", 'audio_loss = "nullx3"', "audio_loss: null in every row, so never computed; "),
        ("alerts = []", 'audio_loss = "nullx3"\nspeech_loss = "3 2"', "audio_loss: null in every row"),
        (
            expecting('step = 1, code = "low-loss", tag = "grad_norm"'),
            'audio_loss = "3 2"\ngrad_norm = "1 2"',
            "'grad_norm' is not audited, so nothing can fire there; audited: audio_loss",
        ),
        (
            'firing = [{at = 1, codes = [], tag = "grad_norm"}]',
            'audio_loss = "3 2"\ngrad_norm = "1 2"',
            "'grad_norm' is not audited",
        ),
    ],
)
def test_what_is_not_audited_must_not_pass(keys, series, words, run):
    with pytest.raises(ConfigError) as raised:
        run(keys, series)
    assert "alerts.toml: test 1 'it': " in str(raised.value)
    assert words in str(raised.value)


def test_the_name_of_a_test_chooses_no_series(tmp_path):
    path = tmp_path / "alerts.toml"
    path.write_text('[[test]]\nname = "loss_audio"\nalerts = []\n[test.series]\nloss = "3 2"\n', encoding="utf-8")
    result = run_test(read_tests(path)[0])
    assert result.audited == ["loss"]
    assert "the training loss was audited instead" in result.note


def test_the_difference_in_words(run):
    items = (FIRED, 'step = 5, code = "low-loss"')
    result = run(f'{expecting(*items)}\nfiring = [{{at = 3, codes = ["low-loss"]}}]')
    verdict, *lines = lines_of(result)
    assert verdict.startswith("FAIL ")
    assert verdict.endswith("alerts.toml: it")
    assert lines == [
        "  --- expected",
        "  +++ happened",
        '  + {step = 3, code = "critical-loss", type = "critical", severity = "critical", edge = "escalated", '
        'tag = "audio_loss"}  # 0.004',
        '  - {step = 5, code = "low-loss"}',
        "  firing at step 3",
        '  - "low-loss"',
        '  + "critical-loss"  # 0.004 since step 3, audio_loss',
    ]


def test_what_happened_can_be_copied_into_the_file(run):
    """Every line of a verbose report, recoveries too, makes the test pass exactly."""
    found = lines_of(run("alerts = []\nexact = true"), verbose=True)
    items = [line.split("{")[1].split("}")[0] for line in found if line.startswith("  + {")]
    assert len(items) == 3
    result = run(expecting(*items, more="exact = true"))
    assert result.passed
    assert [line[:5] for line in lines_of(result, verbose=True)][1:] == ["  aud", "    {", "    {", "    {"]


def test_a_note_stands_beside_a_failure(run):
    lines = list(lines_of(run("alerts = []", 'loss = "6.9 6.8 nan 6.7 6.6"')))
    assert any(line.startswith("  note: no audio loss") for line in lines)


@pytest.mark.parametrize(("token", "shown"), [("nan", "nan"), ("null", "null"), ("-inf", "-inf")])
def test_values_that_are_no_numbers_are_shown_as_the_notation_writes_them(token, shown, run):
    (line,) = [line for line in lines_of(run("alerts = []", f'audio_loss = "3 {token} 2"')) if line[2] == "+"][1:]
    assert line.endswith(f"{shown}")
    assert "step = 1" in line
