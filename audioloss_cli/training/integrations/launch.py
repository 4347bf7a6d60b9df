"""What is behind ``audioloss run``: a script in this process, in whose Trainers the guard is put as they are made.

Each guard gets the table ``[training]`` and the monitor's settings of a configuration file.
"""

import os
import runpy
import sys
from collections.abc import Mapping, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType, TracebackType
from typing import Any

from audioloss_cli import collector, signals, terminal
from audioloss_cli.config import ConfigError, ScanConfig, make_config, read_training, refuse_unknown
from audioloss_cli.model import SettingError
from audioloss_cli.model.exit_code import INTERRUPTED
from audioloss_cli.training.policy import Policy

#: Tells the processes that a script starts, such as the other ranks of Lightning, that their Trainers are watched; the
#: configuration file, if there is one.
VARIABLE = "AUDIOLOSS_RUN"
#: Keys of ``[training]`` that are fields of ``Policy``, and those that are arguments of ``AudioLossGuard``.
POLICY = ("critical", "warning", "options")
GUARD = ("adapter", "directory", "first-batches", "forward", "jsonl", "look-again", "tensorboard")
#: Fields of ``ScanConfig`` that are arguments of the monitor.
MONITOR = ("window_size", "threshold", "critical_threshold", "scale", "adaptive", "select", "ignore")
_TRAINER = "transformers.trainer"
_CRASHED = 1  # Python's own exit code of a script that an exception ended
_watched: list[bool] = []


def run(script: str, arguments: Sequence[str], *, module: bool, file: Path | None) -> int:
    """Run a script, or a module, as Python does; return its exit code.

    Args:
        script: path of the file, or name of the module.
        arguments: the script's own.
        module: whether it is a module.
        file: the configuration file, if there is one.

    Raises:
        ConfigError: the policy or a setting makes no sense.
    """
    check_settings(file)
    os.environ[VARIABLE] = str(file.resolve()) if file else ""
    sys.meta_path.insert(0, _Finder())
    terminal.give_back_streams()
    collector.as_usual()
    signals.as_usual()
    code = _run(script, arguments, module=module)
    if not _watched and os.environ.get("RANK", "0") == "0":
        terminal.tell(
            f"audioloss: {script} trained with neither a transformers.Trainer nor a Lightning Trainer: nothing was "
            "watched; give each loss to an AudioLossGuard in the loop\n"
        )
    return code


def lightning_callbacks() -> list[Any]:
    """What Lightning's entry point for callbacks asks for, in each Trainer of each process; empty without ``run``."""
    if VARIABLE not in os.environ:
        return []
    from audioloss_cli.training.integrations.lightning.launch import WatchedLightning  # noqa: PLC0415  # imports Lightning

    return [WatchedLightning()]


def arguments() -> dict[str, Any]:
    """What a callback is given; read anew, for this may be a process that the script has started."""
    return settings_of(Path(os.environ[VARIABLE]) if os.environ.get(VARIABLE) else None)


def watched() -> None:
    """Note that a training has begun that a guard sees."""
    _watched.append(True)


def settings_of(file: Path | None) -> dict[str, Any]:
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


def check_settings(file: Path | None) -> None:
    """Make a guard of what a file says, before a training is begun that would fail at it.

    Raises:
        ConfigError: none can be made.
    """
    chosen = settings_of(file)
    if len(chosen) == 1:
        return  # the policy alone, which has been checked: torch need not be imported yet
    from audioloss_cli.training.guard import AudioLossGuard  # noqa: PLC0415  # imports torch

    try:
        AudioLossGuard(**{**chosen, "tensorboard": None})
    except (TypeError, ValueError) as error:
        raise ConfigError(f"{file}: training: {error}") from None


def _of_the_monitor(chosen: ScanConfig) -> Mapping[str, Any]:
    """Those that differ from the defaults."""
    usual = ScanConfig()
    found = {name: getattr(chosen, name) for name in MONITOR if getattr(chosen, name) != getattr(usual, name)}
    found |= {"kind": chosen.kind} if chosen.kind != "auto" else {}
    found = {name: list(value) if isinstance(value, tuple) else value for name, value in found.items()}
    return {**found, **({"rules": {code: dict(own) for code, own in chosen.rules.items()}} if chosen.rules else {})}


def _run(script: str, arguments: Sequence[str], *, module: bool) -> int:
    sys.argv = [script, *arguments]
    sys.path[0:0] = [os.getcwd() if module else str(Path(script).resolve().parent)]  # noqa: PTH109  # as Python's
    try:
        if module:
            runpy.run_module(script, run_name="__main__", alter_sys=True)
        else:
            runpy.run_path(script, run_name="__main__")
    except SystemExit as error:
        return _code_of(error)
    except BaseException as error:  # noqa: BLE001  # as Python itself: a traceback, and the exit code of a crash
        error.__traceback__ = _of_the_script(error.__traceback__)
        sys.excepthook(type(error), error, error.__traceback__)
        return INTERRUPTED if isinstance(error, KeyboardInterrupt) else _CRASHED
    return 0


def _code_of(error: SystemExit) -> int:
    if error.code is None or isinstance(error.code, int):
        return error.code or 0
    print(error.code, file=sys.stderr)  # noqa: T201  # as Python does
    return _CRASHED


def _of_the_script(traceback: TracebackType | None) -> TracebackType | None:
    """A traceback without the frames in front that are not the script's; None if all are, as of a syntax error."""
    ours = (__file__, runpy.__file__, "<frozen runpy>")
    first = traceback
    while first is not None and first.tb_frame.f_code.co_filename in ours:
        first = first.tb_next
    return first


class _Finder(MetaPathFinder):
    """Finds one module, as Python would, and changes it when it has been imported."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return the specification of ``transformers.trainer``; None of any other module."""
        spec = PathFinder.find_spec(name, path, target) if name == _TRAINER else None
        if spec is not None and spec.loader is not None:
            spec.loader = _Loader(spec.loader)
        return spec


class _Loader(Loader):
    def __init__(self, loader: Any) -> None:
        self._loader = loader

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)  # such as get_source, which transformers asks for

    def create_module(self, spec: ModuleSpec) -> Any:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        self._loader.exec_module(module)
        from audioloss_cli.training.integrations.transformers.launch import put_into  # noqa: PLC0415  # it imports that module

        put_into(module)
