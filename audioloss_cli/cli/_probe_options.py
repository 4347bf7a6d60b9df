"""The options of ``audioloss probe`` alone."""

from pathlib import Path
from typing import Annotated

import typer

from audioloss_cli import registry

Ckpt = Annotated[
    list[str] | None,
    typer.Option(
        "--ckpt",
        metavar="PATH",
        help="Checkpoint: a directory, a file, or a .pt2 program. Repeatable without --data.",
    ),
]
Data = Annotated[
    str, typer.Option("--data", metavar="WHAT", help="Where batches come from. Without --ckpt they are audited alone.")
]
Against = Annotated[
    str,
    typer.Option(metavar="BASE", help="Compare weights with this checkpoint: the base model, or an earlier one."),
]
Headers = Annotated[bool, typer.Option("--headers", help="Read headers of checkpoints alone, and no values.")]
Device = Annotated[str, typer.Option(metavar="DEVICE", help="auto, cpu, cuda, cuda:N or mps.")]
Dtype = Annotated[str, typer.Option(help="float32, bfloat16 or float16; else that of the checkpoint.")]
Batches = Annotated[
    int | None, typer.Option(metavar="N", help="How many batches to take: 1 if not said, all of them without --ckpt.")
]
Backward = Annotated[bool, typer.Option("--backward", help="Look at the gradient of the audio loss too.")]
HeldOut = Annotated[str, typer.Option(metavar="WHAT", help="Data that the model has not seen.")]
LogDir = Annotated[list[str] | None, typer.Option(metavar="PATH", help="Scan the logs of the run as well. Repeatable.")]
Model = Annotated[str, typer.Option(metavar="FACTORY", help="package.module:factory that builds the model.")]
ModelArg = Annotated[list[str] | None, typer.Option(metavar="K=V", help="Argument of the model's factory. Repeatable.")]
DataArg = Annotated[list[str] | None, typer.Option(metavar="K=V", help="Argument of the data's factory. Repeatable.")]
Adapter = Annotated[
    str,
    typer.Option(
        help="Model family; else found by configuration and batch.",
        autocompletion=lambda: list(registry.names("probe.model_io.adapters")),
    ),
]
LogitsKey = Annotated[str, typer.Option(metavar="KEY", help="Audio logits in the model's output.")]
LossKey = Annotated[str, typer.Option(metavar="KEY", help="Audio loss in the model's output.")]
CodesKey = Annotated[
    str,
    typer.Option(
        metavar="KEY", help="Audio codes in the batch; KEY_mask, [B, T], beside them says which columns count."
    ),
]
LabelsKey = Annotated[str, typer.Option(metavar="KEY", help="Audio labels in the batch.")]
ConfigJson = Annotated[
    str,
    typer.Option(
        metavar="FILE",
        help="The model's config.json, if it is neither beside the weights nor above, or there are none.",
    ),
]
TrustCheckpoint = Annotated[
    bool,
    typer.Option("--trust-checkpoint", help="Read pickles with a torch before 2.10, unsafe from them."),
]
AdapterFile = Annotated[
    str, typer.Option(metavar="FILE", help="TOML that describes batches and outputs, in place of the options below.")
]
ShowLayout = Annotated[
    bool, typer.Option("--show-layout", help="Print what is understood of batch and model, and leave.")
]
CodesLayout = Annotated[str, typer.Option(metavar="AXES", help="Axes of the codes, where they differ.")]
LabelsLayout = Annotated[str, typer.Option(metavar="AXES", help="Axes of the labels, where they differ.")]
LogitsPrefix = Annotated[int | None, typer.Option(metavar="N", help="Columns of the logits before the first label's.")]
VocabSize = Annotated[int | None, typer.Option(metavar="V", help="Number of ids of a codebook.")]
FirstId = Annotated[
    int | None, typer.Option(metavar="ID", help="Where audio ids begin in a vocabulary shared with text.")
]
Layout = Annotated[str, typer.Option(metavar="AXES", help="Axes of codes and labels, such as BKT or BTK.")]
LogitsLayout = Annotated[str, typer.Option(metavar="AXES", help="Axes of the logits, such as BTKV or (BK)TV.")]
IgnoreIndex = Annotated[int | None, typer.Option(metavar="ID", help="Label that does not count (-100).")]
Shift = Annotated[
    int | None, typer.Option(metavar="N", help="Positions by which the model's loss shifts its labels (1).")
]
Codebooks = Annotated[int | None, typer.Option(metavar="K", help="Number of codebooks.")]
Bos = Annotated[int | None, typer.Option(metavar="ID", help="Audio id that begins a segment.")]
Eos = Annotated[int | None, typer.Option(metavar="ID", help="Audio id that ends a segment.")]
Pad = Annotated[int | None, typer.Option(metavar="ID", help="Audio id that pads a sample.")]
DumpBatch = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Write down shapes, dtypes and values for a bug report.")
]
Timeout = Annotated[float, typer.Option(metavar="SECONDS", help="Give up after this long; 0 never.")]
