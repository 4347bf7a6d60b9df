"""The corrective action in CONTRIBUTING.md is one."""

import types

from tests.test_contributing import ACTION, plugin


def test_the_action_is_one():
    case = types.SimpleNamespace(loop=types.SimpleNamespace(model=types.SimpleNamespace(max_norm=1.0)))
    assert plugin(ACTION).act(case) == "max_norm is 0.5"
