"""``audioloss probe``: options in, a report out."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import typer

from audioloss_cli import registry, signals
from audioloss_cli.cli import _gate_options as gates
from audioloss_cli.cli import _probe_options as probes
from audioloss_cli.cli._options import (
    Color,
    Config,
    Output,
    Quiet,
    Report,
    Verbose,
    reports_for,
    screen_for,
    settings,
)
from audioloss_cli.cli._setting_options import given, takes_settings
from audioloss_cli.cli._strangers_code import kept_from_leaving, limited, quietly
from audioloss_cli.model.exit_code import CLEAN
from audioloss_cli.terminal import put

EPILOG = (
    "WHAT is an import string (package.module:factory) that gives a DataLoader, a dataset or batches; a .pt, "
    ".safetensors or .npz file with a collated batch; a directory of those; or a directory that datasets saved."
)
# What is never a report, though it lies where a checkpoint or data lie.
_READ = frozenset({".arrow", ".bin", ".npz", ".pt", ".pth", ".safetensors"})
# Options of this command that are called as the fields of ``ProbeConfig`` and of ``Options`` of an adapter are.
_REQUEST = (
    "data",
    "device",
    "dtype",
    "batches",
    "backward",
    "held_out",
    "model",
    "adapter",
    "adapter_file",
    "config_json",
    "trust_checkpoint",
)
_OPTIONS = (
    *("logits_key", "loss_key", "codes_key", "labels_key", "layout", "logits_layout"),
    *("codes_layout", "labels_layout", "logits_prefix", "vocab_size", "first_id"),
    *("ignore_index", "shift", "bos", "eos", "pad"),
)
# Options that ask for a batch, and those that ask for a checkpoint.
_WITH_DATA = tuple(
    name
    for name in (*_REQUEST, *_OPTIONS, "codebooks", "model_arg", "data_arg", "show_layout", "dump_batch")
    if name != "data"
)
_WITH_CHECKPOINT = (
    *("against", "headers", "device", "dtype", "backward", "held_out", "model", "model_arg", "show_layout"),
)

# Fields of ``ScanConfig`` that count for a probe.
_SETTINGS = ("fail_on", "baseline", "fail_on_stale_suppressions", "exit_zero", "jobs")


@takes_settings(*_SETTINGS)
def command(
    context: typer.Context,
    ckpt: probes.Ckpt = None,
    data: probes.Data = "",
    against: probes.Against = "",
    headers: probes.Headers = False,
    device: probes.Device = "auto",
    dtype: probes.Dtype = "",
    batches: probes.Batches = None,
    backward: probes.Backward = False,
    held_out: probes.HeldOut = "",
    log_dir: probes.LogDir = None,
    model: probes.Model = "",
    model_arg: probes.ModelArg = None,
    data_arg: probes.DataArg = None,
    config_json: probes.ConfigJson = "",
    trust_checkpoint: probes.TrustCheckpoint = False,
    adapter: probes.Adapter = "",
    adapter_file: probes.AdapterFile = "",
    show_layout: probes.ShowLayout = False,
    logits_key: probes.LogitsKey = "",
    loss_key: probes.LossKey = "",
    codes_key: probes.CodesKey = "",
    labels_key: probes.LabelsKey = "",
    layout: probes.Layout = "",
    logits_layout: probes.LogitsLayout = "",
    codes_layout: probes.CodesLayout = "",
    labels_layout: probes.LabelsLayout = "",
    logits_prefix: probes.LogitsPrefix = None,
    vocab_size: probes.VocabSize = None,
    first_id: probes.FirstId = None,
    ignore_index: probes.IgnoreIndex = None,
    shift: probes.Shift = None,
    codebooks: probes.Codebooks = None,
    bos: probes.Bos = None,
    eos: probes.Eos = None,
    pad: probes.Pad = None,
    dump_batch: probes.DumpBatch = None,
    timeout: probes.Timeout = 0.0,
    config: Config = None,
    write_baseline: gates.WriteBaseline = None,
    report: Report = None,
    output: Output = None,
    quiet: Quiet = 0,
    verbose: Verbose = 0,
    color: Color = "auto",
    **_settings: Any,
) -> int:
    """Run a batch through a checkpoint and name the root cause of a near-zero audio loss; or audit one of the two."""
    paths = ckpt or []
    _refuse_idle(context, paths, data)
    file, chosen = settings(config, *given(context, _SETTINGS))
    judge = gates.judge_of(chosen, file, write_baseline)
    inputs = {**{f"--ckpt {path}": path for path in paths}, "--data": data, "--held-out": held_out}
    _refuse_to_overwrite("--output", output, inputs)  # whatever its suffix is
    reports = reports_for(report, output)
    screen = screen_for(reports, chosen.gate, quiet, verbose, color)
    _refuse_to_overwrite("--dump-batch", dump_batch, inputs)
    for each in reports:
        _refuse_to_overwrite(each.option, each.file, {**inputs, "--dump-batch": str(dump_batch or "")})
    for path in paths or [""]:
        registry.load("probe", "named_paths").refuse_missing(path, data, held_out)
    asked = _Asked(context, paths, data, chosen, judge)
    if show_layout:
        with limited(timeout), quietly(verbose):
            lines = asked.layout()
        put("".join(f"{line}\n" for line in lines))
        return CLEAN
    with limited(timeout), quietly(verbose):
        logs = _scanned(log_dir or [], chosen, judge)
        with screen.progress("bytes" if paths else "batches") as progress:
            way = asked.with_a_batch if paths and data else asked.files_alone if paths else asked.data_alone
            result = way(logs, progress)
    result.config_file = str(file or "")
    screen.show(result)
    gates.write_baseline(write_baseline, result)
    return int(result.exit_code)


class _Asked:
    """What the command line asks for, as plain values for whoever does it."""

    def __init__(self, context: typer.Context, paths: list[str], data: str, chosen: Any, judge: Any) -> None:
        given = context.params
        self._paths, self._data, self._chosen, self._judge = paths, data, chosen, judge
        self._request = {name: given[name] for name in _REQUEST}
        self._batches = given["batches"]
        self._request["batches"] = 1 if self._batches is None else self._batches
        self._request |= {"dump": str(given["dump_batch"] or ""), "gate": chosen.gate}
        self._request["checkpoint"] = paths[0] if paths else ""
        self._options = {name: given[name] for name in _OPTIONS} | {"num_codebooks": given["codebooks"]}
        self._arguments = (given["model_arg"] or [], given["data_arg"] or [])
        self._against, self._headers = given["against"], given["headers"]

    def layout(self) -> Any:
        """The lines of ``--show-layout``."""
        with kept_from_leaving(), signals.at_once():
            return registry.load("probe", "command").show_layout(self._request, self._options, *self._arguments)

    def files_alone(self, logs: Any, progress: Any) -> Any:
        """The report of the files of checkpoints; torch is not needed."""
        from audioloss_cli.audit.checkpoints import report_on  # noqa: PLC0415  # --help needs none of it

        return report_on(self._paths, self._settings(), self._judge, logs, progress)

    def data_alone(self, logs: Any, progress: Any) -> Any:
        """The report of all batches; no model is needed."""
        with kept_from_leaving(), signals.at_once():
            wing, (_, arguments) = registry.load("probe", "command"), self._arguments
            result = wing.audit_data(self._request, self._options, arguments, self._batches, logs, progress)
        return self._judge.finish_probe(result, self._data)

    def with_a_batch(self, logs: Any, progress: Any) -> Any:
        """The report of a batch that was run through a checkpoint, and of its files."""
        from audioloss_cli.audit.checkpoints import beside  # noqa: PLC0415  # --help needs none of it

        files = beside(self._paths[0], self._settings(), self._judge, progress)
        with kept_from_leaving(), signals.at_once():
            wing = registry.load("probe", "command")
            scale, found = self._chosen.scale, (files.found, files.passed_by_all)
            result = wing.run(self._request, self._options, *self._arguments, logs, scale, *found)
        result.runs = [*result.runs, *files.runs]
        result.notes += files.notes
        return self._judge.finish_probe(result, self._paths[0])

    def _settings(self) -> Any:
        from audioloss_cli.audit.checkpoints import CheckpointSettings  # noqa: PLC0415  # --help needs none of it

        return CheckpointSettings(self._against, headers=self._headers, jobs=self._chosen.jobs or os.cpu_count() or 1)


def _refuse_idle(context: typer.Context, paths: list[str], data: str) -> None:
    """Refuse options that would do nothing.

    Raises:
        BadParameter: there is one, or neither a checkpoint nor data is named.
    """
    if not paths and not data:
        raise typer.BadParameter("give --ckpt PATH, --data WHAT, or both")
    if data and len(paths) > 1:
        raise typer.BadParameter("--data goes with one --ckpt; without --data several are audited by their files")
    if context.params["headers"] and context.params["against"]:
        raise typer.BadParameter(
            "--headers reads no values, so that --against has nothing to compare; give one of them"
        )
    needs = "--data" if not data else "--ckpt"
    lacking = _WITH_DATA if not data else _WITH_CHECKPOINT if not paths else ()
    for name in lacking:
        if "DEFAULT" not in str(context.get_parameter_source(name)):
            raise typer.BadParameter(f"--{name.replace('_', '-')} needs {needs} as well")


def _refuse_to_overwrite(option: str, file: Path | None, named: Mapping[str, str]) -> None:
    """What a probe reads is months of work.

    Raises:
        ConfigError: the file is named by another option, or is one of the weights in a directory that is.
    """
    from audioloss_cli.config import ConfigError  # noqa: PLC0415  # --help needs none of it

    for other, text in named.items():
        if file is not None and text and _is_read(Path(os.path.realpath(file)), Path(os.path.realpath(text))):
            raise ConfigError(f"{option} {file} is what {other} {text} names or reads; name another file")


def _is_read(file: Path, place: Path) -> bool:
    beside = place in file.parents and file.suffix in _READ
    return file == place or (beside and os.path.exists(file))  # noqa: PTH110  # Path's raises for too long a name


def _scanned(paths: list[str], chosen: Any, judge: Any) -> Any:
    if not paths:
        return None
    from audioloss_cli.audit import scan  # noqa: PLC0415  # a probe without --log-dir needs none of it

    return scan(paths, chosen, points=True, judge=judge, allow_missing=True)
