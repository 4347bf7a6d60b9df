"""Which series of a run are audited: audio losses by name, or the training loss for want of one.

Tags are compared as words: ``train/AudioLoss_1`` reads "train audio loss 1", whatever the separators and capitals.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import NamedTuple

from audioloss_cli.model.report import Role
from audioloss_cli.naming import TagPattern
from audioloss_cli.naming.tag_words import is_held_out, words

_LOSS = r"(?:loss|losses|ce|nll|xent|cross entropy|crossentropy)"
_AUDIO = r"(?:audio|speech|acoustic)"
# With its number: a codec's own "vq/codebook_loss" is a distance, small by nature, and no cross entropy.
_CODEBOOK = r"(?:codebook|cb|quantizer|rvq|vq|c)"

#: What counts as an audio loss: pattern over the words of a tag, and examples.
AUDIO_LOSS_PATTERNS: tuple[tuple[str, str], ...] = (
    (
        rf"\b{_AUDIO}\b.*\b{_LOSS}\b",
        "audio_loss, train/AudioLoss, audio_loss3, audioloss, speech_ce, audio_cross_entropy",
    ),
    (rf"\b{_LOSS}\b.*\b{_AUDIO}\b", "loss/audio, loss_audio, losses/speech"),
    (rf"\b{_CODEBOOK} \d+\b.*\b{_LOSS}\b", "codebook_0_loss, codebook_train/codebook_3_loss, cb0_loss, c0_loss"),
    (rf"\b{_LOSS}\b.*\b{_CODEBOOK} \d+\b", "loss/codebook_7, loss_cb0"),
    (rf"\b{_CODEBOOK}s? {_LOSS}(?: \w+)? \d+\b", "codebook_loss_3, codebook_losses/0, rvq_loss_0"),
    (r"\bcodebooks? losses\b", "codebook_losses"),
    (r"\bce q \d+\b", "ce_q3"),
    (
        rf"\b(?:depth|depth decoder|depth former|depthformer|depformer|backbone)\b.*\b{_LOSS}\b",
        "depth_loss, depth_decoder_loss, depformer_loss, backbone_loss",
    ),
)

#: Words that a training loss may have beside "loss"; with any other word it is the loss of something in particular.
TRAINING_LOSS_WORDS = frozenset(
    re.findall(
        r"\w+",
        """train training total combined overall global batch step epoch avg average mean running smoothed lm model main
        metric metrics log logs scalar scalars loss losses ce nll xent crossentropy""",
    )
)

# A number about a loss is no loss, and some losses beside that of the codes are small by nature.
_ABOUT_A_LOSS = re.compile(
    r"\b(?:weights?|scale|scaler|coef|coeff|coefficient|lambda|grad|gradient|norm|lr|std|var|variance|count|num|ratio"
    r"|fraction|frac|percent|share|delta|diff|acc|accuracy|ppl|perplexity|time|mask|masks|masked|enabled|is|nan|inf"
    r"|hparams?|commit|commitment|stop|vq(?! \d))\b"
)
_ANY_LOSS = re.compile(rf"\b{_LOSS}\b")
_AUDIO_LOSS = re.compile("|".join(f"(?:{pattern})" for pattern, _ in AUDIO_LOSS_PATTERNS))
_SUMMARY = "train loss"  # HF Trainer's average over the run, logged once at its end; a resume makes it meaningless


class Selection(NamedTuple):
    """Tags to audit, each with why, and whether the training loss stands in for an audio loss of the training."""

    roles: dict[str, Role]
    fell_back: bool = False


def select(names: Mapping[str, str], wanted: Sequence[TagPattern] = (), *, all_losses: bool = False) -> Selection:
    """Choose among the scalar tags of one run; the order is theirs.

    Args:
        names: each tag, and the name by which to judge it (see ``full_name``).
        wanted: when given, nothing else counts.
        all_losses: every tag with a loss in its name, held-out ones too.

    A held-out audio loss is audited as well, for near zero is as wrong there, but stands in for nothing.
    """
    if wanted:
        return Selection(dict.fromkeys((tag for tag in names if any(each.matches(tag) for each in wanted)), "selected"))
    spoken = {tag: words(name) for tag, name in names.items()}
    losses = {tag: text for tag, text in spoken.items() if _ANY_LOSS.search(text) and not _ABOUT_A_LOSS.search(text)}
    if all_losses:
        return Selection(dict.fromkeys(losses, "loss"))
    roles: dict[str, Role] = {tag: "audio" for tag, text in losses.items() if _AUDIO_LOSS.search(text)}
    if any(not is_held_out(names[tag]) for tag in roles):
        return Selection(roles)
    training = _training_losses({tag: names[tag] for tag in losses if tag not in roles})
    return Selection(
        {tag: roles.get(tag, "training") for tag in names if tag in roles or tag in training}, bool(training)
    )


def has_loss(name: str) -> bool:
    """Whether a loss is in the name at all; no other tag is audited unless it is asked for."""
    return _ANY_LOSS.search(words(name)) is not None


def full_name(tag: str, directory: str) -> str:
    """The name of a scalar that torch's ``add_scalars(tag, {key: ...})`` put into a directory of its own: ``tag/key``.

    The directory is called ``<tag with / as _>_<key>`` (torch/utils/tensorboard/writer.py).
    """
    prefix = tag.replace("/", "_") + "_"
    key = directory.removeprefix(prefix)
    return f"{tag}/{key}" if key != directory and key else tag


def closest(wanted: Iterable[str], tags: Sequence[str]) -> list[str]:
    """Tags that a mistyped pattern may have meant."""
    return [match for pattern in wanted for match in get_close_matches(pattern, tags, n=1)]


def _training_losses(losses: Mapping[str, str]) -> list[str]:
    """Those whose whole name is that of a training loss; for want of any, those whose last part is (``G/loss``)."""
    kept = {tag: name for tag, name in losses.items() if not is_held_out(name)}
    whole = [tag for tag, name in kept.items() if _of_training(words(name))]
    found = whole or [tag for tag, name in kept.items() if _of_training(_last_part(name))]
    without_summary = [tag for tag in found if _last_part(kept[tag]) != _SUMMARY]
    return without_summary if any(_last_part(kept[tag]) == "loss" for tag in found) else found


def _of_training(spoken: str) -> bool:
    """``text_loss/train`` is none, though its last part has no other word."""
    spoken = spoken.replace("cross entropy", "crossentropy")  # entropy alone is another quantity
    return _ANY_LOSS.search(spoken) is not None and TRAINING_LOSS_WORDS.issuperset(re.findall("[a-z]+", spoken))


def _last_part(name: str) -> str:
    return words(re.split("[/.]", name)[-1])
