"""What older transformers lack: tests that need it are skipped there, others run."""

from typing import Any

import pytest
import transformers


def transformers_with(name: str) -> Any:
    """A class of transformers; the test, or the module that asks, is skipped where there is none of that name."""
    found = getattr(transformers, name, None)
    if found is None:
        pytest.skip(f"transformers {transformers.__version__} has no {name}", allow_module_level=True)
    return found
