"""An adapter that options describe: keys, axes, vocabulary, shift and prefix of codes, labels and logits; no plugin.

Codes and labels are [N, K] rows of B samples of T columns: those that a mask under the codes' key with ``_mask`` behind
it, [B, T], lets through; without one, all but the padding. Padding are columns whose codes are nothing but ``pad``, and
those at the end of a sample whose codes are nothing but the ignored index. One sample is one segment; a layout without
``B`` is one sample.
"""

from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from typing import Any, ClassVar

import torch
from torch import Tensor

from audioloss_cli.probe.errors import UnreadableError, UsageError
from audioloss_cli.probe.model_io.adapter import (
    Batch,
    Config,
    Options,
    Output,
    field_of,
    losses_of,
    rows_of,
    runs_of,
    tensor,
)
from audioloss_cli.probe.model_io.adapters._axes import arranged, parse_axes
from audioloss_cli.probe.model_io.layout import Field, Layout
from audioloss_cli.probe.model_io.signature import accepted, unwrapped

_CODEBOOKS = ("num_codebooks", "audio_num_codebooks")
_VOCABULARY = ("audio_vocab_size", "codebook_size", "audio_codebook_size")


#: Names of all options: a family that is described reads each of them.
EVERY = tuple(item.name for item in fields(Options))


def over(family: Options, said: Options) -> Options:
    """What is known of a family, and in its place what the user says."""
    given = {name: value for name in EVERY if (value := getattr(said, name)) not in ("", None)}
    return replace(family, **given)


def part_of(config: Config, name: str) -> dict[str, Any]:
    """A configuration inside another one; empty if there is none."""
    found = config.get(name)
    return dict(found) if isinstance(found, Mapping) else {}


