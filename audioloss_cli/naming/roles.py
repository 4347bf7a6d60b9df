"""What a series is, by its name alone; scan, monitor, causes and training ask here.

Tags are compared as words (``tag_words.py``): ``train/AudioLoss_1`` reads "train audio loss 1", whatever the separators
and capitals.
"""

import re
from enum import StrEnum
from functools import lru_cache
from typing import Literal, NamedTuple

from audioloss_cli.naming.tag_words import is_held_out, words

_LOSS = r"(?:loss|losses|ce|nll|xent|cross entropy|crossentropy)"
_AUDIO = r"(?:audio|speech|acoustic)"
# With its number: a codec's own "vq/codebook_loss" is a distance, small by nature, and no cross entropy.
_CODEBOOK = r"(?:codebook|code|cb|quantizer|rvq|vq|c)"

#: What counts as an audio loss: pattern over the words of a tag, and examples.
AUDIO_LOSS_PATTERNS: tuple[tuple[str, str], ...] = (
    (
        rf"\b{_AUDIO}\b.*\b{_LOSS}\b",
        "audio_loss, train/AudioLoss, audio_loss3, audioloss, speech_ce, audio_cross_entropy",
    ),
    (rf"\b{_LOSS}\b.*\b{_AUDIO}\b", "loss/audio, loss_audio, losses/speech"),
    (rf"\b{_CODEBOOK} \d+\b.*\b{_LOSS}\b", "codebook_0_loss, codebook_train/codebook_3_loss, cb0_loss, c0_loss"),
    (rf"\b{_LOSS}\b.*\b{_CODEBOOK} \d+\b", "loss/codebook_7, loss_cb0"),
    (rf"\b{_CODEBOOK}s? {_LOSS}(?: \w+)? \d+\b", "codebook_loss_3, codebook_losses/0, rvq_loss_0, code_loss_5"),
    (r"\bcodebooks? losses\b", "codebook_losses"),
    (r"\bce q \d+\b", "ce_q3"),
    (
        rf"\b(?:depth|depth decoder|depth former|depthformer|depformer|backbone)\b.*\b{_LOSS}\b",
        "depth_loss, depth_decoder_loss, depformer_loss, backbone_loss",
    ),
    (rf"^(?:train )*(?:ac|decoder|(?:sub )?talker) {_LOSS}$", "ac_loss, decoder_loss, talker_loss, sub_talker_loss"),
    (r"\b(?:loss mel ce|mel ce loss|mel token loss)\b", "loss_mel_ce, TrainIterStats/loss_mel_ce"),
)

#: Words that a training loss may have beside "loss"; with any other word it is the loss of something in particular.
TRAINING_LOSS_WORDS = frozenset(
    re.findall(
        r"\w+",
        """train training total tot combined overall global batch step epoch avg average mean running smoothed current
        reduced lm model main metric metrics log logs scalar scalars iter stats inner loss losses ce nll xent
        crossentropy""",
    )
)

