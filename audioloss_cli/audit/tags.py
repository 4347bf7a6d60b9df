"""Which series of a run are audited: audio losses by name, or the training loss for want of one.

Tags are compared as words: ``train/AudioLoss_1`` reads "train audio loss 1", whatever the separators and capitals.
"""

import re
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import NamedTuple

from audioloss_cli.records.report import Role

_LOSS = r"(?:loss|losses|ce|nll|xent)"
# With its number: a codec's own "vq/codebook_loss" is a distance, small by nature, and no cross entropy.
_CODEBOOK = r"(?:codebook|cb|quantizer|rvq|vq|q) ?\d+"

#: What counts as an audio loss: pattern over the words of a tag, and examples.
AUDIO_LOSS_PATTERNS: tuple[tuple[str, str], ...] = (
    (rf"\b(?:audio|speech|acoustic)\b.*\b{_LOSS}\b", "audio_loss, train/audio_loss, speech_ce"),
    (rf"\b{_LOSS}\b.*\b(?:audio|speech|acoustic)\b", "loss/audio, loss_audio, losses/speech"),
    (rf"\b{_CODEBOOK}\b.*\b{_LOSS}\b", "codebook_0_loss, codebook_train/codebook_3_loss, q1_loss"),
    (rf"\b{_LOSS}\b.*\b{_CODEBOOK}\b", "ce_q3, loss/codebook_7, loss_cb0"),
    (r"\bcodebooks? losses\b", "codebook_losses, codebook_losses/0"),
    (
        rf"\b(?:depth|depth ?decoder|depth ?former|backbone)\b.*\b{_LOSS}\b",
        "depth_loss, depth_decoder_loss, backbone_loss",
    ),
)

#: Words that a training loss may have beside "loss"; with any other word it is the loss of something in particular.
TRAINING_LOSS_WORDS = frozenset(
    re.findall(
        r"\w+",
        """train training total combined overall global batch step epoch avg average mean running smoothed lm model main
        metric metrics log logs scalar scalars loss losses ce nll xent""",
    )
)

# A number about a loss is no loss; a held-out loss is not what the trainer minimises.
_ABOUT_A_LOSS = re.compile(
    r"\b(?:weight|weights|scale|scaler|coef|coeff|coefficient|lambda|grad|gradient|norm|lr|std|var|variance|count|num|ratio"
    r"|acc|accuracy|ppl|perplexity|time)\b"
)
_HELD_OUT = re.compile(r"\b(?:eval|evaluation|val|valid|validation|test|dev|holdout)\b")
_ANY_LOSS = re.compile(rf"\b{_LOSS}\b")
_AUDIO = re.compile("|".join(f"(?:{pattern})" for pattern, _ in AUDIO_LOSS_PATTERNS))
_REGEX_PREFIX = "re:"


class Selection(NamedTuple):
    """The tags to audit, and why these."""

    tags: list[str]
    role: Role


def select(tags: Sequence[str], wanted: Sequence[str] = (), *, all_losses: bool = False) -> Selection:
    """Choose among the scalar tags of one run; the order is that of ``tags``.

    Args:
        tags: all of them.
        wanted: globs, or regular expressions behind ``re:``; when given, nothing else counts.
        all_losses: every tag with a loss in its name, held-out ones too.

    An audio loss counts even where it is a held-out one: near zero is as wrong there.
    """
    if wanted:
        return Selection([tag for tag in tags if any(matches(tag, pattern) for pattern in wanted)], "selected")
    losses = [tag for tag in tags if _ANY_LOSS.search(words(tag)) and not _ABOUT_A_LOSS.search(words(tag))]
    if all_losses:
        return Selection(losses, "loss")
    audio = [tag for tag in losses if _AUDIO.search(words(tag))]
    return Selection(audio, "audio") if audio else Selection(_training_losses(losses), "training")


def matches(tag: str, pattern: str) -> bool:
    """Whether the tag is the pattern, fits it as a glob (``*`` crosses ``/``), or, behind ``re:``, as a regex."""
    if pattern.startswith(_REGEX_PREFIX):
        return re.search(pattern.removeprefix(_REGEX_PREFIX), tag) is not None
    return tag == pattern or fnmatchcase(tag, pattern)


def closest(wanted: Iterable[str], tags: Sequence[str]) -> list[str]:
    """Tags that a mistyped pattern may have meant."""
    return [match for pattern in wanted for match in get_close_matches(pattern, tags, n=1)]


def words(tag: str) -> str:
    """The lower-case words of a tag, joined with spaces; ``AudioLoss`` is two words, ``codebook3`` one."""
    split = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", tag)
    return " ".join(re.findall(r"[a-z0-9]+", split.lower()))


def _training_losses(losses: Sequence[str]) -> list[str]:
    """Those whose whole name is that of a training loss; for want of any, those whose last part is (``G/loss``)."""
    kept = [tag for tag in losses if not _HELD_OUT.search(words(tag))]
    whole = [tag for tag in kept if TRAINING_LOSS_WORDS.issuperset(words(tag).split())]
    return whole or [tag for tag in kept if TRAINING_LOSS_WORDS.issuperset(words(re.split("[/.]", tag)[-1]).split())]
