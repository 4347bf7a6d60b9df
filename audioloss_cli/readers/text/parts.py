"""Numbers beside a loss that are its parts, which their names do not say: ``loss=9.0, text=2.1, audio=6.9``."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

from audioloss_cli.naming import classify
from audioloss_cli.readers.text.entry import Entry
from audioloss_cli.readers.text.values import Values

#: By the tag of a loss, the tags of its parts, each with the one that says so: ``{"loss": {"text": "loss/text"}}``.
Parts = Mapping[str, Mapping[str, str]]

_NAMES = ("text", "audio")
_LEAST, _SHARE = 2, 0.9  # rows that add up, and of those that hold the three names
_MOST_DECIMALS = 8


def parts_in(first: Iterable[Values]) -> Parts:
    """Return the parts of each loss to which the text and the audio beside it add up, to the precision printed."""
    tries, fits = Counter[tuple[str, ...]](), Counter[tuple[str, ...]]()
    for values in first:
        found = _candidates(values.entry)
        if found is None:
            continue
        by_tag = dict(
            zip((tag for tag, _ in values.entry.numbers), (value for _, value in values.numbers), strict=True)
        )
        numbers = [by_tag[tag] for tag in found]
        if all(map(math.isfinite, numbers)):
            tries[found] += 1
            fits[found] += _add_up(*numbers)
    parts = defaultdict[str, dict[str, str]](dict)
    for found, count in fits.items():
        if count >= _LEAST and count >= _SHARE * tries[found]:
            loss, *names = found
            parts[loss].update({name: f"{loss}/{name.rpartition('/')[2]}" for name in names})
    return dict(parts)


def with_parts(entry: Entry, parts: Parts) -> Entry:
    """Give the parts of the losses of an entry their names."""
    for loss in [tag for tag, _ in entry.numbers if tag in parts]:
        names = parts[loss]
        entry.numbers = [(names.get(tag, tag), index) for tag, index in entry.numbers]
    return entry


def values_with_parts(values: Values, parts: Parts) -> Values:
    """Return what a line holds with the parts of its losses under their names."""
    tags = [tag for tag, _ in values.entry.numbers]
    names = {name: new for loss in tags if loss in parts for name, new in parts[loss].items()}
    if not names:
        return values
    # What stands before the tag of the entry says that the line is about held-out data.
    numbers = [
        (tag.removesuffix(own) + names.get(own, own), value)
        for own, (tag, value) in zip(tags, values.numbers, strict=True)
    ]
    return values._replace(numbers=numbers)


def _candidates(entry: Entry) -> tuple[str, ...] | None:
    """The tags of the only loss, the text and the audio of a line; None if it does not hold one of each."""
    tags = [tag for tag, _ in entry.numbers]
    bare = {tag.rpartition("/")[2].lower(): tag for tag in tags}
    if not all(name in bare for name in _NAMES):
        return None
    losses = [tag for tag in tags if classify(tag).says_loss]
    parts = [bare[name] for name in _NAMES]
    return None if len(losses) != 1 or losses[0] in parts else (losses[0], *parts)


def _add_up(loss: float, text: float, audio: float) -> bool:
    numbers: Sequence[float] = (loss, text, audio)
    decimals = max(_decimals(number) for number in numbers)
    return decimals > 0 and abs(loss - text - audio) < 1.6 * 10**-decimals


def _decimals(number: float) -> int:
    """How many decimals a number was printed with, at least."""
    return next((count for count in range(_MOST_DECIMALS) if round(number, count) == number), _MOST_DECIMALS)
