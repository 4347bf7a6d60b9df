"""What the name of a loss says about its size: a distance is small by nature, a likelihood may be negative."""

import re
from functools import lru_cache
from typing import Literal, NamedTuple

from audioloss_cli.naming.tag_words import words

Size = Literal["small", "signed", "rl"]


class Nature(NamedTuple):
    """What a name says.

    Attributes:
        size: ``small`` for what may be thousandths in a healthy run, ``signed`` for what may be negative, ``rl`` for
            what may be anything finite, and grow in a healthy run.
        word: the words of the name that say so.
        what: what they are words for.
        strong: whether they say so of a loss of audio, too.
    """

    size: Size
    word: str
    what: str
    strong: bool


#: Words that say that a loss is no cross entropy over codes, what they are words for, what follows for its size, and
#: whether they say so of a loss of audio, too: ``audio_gen_loss`` may be the cross entropy of what is generated.
NATURES: tuple[tuple[str, str, Size, bool], ...] = (
    (r"si snri?|sisnri?|si sdri?|sisdri?|sdr|snr|pit", "a ratio of signals", "signed", True),
    (r"log likelihood|loglik|log prob|logprobs?|log det|logdet|elbo", "a likelihood", "signed", True),
    (
        r"mse|rmse|mae|l ?1|l ?2|huber|charbonnier|distances?|cosine|regression|reconstruction|reconstructed|recons?"
        r"|waveform|mels?|(?:mr ?)?stft|spectral|spectrogram|perceptual|lpips|ssim|psnr",
        "a distance",
        "small",
        True,
    ),
    (r"log durations?|durations?|durs?|pitch|f 0|prosody", "a regression", "small", True),
    (
        r"diffusion|denois\w*|ddpm|noise|eps|epsilon|flow|cfm|velocity|score matching|vlb|rectified",
        "diffusion or flow matching",
        "small",
        True,
    ),
    (r"kl|kld|divergence|diversity|commit\w*", "a penalty", "rl", True),
    (r"distil\w*|kd|teacher", "a divergence from a teacher", "small", True),
    (r"guided attention|monotonic", "an alignment", "small", True),
    (r"reg|rec|spec|mag|phase|energy|offsets?", "a distance", "small", False),
    (
        r"bbox|box(?:es)?|rpn|loc|locali[sz]ation|[gdc]?iou|dfl|heat ?maps?|hm|key ?points?|kpts?|dice|pose|centerness",
        "a place in an image",
        "small",
        False,
    ),
    (
        r"adv|adversarial|gan|gen|generator|discs?|discriminators?|critics?|fake|real|fm|feat|feats|features?|fmap|gp",
        "adversarial training",
        "rl",
        False,
    ),
    (
        r"penalty|regulari[sz]\w*|aux|auxiliary|balanc\w*|router|z|orth\w*|sparsity|entropy|smoothness|tv|decay"
        r"|consistency|align\w*|attn|attention",
        "a penalty",
        "rl",
        False,
    ),
    (r"ctc|rnnt|rnn t|transducer|asr|mwer", "speech recognition", "small", False),
    (
        r"cls|class|classification|classifier|vad|detection|det|speaker|spk|emotion|language id|lid|gender|stop|gate",
        "a classification",
        "small",
        False,
    ),
)
# Words of a cross entropy over tokens or codes: what they name may be a mel token as well as a code.
_ENTROPY = re.compile(r"\b(?:ce|nll|xent|cross entropy|crossentropy|tokens?|codes?|lm)\b")
_PATTERNS = [(re.compile(rf"\b(?:{pattern})\b"), what, size, strong) for pattern, what, size, strong in NATURES]
# Names of numbers that a policy logs: no supervised training has them.
_POLICY = re.compile(
    r"\b(?:rewards?|advantages?|clip(?:ped)? ratios?|clip ?frac(?:tion)?|pg clipfrac|approx kl|ppo kl|completions?"
    r"(?: (?:mean|min|max|clipped|length|lengths))*|completion length|rollouts?|returns?|policy|pg loss|vf loss|kl)\b"
)


@lru_cache(maxsize=1 << 12)
def nature_of(name: str) -> Nature | None:
    """Return what a loss is by its name, if that is no cross entropy over codes; None if the name does not say."""
    text = words(name)
    if _ENTROPY.search(text):
        return None
    for pattern, what, size, strong in _PATTERNS:
        found = pattern.search(text)
        if found:
            return Nature(size, found[0], what, strong)
    return None


@lru_cache(maxsize=1 << 12)
def is_of_policy(name: str) -> str:
    """Return the words that only reinforcement learning logs, such as ``clip ratio``; empty if there are none."""
    found = _POLICY.search(words(name))
    return found[0] if found else ""
