"""The event files of each work: ``NAME(directory, size)`` writes ``size`` scalar points, the same for the same size."""

import random
from collections.abc import Iterator, Sequence
from itertools import cycle, islice
from pathlib import Path

import numpy as np
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.plugins.scalar.summary_v2 import scalar_pb

from tests.benchmarks.reading.curves import healthy
from tests.benchmarks.reading.event_files import write

FILE = "run/events.out.tfevents.0.benchmark"
USUAL = ("train/loss", "train/audio_loss", "train/grad_norm", "train/learning_rate")
HELD_OUT = ("eval/loss", "eval/audio_loss", "eval/runtime")
MANY = tuple(f"train/codebook_{index}_loss" for index in range(8)) + tuple(
    f"train/metric_{index}" for index in range(14)
)
_RUNS_POINTS, _SMALL_RUNS_POINTS = 5000, 500
_EVALS_EVERY = 500  # steps
_BLOB_BYTES, _SCALARS_BETWEEN_BLOBS = 500_000, 98


def scalars(directory: Path, size: int) -> None:
    """What a training loop logs with torch's SummaryWriter: one value an event, four tags a step."""
    write(directory / FILE, single(zip(_steps(size, len(USUAL)), cycle(USUAL)), size))


def runs(directory: Path, size: int, points: int = _RUNS_POINTS) -> None:
    """Runs of 5,000 events, one a directory."""
    for index in range(-(-size // points)):
        count = min(points, size - index * points)
        name = f"run-{index:04d}/{Path(FILE).name}"
        write(directory / name, single(zip(_steps(count, len(USUAL)), cycle(USUAL)), count, seed=index))


def small_runs(directory: Path, size: int) -> None:
    """Runs of 500 events, one a directory."""
    runs(directory, size, _SMALL_RUNS_POINTS)


def random_tags(directory: Path, size: int) -> None:
    """22 tags in random order, each event at a step of its own: rustboard keeps one point of a tag and step."""
    chosen = random.Random(0)
    write(directory / FILE, single(((step, chosen.choice(MANY)) for step in range(size)), size))


def evals(directory: Path, size: int) -> None:
    """Four tags a step, and every 500 steps three more of a held-out set."""
    write(directory / FILE, single(islice(_with_evals(), size), size))


def several_values(directory: Path, size: int) -> None:
    """Five values an event, as a merged summary writes them."""
    event = Event()
    values = [event.summary.value.add(tag=tag) for tag in (*USUAL, "train/tokens_per_second")]
    numbers = healthy(size)

    def events() -> Iterator[Event]:
        for step in range(size // len(values)):
            event.step, event.wall_time = step, _wall_time(step)
            for value in values:
                value.simple_value = next(numbers)
            yield event

    write(directory / FILE, events())


def tensors(directory: Path, size: int) -> None:
    """TensorFlow 2's scalars: a tensor without dimensions, four bytes of content, and the plugin's name every time."""
    event = Event(summary=scalar_pb("train/audio_loss", 0.0))
    tensor = event.summary.value[0].tensor
    tensor.ClearField("float_val")
    contents = np.fromiter(healthy(size), "<f4", size).tobytes()

    def events() -> Iterator[Event]:
        for step in range(size):
            event.step, event.wall_time = step, _wall_time(step)
            tensor.tensor_content = contents[4 * step : 4 * step + 4]
            yield event

    write(directory / FILE, events())


def blobs(directory: Path, size: int) -> None:
    """Images and clips of 500 kB of noise between the scalars, by turns: 510 MB with 100,000 points."""
    noise = random.Random(0)
    scalar_events = single(zip(_steps(size, len(USUAL)), cycle(USUAL)), size)

    def events() -> Iterator[Event]:
        for number, event in enumerate(scalar_events):
            if number % _SCALARS_BETWEEN_BLOBS == 0:
                yield _blob(event, noise.randbytes(_BLOB_BYTES), number // _SCALARS_BETWEEN_BLOBS)
            yield event

    write(directory / FILE, events())


def _blob(beside: Event, content: bytes, number: int) -> Event:
    event = Event(step=beside.step, wall_time=beside.wall_time)
    if number % 2:
        event.summary.value.add(tag="eval/clip").audio.encoded_audio_string = content
    else:
        event.summary.value.add(tag="eval/spectrogram").image.encoded_image_string = content
    return event


def single(points: Iterator[tuple[int, str]], size: int, seed: int = 0) -> Iterator[Event]:
    """Yield one value an event; the message of a tag is used again and again."""
    messages: dict[str, tuple[Event, object]] = {}
    for number, ((step, tag), value) in enumerate(zip(points, healthy(size, seed), strict=False)):
        if tag not in messages:
            event = Event()
            messages[tag] = event, event.summary.value.add(tag=tag)
        event, summary = messages[tag]
        event.step, event.wall_time, summary.simple_value = step, _wall_time(number), value
        yield event


def _steps(size: int, tags: int) -> Iterator[int]:
    return (number // tags for number in range(size))


def _with_evals() -> Iterator[tuple[int, str]]:
    step = 0
    while True:
        tags: Sequence[str] = USUAL + HELD_OUT if step % _EVALS_EVERY == _EVALS_EVERY - 1 else USUAL
        yield from ((step, tag) for tag in tags)
        step += 1


def _wall_time(number: int) -> float:
    """Unix seconds that take all the bits a clock gives."""
    return 1.7e9 + number * 0.0731928374
