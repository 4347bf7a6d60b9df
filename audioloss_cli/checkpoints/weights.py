"""Which tensors are weights, by their names and shapes, and which of them are the audio's."""

import re
from collections.abc import Iterator

from audioloss_cli.checkpoints.evidence import CheckpointEvidence
from audioloss_cli.checkpoints.families import members
from audioloss_cli.checkpoints.health import TensorStatistics
from audioloss_cli.checkpoints.stored import ITEMSIZES, StoredTensor

_FLOATS = ("F", "BF", "C")
#: Statistics, tables and masks that a model keeps beside its weights, in whatever range they are.
_BUFFER = re.compile(
    r"running_(?:mean|var)|cluster_|embed_avg|ema_|inv_freq|freqs|(?:^|[._])(?:cos|sin|mean|std|var|window)\b"
    r"|mask|position|filter|mel_|scale|zero_point|num_batches|_extra_state|logit_bias|alibi"
)
_MASK = re.compile(r"mask|causal", re.IGNORECASE)
_WEIGHT = re.compile(r"(?:weight|kernel|_proj|embedding|embeddings)$|(?:^|\.)lora_[AB]\b")


def is_float(tensor: StoredTensor) -> bool:
    """Tell whether its values are floats, or complex."""
    return tensor.dtype.startswith(_FLOATS)


def is_buffer(name: str) -> bool:
    """Tell by its name whether a tensor is no parameter: statistics, tables, masks, scales of quantised weights."""
    return _BUFFER.search(name) is not None


def is_matrix(tensor: StoredTensor) -> bool:
    """Tell whether at least two axes have more than one place: no bias, no norm, no scale of channels."""
    return sum(size > 1 for size in tensor.shape) > 1


def is_lora(name: str) -> bool:
    """Tell whether a tensor is of an adapter: one half of a new one is zero."""
    return "lora_" in name


def audio_names(evidence: CheckpointEvidence) -> set[str]:
    """Names of the tensors that the family counts to its audio."""
    return set(members(evidence.family, evidence.checkpoint.tensors, "head", "embeddings", "ffn"))


def weight_matrices(evidence: CheckpointEvidence) -> Iterator[tuple[str, StoredTensor, TensorStatistics, bool]]:
    """Yield name, tensor, statistics and whether it is audio's, of all matrices of floats that are trained from noise.

    Halves of adapters are left out: one of them begins as zeros.
    """
    audio = audio_names(evidence)
    for name, found in evidence.statistics.items():
        tensor = evidence.checkpoint.tensors.get(name)
        if tensor is None or not is_float(tensor) or not is_matrix(tensor) or is_lora(name) or is_buffer(name):
            continue
        if name in audio or _WEIGHT.search(name):
            yield name, tensor, found, name in audio


def layers_as_stars(name: str) -> str:
    """``layers.*.mlp``: the numbers in a name, whatever they are."""
    return re.sub(r"(?<![^.])\d+(?![^.])", "*", name)


def faulty_names(evidence: CheckpointEvidence) -> set[str]:
    """Names of tensors with NaN or infinity, of weight matrices that are zero or one number, and of what is unread."""
    found = {name for name, each in evidence.statistics.items() if has_bad_values(name, each)}
    found |= {name for name, _, each, _ in weight_matrices(evidence) if each.is_constant}
    if evidence.statistics:
        tensors = evidence.checkpoint.tensors
        found |= {name for name in tensors if name not in evidence.statistics and tensors[name].dtype in ITEMSIZES}
    return found


def has_bad_values(name: str, found: TensorStatistics) -> bool:
    """Tell whether values are NaN, or infinite where they are not so by design, as in a mask."""
    return bool(found.nan or (found.infinite and not _MASK.search(name)))