# A number about a loss is no loss, and some losses beside that of the codes are small by nature.
_ABOUT_A_LOSS = re.compile(
    r"\b(?:weights?|scale|scaler|coef|coeff|coefficient|lambda|grad|(?<!policy )gradient|norm|lr|std|var|variance|count"
    r"|num|ratio|fraction|frac|percent|share|delta|diff|acc|accuracy|ppl|perplexity|time|mask|masks|masked|enabled|is|nan|inf"
    r"|hparams?|commit|commitment|stop|vq(?! \d))\b"
)
_ANY_LOSS = re.compile(rf"\b{_LOSS}\b")
_AUDIO_LOSS = re.compile("|".join(f"(?:{pattern})" for pattern, _ in AUDIO_LOSS_PATTERNS))
_GRAD_NORM = re.compile(
    r"\b(?:grads?|gradients?) norms?(?: (?:total|all|global|overall|g|generator|mean|avg|value))?$|\bgnorm$"
)
_EPOCH = re.compile(r"(?:^|\b(?:train|training|trainer|progress) )epochs?$")
_STEP = re.compile(
    r"^(?:train |training |trainer |progress )?"
    r"(?:global steps?|global iter(?:ation)?|num updates|n updates|optimi[sz]er steps?)$"
)
_LEARNING_RATE = re.compile(r"(?:^|\b)(?:lr|learning rate|learn rate)(?: (?:group )?\w+| pg \d+)?$|^lr\b")
_TEXT = re.compile(
    rf"^(?:(?:train|training|losses|loss) )?(?:text|llm)(?: (?:loss|ce))?$"
    rf"|\b(?:text|llm|language)\b.*\b{_LOSS}\b|\b{_LOSS}\b.*\b(?:text|llm|language)\b"
)
_TOTAL = re.compile(r"\b(?:total|tot|combined|overall)\b")
_G = r"(?:g|gen|generator)"
_GENERATOR_TOTAL = re.compile(
    rf"^(?:train(?:ing)? )?(?:loss {_G} (?:total|all)|{_G} loss (?:total|all)|total {_G} loss|{_G} total loss)$"
)
_POLICY = re.compile(rf"\b(?:pg|policy|actor|critic|value|vf|kl)\b.*\b{_LOSS}\b|\b{_LOSS}\b.*\b(?:pg|policy|kl)\b")
_OF_A_POLICY = re.compile(rf"\b(?:pg|policy|policy gradient|actor)\b.*\b{_LOSS}\b")
_REWARD = re.compile(r"\b(?:rewards?|advantages?)\b")
# Scores that are better when lower, and higher; a perplexity is the loss once more, and no score of its own.
# A phoneme error rate ends a name; "samples per second" is none.
_ERROR_RATE = re.compile(r"\b(?:wer|cer|mer|ser|per(?! [a-z])|ter|eer|error rate|edit distance)\b")
_TASK_SCORE = re.compile(r"\b(?:(?:sacre|sp)?bleu|chrf|rouge(?: \w+)?|meteor|cider|miou|eer|pesq|stoi)\b")
_SHARE = re.compile(r"\b(?:acc|accuracy|accuracies|f ?1|precision|recall|auc|auroc|map|mcc|exact match|top ?[15])\b")
_SCORE = re.compile(rf"{_ERROR_RATE.pattern}|{_TASK_SCORE.pattern}|{_SHARE.pattern}|\b(?:ppl|perplexity)\b")
_NAMES_AUDIO = re.compile(r"\b(?:audio|speech|acoustic|codebooks?|codec|tts|wav|vocoder|mel|talker|depformer)\b")
_NUMBER = re.compile(r"\b(?:codebooks?|codes?|cb|quantizers?|rvq|vq|c|q)(?: (?:loss|losses))?(?: (?!\d)\w+)? (\d+)\b")
# What the live guard logs of the learning itself: about a loss, a batch and gradients, and none of them to be audited.
_LEARNING = re.compile(r"\blearning (nats below chance(?: codebook \d+)?|label share|audio grad norm)$")
_MOST_DIGITS = 2  # of the number of a codebook; loss_vq_1024 names a size
_SUMMARY = "train loss"  # HF Trainer's average over the run, logged once at its end; a resume makes it meaningless


Score = Literal["", "error", "task", "share"]


class Role(StrEnum):
    """What a series is in its run."""

    AUDIO = "audio loss"
    TEXT = "text loss"
    TRAINING = "training loss"
    LOSS = "loss"
    GRAD_NORM = "gradient norm"
    LEARNING_RATE = "learning rate"
    EPOCH = "epoch"
    STEP = "step"
    REWARD = "reward"
    SCORE = "score"
    LEARNING = "learning figure"
    OTHER = "other"

    @property
    def is_loss(self) -> bool:
        """Whether it is a loss of any kind."""
        return self in (Role.AUDIO, Role.TEXT, Role.TRAINING, Role.LOSS)


