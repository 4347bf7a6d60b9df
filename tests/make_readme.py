"""Writes the generated parts of the documentation, its picture and its schema: ``python -m tests.make_readme``."""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields
from pathlib import Path
from tempfile import TemporaryDirectory

from audioloss_cli import Limits, outputs, registry
from audioloss_cli.cli import formats as log_formats
from audioloss_cli.config import SETTINGS, ScanConfig
from audioloss_cli.config.schema import FILE, document_text, schema
from audioloss_cli.config.toml_text import value_of
from audioloss_cli.model import RuleText
from audioloss_cli.monitor.ruleset import options_of
from audioloss_cli.naming.roles import AUDIO_LOSS_PATTERNS, TRAINING_LOSS_WORDS
from tests.make_picture import PICTURE, picture

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
CHECKPOINT, BATCH = "sample_logs/no-shift/checkpoint-500", "sample_logs/no-shift/batch.safetensors"
CUT = 300_000  # bytes of the sample checkpoint


def command(*arguments: str) -> str:
    """What a command of ours prints, as a console block."""
    return console(f"audioloss {' '.join(arguments)}", "audioloss_cli", *arguments)


def console(shown: str, *module: str, where: Path = ROOT) -> str:
    """What a module prints in a pipe of 80 columns, as a console block."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "80", "TERMINAL_WIDTH": "80", "PYTHONUTF8": "1"}
    done = subprocess.run(
        [sys.executable, "-m", *module],
        cwd=where,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        encoding="utf-8",
    )
    return f"```console\n$ {shown}\n{done.stdout.rstrip()}\n```"


def formats() -> str:
    """One row a log format, from the docstring of its reader."""
    rows = ["| format | what | files that are taken for it |", "|---|---|---|"]
    for name in registry.names("readers"):
        title, claims, _ = log_formats.described(name)
        rows.append(f"| `{name}` | {_cell(title)} | {_cell(claims)} |")
    return "\n".join(rows)


def _cell(text: str) -> str:
    """A text of a docstring as it stands in a table of Markdown, a sentence with its full stop."""
    sentence = f"{text[0].upper()}{text[1:].rstrip('.')}."
    return sentence.replace("``", "`").replace("|", "\\|")


def patterns() -> str:
    """The names of audio losses, by example."""
    rows = [f"| {', '.join(f'`{tag}`' for tag in examples.split(', '))} |" for _, examples in AUDIO_LOSS_PATTERNS]
    training = ", ".join(sorted(TRAINING_LOSS_WORDS))
    return "\n".join(
        [
            "| audio losses are named like |",
            "|---|",
            *rows,
            "",
            f"A training loss is a tag with no other words than: {training}.",
        ]
    )


def rules() -> str:
    """One row a rule, from its docstring."""
    rows = ["| code | severity | what |", "|---|---|---|"]
    for name in registry.names("rules"):
        module = registry.load("rules", name)
        severity = module.Rule(Limits()).severity
        rows.append(f"| `{name.replace('_', '-')}` | {severity} | {RuleText.of(module).what} |")
    return "\n".join(rows)


def causes() -> str:
    """One row a root cause, from its docstring."""
    rows = ["| cause | what |", "|---|---|"]
    names = sorted(registry.names("causes"), key=lambda name: registry.load("causes", name).ORDER)
    rows += [f"| `{registry.code_of(name)}` | {RuleText.of(registry.load('causes', name)).what} |" for name in names]
    return "\n".join(rows)


def checks(folder: str) -> str:
    """One row a check, from its docstring."""
    rows = ["| code | what |", "|---|---|"]
    for name in registry.names(folder):
        title = RuleText.parse(registry.docstring(folder, name), name).title
        rows.append(f"| `{registry.code_of(name)}` | {title} |")
    return "\n".join(rows)


def titles(folder: str) -> str:
    """One line a plugin, the first of its docstring."""
    texts = (
        " ".join(registry.docstring(folder, name).split("\n\n", maxsplit=1)[0].split())
        for name in registry.names(folder)
    )
    return "\n".join(f"- {_cell(text)}" for text in texts)


def checkpoints() -> str:
    """A clean checkpoint in full, and what is left of one that was cut short."""
    file = f"{CHECKPOINT}/model.safetensors"
    with TemporaryDirectory() as directory:
        cut = Path(directory, "cut.safetensors")
        cut.write_bytes((ROOT / file).read_bytes()[:CUT])
        arguments = ("probe", "--ckpt", cut.name)
        found = console(f"audioloss {' '.join(arguments)}", "audioloss_cli", *arguments, where=cut.parent)
    found = found.replace("console\n", f"console\n$ head -c {CUT} {file} > {cut.name}\n", 1)
    return f"{command('probe', '--ckpt', CHECKPOINT, '-v')}\n\n{found}"


def alert_tests() -> str:
    """A test file, and what testing it prints."""
    file = "tests/alert_tests/readme.toml"
    return f"```toml\n{(ROOT / file).read_text(encoding='utf-8')}```\n\n{command('test', file)}"


def settings() -> str:
    """One row a setting, from its declaration."""
    rows = ["| key | what | default | by run and tag |", "|---|---|---|---|"]
    for item in fields(ScanConfig):
        setting = SETTINGS[item.name]
        usual = {} if item.default is MISSING else item.default
        shown = setting.usual or ("" if usual is None else value_of(usual))
        mark = "yes" if setting.by_series else ""
        rows.append(f"| `{setting.key}` | {setting.help} | {f'`{shown}`' if shown else 'none'} | {mark} |")
    return "\n".join(rows)


def report_kinds() -> str:
    """One row a kind of report, from its docstring and its suffixes."""
    rows = ["| kind | files | what |", "|---|---|---|"]
    for name in outputs.names():
        title = " ".join(registry.docstring("outputs", name).split("\n\n", maxsplit=1)[0].split())
        suffixes = ", ".join(f"`{suffix}`" for suffix in outputs.kind(name).suffixes)
        rows.append(f"| `{name}` | {suffixes} | {_cell(title)} |")
    return "\n".join(rows)


def csv_columns() -> str:
    """The columns of the CSV report."""
    return f"Columns: {', '.join(f'`{column}`' for column in outputs.kind('csv').columns)}."


def metrics() -> str:
    """One row a metric."""
    rows = ["| metric | what |", "|---|---|"]
    rows += [f"| `{name}` | {text} |" for name, text in outputs.kind("prometheus").metrics.items()]
    return "\n".join(rows)


def settings_schema() -> str:
    """The JSON schema of audioloss.toml."""
    options = {registry.code_of(name): options_of(name) for name in registry.names("rules")}
    return document_text(schema(options, registry.names("readers")))


Parts = dict[str, Callable[[], str]]
#: Document -> name of a generated part -> what makes it.
Documents = Mapping[Path, Parts]
ROOMS = ROOT / "audioloss_cli"

CORE: Documents = {
    ROOMS / "readers" / "README.md": {"formats": formats},
    ROOMS / "naming" / "README.md": {"patterns": patterns},
    ROOMS / "rules" / "README.md": {"rules": rules},
    ROOMS / "alert_tests" / "README.md": {"test": alert_tests},
    ROOMS / "config" / "README.md": {"settings": settings},
    ROOMS / "outputs" / "README.md": {"kinds": report_kinds, "columns": csv_columns, "metrics": metrics},
    ROOMS / "checkpoints" / "README.md": {
        "probe": checkpoints,
        "layouts": lambda: titles("checkpoints.layouts"),
        "formats": lambda: titles("checkpoints.formats"),
        "checks": lambda: checks("checkpoints.checks"),
    },
    ROOMS / "cli" / "README.md": {
        "help": lambda: command("scan", "--help"),
        "probe-help": lambda: command("probe", "--help"),
    },
}
PROBE: Documents = {
    ROOMS / "probe" / "README.md": {
        "probe": lambda: command("probe", "--ckpt", CHECKPOINT, "--data", BATCH, "--device", "cpu"),
        "causes": causes,
        "checks": lambda: checks("probe.checks"),
    }
}
TRAINING: Documents = {
    ROOMS / "training" / "README.md": {
        "training": lambda: console("python -m tests.training.example", "tests.training.example")
    }
}


def generated(text: str, parts: Parts) -> str:
    """The text with each of these parts made anew."""
    for name, make in parts.items():
        block = f"<!-- generated: {name} -->\n{make()}\n<!-- end -->"
        text, count = re.subn(
            rf"<!-- generated: {name} -->.*?<!-- end -->", lambda _, block=block: block, text, flags=re.DOTALL
        )
        assert count == 1, name
    return text


if __name__ == "__main__":
    FILE.write_text(settings_schema(), encoding="utf-8")
    PICTURE.write_text(picture(), encoding="utf-8")
    for document, made in {**CORE, **PROBE, **TRAINING}.items():
        document.write_text(generated(document.read_text(encoding="utf-8"), made), encoding="utf-8")
