"""What ``audioloss run`` gives to each guard: the table ``[training]`` and the monitor's settings of a file."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from audioloss_cli.config import ConfigError, ScanConfig, make_config, read_training, refuse_unknown
from audioloss_cli.model import SettingError
from audioloss_cli.training.policy import Policy

#: Keys of ``[training]`` that are fields of ``Policy``, and those that are arguments of ``AudioLossGuard``.
POLICY = ("critical", "warning", "options")
GUARD = ("adapter", "directory", "first-batches", "forward", "jsonl", "look-again", "tensorboard")
#: Fields of ``ScanConfig`` that are arguments of the monitor.
MONITOR = ("window_size", "threshold", "critical_threshold", "scale", "adaptive", "select", "ignore")


def given(file: Path | None) -> dict[str, Any]:
    """Arguments of a callback, ``policy`` among them; those that are as they are by default are left out.

    Raises:
        ConfigError: the file, a key of it or a value makes no sense.
    """
    table = read_training(file) if file else {}
    refuse_unknown(f"{file}: training", table, [*POLICY, *GUARD])
    try:
        policy = Policy(**{key: table[key] for key in POLICY if key in table})
    except SettingError as error:
        raise ConfigError(f"{file}: training.{error.field} {error.complaint}") from None
    own = {key.replace("-", "_"): table[key] for key in GUARD if key in table}
    if file and isinstance(own.get("directory"), str):
        own["directory"] = str(file.parent / own["directory"])
    return {**_of_the_monitor(make_config(file, {})), **own, "policy": policy}


def check(file: Path | None) -> None:
    """Make a guard of what a file says, before a training is begun that would fail at it.

    Raises:
        ConfigError: none can be made.
    """
    arguments = given(file)
    if len(arguments) == 1:
        return  # the policy alone, which has been checked: torch need not be imported yet
    from audioloss_cli.training.guard import AudioLossGuard  # noqa: PLC0415  # imports torch

    try:
        AudioLossGuard(**{**arguments, "tensorboard": None})
    except (TypeError, ValueError) as error:
        raise ConfigError(f"{file}: training: {error}") from None


def _of_the_monitor(chosen: ScanConfig) -> Mapping[str, Any]:
    """Those that differ from the defaults."""
    usual = ScanConfig()
    found = {name: getattr(chosen, name) for name in MONITOR if getattr(chosen, name) != getattr(usual, name)}
    found |= {"kind": chosen.kind} if chosen.kind != "auto" else {}
    found = {name: list(value) if isinstance(value, tuple) else value for name, value in found.items()}
    return {**found, **({"rules": {code: dict(own) for code, own in chosen.rules.items()}} if chosen.rules else {})}