class Described:
    """Rows are the cells of [B, T]; of a vocabulary that text and audio share, those whose ids are audio.

    Raises:
        UsageError: an option is missing, or a layout makes no sense.
    """

    #: Whether a batch without the codes lacks something; some models make them of the labels.
    needs_codes = True
    #: As in ``Layout``; of a model that nobody knows there are none.
    parameters: ClassVar[Mapping[str, str]] = {}

    def __init__(self, config: Config, options: Options, name: str = "the model at hand") -> None:
        axes = {"codes": options.codes_layout or options.layout, "labels": options.labels_layout or options.layout}
        books = options.num_codebooks or _number(config, _CODEBOOKS) or (0 if "K" in axes["labels"] else 1)
        _require(options, axes["labels"], books)
        self.options = options
        self.mask_key = f"{options.codes_key}_mask"
        self.axes = {
            options.labels_key: parse_axes(axes["labels"], "BKT", "T", "--layout"),
            options.codes_key: parse_axes(axes["codes"] or axes["labels"], "BKT", "T", "--layout"),
        }
        self.first = {options.labels_key: options.labels_first or 0, options.codes_key: options.codes_first or 0}
        self.logits_axes = parse_axes(options.logits_layout, "BKTV", "TV", "--logits-layout")
        self.layout = Layout(
            name=name,
            fields=self._fields(),
            num_codebooks=books,
            vocab_size=options.vocab_size or _number(config, _VOCABULARY),
            bos=options.bos,
            eos=options.eos,
            pad=options.pad,
            ignore_index=-100 if options.ignore_index is None else options.ignore_index,
            shift=1 if options.shift is None else options.shift,
            delayed=options.delayed,
            parameters=self.parameters,
        )

    def codes(self, batch: Batch) -> Tensor | None:
        """What lies under ``--codes-key``."""
        return self._rows(batch, self.options.codes_key)

    def labels(self, batch: Batch) -> Tensor | None:
        """What lies under ``--labels-key``; what is no audio in a shared vocabulary does not count."""
        return self._rows(batch, self.options.labels_key)

    def segments(self, batch: Batch) -> Tensor | None:
        """The samples: where segments begin is not known; in a shared vocabulary, stretches without text between."""
        counted = self._counted(batch)
        if counted is None or self.options.first_id is None:
            return self.samples(batch)
        return runs_of(counted)

    def samples(self, batch: Batch) -> Tensor | None:
        """The places along ``B``."""
        counted = self._counted(batch)
        return None if counted is None else rows_of(counted)

    def placeholders(self, batch: Batch) -> None:
        """Unknown."""
        return

    def with_codes(self, batch: Batch, codes: Tensor) -> dict[str, Any]:
        """Written through a view of a copy."""
        return self._with(batch, self.options.codes_key, codes)

    def with_labels(self, batch: Batch, labels: Tensor) -> dict[str, Any]:
        """Written through a view of a copy; where one key holds both, only the labels of the loss could differ."""
        if self.options.labels_key == self.options.codes_key:
            raise UsageError("codes and labels lie under one key, so that the labels cannot change alone")
        return self._with(batch, self.options.labels_key, labels)

    def _with(self, batch: Batch, key: str, rows: Tensor) -> dict[str, Any]:
        counted, new = self._counted(batch), batch[key].clone()
        cells = self._cells(new, key)
        if cells is not None and counted is not None:
            ids = rows + (self.options.first_id or 0)
            cells[counted] = torch.where(rows == self.layout.ignore_index, cells[counted], ids.to(new.dtype))
        return {**batch, key: new}

    def run(self, model: Callable[..., Any], batch: Batch) -> Output:
        """The model is called with what its forward takes of the batch.

        The logits are a view wherever one stride leads from each column to the next, across samples: ``BTKV``,
        ``BT(KV)``, and every layout of one sample. Else (``BKTV``, ``(BK)TV``) they are a copy.

        Raises:
            UnreadableError: the logits have more columns than the labels, and nothing says which ones are scored.
        """
        takes = accepted(unwrapped(model))
        output = model(**{name: value for name, value in batch.items() if takes is None or name in takes})
        loss, total = losses_of(output, self.options.loss_key)
        if loss is None:
            loss, total = total, None
        logits, counted = self._logits(output, batch), self._counted(batch)
        if logits is None:
            return Output(None, loss, None, total)
        if not self.layout.vocab_size:
            self.layout = replace(self.layout, vocab_size=logits.shape[-1])
        rows = None
        if counted is not None and counted.shape[0] == logits.shape[0]:
            before = self._prefix(batch, counted.shape[1], logits.shape[1])
            if counted.shape[1] != logits.shape[1] or not bool(counted.all()):
                padding = (before, max(logits.shape[1] - before - counted.shape[1], 0))
                scored = torch.nn.functional.pad(counted, padding)
                rows = scored.flatten().nonzero().squeeze(1) if scored.shape == logits.shape[:2] else None
        return Output(logits.reshape(-1, *logits.shape[2:]), loss, rows, total)

    def laid_out(self, output: Any, batch: Batch) -> tuple[Tensor, Tensor, Tensor, Tensor | None] | None:
        """Every cell of [B, T] as a row, without a wait for a device: where none counts, the label is the ignored one.

        Returns:
            Logits [N, K, V], labels [N, K], the stretch that each row belongs to [N], codes [N, K] or None. None where
            they cannot be laid beside each other.
        """
        logits, counted = self._logits(output, batch), self._counted(batch)
        labels = self._ids(batch, self.options.labels_key)
        if logits is None or counted is None or labels is None or labels.shape[:2] != counted.shape:
            return None
        before = self._prefix(batch, counted.shape[1], logits.shape[1])
        logits = logits[:, before : before + counted.shape[1]]
        if logits.shape[:2] != counted.shape:
            return None
        labels = torch.where(counted[..., None], labels, self.layout.ignore_index)
        codes = self._ids(batch, self.options.codes_key)
        begins = torch.ones_like(counted)
        begins[:, 1:] = counted[:, 1:] != counted[:, :-1]
        beside = None if codes is None or codes.shape != labels.shape else codes.flatten(0, 1)
        return logits.flatten(0, 1), labels.flatten(0, 1), begins.flatten().long().cumsum(0), beside

    def _prefix(self, batch: Batch, columns: int, there: int) -> int:
        """Columns of the logits before that of the first label: as given, or as many as something beside them has.

        Parler-TTS puts its prompt before the audio, and its loss takes the last columns.
        """
        if self.options.logits_prefix is not None:
            return self.options.logits_prefix
        more, ours = there - columns, (self.options.codes_key, self.options.labels_key)
        others = [each for name, each in batch.items() if name not in ours and isinstance(each, Tensor)]
        if more > 0 and more not in {each.shape[1] for each in others if each.ndim > 1}:
            raise UnreadableError(
                f"the logits have {there} columns and the labels {columns}: if a prompt comes before them, name its "
                f"columns with --logits-prefix ({more}, if the last {columns} are scored)"
            )
        return max(more, 0)

    def _logits(self, output: Any, batch: Batch) -> Tensor | None:
        """[B, T, K, V]."""
        found, counted = field_of(output, self.options.logits_key), self._counted(batch)
        sizes = {"K": self.layout.num_codebooks}
        if counted is not None:
            sizes["B"] = counted.shape[0]
        logits = arranged(found, self.logits_axes, "BTKV", sizes) if isinstance(found, Tensor) else None
        first = self.options.first_id
        if logits is None or first is None:
            return logits
        return logits[..., first : first + self.layout.vocab_size]

    def _rows(self, batch: Batch, key: str) -> Tensor | None:
        cells, counted = self._ids(batch, key), self._counted(batch)
        return None if cells is None or counted is None or cells.shape[:2] != counted.shape else cells[counted]

    def _ids(self, batch: Batch, key: str) -> Tensor | None:
        """[B, T, K] int64, ids of a codebook; of labels in a shared vocabulary, what is no audio does not count."""
        found, first = tensor(batch, key), self.options.first_id
        cells = None if found is None else self._cells(found, key)
        if cells is None or first is None:
            return None if cells is None else cells.long()
        kept = cells != self.layout.ignore_index
        if key == self.options.labels_key:
            kept &= self._is_audio(cells)
        return torch.where(kept, cells.long() - first, self.layout.ignore_index)

    def _cells(self, found: Tensor, key: str) -> Tensor | None:
        """[B, T, K], a view, without what comes before the first codebook."""
        first, books = self.first[key], self.layout.num_codebooks
        cells = arranged(found, self.axes[key], "BTK", {"K": books})
        if cells is None or not first:
            return cells
        return cells[..., first : first + books] if cells.shape[-1] >= first + books else None

    def _counted(self, batch: Batch) -> Tensor | None:
        """[B, T] bool: columns that count."""
        keys = (self.options.codes_key, self.options.labels_key)
        key = next((key for key in keys if tensor(batch, key) is not None), "")
        found = tensor(batch, key)
        cells = None if found is None else self._cells(found, key)
        if cells is None:
            return None
        if self.options.first_id is not None:
            return self._is_audio(cells).any(-1)
        mask = tensor(batch, self.mask_key)
        if mask is not None and mask.shape == cells.shape[:2]:
            return mask.bool()
        if self.options.codes_key and key == self.options.codes_key:
            return ~self._padding(cells)
        return torch.ones(cells.shape[:2], dtype=torch.bool, device=cells.device)

    def _is_audio(self, ids: Tensor) -> Tensor:
        """Of a vocabulary that text and audio share: whether an id is one of the audio."""
        first = self.options.first_id or 0
        return (ids >= first) & (ids < first + self.layout.vocab_size)

    def _padding(self, cells: Tensor) -> Tensor:
        """[B, T] bool; it does not look at labels, so that masking them does not change which rows there are."""
        ignored = (cells == self.layout.ignore_index).all(-1)
        padding = _at_the_end(ignored) & ~ignored.all(1, keepdim=True)
        return padding if self.options.pad is None else padding | (cells == self.options.pad).all(-1)

    def _fields(self) -> tuple[Field, ...]:
        codes, labels = self.options.codes_key, self.options.labels_key
        found = [Field(labels, "audio-labels", " ".join(self.axes[labels]), required=True, first=self.first[labels])]
        if codes:
            found.insert(
                0, Field(codes, "codes", " ".join(self.axes[codes]), required=self.needs_codes, first=self.first[codes])
            )
        return tuple(found)


def _at_the_end(flags: Tensor) -> Tensor:
    """[B, T] bool: those that are true down to the end."""
    return flags.flip(1).long().cumprod(1).flip(1).bool()


def _number(config: Config, names: tuple[str, ...]) -> int:
    """The first that the configuration says, else 0."""
    return next((value for name in names if type(value := config.get(name)) is int), 0)


def _require(options: Options, layout: str, books: int) -> None:
    needed = {
        "--labels-key": options.labels_key,
        "--layout": layout,
        "--logits-key": options.logits_key,
        "--logits-layout": options.logits_layout,
        "--codebooks": books,
    }
    missing = [name for name, value in needed.items() if not value]
    if missing:
        raise UsageError(
            f"--adapter generic also needs {', '.join(missing)}: say where batch and output hold the audio"
        )
    if options.first_id is not None and not options.vocab_size:
        raise UsageError("--first-id also needs --vocab-size: how many ids of the vocabulary are those of the audio")
