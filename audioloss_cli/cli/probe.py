"""``audioloss probe``: options in, a report out."""

import os
import sys
import threading
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from audioloss_cli import registry
from audioloss_cli.cli._options import (
    color_option,
    config_option,
    fail_on_option,
    output_option,
    quiet_option,
    report_option,
    settings,
    verbose_option,
)
from audioloss_cli.config import ConfigError
from audioloss_cli.probe.errors import EnvironmentalError
from audioloss_cli.records.report import INTERNAL
from audioloss_cli.screen import Screen

EPILOG = (
    "WHAT is an import string (package.module:factory) that gives a DataLoader, a dataset or batches; a .pt, "
    ".safetensors or .npz file with a collated batch; a directory of those; or a directory that datasets saved."
)
# What is never a report, though it lies where a checkpoint or data lie.
_READ = frozenset({".arrow", ".bin", ".npz", ".pt", ".pth", ".safetensors"})


def command(
    ckpt: Annotated[
        str, typer.Option("--ckpt", metavar="PATH", help="Checkpoint: a directory, a state dict, or a .pt2 program.")
    ],
    data: Annotated[str, typer.Option("--data", metavar="WHAT", help="Where batches come from.")],
    device: Annotated[str, typer.Option(metavar="DEVICE", help="auto, cpu, cuda, cuda:N or mps.")] = "auto",
    dtype: Annotated[str, typer.Option(help="float32, bfloat16 or float16; else that of the checkpoint.")] = "",
    batches: Annotated[int, typer.Option(metavar="N", help="How many batches to take.")] = 1,
    backward: Annotated[bool, typer.Option("--backward", help="Look at the gradient of the audio loss too.")] = False,
    held_out: Annotated[str, typer.Option(metavar="WHAT", help="Data that the model has not seen.")] = "",
    log_dir: Annotated[
        list[str] | None, typer.Option(metavar="PATH", help="Scan the logs of the run as well. Repeatable.")
    ] = None,
    model: Annotated[str, typer.Option(metavar="FACTORY", help="package.module:factory that builds the model.")] = "",
    model_arg: Annotated[
        list[str] | None, typer.Option(metavar="K=V", help="Argument of the model's factory. Repeatable.")
    ] = None,
    data_arg: Annotated[
        list[str] | None, typer.Option(metavar="K=V", help="Argument of the data's factory. Repeatable.")
    ] = None,
    adapter: Annotated[str, typer.Option(help="Model family; else found by configuration and batch.")] = "",
    logits_key: Annotated[str, typer.Option(metavar="KEY", help="Audio logits in the model's output.")] = "",
    loss_key: Annotated[str, typer.Option(metavar="KEY", help="Audio loss in the model's output.")] = "",
    codes_key: Annotated[
        str,
        typer.Option(
            metavar="KEY", help="Audio codes in the batch; KEY_mask, [B, T], beside them says which columns count."
        ),
    ] = "",
    labels_key: Annotated[str, typer.Option(metavar="KEY", help="Audio labels in the batch.")] = "",
    layout: Annotated[str, typer.Option(metavar="AXES", help="Axes of codes and labels, such as BKT or BTK.")] = "",
    logits_layout: Annotated[
        str, typer.Option(metavar="AXES", help="Axes of the logits, such as BTKV or (BK)TV.")
    ] = "",
    ignore_index: Annotated[int | None, typer.Option(metavar="ID", help="Label that does not count (-100).")] = None,
    shift: Annotated[
        int | None, typer.Option(metavar="N", help="Positions by which the model's loss shifts its labels (1).")
    ] = None,
    codebooks: Annotated[int | None, typer.Option(metavar="K", help="Number of codebooks.")] = None,
    bos: Annotated[int | None, typer.Option(metavar="ID", help="Audio id that begins a segment.")] = None,
    eos: Annotated[int | None, typer.Option(metavar="ID", help="Audio id that ends a segment.")] = None,
    pad: Annotated[int | None, typer.Option(metavar="ID", help="Audio id that pads a sample.")] = None,
    dump_batch: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write down shapes, dtypes and values for a bug report.")
    ] = None,
    timeout: Annotated[float, typer.Option(metavar="SECONDS", help="Give up after this long; 0 never.")] = 0.0,
    fail_on: Annotated[Literal["warning", "critical", "never"] | None, fail_on_option()] = None,
    config: Annotated[Path | None, config_option()] = None,
    report: Annotated[str, report_option()] = "text",
    output: Annotated[Path | None, output_option()] = None,
    quiet: Annotated[int, quiet_option()] = 0,
    verbose: Annotated[int, verbose_option()] = 0,
    color: Annotated[bool | None, color_option()] = None,
) -> int:
    """Run a batch through a checkpoint and name the root cause of a near-zero audio loss."""
    file, chosen = settings(config, {} if fail_on is None else {"fail_on": fail_on})
    screen = Screen(report, output, verbosity=bool(verbose) - bool(quiet), color=color)
    inputs = {"--ckpt": ckpt, "--data": data, "--held-out": held_out}
    _refuse_to_overwrite("--dump-batch", dump_batch, inputs)
    _refuse_to_overwrite("--output", output, {**inputs, "--dump-batch": str(dump_batch or "")})
    request = {
        "checkpoint": ckpt,
        "data": data,
        "device": device,
        "dtype": dtype,
        "batches": batches,
        "backward": backward,
        "held_out": held_out,
        "model": model,
        "adapter": adapter,
        "dump": str(dump_batch or ""),
        "gate": chosen.gate,
    }
    options = {
        "logits_key": logits_key,
        "loss_key": loss_key,
        "codes_key": codes_key,
        "labels_key": labels_key,
        "layout": layout,
        "logits_layout": logits_layout,
        "ignore_index": ignore_index,
        "shift": shift,
        "num_codebooks": codebooks,
        "bos": bos,
        "eos": eos,
        "pad": pad,
    }
    with _limited(timeout), _quietly(verbose), _kept_from_leaving():
        wing = registry.load("probe", "command")
        logs = _scanned(log_dir or [], chosen)
        result = wing.run(request, options, model_arg or [], data_arg or [], logs, chosen.scale)
    result.config_file = str(file or "")
    screen.show(result)
    return int(result.exit_code)


