"""What a new user types first."""

import subprocess
import sys

import pytest

from audioloss_cli import __version__, registry
from tests.wobble import wobbly


@pytest.fixture
def low(jsonl):
    return jsonl(*({"step": step, "audio_loss": loss} for step, loss in enumerate([*wobbly(3.0, 40), 0.001, 0.001])))


def test_nothing_at_all_prints_the_help_and_is_no_success(audioloss):
    ran = audioloss()
    assert (ran.code, ran.err) == (2, "")
    assert ran.out == audioloss("--help").out
    assert "audioloss scan runs/ --fail-on critical" in ran.out.partition("Examples:")[2]


def test_every_example_of_the_help_is_a_command_with_its_options(audioloss):
    lines = audioloss("--help").out.partition("Examples:")[2].splitlines()
    examples = [line.strip().split("  ")[0].split()[1:] for line in lines if line.strip()]
    assert len(examples) >= 5
    for command, *words in examples:
        text = audioloss("help", command).out
        assert all(word in text for word in words if word.startswith("--") and command != "run"), command


def test_a_scan_of_nothing_named_is_one_of_this_directory(audioloss, low, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert audioloss("scan", "--report", "json") == audioloss("scan", ".", "--report", "json")
    assert audioloss("scan").code == 1


@pytest.mark.parametrize("option", ["-V", "--version"])
def test_the_version(option, audioloss):
    assert audioloss(option) == (0, f"audioloss {__version__}\n", "")


@pytest.mark.parametrize("name", [registry.code_of(name) for name in registry.names("cli")])
def test_help_of_a_command_is_its_help_and_never_wider_than_prose(name, audioloss, monkeypatch):
    assert audioloss("help", name) == audioloss(name, "--help")
    monkeypatch.setenv("COLUMNS", "300")
    assert max(map(len, audioloss("help", name).out.splitlines())) <= 100


def test_help_alone_and_help_of_what_there_is_not(audioloss):
    assert audioloss("help").out == audioloss("--help").out
    ran = audioloss("help", "scna")
    assert (ran.code, ran.out, ran.err.count("\n")) == (2, "", 1)
    assert "No such command 'scna'. Did you mean 'scan'?" in ran.err


def test_no_text_of_a_command_is_cut(audioloss):
    listed = " ".join(audioloss("--help").out.partition("Commands:")[2].split())
    assert "..." not in listed
    assert "with the guard in every Trainer that it makes." in listed


def test_lists_are_no_wider_than_prose(audioloss, monkeypatch):
    for columns, widest in (("300", 100), ("80", 80)):
        monkeypatch.setenv("COLUMNS", columns)
        for command in ("rules", "formats"):
            lines = audioloss(command).out.splitlines()
            assert max(map(len, lines)) <= widest, command


def test_codes_with_commas_between_them(audioloss, low):
    def codes(*arguments):
        return audioloss("scan", low, "--report", "json", *arguments)

    assert codes("--select", "log-drop, critical-loss") == codes("--select", "log-drop", "--select", "critical-loss")
    assert codes("--ignore", "log-drop,critical-loss") == codes("--ignore", "log-drop", "--ignore", "critical-loss")
    assert codes("--select", "log-drop,critical-loss") != codes("--select", "log-drop")
    ran = audioloss("scan", low, "--select", "log-drop,")
    assert (ran.code, ran.err.count("\n")) == (2, 1)
    assert "has an empty code in it" in ran.err


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("audioloss scan --select log-drop,crit", ["log-drop,critical-loss"]),
        ("audioloss scan --ignore crit", ["critical-loss"]),
        ("audioloss scan --format tens", ["tensorboard"]),
        ("audioloss scan --report tex", ["text"]),
        ("audioloss scan --color al", ["always"]),
        ("audioloss rule no-sh", ["no-shift"]),
        ("audioloss help cal", ["calibrate"]),
        ("audioloss probe --adapter higgs_audio_", ["higgs_audio_v2"]),
    ],
)
def test_a_shell_is_offered_names_and_codes(typed, offered, monkeypatch, capsys):
    from audioloss_cli.cli import app_for

    monkeypatch.setenv("COMP_WORDS", typed)
    monkeypatch.setenv("COMP_CWORD", str(len(typed.split()) - 1))
    monkeypatch.setenv("_AUDIOLOSS_COMPLETE", "complete_bash")
    with pytest.raises(SystemExit) as left:
        app_for([])([], prog_name="audioloss", standalone_mode=False)
    assert (left.value.code, capsys.readouterr().out.split()) == (0, offered)


@pytest.mark.parametrize("command", [["-V"], ["help", "scan"], []])
def test_the_first_words_import_next_to_nothing(command):
    program = (
        "import sys; from audioloss_cli import cli; cli.execute(sys.argv[1:]);"
        "print(*sorted({'rich', 'msgspec', 'pydantic', 'numpy', 'tomllib'} & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", program, *command], capture_output=True, text=True, check=True)
    assert done.stderr == "\n"
