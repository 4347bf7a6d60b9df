"""What the audit of the data costs beside the loader alone: ``python -m tests.benchmarks.bench_data``.

A DataLoader over samples in the layout of the original Higgs Audio: 8 codebooks, some 10 seconds at 25 frames a second,
collated by its workers. Both go through all of it in turn; times are medians of the rounds. ``--source`` says where the
samples come from:

- memory: they lie there, codes and all, which is as fast as a loader gets;
- files: each has a compressed file of codes of its own, as a data set that was encoded beforehand;
- audio: each has a 16-bit WAV file of 24 kHz, which is read and encoded, as the public trainers of Higgs Audio do in
  their data sets. The codec here is a log-mel spectrum rounded to 1024 levels, one row a codebook: a small part of the
  work of a neural one.
"""

import argparse
import resource
import statistics
import tempfile
import time
import wave
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from audioloss_cli.probe.config import ProbeConfig
from audioloss_cli.probe.data_audit import audit_data
from tests.probe import tiny

_KEPT = 256
_RATE, _HOP = 24_000, 960  # Hz, and samples of audio a frame
Sample = dict[str, Tensor]


class Samples(Dataset[Sample]):
    """``count`` samples, each a roll of one of a few that are kept, so that no two are equal."""

    def __init__(self, count: int, frames: int, source: str, folder: str) -> None:
        self.count, self.source, self.folder = count, source, Path(folder)
        self.kept = [tiny.original_batch(((frames + number % 50,),), seed=number) for number in range(_KEPT)]

    def __len__(self) -> int:
        return self.count

    def write(self) -> None:
        """The files that are read."""
        noise = np.random.default_rng(0)
        for number, kept in enumerate(self.kept):
            codes = kept["audio_out_ids"]
            if self.source == "files":
                np.savez_compressed(self.folder / f"{number}.npz", codes=codes.numpy().astype(np.int16))
            elif self.source == "audio":
                with wave.open(str(self.folder / f"{number}.wav"), "wb") as file:
                    file.setnchannels(1)
                    file.setsampwidth(2)
                    file.setframerate(_RATE)
                    file.writeframes(noise.normal(0, 3000, codes.shape[1] * _HOP).astype("<i2").tobytes())

    def _codes(self, number: int) -> Tensor:
        """[K, T] int64, from where they lie."""
        codes: Tensor = self.kept[number]["audio_out_ids"]
        if self.source == "files":
            with np.load(self.folder / f"{number}.npz") as file:
                return torch.from_numpy(file["codes"].astype(np.int64))
        if self.source == "audio":
            codes = codes.clone()
            with wave.open(str(self.folder / f"{number}.wav"), "rb") as file:
                sound = np.frombuffer(file.readframes(file.getnframes()), "<i2")
            encoded = _encoded(torch.from_numpy(sound / 32768.0).float(), codes.shape[0])
            inner = slice(tiny.K, codes.shape[1] - tiny.K)  # what begins and ends the segment stays
            codes[:, inner] = encoded[:, inner]
        return codes

    def __getitem__(self, index: int) -> Sample:
        kept = self.kept[index % _KEPT]
        shift = index // _KEPT
        codes, labels = self._codes(index % _KEPT), kept["label_audio_ids"]
        if self.source == "audio":
            labels = torch.where((labels >= 0) & (labels < tiny.BOS), codes, labels)
        inner = slice(tiny.K, codes.shape[1] - tiny.K)  # the ends stay where they are
        codes, labels = codes.clone(), labels.clone()
        codes[:, inner], labels[:, inner] = codes[:, inner].roll(shift, 1), labels[:, inner].roll(shift, 1)
        return {"text": kept["input_ids"][0], "text_labels": kept["label_ids"][0], "codes": codes, "labels": labels}


