import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audioloss_cli.probe.arguments import parse_arguments
from audioloss_cli.probe.errors import UsageError

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(JSON)
def test_json_literals_are_what_they_say(value: object) -> None:
    assert parse_arguments([f"x={json.dumps(value)}"], "--data-arg") == {"x": value}


@pytest.mark.parametrize(
    "text", ["train", "", "a=b", "NaN", "-Infinity", "1.", "'x'", "[" * 100_000, "1" * 5000, "/a b"]
)
def test_anything_else_is_text(text: str) -> None:
    assert parse_arguments([f"x={text}"], "--data-arg") == {"x": text}


def test_several() -> None:
    assert parse_arguments(["a=1", "b=true", "c=x"], "--data-arg") == {"a": 1, "b": True, "c": "x"}
    assert parse_arguments([], "--data-arg") == {}


@pytest.mark.parametrize("pair", ["split", "=3", "a b=3", "a-b=3", "1=2"])
def test_a_malformed_pair(pair: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_arguments([pair], "--model-arg")
    assert str(caught.value) == f"--model-arg {pair!r} must look like name=value, with a name that Python allows"


def test_a_name_that_comes_twice() -> None:
    with pytest.raises(UsageError, match=r"--data-arg a=\.\.\. is given twice; give it once"):
        parse_arguments(["a=1", "b=2", "a=1"], "--data-arg")