class Tag(NamedTuple):
    """What the name of a series says.

    Attributes:
        name: as it was logged, with the directory of ``add_scalars`` where there is one.
        words: its words in lower case, joined with spaces.
        role: what it is.
        held_out: whether it is of an evaluation.
        says_loss: whether a loss is in its name at all, be it a number about one.
        names_audio: whether audio is named in it, whatever it is.
        says_total: of a training loss, whether it says that it is the total.
        part: whether its last part alone makes it a training loss: ``G/loss``.
        codebook: the number of the codebook that it is of; None if of none in particular.
        family: what it has in common with the other codebooks of the same kind; empty without a codebook.
        of_a_policy: whether it is what reinforcement learning lowers, near zero and of either sign: ``policy_loss``.
        is_summary: whether a trainer logs it once, at the end of the run.
        score: of a score, which kind: an ``error`` rate (WER), a score of a ``task`` (BLEU), a ``share`` that is right
            (accuracy); empty for any other, and for a perplexity.
    """

    name: str
    words: str
    role: Role
    held_out: bool
    says_loss: bool
    names_audio: bool
    says_total: bool = False
    part: bool = False
    codebook: int | None = None
    family: str = ""
    of_a_policy: bool = False
    is_summary: bool = False
    score: Score = ""

    @property
    def matters(self) -> bool:
        """Whether an audit may look at its points: to audit them, beside an audited series, or for the cause."""
        return self.role is not Role.OTHER or self.says_loss or self.codebook is not None


@lru_cache(maxsize=1 << 14)
def classify(name: str) -> Tag:
    """Return what the name of a series says; the work is bounded, however long the name is."""
    text = words(name)
    if _LEARNING.search(text):
        number = _number(text)
        return Tag(name, text, Role.LEARNING, is_held_out(name), False, False, codebook=number[1] if number else None)
    says_loss = _ANY_LOSS.search(text) is not None
    is_loss = says_loss and _ABOUT_A_LOSS.search(text) is None
    last = words(re.split("[/.]", name[-200:])[-1])
    number = _number(text)
    role = _role(text, last, is_loss=is_loss)
    return Tag(
        name,
        text,
        role,
        is_held_out(name),
        says_loss,
        _NAMES_AUDIO.search(text) is not None,
        says_total=role is Role.TRAINING and (_TOTAL.search(text) is not None),
        part=role is Role.TRAINING and not _of_training(text),
        codebook=number[1] if number else None,
        family=number[0] if number else "",
        of_a_policy=role is Role.LOSS and _OF_A_POLICY.search(text) is not None,
        is_summary=last == _SUMMARY,
        score=_score_of(text) if role is Role.SCORE else "",
    )


def _role(text: str, last: str, *, is_loss: bool) -> Role:
    if is_loss:
        if _AUDIO_LOSS.search(text):
            return Role.AUDIO
        if _TEXT.search(text):
            return Role.TEXT
        if _of_training(text) or _GENERATOR_TOTAL.search(text) or (_of_training(last) and not _POLICY.search(text)):
            return Role.TRAINING
        return Role.LOSS
    found = (
        (_GRAD_NORM, Role.GRAD_NORM),
        (_EPOCH, Role.EPOCH),
        (_STEP, Role.STEP),
        (_REWARD, Role.REWARD),
        (_SCORE, Role.SCORE),
        (_LEARNING_RATE, Role.LEARNING_RATE),
        (_TEXT, Role.TEXT if _TEXT.fullmatch(text) else Role.OTHER),
    )
    return next((role for pattern, role in found if pattern.search(text)), Role.OTHER)


def _score_of(text: str) -> Score:
    if _ERROR_RATE.search(text):
        return "error"
    if _TASK_SCORE.search(text):
        return "task"
    return "share" if _SHARE.search(text) else ""


def _of_training(spoken: str) -> bool:
    """``text_loss/train`` is none, though its last part has no other word."""
    spoken = spoken.replace("cross entropy", "crossentropy")  # entropy alone is another quantity
    return _ANY_LOSS.search(spoken) is not None and TRAINING_LOSS_WORDS.issuperset(re.findall("[a-z]+", spoken))


def _number(text: str) -> tuple[str, int] | None:
    """What the name has in common with those of the other codebooks, and the number of this one."""
    found = _NUMBER.search(text)
    if not found or len(found[1]) > _MOST_DIGITS:
        return None
    return text[: found.start(1)] + "#" + text[found.end(1) :], int(found[1])
