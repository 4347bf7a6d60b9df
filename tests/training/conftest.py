"""What all tests of the live wing share."""

import logging
from collections.abc import Iterator

import pytest
import torch
import transformers

from audioloss_cli.training import calm


@pytest.fixture(autouse=True, scope="session")
def _quiet() -> Iterator[None]:
    """One thread for tiny models, and no progress bars of frameworks between the tests."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    transformers.utils.logging.disable_progress_bar()
    for name in ("lightning.pytorch", "lightning.fabric"):
        logging.getLogger(name).setLevel(logging.ERROR)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(autouse=True, scope="session")
def _calm_from_the_start() -> Iterator[None]:
    """Short runs have calm losses, too; else no test would see what waits."""
    early, calm._EARLY = calm._EARLY, 0
    yield
    calm._EARLY = early
