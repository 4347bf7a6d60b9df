"""``audioloss config``: what is in force, and where each value comes from."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from audioloss_cli.cli._options import Config
from audioloss_cli.cli._setting_options import OF_SCAN, given, takes_settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from audioloss_cli.config import ScanConfig

EPILOG = (
    "It takes the options of scan, and prints what a scan with them, in this directory and environment, would go by. "
    "The output is TOML that means the same."
)
_WIDTH = 34  # columns of a key and its value, before where it comes from


@takes_settings(*OF_SCAN)
def command(
    context: typer.Context,
    config: Config = None,
    schema: Annotated[
        bool, typer.Option("--schema", help="Print the JSON schema of audioloss.toml, for editors, and leave.")
    ] = False,
    **_settings: Any,
) -> int:
    """Print the settings in force and where each comes from."""
    from audioloss_cli.cli._options import settings  # noqa: PLC0415  # --help needs none of it
    from audioloss_cli.config.files import in_force, read_training  # noqa: PLC0415
    from audioloss_cli.terminal import put  # noqa: PLC0415

    if schema:
        from audioloss_cli.config.schema import FILE  # noqa: PLC0415

        put(FILE.read_text(encoding="utf-8"))
        return 0
    options, places = given(context)
    file, chosen = settings(config, options, places)
    _, origins = in_force(file, options, {"jobs": 0}, places)
    lines = [f"# {f'the configuration file is {file}' if file else 'there is no configuration file'}"]
    lines += _lines(chosen, origins)
    training = read_training(file) if file else {}
    if training:
        lines += _line("training", training, str(file))
    put("".join(f"{line}\n" for line in lines))
    return 0


def _lines(chosen: "ScanConfig", origins: "Mapping[str, str]") -> "Iterator[str]":
    from audioloss_cli.config import SETTINGS  # noqa: PLC0415  # --help needs none of it

    for name, setting in SETTINGS.items():
        value = getattr(chosen, name)
        if value is None:
            yield f"# {setting.key} is not set"
        else:
            yield from _line(setting.key, value, origins.get(name, "default"))


def _line(key: str, value: Any, origin: str) -> "Iterator[str]":
    from audioloss_cli.config.toml_text import value_of  # noqa: PLC0415  # --help needs none of it

    yield f"{f'{key} = {value_of(value)}':<{_WIDTH}}  # {origin}"
