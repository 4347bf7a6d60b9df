"""Writes the generated parts of README.md and of what lies beside its rooms: ``python -m tests.make_readme``."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from audioloss_cli import Limits, outputs, registry
from audioloss_cli.cli import formats as log_formats
from audioloss_cli.config.schema import FILE, document_text, schema
from audioloss_cli.model import RuleText
from audioloss_cli.monitor.ruleset import options_of
from audioloss_cli.naming.roles import AUDIO_LOSS_PATTERNS, TRAINING_LOSS_WORDS

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
CHECKPOINT, BATCH = "sample_logs/no-shift/checkpoint-500", "sample_logs/no-shift/batch.safetensors"


def command(*arguments: str) -> str:
    """What a command of ours prints, as a console block."""
    return console(f"audioloss {' '.join(arguments)}", "audioloss_cli", *arguments)


def console(shown: str, *module: str) -> str:
    """What a module prints in a pipe of 80 columns, as a console block."""
    environment = {**os.environ, "COLUMNS": "80", "TERMINAL_WIDTH": "80", "PYTHONUTF8": "1"}
    done = subprocess.run(
        [sys.executable, "-m", *module],
        cwd=ROOT,
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


def checks() -> str:
    """One row a check, from its docstring."""
    rows = ["| code | what |", "|---|---|"]
    for name in registry.names("probe.checks"):
        title = RuleText.of(registry.load("probe.checks", name)).title
        rows.append(f"| `{registry.code_of(name)}` | {title} |")
    return "\n".join(rows)


def alert_tests() -> str:
    """A test file, and what testing it prints."""
    file = "tests/alert_tests/readme.toml"
    return f"```toml\n{(ROOT / file).read_text(encoding='utf-8')}```\n\n{command('test', file)}"


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

CORE: Parts = {
    "sample": lambda: command("scan", "sample_logs/collapse-tensorboard"),
    "formats": formats,
    "patterns": patterns,
    "rules": rules,
    "help": lambda: command("scan", "--help"),
    "test": alert_tests,
    "probe-help": lambda: command("probe", "--help"),
}
PROBE: Parts = {
    "probe": lambda: command("probe", "--ckpt", CHECKPOINT, "--data", BATCH, "--device", "cpu"),
    "causes": causes,
    "checks": checks,
}
TRAINING: Parts = {
    "training": lambda: console("python -m tests.training.example", "tests.training.example"),
}


# Files beside the README, and what is generated in each.
BESIDE: dict[Path, Parts] = {
    ROOT / "audioloss_cli" / "outputs" / "README.md": {
        "kinds": report_kinds,
        "columns": csv_columns,
        "metrics": metrics,
    },
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
    for path, parts in (BESIDE | {README: CORE | PROBE | TRAINING}).items():
        path.write_text(generated(path.read_text(encoding="utf-8"), parts), encoding="utf-8")
