"""Any model whose keys and axes the command line names; also the way to probe an exported program.

Codes and labels are [N, K] rows of B samples of T columns: those that a mask under the codes' key with ``_mask`` behind
it, [B, T], lets through; without one, all but the padding. Padding are columns whose codes are nothing but ``--pad``,
and those at the end of a sample whose codes are nothing but the ignored index. One sample is one segment; a layout
without ``B`` is one sample.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from audioloss_cli.probe.errors import UsageError
from audioloss_cli.probe.model_io.adapter import Batch, Config, Options, Output, field_of, rows_of, tensor
from audioloss_cli.probe.model_io.adapters._axes import arranged, parse_axes
from audioloss_cli.probe.model_io.layout import Field, Layout
from audioloss_cli.probe.model_io.signature import accepted, unwrapped

_CODEBOOKS = ("num_codebooks", "audio_num_codebooks")
_VOCABULARY = ("audio_vocab_size", "codebook_size", "audio_codebook_size")


def serves(config: Config) -> bool:
    """Never: it is chosen by name."""
    return False


class Adapter:
    """Rows are the cells of [B, T].

    Raises:
        UsageError: an option is missing, or a layout makes no sense.
    """

    def __init__(self, config: Config, options: Options) -> None:
        books = options.num_codebooks or _number(config, _CODEBOOKS) or (0 if "K" in options.layout else 1)
        _require(options, books)
        self.options = options
        self.mask_key = f"{options.codes_key}_mask"
        self.axes = parse_axes(options.layout, "BKT", "T", "--layout")
        self.logits_axes = parse_axes(options.logits_layout, "BKTV", "TV", "--logits-layout")
        self.layout = Layout(
            name="the model at hand",
            fields=_fields(options, self.axes),
            num_codebooks=books,
            vocab_size=_number(config, _VOCABULARY),
            bos=options.bos,
            eos=options.eos,
            pad=options.pad,
            ignore_index=-100 if options.ignore_index is None else options.ignore_index,
            shift=1 if options.shift is None else options.shift,
        )

    def codes(self, batch: Batch) -> Tensor | None:
        """What lies under ``--codes-key``."""
        return self._rows(batch, self.options.codes_key)

    def labels(self, batch: Batch) -> Tensor | None:
        """What lies under ``--labels-key``."""
        return self._rows(batch, self.options.labels_key)

    def segments(self, batch: Batch) -> Tensor | None:
        """The samples: where segments begin is not known."""
        return self.samples(batch)

    def samples(self, batch: Batch) -> Tensor | None:
        """The places along ``B``."""
        counted = self._counted(batch)
        return None if counted is None else rows_of(counted)

    def placeholders(self, batch: Batch) -> None:
        """Unknown."""
        return

    def with_codes(self, batch: Batch, codes: Tensor) -> dict[str, Any]:
        """Written through a view of a copy."""
        key, counted = self.options.codes_key, self._counted(batch)
        new = batch[key].clone()
        cells = self._cells(new)
        if cells is not None and counted is not None:
            cells[counted] = codes.to(new.dtype)
        return {**batch, key: new}

    def run(self, model: Callable[..., Any], batch: Batch) -> Output:
        """The model is called with what its forward takes of the batch.

        The logits are a view wherever one stride leads from each column to the next, across samples: ``BTKV``,
        ``BT(KV)``, and every layout of one sample. Else (``BKTV``, ``(BK)TV``) they are a copy.
        """
        takes = accepted(unwrapped(model))
        output = model(**{name: value for name, value in batch.items() if takes is None or name in takes})
        loss = field_of(output, self.options.loss_key or "loss")
        logits, counted = self._logits(output, batch), self._counted(batch)
        if not isinstance(loss, Tensor):
            loss = None
        if logits is None:
            return Output(None, loss)
        if not self.layout.vocab_size:
            self.layout = replace(self.layout, vocab_size=logits.shape[-1])
        rows = None
        if counted is not None and counted.shape == logits.shape[:2] and not bool(counted.all()):
            rows = counted.flatten().nonzero().squeeze(1)
        return Output(logits.reshape(-1, *logits.shape[2:]), loss, rows)

    def _logits(self, output: Any, batch: Batch) -> Tensor | None:
        """[B, T, K, V]."""
        found, counted = field_of(output, self.options.logits_key), self._counted(batch)
        sizes = {"K": self.layout.num_codebooks}
        if counted is not None:
            sizes["B"] = counted.shape[0]
        return arranged(found, self.logits_axes, "BTKV", sizes) if isinstance(found, Tensor) else None

    def _rows(self, batch: Batch, key: str) -> Tensor | None:
        found, counted = tensor(batch, key), self._counted(batch)
        cells = None if found is None else self._cells(found)
        if cells is None or counted is None or cells.shape[:2] != counted.shape:
            return None
        return cells[counted].long()

    def _cells(self, found: Tensor) -> Tensor | None:
        """[B, T, K], a view."""
        return arranged(found, self.axes, "BTK", {"K": self.layout.num_codebooks})

    def _counted(self, batch: Batch) -> Tensor | None:
        """[B, T] bool: columns that count."""
        keys = (self.options.codes_key, self.options.labels_key)
        found = next((item for key in keys if (item := tensor(batch, key)) is not None), None)
        cells = None if found is None else self._cells(found)
        if cells is None:
            return None
        mask = tensor(batch, self.mask_key)
        if mask is not None and mask.shape == cells.shape[:2]:
            return mask.bool()
        if self.options.codes_key and tensor(batch, self.options.codes_key) is found:
            return ~self._padding(cells)
        return torch.ones(cells.shape[:2], dtype=torch.bool, device=cells.device)

    def _padding(self, cells: Tensor) -> Tensor:
        """[B, T] bool; it does not look at labels, so that masking them does not change which rows there are."""
        ignored = (cells == self.layout.ignore_index).all(-1)
        padding = _at_the_end(ignored) & ~ignored.all(1, keepdim=True)
        return padding if self.options.pad is None else padding | (cells == self.options.pad).all(-1)


def _at_the_end(flags: Tensor) -> Tensor:
    """[B, T] bool: those that are true down to the end."""
    return flags.flip(1).long().cumprod(1).flip(1).bool()


def _number(config: Config, names: tuple[str, ...]) -> int:
    """The first that the configuration says, else 0."""
    return next((value for name in names if type(value := config.get(name)) is int), 0)


def _require(options: Options, books: int) -> None:
    needed = {
        "--labels-key": options.labels_key,
        "--layout": options.layout,
        "--logits-key": options.logits_key,
        "--logits-layout": options.logits_layout,
        "--codebooks": books,
    }
    missing = [name for name, value in needed.items() if not value]
    if missing:
        raise UsageError(
            f"--adapter generic also needs {', '.join(missing)}: say where batch and output hold the audio"
        )


def _fields(options: Options, axes: tuple[str, ...]) -> tuple[Field, ...]:
    names = " ".join(axes)
    labels = Field(options.labels_key, "audio-labels", names, required=True)
    return (Field(options.codes_key, "codes", names, required=True), labels) if options.codes_key else (labels,)
