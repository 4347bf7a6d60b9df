"""``audioloss run``: a training script as it is, with the guard in every Trainer that it makes."""

from pathlib import Path
from typing import Annotated

import typer

from audioloss_cli import registry
from audioloss_cli.cli._options import Config, settings

EPILOG = (
    "Everything behind SCRIPT is the script's own. Policy and settings come from the table [training] of "
    "audioloss.toml, or [tool.audioloss.training] of pyproject.toml. Several processes: accelerate launch "
    "-m audioloss_cli run SCRIPT, torchrun -m audioloss_cli run SCRIPT. The exit code is the script's."
)
CONTEXT = {"allow_interspersed_args": False, "ignore_unknown_options": True}


def command(
    script: Annotated[str, typer.Argument(metavar="SCRIPT", help="The training script, or a module with --module.")],
    arguments: Annotated[list[str] | None, typer.Argument(metavar="ARGS", help="Its arguments.")] = None,
    module: Annotated[bool, typer.Option("--module", "-m", help="SCRIPT is a module, as in python -m.")] = False,
    config: Config = None,
) -> int:
    """Run a training script, without a change to it, with the guard in every Trainer that it makes.

    Every transformers.Trainer and every Lightning Trainer of the script gets the callback.
    """
    from audioloss_cli.config import ConfigError  # noqa: PLC0415  # --help needs none of it

    if not module and not Path(script).exists():
        raise ConfigError(f"run: there is no script {script}; give the path of a file, or --module for a module")
    file, _ = settings(config, {})
    launch = registry.load("training.integrations", "launch")
    return int(launch.run(script, arguments or [], module=module, file=file))
