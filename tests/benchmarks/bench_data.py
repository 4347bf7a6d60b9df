"""What the audit of the data costs beside the loader alone: ``python -m tests.benchmarks.bench_data``.

A DataLoader over samples in the layout of the original Higgs Audio: 8 codebooks, some 10 seconds at 25 frames a second,
that lie in memory, collated by its workers. Both go through all of it in turn; times are medians of the rounds. Such a
loader is as fast as one gets: one that reads and decodes audio takes far longer, and then the audit waits for it.
"""

import argparse
import resource
import statistics
import time
from collections.abc import Callable

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from audioloss_cli.probe.config import ProbeConfig
from audioloss_cli.probe.data_audit import audit_data
from tests.probe import tiny

_KEPT = 256
Sample = dict[str, Tensor]


class Samples(Dataset[Sample]):
    """``count`` samples, each a roll of one of a few that are kept, so that no two are equal."""

    def __init__(self, count: int, frames: int) -> None:
        self.count = count
        self.kept = [tiny.original_batch(((frames + number % 50,),), seed=number) for number in range(_KEPT)]

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> Sample:
        kept = self.kept[index % _KEPT]
        shift = index // _KEPT
        codes, labels = kept["audio_out_ids"], kept["label_audio_ids"]
        inner = slice(tiny.K, codes.shape[1] - tiny.K)  # the ends stay where they are
        codes, labels = codes.clone(), labels.clone()
        codes[:, inner], labels[:, inner] = codes[:, inner].roll(shift, 1), labels[:, inner].roll(shift, 1)
        return {"text": kept["input_ids"][0], "text_labels": kept["label_ids"][0], "codes": codes, "labels": labels}


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


def loader(count: int = 1000, frames: int = 225, size: int = 8, workers: int = 2) -> DataLoader[Sample]:
    """Of ``count`` samples."""
    return DataLoader(Samples(count, frames), size, collate_fn=collate, num_workers=workers)


def seconds(call: Callable[[], object]) -> tuple[float, float]:
    """Wall time of one call, and CPU time of this process."""
    wall, cpu = time.perf_counter(), time.process_time()
    call()
    return time.perf_counter() - wall, time.process_time() - cpu


def compare(options: argparse.Namespace) -> str:
    """One line of the table."""
    said = {"count": options.samples, "frames": options.frames, "size": options.size, "workers": options.workers}
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
        f"{batches:,} batches of {options.size}, {options.workers} workers: loader alone {1e3 * wall / batches:.2f} ms "
        f"a batch, audit {1e3 * audit_wall / batches:.2f} ms ({audit_wall / wall:.2f}x); CPU of this process "
        f"{1e3 * cpu / batches:.2f} and {1e3 * audit_cpu / batches:.2f} ms; peak memory {peak:.0f} MiB"
    )


def main() -> None:
    """Print the line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=8000)
    parser.add_argument("--frames", type=int, default=225)
    parser.add_argument("--size", type=int, default=8, help="samples of a batch")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--config-json", default="", help="of the model; its published values if not said")
    print(compare(parser.parse_args()))


if __name__ == "__main__":
    main()
