"""The losses of VITS and its children, a bare list: losses, then the step, then the learning rate.

Written by: VITS, so-vits-svc, GPT-SoVITS (second stage), RVC.

Later versions write ``Losses: [2.5078, 2.2121], step: 10000, lr: 9.75e-05``.

Example: ``2023-02-18 21:15:15,482 32k INFO [2.5078, 2.2121, 4.4543, 17.8894, 0.6802, 10000, 9.75e-05]``
"""

import re

from audioloss_cli.readers.text.entry import Counter, Entry
from audioloss_cli.readers.text.pairs import tokens_of

ORDER = 20
MARKS = ("]",)

_NUMBER = r"-?(?:\d++\.\d++(?:e-?\d++)?|\d++e-\d++|nan|inf)"
_LIST = re.compile(rf"\[({_NUMBER}(?:, {_NUMBER}){{1,30}}+), (\d++), ({_NUMBER})\]\s*+$")
_NAMED = re.compile(rf"Losses: \[({_NUMBER}(?:, {_NUMBER}){{1,30}}+)\], step: (\d++), lr: ({_NUMBER})")
_LEAST = 4  # two losses, step and learning rate
_FARTHEST = 2000  # a list of losses is short


def parse(line: str) -> Entry | None:
    """Return the list at the end of a line: each loss by its place in it."""
    if len(line) > _FARTHEST:
        return None
    match = _LIST.search(line) if line.rstrip().endswith("]") else _NAMED.search(line)
    if match is None:
        return None
    tokens = tokens_of(line)
    inside = [index for index, token in enumerate(tokens) if match.start() <= token.start < match.end()]
    if len(inside) < _LEAST or not all(tokens[index].is_number for index in inside):
        return None
    *losses, step, rate = inside
    numbers = [(f"losses/{place}", index) for place, index in enumerate(losses)]
    return Entry(tokens, [Counter("global_step", step)], [*numbers, ("lr", rate)], is_record=True)
