"""The notation of a series: what each token stands for, and what is no token."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audioloss_cli.alert_tests.notation import MOST_STEPS, NotationError, expand
from audioloss_cli.model import MISSING, is_missing


def points(text: str, start: int = 0, interval: int = 1) -> list[tuple[int, float]]:
    series = expand(text, "audio_loss", start, interval)
    return list(zip(series.steps, series.values, strict=True))


def same(one: float, other: float) -> bool:
    return one == other or (math.isnan(one) and math.isnan(other) and is_missing(one) == is_missing(other))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("3", [(0, 3.0)]),
        ("3 2.5\n\t.5 5.", [(0, 3.0), (1, 2.5), (2, 0.5), (3, 5.0)]),
        ("3x1", [(0, 3.0)]),
        ("3x2 4", [(0, 3.0), (1, 3.0), (2, 4.0)]),
        ("1+2x3", [(0, 1.0), (1, 3.0), (2, 5.0)]),
        ("1-2x3", [(0, 1.0), (1, -1.0), (2, -3.0)]),
        ("-1e-3", [(0, -0.001)]),
        ("+2", [(0, 2.0)]),
        ("1e-3-1e-3x2", [(0, 0.001), (1, 0.0)]),
        ("-1E3+1e+3x2", [(0, -1000.0), (1, 0.0)]),
        ("_ 1 _x3 2 _", [(1, 1.0), (5, 2.0)]),
        ("inf -infx2", [(0, math.inf), (1, -math.inf), (2, -math.inf)]),
    ],
)
def test_what_a_token_stands_for(text, expected):
    assert points(text) == expected


def test_n_counts_points_unlike_in_promtool():
    found = points("6.9-0.01x400 0.004x50 _x10 1", start=100, interval=10)
    assert len(found) == 451
    assert [found[0], found[400], found[449], found[450]] == [(100, 6.9), (4100, 0.004), (4590, 0.004), (4700, 1.0)]
    assert found[399] == (4090, pytest.approx(2.91))


def test_nan_and_null_are_told_apart():
    values = [value for _, value in points("nan nullx2 nanx1")]
    assert [is_missing(value) for value in values] == [False, True, True, False]
    assert all(map(math.isnan, values))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "there is no point in it"),
        ("_x9 _", "there is no point in it"),
        ("1 0.004y50", "token 2, '0.004y50' at character 3, is none of V, VxN"),
        ("  x3", "token 1, 'x3' at character 3, "),
        ("1 2 NaN", "token 3, 'NaN' at character 5, "),
        ("1+2", "token 1, '1+2' at character 1, lacks the number of its points; write 1+2x10"),
        ("1x0", "N must be 1 or more"),
        ("1x-1", "is none of"),
        ("1x2.5", "is none of"),
        ("nan+1x3", "is none of"),
        ("_+1x3", "is none of"),
        ("1--2x3", "is none of"),
        ("1_000", "is none of"),
        ("٣", "is none of"),
        ("stale", "is none of"),
        (
            f"1x{MOST_STEPS} 1",
            f"token 2, '1' at character 11, takes the series beyond {MOST_STEPS:,} steps",
        ),
        (f"1 _x{MOST_STEPS}", "takes the series beyond"),
        ("1x" + "9" * 80, "takes the series beyond"),
        ("1x" + "9" * 5000, "..."),
        ("1" * 200_000 + "!", "is none of"),
        ("1e999", "leaves the range of float64"),
        ("0+1e308x3", "leaves the range of float64"),
    ],
)
def test_what_is_no_token(text, words):
    with pytest.raises(NotationError) as raised:
        points(text)
    assert words in str(raised.value)
    assert len(str(raised.value)) < 300


def test_the_last_of_the_most_steps_fits():
    assert expand(f"_x{MOST_STEPS - 1} 1", "x").steps[0] == MOST_STEPS - 1


DECIMALS = st.floats(0, 1e6).map(repr)
NUMBERS = st.floats(-1e6, 1e6).map(repr)
COUNTS = st.integers(1, 30)
# A token, and the values that it stands for: None where nothing is logged.
TOKENS = st.one_of(
    NUMBERS.map(lambda text: (text, [float(text)])),
    st.sampled_from(
        [("nan", math.nan), ("inf", math.inf), ("-inf", -math.inf), ("null", MISSING), ("_", None)]
    ).flatmap(lambda pair: COUNTS.map(lambda count: (f"{pair[0]}x{count}", [pair[1]] * count))),
    st.builds(lambda first, count: (f"{first}x{count}", [float(first)] * count), NUMBERS, COUNTS),
    st.builds(
        lambda first, sign, change, count: (
            f"{first}{sign}{change}x{count}",
            [float(first) + float(sign + change) * index for index in range(count)],
        ),
        NUMBERS,
        st.sampled_from("+-"),
        DECIMALS,
        COUNTS,
    ),
)


@given(
    st.lists(TOKENS, min_size=1),
    st.sampled_from([" ", "\n", "  \t"]),
    st.integers(0, 10**9),
    st.integers(1, 10**6),
)
def test_tokens_say_what_they_were_made_from(tokens, blank, start, interval):
    told = [value for _, values in tokens for value in values]
    expected = [(start + index * interval, value) for index, value in enumerate(told) if value is not None]
    text = blank.join(token for token, _ in tokens)
    if not expected:
        with pytest.raises(NotationError):
            points(text, start, interval)
        return
    found = points(text, start, interval)
    assert [step for step, _ in found] == [step for step, _ in expected]
    assert all(same(one, other) for (_, one), (_, other) in zip(found, expected, strict=True))


@given(st.one_of(st.text(), st.text("0123456789.eE+-x_ naiful"), st.lists(TOKENS).map(repr)))
def test_any_text_gives_a_series_or_a_clear_error(text):
    try:
        series = expand(text, "audio_loss")
    except NotationError as error:
        series, message = None, str(error)
    if series is None:
        assert "token" in message
        assert "\n" not in message
    else:
        assert list(series.steps) == sorted(set(series.steps)) != []
