"""What the files beside a log say about its training: model type, task, vocabulary and codebooks.

``config.json`` of a model, ``args.json`` and ``training_args.json`` of a trainer, ``hparams.yaml`` of Lightning. Their
content counts and never their place: they are looked for where the log lies, in the directories above as long as a
trainer makes such ones inside of a run, and in the checkpoints there.
"""

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from stat import S_ISREG
from typing import Any, Literal, NamedTuple

from audioloss_cli.naming.chance import VOCABULARIES
from audioloss_cli.runs.group import is_inner

Task = Literal["", "speech", "recognition", "classification", "preference", "text", "diffusion"]

_NAMES = (
    *("config.json", "args.json", "training_args.json", "hparams.json", "params.json", "model_args.json"),
    *("hparams.yaml", "config.yaml", "args.yaml", "params.yaml"),
)
_UP, _CHECKPOINTS, _MOST_BYTES, _MOST_KEYS, _DEEPEST = 3, 2, 1 << 20, 4000, 4
_LARGEST = 1 << 22  # codes
_ROUND = (1024, 2048, 4096)
_MODEL_KEYS = frozenset({"model_type", "architectures", "task", "task_type", "rlhf_type", "model_name_or_path"})
_AUDIO_VOCABULARY = frozenset(
    {"audio_vocab_size", "audio_codebook_size", "codebook_size", "num_codes", "card", "n_codes", "speech_vocab_size"}
    | {"speech_token_size", "num_audio_tokens", "audio_vocabulary_size", "audio_num_codes"}
)
_ANY_VOCABULARY = frozenset({"vocab_size"})
_CODEBOOKS = frozenset({"num_codebooks", "n_codebooks", "n_q", "audio_num_codebooks", "num_quantizers", "n_quantizers"})
_YAML_LINE = re.compile(r"^([ \t-]*)([A-Za-z_]\w*)[ \t]*:[ \t]+['\"]?([^#'\"\n]{1,200}?)['\"]?[ \t]*(?:#.*)?$")
# Words of model types, architectures and tasks, the surest first.
_TASKS: tuple[tuple[Task, str], ...] = (
    ("classification", r"forsequenceclassification|foraudioclassification|(?:audio|image|text)-classification"),
    (
        "speech",
        r"higgs|moshi|\bcsm\b|musicgen|audiogen|bark|cosyvoice|llasa|orpheus|parler|valle|vall-e|xtts|glm-4-voice",
    ),
    ("speech", r"spark-?tts|qwen3-?tts|\bdia\b|fish-?speech|voicecraft|tortoise|speechgpt|text-to-speech|\btts\b"),
    (
        "recognition",
        r"forctc|forspeechseq2seq|whisper|wav2vec2|hubert|wavlm|seamless|parakeet|canary|trocr|speech_to_text",
    ),
    ("recognition", r"automatic-speech-recognition|\basr\b|translation|marian|nllb|visionencoderdecoder"),
    ("diffusion", r"diffusion|unet|flow.?matching|f5-?tts|matcha|\bdit\b|transformer2dmodel"),
    ("preference", r"\b(?:dpo|grpo|ppo|rlhf|orpo|kto)\b"),
)


class RunFiles(NamedTuple):
    """What the files say; the defaults where they say nothing.

    Attributes:
        task: what is trained.
        task_reason: the file and the words that say so.
        vocabularies: numbers of audio codes that a prediction chooses among.
        codebooks: how many there are; 0 for not known.
        vocabulary_reason: the file and the keys that say so.
    """

    task: Task = ""
    task_reason: str = ""
    vocabularies: tuple[int, ...] = ()
    codebooks: int = 0
    vocabulary_reason: str = ""


def run_files(paths: Iterable[Path]) -> RunFiles:
    """Return what is known of a run from the files beside its logs, ``paths``, the nearest first."""
    found = RunFiles()
    for file in configuration_files(paths):
        pairs = list(islice(_pairs_of(file), _MOST_KEYS))
        found = _with_task(found, file.name, pairs)
        found = _with_vocabulary(found, file.name, pairs)
    return found


def configuration_files(paths: Iterable[Path]) -> Iterator[Path]:
    """Yield the configuration files of the run whose logs are ``paths``, each once, the nearest first."""
    seen = set[Path]()
    for path in paths:
        directory = path.absolute().parent
        for _ in range(_UP + 1):
            if directory in seen:
                break
            seen.add(directory)
            yield from _files_in(directory)
            if not is_inner(directory):
                break
            directory = directory.parent


