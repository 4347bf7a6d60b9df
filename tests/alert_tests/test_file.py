"""Test files: every key reaches its test, and every mistake is one clear line."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audioloss_cli.alert_tests.file import read_tests
from audioloss_cli.alert_tests.run import run_test
from audioloss_cli.config import ConfigError, ScanConfig

FULL = """
[config]
window = 50
all-losses = true

[[test]]
name = "one"
interval = 10
start = 100
exact = true
[test.series]
"train/audio_loss" = "3 _ 0.004x2"
grad_norm = "1x3"
[test.config]
threshold = 0.02
tag = ["*audio*"]
[[test.alerts]]
step = 120
code = "critical-loss"
type = "critical"
severity = "critical"
edge = "fired"
tag = "train/audio_loss"
[[test.firing]]
at = 125
codes = ["critical-loss"]

[[test]]
name = "two"
alerts = []
series = {audio_loss = "3 2.9"}
"""

ONE = '[[test]]\nname = "one"\nalerts = []\n[test.series]\naudio_loss = "3 2.9"\n'


@pytest.fixture
def write(tmp_path):
    def writer(text: str, name: str = "alerts.toml"):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return writer


def test_every_key_reaches_its_test(write):
    one, two = read_tests(write(FULL))
    assert (one.name, one.exact, two.exact) == ("one", True, False)
    loss, norm = one.series
    assert (loss.tag, list(loss.steps), list(loss.values)) == ("train/audio_loss", [100, 120, 130], [3.0, 0.004, 0.004])
    assert (norm.tag, list(norm.steps)) == ("grad_norm", [100, 110, 120])
    assert all(map(math.isnan, loss.wall_times))
    (alert,) = one.alerts
    assert (alert.step, alert.code, alert.type, alert.severity, alert.edge, alert.tag) == (
        120,
        "critical-loss",
        "critical",
        "critical",
        "fired",
        "train/audio_loss",
    )
    (firing,) = one.firing
    assert (firing.at, firing.codes, firing.tag) == (125, {"critical-loss"}, None)
    assert (two.alerts, two.firing) == ([], [])
    assert list(two.series[0].steps) == [0, 1]


def test_settings_come_in_layers(write):
    base = write('window = 7\nthreshold = 0.05\ntag = ["x"]\nscale = 2\n', "base.toml")
    one, two = read_tests(write(FULL), base)
    assert one.config == ScanConfig(50, 0.02, scale=2, tags=("*audio*",))
    assert two.config == ScanConfig(50, 0.05, scale=2, all_losses=True)
    (bare,) = read_tests(write(ONE), base)
    assert bare.config == ScanConfig(7, 0.05, scale=2, tags=("x",))
    assert read_tests(write(ONE))[0].config == ScanConfig()


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (ONE, "", "there is no test in it"),
        (ONE, "[config]\nwindow = 5\n", "there is no test in it"),
        (ONE, "test = []", "there is no test in it"),
        ("[[test]]", "[test]", "test must be a list of tables, each under [[test]]"),
        ("[[test]]", "[[tests]]", "unknown key 'tests'; did you mean 'test'?"),
        (ONE, "test = [1]", ": test 1 must be a table, not 1"),
        ('"one"', '"one', "not valid TOML"),
        (ONE, "a = " + "[" * 5000, "not valid TOML: nested too deeply"),
        ('name = "one"', "", ": test 1 lacks a name"),
        ('"one"', '" "', ": test 1: name must be a string that is not empty, not ' '"),
        ('"one"', "1", ": test 1: name must be a string that is not empty, not 1"),
        ("alerts = []", "", ": test 1 'one' lacks alerts: "),
        ("alerts = []", "firing = []", ": test 1 'one' lacks alerts: "),
        ("alerts = []", "alert = []", ": test 1: unknown key 'alert'; did you mean 'alerts'?"),
        ("alerts = []", "alerts = {}", "alerts must be a list of tables, each under [[test.alerts]]"),
        ("alerts = []", 'alerts = ["x"]', "'one': alerts 1 must be a table, not 'x'"),
        ("alerts = []", "alerts = [{step = 1}]", "alerts 1 must name what is expected beside the step: code, type or"),
        ("alerts = []", 'alerts = [{code = "low-loss"}]', "'one': alerts 1 lacks 'step'"),
        ("alerts = []", 'alerts = [{step = 1.0, code = "low-loss"}]', "step must be a whole number, 0 or more"),
        ("alerts = []", 'alerts = [{step = true, code = "low-loss"}]', "step must be a whole number"),
        (
            "alerts = []",
            f'alerts = [{{step = 0x{"f" * 9000}, code = "low-loss"}}]',
            "not a number of thousands of digits",
        ),
        (
            "alerts = []",
            'alerts = [{step = 1, code = "low-los"}]',
            "code 'low-los' is not known; did you mean 'low-loss'?",
        ),
        ("alerts = []", 'alerts = [{step = 1, type = "kritisch"}]', "type 'kritisch' is not known; "),
        ("alerts = []", 'alerts = [{step = 1, severity = "fatal"}]', "known: critical, info, warning"),
        ("alerts = []", 'alerts = [{step = 1, type = "critical", edge = "reminder"}]', "edge 'reminder' is not known"),
        ("alerts = []", 'alerts = [{step = 1, type = "critical", tag = "audio_los"}]', "did you mean 'audio_loss'?"),
        ("alerts = []", 'alerts = [{stp = 1, type = "critical"}]', "unknown key 'stp'; did you mean 'step'?"),
        ("alerts = []", "firing = [{at = 1}]", "firing 1: codes must be a list of strings, [] for none, not None"),
        ("alerts = []", "firing = [{codes = []}]", "firing 1 lacks 'at'"),
        ("alerts = []", 'firing = [{at = 1, codes = "low-loss"}]', "codes must be a list of strings"),
        ("alerts = []", "firing = [{at = 1, codes = [1]}]", "codes must be a list of strings"),
        ("alerts = []", 'firing = [{at = 1, codes = ["low"]}]', "codes 'low' is not known"),
        (
            "alerts = []",
            "firing = [{at = 2, codes = []}]",
            "at = 2 is outside the test, which has points from step 0 to 1",
        ),
        ("alerts = []", "alerts = []\nstart = 5\nfiring = [{at = 4, codes = []}]", "at = 4 is outside the test"),
        ("alerts = []", "alerts = []\ninterval = 0", "interval must be a whole number, from 1 to"),
        ("alerts = []", "alerts = []\nstart = -1", "start must be a whole number, 0 or more"),
        ("alerts = []", f"alerts = []\nstart = {2**63 - 1}", "start must be a whole number"),
        ("alerts = []", "alerts = []\nexact = 1", "exact must be true or false, not 1"),
        ("[test.series]", "[test.serie]", "unknown key 'serie'; did you mean 'series'?"),
        ("[test.series]\naudio_loss", "series", "'one' lacks series: a table [test.series]"),
        ('audio_loss = "3 2.9"', "", "'one' lacks series"),
        ('"3 2.9"', "[3, 2.9]", "series 'audio_loss' must be a string, not [3, 2.9]"),
        ("audio_loss =", "train.audio_loss =", "a tag with a dot in it needs quotes"),
        ('"3 2.9"', '""', "series 'audio_loss': there is no point in it"),
        ('"3 2.9"', '"3 2,9"', "'one': series 'audio_loss': token 2, '2,9' at character 3, is none of"),
        (
            "[test.series]",
            "[test.config]\nwindw = 1\n[test.series]",
            "'one': config: unknown key 'windw'; did you mean",
        ),
        (
            "[test.series]",
            "[test.config]\nwindow = 0\n[test.series]",
            "'one': config: window must be a whole number of",
        ),
        (
            "[[test]]",
            "[config]\nthreshold = 0.001\n[[test]]",
            ".toml: config: critical-threshold (0.005) must not be above",
        ),
        ("[[test]]", "config = 1\n[[test]]", ".toml: config must be a table, not 1"),
        ("[[test]]", '[config]\ntag = ["re:("]\n[[test]]', "config: tag 're:(' is no regular expression"),
    ],
)
def test_a_mistake_names_the_place_and_the_remedy(old, new, words, write):
    assert old in ONE
    path = write(ONE.replace(old, new))
    with pytest.raises(ConfigError) as raised:
        read_tests(path)
    message = str(raised.value)
    assert message.startswith(f"{path}: ")
    assert words in message
    assert len(message.removeprefix(str(path))) < 350


def test_files_that_cannot_be_read(tmp_path, write):
    with pytest.raises(ConfigError, match=r"nowhere\.toml: No such file"):
        read_tests(tmp_path / "nowhere.toml")
    with pytest.raises(ConfigError, match="Is a directory"):
        read_tests(tmp_path)
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match=r"bytes\.toml: not valid TOML"):
        read_tests(tmp_path / "bytes.toml")
    with pytest.raises(ConfigError, match=r"base\.toml: unknown key 'windw'"):
        read_tests(write(ONE), write("windw = 1", "base.toml"))
    with pytest.raises(ConfigError, match=r"base\.toml: window must be"):
        read_tests(write(ONE), write("window = 0", "base.toml"))


@given(
    st.integers(0, len(FULL)),
    st.integers(0, 40),
    st.one_of(
        st.text(max_size=10), st.sampled_from(["[]", "{}", "=", "\n", '"', "0", "-1", "nan", "true", "[[test]]\n"])
    ),
)
def test_a_damaged_file_gives_results_or_a_clear_error(tmp_path_factory, at, length, instead):
    path = tmp_path_factory.mktemp("damaged") / "alerts.toml"
    path.write_text(FULL[:at] + instead + FULL[at + length :], encoding="utf-8", errors="replace")
    try:
        words = "" if [run_test(test) for test in read_tests(path)] else "no test was run"
    except ConfigError as error:
        words = str(error)
    assert not words or words.startswith(f"{path}: ")
