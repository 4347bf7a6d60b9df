"""The parts of the documentation that come from the live wing."""

import re

import pytest
import transformers

from tests.make_readme import TRAINING
from tests.test_readme import TEXT, assert_up_to_date


@pytest.mark.exhaustive
def test_the_generated_parts_are_up_to_date():
    assert_up_to_date(TRAINING)


def test_the_three_lines_for_a_trainer_are_right():
    """What the Trainer then does with the callback is the example that is run for the lines below it."""
    example, *_ = re.findall(r"```python\n(.*?)```", TEXT, flags=re.DOTALL)
    given = {}
    exec(example, {"Trainer": lambda *_, **arguments: given.update(arguments)})
    assert isinstance(given["callbacks"][0], transformers.TrainerCallback)