def _refuse_to_overwrite(option: str, file: Path | None, named: Mapping[str, str]) -> None:
    """What a probe reads is months of work.

    Raises:
        ConfigError: the file is named by another option, or is one of the weights in a directory that is.
    """
    for other, text in named.items():
        if file is not None and text and _is_read(file.resolve(), Path(text).resolve()):
            raise ConfigError(f"{option} {file} is what {other} {text} names or reads; name another file")


def _is_read(file: Path, place: Path) -> bool:
    return file == place or (place in file.parents and file.suffix in _READ and file.exists())


def _scanned(paths: list[str], chosen: Any) -> Any:
    if not paths:
        return None
    from audioloss_cli.audit import scan  # noqa: PLC0415  # a probe without --log-dir needs none of it

    return scan(paths, chosen)


@contextmanager
def _limited(seconds: float) -> Iterator[None]:
    """End the process after ``seconds``, even where it is stuck in a kernel or a data loader.

    Raises:
        ConfigError: that is no span of time.
    """
    if not seconds >= 0:
        raise ConfigError(f"--timeout {seconds:g} is no span of time; give seconds, or 0 for no limit")
    timer = threading.Timer(min(seconds, threading.TIMEOUT_MAX), _give_up, [seconds])
    timer.daemon = True
    if seconds > 0:
        timer.start()
    try:
        yield
    finally:
        timer.cancel()


@contextmanager
def _kept_from_leaving() -> Iterator[None]:
    """The exit code is ours to give: a stranger's ``sys.exit(0)`` would say that all is well.

    Raises:
        EnvironmentalError: something that the probe ran tried to leave.
    """
    try:
        yield
    except SystemExit as error:
        raise EnvironmentalError(
            f"the model or the data ended the process with sys.exit({error.code!r}); nothing was concluded: "
            "take the call out"
        ) from error


def _give_up(seconds: float) -> None:
    message = (
        f"audioloss: error: the probe did not finish within --timeout {seconds:g} seconds; nothing was concluded\n"
    )
    os.write(2, message.encode())
    os._exit(INTERNAL)


@contextmanager
def _quietly(verbose: int) -> Iterator[None]:
    """What a stranger's model or data set prints goes to stderr, and its warnings nowhere unless they are wanted."""
    with warnings.catch_warnings(), redirect_stdout(sys.stderr), _descriptor_to_stderr():
        if not verbose:
            warnings.simplefilter("ignore")
        yield


@contextmanager
def _descriptor_to_stderr() -> Iterator[None]:
    """For what is printed below Python, as by a child process."""
    try:
        kept = os.dup(1)
        os.dup2(2, 1)
    except OSError:  # one of the two is closed
        yield
        return
    try:
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)