@cache
def _bands(books: int) -> Tensor:
    """[books, F] float: triangles that overlap, evenly spaced on the mel scale."""
    places = torch.linspace(0, _RATE / 2, _HOP // 2 + 1)
    mels = torch.linspace(0, 2595 * np.log10(1 + _RATE / 1400), books + 2)
    edges = 700 * (10 ** (mels / 2595) - 1)
    rise = (places - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    fall = (edges[2:, None] - places) / (edges[2:] - edges[1:-1])[:, None]
    return torch.minimum(rise, fall).clamp(min=0)


def _encoded(sound: Tensor, books: int) -> Tensor:
    """[books, T] int64 in 0 .. 1023 of sound [samples] float."""
    spectrum = torch.stft(sound, _HOP, _HOP, window=torch.hann_window(_HOP), return_complex=True)
    energy = (_bands(books) @ spectrum.abs().square()).clamp(min=1e-9).log()[:, : len(sound) // _HOP]
    return (1023 * (energy - energy.min()) / (energy.max() - energy.min())).long()


def collate(samples: list[Sample]) -> Sample:
    """As the original collator lays them out."""
    text = torch.nn.utils.rnn.pad_sequence([each["text"] for each in samples], batch_first=True)
    sizes = torch.tensor([0, *(each["codes"].shape[1] for each in samples[:-1])])
    return {
        "input_ids": text,
        "attention_mask": torch.ones_like(text),
        "label_ids": torch.nn.utils.rnn.pad_sequence(
            [each["text_labels"] for each in samples], batch_first=True, padding_value=-100
        ),
        "audio_out_ids": torch.cat([each["codes"] for each in samples], 1),
        "audio_out_ids_start": sizes.cumsum(0),
        "label_audio_ids": torch.cat([each["labels"] for each in samples], 1),
    }


def loader(
    count: int = 1000, frames: int = 225, size: int = 8, workers: int = 2, source: str = "memory", folder: str = "."
) -> DataLoader[Sample]:
    """Of ``count`` samples."""
    return DataLoader(Samples(count, frames, source, folder), size, collate_fn=collate, num_workers=workers)


def seconds(call: Callable[[], object]) -> tuple[float, float]:
    """Wall time of one call, and CPU time of this process."""
    wall, cpu = time.perf_counter(), time.process_time()
    call()
    return time.perf_counter() - wall, time.process_time() - cpu


def compare(options: argparse.Namespace, folder: str) -> str:
    """One line of the table."""
    said = {"count": options.samples, "frames": options.frames, "size": options.size, "workers": options.workers}
    said |= {"source": options.source, "folder": folder}
    Samples(0, options.frames, options.source, folder).write()
    made = loader(**said)
    config = ProbeConfig("", "tests.benchmarks.bench_data:loader", data_arguments=said, config_json=options.config_json)

    def alone() -> None:
        for _ in loader(**said):
            pass

    rounds = [(seconds(alone), seconds(lambda: audit_data(config))) for _ in range(options.rounds)]
    (wall, cpu), (audit_wall, audit_cpu) = (
        [statistics.median(column) for column in zip(*each, strict=True)] for each in zip(*rounds, strict=True)
    )
    batches = len(made)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return (
        f"{options.source}, {batches:,} batches of {options.size}, {options.workers} workers: loader alone "
        f"{1e3 * wall / batches:.2f} ms a batch, audit {1e3 * audit_wall / batches:.2f} ms ({audit_wall / wall:.2f}x); "
        f"CPU of this process {1e3 * cpu / batches:.2f} and {1e3 * audit_cpu / batches:.2f} ms; "
        f"peak memory {peak:.0f} MiB"
    )


def main() -> None:
    """Print the line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=8000)
    parser.add_argument("--frames", type=int, default=225)
    parser.add_argument("--size", type=int, default=8, help="samples of a batch")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--source", choices=("memory", "files", "audio"), default="memory")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--config-json", default="", help="of the model; its published values if not said")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        print(compare(options, folder))


if __name__ == "__main__":
    main()
