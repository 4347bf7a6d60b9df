"""Whether rows are those of a training log: a data set, predictions and the losses of single samples are none."""

from collections.abc import Sequence
from typing import Any

from audioloss_cli.readers._rows.numbers import number
from audioloss_cli.readers._rows.row import Row, row_of
from audioloss_cli.readers._rows.steps import choose_step

SAMPLES = "samples of a data set, predictions or losses by sample"

_WORDS = ("loss", "perplexity", "ppl", "nll", "grad_norm", "learning_rate", "accuracy", "reward", "entropy")
_SHORT_WORDS = {"ce", "lr", "acc", "wer", "cer"}
# Keys by which a row says that it is about one sample.
_SAMPLE_KEYS = {
    *("id", "idx", "sample_id", "sample", "sample_idx", "sample_index", "utt", "utt_id", "uid", "uuid", "audio_id"),
    *("file", "filename", "file_name", "path", "audio", "audio_path", "audio_filepath", "wav", "wav_path", "clip"),
    *("text", "prompt", "question", "answer", "label", "labels", "transcript", "transcription", "messages"),
    *("conversations", "instruction", "input", "output", "target", "reference", "ref", "hypothesis", "hyp"),
    *("predict", "prediction", "pred", "response", "completion", "generated_text", "caption", "speaker"),
}


def is_training_log(parsed: Sequence[dict[str, Any]]) -> bool:
    """Whether the first rows hold numbers of a training, of its steps or epochs rather than of samples."""
    keys = {key.lower() for row in parsed for key in row}
    is_of_samples = not keys.isdisjoint(_SAMPLE_KEYS)
    if not is_of_samples and any(number(value) is not None for row in parsed[:1] for value in row.values()):
        return True  # as most: to look at each row takes longer than to read it
    rows = [row_of(line, row) for line, row in enumerate(parsed, 1)]
    if not any(row.numbers for row in rows) and any(row.blanks for row in rows):
        return any(row.nulls for row in rows)
    has_steps = choose_step(rows).key is not None
    return has_steps or not is_of_samples


def has_metrics(rows: Sequence[Row]) -> bool:
    """Whether some number is called as those are that a training logs."""
    return any(_is_metric(key) for row in rows for key, _ in row.numbers)


def _is_metric(key: str) -> bool:
    last = key.rpartition("/")[2].lower()
    return any(word in last for word in _WORDS) or not _SHORT_WORDS.isdisjoint(last.split("_"))
