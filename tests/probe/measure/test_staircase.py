"""The delay of each segment, against a plain count of the special ids that it begins and ends with."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from audioloss_cli.probe.measure.staircase import delays
from tests.effort import examples

BOS, EOS = 8, 9


def leading(rows: list[list[int]], special: int) -> list[int]:
    found = []
    for book in zip(*rows, strict=True):
        count = next((place for place, each in enumerate(book) if each != special), len(book))
        found.append(count)
    return found


def shown(rows: list[list[int]], special: int) -> bool | None:
    lead = leading(rows, special)
    if lead[0] < 1:
        return None
    if all(each - lead[0] == book for book, each in enumerate(lead)):
        return True
    return False if len(set(lead)) == 1 else None


@st.composite
def segment(draw: st.DrawFn) -> list[list[int]]:
    """Of three codebooks: with BOS and EOS by the delay pattern, without it, or of anything."""
    frames, kind = draw(st.integers(0, 9)), draw(st.sampled_from(["late", "straight", "padded", "anything"]))
    if kind == "anything":
        return draw(st.lists(st.lists(st.integers(5, 9), min_size=3, max_size=3), min_size=1, max_size=9))
    lead = {"late": [1, 2, 3], "straight": [1, 1, 1], "padded": [30, 31, 32]}[kind]
    tail = [3, 2, 1] if kind != "straight" else [1, 1, 1]
    books = [[BOS] * before + [1] * frames + [EOS] * after for before, after in zip(lead, tail, strict=True)]
    return [list(row) for row in zip(*books, strict=True)]


@given(st.lists(segment(), min_size=1, max_size=5), st.sampled_from([BOS, None]), st.sampled_from([EOS, None]))
@settings(max_examples=examples(400), deadline=None)
def test_it_is_what_a_plain_count_says(parts, bos, eos):
    codes = torch.tensor([row for rows in parts for row in rows])
    segments = torch.arange(len(parts)).repeat_interleave(torch.tensor([len(rows) for rows in parts])) + 3
    wanted = {}
    for number, rows in enumerate(parts):
        pattern = None if bos is None else shown(rows, bos)
        if pattern is None and eos is not None:
            pattern = shown([row[::-1] for row in rows[::-1]], eos)
        if pattern is not None:
            wanted[number + 3] = pattern
    assert delays(codes, segments, bos, eos) == wanted


def test_one_codebook_and_no_codes_show_nothing():
    none: Tensor = torch.zeros(0, 3, dtype=torch.long)
    assert delays(torch.tensor([[BOS], [1]]), torch.zeros(2, dtype=torch.long), BOS, EOS) == {}
    assert delays(none, torch.zeros(0, dtype=torch.long), BOS, EOS) == {}