def _files_in(directory: Path) -> Iterator[Path]:
    try:
        below = os.listdir(directory)  # noqa: PTH208  # no Path for each of ten thousand files
    except OSError:
        return
    there = set(below)
    yield from (file for name in _NAMES if name in there and _is_readable(file := directory / name))
    checkpoints = [name for name in below if name.startswith("checkpoint")]
    configs = [directory / name / "config.json" for name in sorted(checkpoints, reverse=True)]
    yield from islice(filter(_is_readable, configs), _CHECKPOINTS)


def _is_readable(file: Path) -> bool:
    try:
        stat = file.stat()
    except (OSError, ValueError):
        return False
    return S_ISREG(stat.st_mode) and stat.st_size <= _MOST_BYTES


def _pairs_of(file: Path) -> Iterator[tuple[str, Any]]:
    """Keys and plain values, those within others as ``outer.inner``; nothing of a file that cannot be read.

    It is no log, and so what is wrong with it is no defect.
    """
    try:
        text = file.read_text(encoding="utf-8", errors="replace")
        if file.suffix == ".json":
            import json  # noqa: PLC0415  # most runs have no such file

            yield from _flat(json.loads(text), "")
            return
    except (OSError, ValueError, RecursionError):
        return
    for line in text.splitlines():
        if found := _YAML_LINE.match(line):
            key = found[2] if not found[1] else f"yaml.{found[2]}"
            yield key, int(found[3]) if found[3].isdecimal() else found[3]


def _flat(value: Any, outer: str) -> Iterator[tuple[str, Any]]:
    if not isinstance(value, Mapping) or outer.count(".") > _DEEPEST:
        return
    for key, item in value.items():
        if isinstance(item, Mapping):
            yield from _flat(item, f"{outer}{key}.")
        elif isinstance(item, list):
            yield f"{outer}{key}", " ".join(each for each in item[:8] if isinstance(each, str))
        else:
            yield f"{outer}{key}", item


def _with_task(found: RunFiles, name: str, pairs: list[tuple[str, Any]]) -> RunFiles:
    if found.task:
        return found
    # A model within the model, such as the encoder that hears for a model that speaks, does not say what is trained.
    said = [(key, value.lower()) for key, value in pairs if key in _MODEL_KEYS and isinstance(value, str)]
    # The path of a base model is a name like any other; what stands first in it is the disk of somebody.
    said = [(key, value.rstrip("/").rsplit("/", 1)[-1]) for key, value in said]
    for task, pattern in _TASKS if said else ():  # compiled for those who have such files
        for key, value in said:
            if re.search(pattern, value):
                return found._replace(task=task, task_reason=f"{name} says {key} {value[:60]}")
    return found


def _with_vocabulary(found: RunFiles, name: str, pairs: list[tuple[str, Any]]) -> RunFiles:
    sizes, text = _numbers(pairs, _AUDIO_VOCABULARY), _numbers(pairs, _ANY_VOCABULARY)
    codebooks = found.codebooks or next(iter(_numbers(pairs, _CODEBOOKS)), 0)
    if found.vocabularies or not (sizes or text):
        return found._replace(codebooks=codebooks)
    # BOS and EOS of the delay pattern, or EOS alone, are often left out of the number of codes. A vocabulary that may
    # be that of the text alone does not rule out the codes of an audio codec.
    likely = {more for size in sizes for more in ((size, size + 1, size + 2) if size in _ROUND else (size,))}
    known = likely or {*VOCABULARIES, *text}
    reason = f"{name} says {' and '.join(map(str, (sizes or text)[:3]))}"
    return found._replace(vocabularies=tuple(sorted(known)), codebooks=codebooks, vocabulary_reason=reason)


def _last(key: str) -> str:
    return key.rpartition(".")[2]


def _numbers(pairs: list[tuple[str, Any]], keys: frozenset[str]) -> list[int]:
    numbers = [
        value for key, value in pairs if _last(key) in keys and isinstance(value, int) and not isinstance(value, bool)
    ]
    return [number for number in dict.fromkeys(numbers) if 1 < number <= _LARGEST]
