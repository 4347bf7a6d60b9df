"""What a log holds for and against a loss that is small by nature; each piece is a clause for the report, or empty."""

import math
import re
from collections.abc import Iterator, Sequence
from itertools import islice

from audioloss_cli.model import Series
from audioloss_cli.model.median import median
from audioloss_cli.naming import Role, Tag
from audioloss_cli.naming.nature import Nature, is_of_policy, nature_of
from audioloss_cli.runs.companions import RunTags

_MOST = 1 << 16  # points of a series that are looked at, evenly chosen
_LATEST = 5
_NEGATIVE, _SHARE_NEGATIVE = 0.01, 0.1  # thresholds below 0, and the share of points there
_GARBAGE, _PERFECT = 1.0, 0.999  # of an error rate; of an accuracy, which a leak has as well
_STAYS = 4.0  # a held-out loss that falls by more has followed
_HIGH = 20.0  # warning thresholds: a held-out loss above is that of a task which is not solved
_BEFORE = 5.0  # ... measured while the training loss was still above so many
_PARTS = 2
_NOT_LOW, _LOW = 1.0, 0.1  # nats: above, a loss is not low by nature; below, it was when a score was first measured
_REGRESSION = re.compile(r"\b(?:mse|rmse|mae|psnr|ssim|r 2|r2|icc|pearson|spearman)\b")
_STRICT = ("clip", "completion", "rollout", "advantage", "reward", "ppo", "approx", "vf", "pg", "policy")
_SCALED, _CONSTANT, _LEAST_ALIKE = 0.1, 0.02, 8


def finite(series: Series) -> list[float]:
    """Its finite values; of very many an even choice."""
    stride = 1 + len(series) // _MOST
    return [value for value in series.values[::stride] if math.isfinite(value)]


def latest(series: Series) -> float:
    """Median of its last finite values; NaN without any."""
    values = [value for value in series.values[-4 * _LATEST :] if math.isfinite(value)][-_LATEST:]
    return median(values) if values else math.nan


def negative(series: Series, threshold: float) -> str:
    """Whether the values themselves say that it is no cross entropy, which is never negative."""
    values = finite(series)
    below = sum(value < -_NEGATIVE * threshold for value in values)
    if not below or below < _SHARE_NEGATIVE * len(values):
        return ""
    return f"it goes down to {min(values):.4g}, and no cross entropy is negative"


def by_name(tag: Tag) -> Nature | None:
    """What its name says it is; of a loss of audio, and of a codebook, only what leaves no doubt."""
    nature = nature_of(tag.name)
    return nature if nature is None or nature.strong or tag.role is not Role.AUDIO else None


def of_policy(tags: RunTags) -> str:
    """What is logged that only reinforcement learning logs: several things, at least one of which nothing else has."""
    signs = tags.of("sign of a policy", lambda tag: bool(is_of_policy(tag.words)))
    found = {is_of_policy(tags.tags[series.tag].words): series.tag for series in signs}
    if len(found) < _PARTS or not any(word.startswith(_STRICT) for word in found):
        return ""
    return f"{' and '.join(sorted(found.values())[:3])} are logged, as a policy is trained"


def scored(series: Series, tags: RunTags) -> str:
    """A score of a task beside the loss: it names the task, or shows that a low loss is no sign of a trivial one.

    Beside a loss that is not low, or is 0 all along, it says nothing: who guesses has an accuracy as well.
    """
    if latest(series) > _NOT_LOW or is_zero_throughout(series):
        return ""
    for other in tags.of("score", lambda tag: bool(tag.score)):
        tag = tags.tags[other.tag]
        if clause := _of_score(series, other, tag):
            return clause
    return ""


def _of_score(series: Series, other: Series, tag: Tag) -> str:
    values = finite(other)
    if not values:
        return ""
    first, last = values[0], median(values[-_LATEST:]) if len(values) > _LATEST else values[-1]
    said = f"{other.tag} goes from {first:.4g} to {last:.4g}" if len(values) > 1 else f"{other.tag} is {last:.4g}"
    if tag.score == "error":
        worst = _GARBAGE * (100.0 if max(values) > 2 * _GARBAGE else 1.0)
        return said if last < worst and last <= max(first, min(values) * 1.5) else ""
    if tag.score == "task":
        return said if last > 0 and last >= first / 1.5 else ""
    return said if _is_no_leak(series, other, values, last, held_out=tag.held_out) else ""


def _is_no_leak(series: Series, other: Series, values: Sequence[float], last: float, *, held_out: bool) -> bool:
    """Whether a share of right answers tells a learnt task from a trivial one.

    On the training data each wrong answer costs ln 2 at least: an accuracy says nothing that the loss does not say,
    unless it contradicts a cross entropy so low.
    """
    unit = 100.0 if max(values) > 1.5 else 1.0  # noqa: PLR2004
    share, loss = last / unit, latest(series)
    if held_out:
        if _value_at(series, other.steps[0]) < _LOW:  # measured when there was nothing to learn any more
            return False
        return 0 < share < _PERFECT and last >= 0.9 * max(values)
    return math.isfinite(loss) and 0 < share < 1 - loss / math.log(2) - 0.02


