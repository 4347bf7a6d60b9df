"""The JSON lines of the benchmark: ``rows(directory, size)``, and ``drawn_1(directory, size)``, drawn by a seed."""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from random import Random

from tests.benchmarks.reading.curves import healthy

FILE = "log.jsonl"
_NAMES = (
    *("epoch", "loss", "text_loss", "grad_norm", "learning_rate", "tokens_per_s", "time_per_step", "memory_gb"),
    *("codebook_0_loss", "codebook_1_loss", "codebook_2_loss", "codebook_3_loss", "accuracy", "perplexity", "scale"),
)
_TEXTS = (("train",), ("cuda:0", "cuda:1", "cuda:2"), ("INFO",), ("2025-08-14 12:00:00", "2025-08-14 12:00:01"))


def rows(directory: Path, size: int) -> None:
    """Lines of about 200 bytes, nine columns, of which two are wanted."""
    directory.mkdir(parents=True, exist_ok=True)
    with (directory / FILE).open("w", encoding="utf-8") as stream:
        stream.writelines(
            json.dumps(
                {
                    "step": step,
                    "epoch": round(step / 12345, 4),
                    "loss": round(loss, 6),
                    "audio_loss": loss + 0.5,
                    "text_loss": round(loss / 2, 5),
                    "grad_norm": round(loss / 3, 6),
                    "learning_rate": 2e-05 * (1 - step / size),
                    "tokens_per_s": round(9000 + 100 * loss, 1),
                    "rank": 0,
                }
            )
            + "\n"
            for step, loss in enumerate(healthy(size))
        )


def drawn(seed: int, directory: Path, size: int) -> None:
    """Lines of which a seed draws how many keys, their order, the format of each number, texts, and a second kind."""
    directory.mkdir(parents=True, exist_ok=True)
    rng = Random(seed)
    keys = ["step", "audio_loss", *rng.sample(_NAMES, rng.randint(2, len(_NAMES)))]
    rng.shuffle(keys)
    fields = [_number_field(rng, key) for key in keys]
    for number, texts in enumerate(rng.sample(_TEXTS, rng.randint(0, 3))):
        fields.insert(rng.randint(0, len(fields)), _text_field(f"text_{number}", texts))
    evaluation = [_number_field(rng, key) for key in ("step", "eval_audio_loss", "eval_runtime")]
    between, every = rng.choice([", ", ","]), rng.choice([10, 50, 200, 1000])
    with (directory / FILE).open("w", encoding="utf-8") as stream:
        for step, loss in enumerate(healthy(size, seed)):
            for kind in (fields, evaluation) if step % every == every - 1 else (fields,):
                stream.write("{" + between.join([field(step, loss) for field in kind]) + "}\n")


_Field = Callable[[int, float], str]


def _number_field(rng: Random, key: str) -> _Field:
    """A key and its number: with 4 to 17 digits, or so many and an exponent."""
    if key == "step":
        return lambda step, _: f'"step": {step}'
    digits, kind = rng.randint(4, 17), rng.choice("gge")
    form = f'"{key}": {{:.{digits - (kind == "e")}{kind}}}'
    scale = rng.choice([1.0, 1.0, 0.37, 1e-5, 1234.5])
    return lambda _, loss: form.format(loss * scale)


def _text_field(key: str, texts: tuple[str, ...]) -> _Field:
    return lambda step, _: f'"{key}": "{texts[step % len(texts)]}"'


drawn_1, drawn_2, drawn_3, drawn_4 = (partial(drawn, seed) for seed in (1, 2, 3, 4))
