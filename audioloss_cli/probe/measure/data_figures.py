"""Figures over all batches of a data set, in memory that does not grow with them but for a digest of each sample."""

from bisect import insort
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field

import numpy as np
import torch
from torch import Tensor

from audioloss_cli.probe.measure.sample_digests import digests
from audioloss_cli.probe.measure.samples import Samples
from audioloss_cli.probe.measure.staircase import delays

_LONGEST = 1 << 16  # audio columns of a sample that are told apart
_LISTED, _NAMED = 20, 3  # samples of each kind that are kept, and named in a sentence
_MOST_DIGESTS, _BYTES = 1 << 24, 8  # 128 MiB
_WIDEST = 1 << 22  # cells of the histogram; a wider vocabulary is counted by ranges of ids
_FEWEST_CELLS = 32  # of a sample that can be called monotonous


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A sample: which one of which batch, and where it lies in the data set; None if that is not known."""

    batch: int
    sample: int
    index: int | None

    def __str__(self) -> str:
        if self.index is None:
            return f"sample {self.sample} of batch {self.batch}"
        return f"sample {self.index} (batch {self.batch})"


@dataclass
class Listed:
    """How many samples are of a kind, and the first of them."""

    count: int = 0
    first: list[Place] = field(default_factory=list)

    def add(self, places: Iterable[Place]) -> None:
        """Count them, and keep those that come early."""
        for place in places:
            self.count += 1
            if len(self.first) < _LISTED:
                self.first.append(place)

    def __str__(self) -> str:
        named = ", ".join(map(str, self.first[:_NAMED]))
        return named + (f" and {self.count - _NAMED:,} more" if self.count > _NAMED else "")

    def as_json(self) -> list[dict[str, int | None]]:
        """Batch, sample in it, and place in the data set of the first of them."""
        return [asdict(place) for place in self.first]


@dataclass(frozen=True, slots=True)
class Copies:
    """Samples that are equal to an earlier one.

    Attributes:
        count: of them.
        distinct: samples that are equal to no earlier one.
        most: how often the most frequent sample comes.
        first: pairs of numbers of samples in the order of the loader, the earlier one first.
    """

    count: int
    distinct: int
    most: int
    first: list[tuple[int, int]]


class DataFigures:
    """Histograms, sums and the worst samples; ``add`` takes one batch.

    Args:
        books: number of codebooks, K.
        ids: ids of one codebook; 0 if unknown.

    Attributes:
        batches, samples, columns: how many there were.
        cells, counted: audio labels, and those of them that count.
        histogram: [K, ids] int64, how often each id is a label that counts, or a code where the data have no labels.
        outside: ids that the histogram has no place for.
        lengths: number of audio columns of a sample -> how many samples have so many.
        text_lengths: the same of text tokens.
        masked, special, without_audio: samples without a label that counts, those in which only special ids count, and
            those of text alone.
        repetitive: shares of codes that repeat the one before, the highest, and where; ascending.
        patterns: whether codes are delayed -> segments that show it, where no configuration says
            so; their place is that of the segment.
        may_repeat: whether the sampler draws with replacement, so that copies are meant.
        digests: of each sample, of 8 bytes.
    """

    def __init__(self, books: int, ids: int) -> None:
        self.books = max(books, 1)
        self.ids = min(ids or 4096, max(_WIDEST // self.books, 1))
        self.batches = self.samples = self.columns = self.cells = self.counted = self.outside = 0
        self.histogram = torch.zeros(self.books, self.ids, dtype=torch.long, device="cpu")
        self.lengths: Counter[int] = Counter()
        self.text_lengths: Counter[int] = Counter()
        self.masked, self.special, self.without_audio = Listed(), Listed(), Listed()
        self.repetitive: list[tuple[float, Place]] = []
        self.patterns = {True: Listed(), False: Listed()}
        self.may_repeat = False
        self.digests = bytearray()

    def add(self, found: Samples, places: list[int] | None) -> tuple[Tensor, int]:
        """Count one batch.

        Args:
            found: its samples.
            places: of the samples in the data set; None where that is not known.

        Returns:
            [K, ids] int64: the histogram of this batch, and how many ids it has no place for.
        """
        number, self.batches = self.batches, self.batches + 1
        self.samples += found.count
        known = places if places is not None and len(places) == found.count else None

        def place(sample: int) -> Place:
            return Place(number, sample, known[sample] if known is not None else None)

        def listed(kind: Listed, flags: Tensor) -> None:
            if bool(flags.any()):
                kind.add(place(int(sample)) for sample in flags.nonzero().flatten())

        self.lengths.update(found.columns.clamp(max=_LONGEST).tolist())
        self.columns += int(found.columns.sum())
        if found.text_lengths is not None:
            self.text_lengths.update(found.text_lengths.clamp(max=_LONGEST).tolist())
            listed(self.without_audio, found.columns == 0)
        if found.counted is not None:
            self.cells += found.cells
            self.counted += int(found.counted.sum())
            listed(self.masked, (found.columns > 0) & (found.counted == 0) & ~found.answers)
            listed(self.special, (found.counted > 0) & (found.counted_real == 0))
        self._repeats(found, place)
        self._delays(found, number)
        if len(self.digests) < _MOST_DIGESTS * _BYTES:
            self.digests += digests(found).tobytes()
        histogram, outside = found.histogram(self.books, self.ids)
        self.histogram += histogram
        self.outside += outside
        return histogram, outside

    def _repeats(self, found: Samples, place: Callable[[int], Place]) -> None:
        shares = found.repeats
        least = self.repetitive[0][0] if len(self.repetitive) >= _LISTED else 0.5
        for sample in (shares > least).nonzero().flatten().tolist():
            if int(found.pairs[sample]) < _FEWEST_CELLS:
                continue
            insort(self.repetitive, (float(shares[sample]), place(sample)))
            del self.repetitive[:-_LISTED]

    def _delays(self, found: Samples, number: int) -> None:
        audio, layout = found.evidence.audio, found.evidence.layout
        if audio.codes is not None and audio.segments is not None and layout.delayed is None:
            shown = delays(audio.codes, audio.segments, layout.bos, layout.eos)
            for kind, listed in self.patterns.items():
                listed.add(Place(number, segment, None) for segment, late in shown.items() if late is kind)

    @property
    def whole(self) -> bool:
        """Whether every sample has its digest."""
        return self.samples == self.known

    @property
    def known(self) -> int:
        """How many samples have their digest."""
        return len(self.digests) // _BYTES

    def copies(self) -> Copies:
        """Samples that are there more than once."""
        keys = np.frombuffer(self.digests, dtype=np.int64)
        order = np.argsort(keys, kind="stable")
        ranked = keys[order]
        same = ranked[1:] == ranked[:-1]
        starts = np.flatnonzero(np.concatenate([[True], ~same])) if len(keys) else np.zeros(0, np.int64)
        sizes = np.diff(np.append(starts, len(keys)))
        later = np.flatnonzero(same)[:_LISTED]
        pairs = [(int(order[at]), int(order[at + 1])) for at in later.tolist()]
        return Copies(len(keys) - len(starts), len(starts), int(sizes.max()) if len(sizes) else 0, sorted(pairs))


def quantile(counts: Counter[int], share: float) -> int:
    """The value at or below which such a share of what was counted lies; 0 of nothing."""
    whole, seen = sum(counts.values()), 0
    for value in sorted(counts):
        seen += counts[value]
        if seen >= share * whole:
            return value
    return 0