def regression(series: Series, tags: RunTags) -> str:
    """Scores of a regression beside the loss, which a model of codes has not."""
    if is_zero_throughout(series):
        return ""
    signs = tags.of("score of a regression", lambda tag: not tag.says_loss and bool(_REGRESSION.search(tag.words)))
    for sign in signs:
        found = _REGRESSION.search(tags.tags[sign.tag].words)
        return f"{sign.tag} is logged ({found[0] if found else ''}), as of a regression"
    return ""


def memorised(series: Series, tags: RunTags, threshold: float) -> str:
    """A held-out loss that stays well above: what was learnt by heart is no trivial task, and it is no leak."""
    for other in tags.of("held-out loss", lambda tag: tag.held_out and tag.role.is_loss):
        if tags.tags[other.tag].role in (Role.AUDIO, Role.TEXT) or other.tag == series.tag:
            continue
        values = finite(other)
        if len(values) < _PARTS or not all(math.isfinite(value) for value in other.values):
            continue
        then, late = _value_at(series, other.steps[0]), other.steps[-1] >= max(series.steps) / 2
        last, stays = values[-1], values[-1] >= max(values[0], 0.0) / _STAYS
        if stays and late and last >= _HIGH * threshold and then >= _BEFORE * threshold and last > 2 * latest(series):
            return f"{other.tag} stays at {last:.4g} ({values[0]:.4g} at first), so that data is learnt by heart"
    return ""


def _value_at(series: Series, step: int) -> float:
    before = math.nan
    for place, value in zip(series.steps, series.values, strict=True):
        if place > step and math.isfinite(before):
            break
        before = value if math.isfinite(value) else before
    return before


def distances_beside(series: Series, tags: RunTags) -> str:
    """Losses beside it that name distances, adversaries or boxes: the run trains no language model."""
    found = list(_parts(series, tags))
    kinds = {nature.what for _, nature in found}
    if len(found) < _PARTS or len(kinds) < _PARTS:
        return ""
    return f"{' and '.join(tag for tag, _ in found[:3])} stand beside it, as where no tokens are predicted"


def quantised_beside(series: Series, tags: RunTags) -> str:
    """A codec's own losses beside those of its codebooks, which are distances then."""
    for other in tags.of("loss of a codec", _is_of_a_codec):
        if other.tag != series.tag:
            return f"{other.tag} stands beside it, as where a codec is trained, whose codebook losses are distances"
    return ""


def _is_of_a_codec(tag: Tag) -> bool:
    return "commit" in tag.words or ("recon" in tag.words and "loss" in tag.words)


def _parts(series: Series, tags: RunTags) -> Iterator[tuple[str, Nature]]:
    for other in tags.of("loss", lambda tag: tag.says_loss):
        tag = tags.tags[other.tag]
        if other.tag == series.tag or tag.held_out or not tag.says_loss:
            continue
        nature = nature_of(tag.name)
        if nature is not None and nature.size != "signed" and not _is_zero(other):
            yield other.tag, nature


def _is_zero(series: Series) -> bool:
    return not any(islice(series.values, _MOST))


def a_term(series: Series, tags: RunTags) -> str:
    """Whether it is one term of a loss that is logged, too, and is healthy or not by itself."""
    own = tags.tags[series.tag]
    if own.role is not Role.LOSS or _says_entropy(own):
        return ""
    for other in tags.of("loss", lambda tag: tag.says_loss):
        tag = tags.tags[other.tag]
        main = tag.role in (Role.TRAINING, Role.AUDIO, Role.TEXT)
        if other.tag != series.tag and main and tag.held_out is own.held_out and tag.says_loss and finite(other):
            return f"it is a term beside {other.tag}"
    return ""


def _says_entropy(tag: Tag) -> bool:
    return not {"ce", "nll", "xent", "crossentropy"}.isdisjoint(tag.words.split()) or "cross entropy" in tag.words


def scaled_copy(series: Series, tags: RunTags) -> str:
    """Whether it is another loss of the run times a small constant."""
    own = tags.tags[series.tag]
    if own.role is Role.AUDIO:
        return ""
    for other in tags.of("loss", lambda tag: tag.says_loss):
        tag = tags.tags[other.tag]
        if (
            other.tag == series.tag
            or not tag.says_loss
            or len(other) != len(series)
            or tag.held_out is not own.held_out
        ):
            continue
        ratios = [
            value / base
            for step, place, value, base in zip(series.steps, other.steps, series.values, other.values, strict=True)
            if step == place and base > 0 and math.isfinite(value)
        ]
        middle = median(ratios) if len(ratios) >= _LEAST_ALIKE else 0.0
        if 0 < middle < _SCALED and max(abs(ratio / middle - 1) for ratio in ratios) <= _CONSTANT:
            return f"it is {other.tag} times {middle:.3g} at every point"
    return ""


def is_zero_throughout(series: Series) -> bool:
    """Whether it is exactly 0 at every point."""
    return len(series) > 0 and not any(series.values)
