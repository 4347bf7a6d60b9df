"""Each layout is written once in a session, when a test first asks for it."""

import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Return the path of a layout by its name; not to be changed."""
    from tests.checkpoints.written import writers
    from tests.probe import tiny

    root, made = tmp_path_factory.mktemp("layouts"), {}

    def pretrained(path: Path, **more: object) -> Path:
        tiny.model().save_pretrained(path, **more)
        return path

    def adapter(path: Path) -> Path:
        writers.lora().save_pretrained(path)
        return path

    layouts: dict[str, Callable[[Path], Path]] = {
        "whole": pretrained,
        "shards": partial(pretrained, max_shard_size="300KB"),
        "adapter": adapter,
        "trainer": writers.trainer,
        "trainer, model only": partial(writers.trainer, steps=1, save_only_model=True),
        "trainer, adapter": lambda path: writers.trainer(path, writers.lora()),
        "lightning": writers.lightning,
        "accelerate": writers.accelerate,
        "distributed": writers.distributed,
        "fsdp": lambda path: writers.distributed(path, optimizer=False),
        "zero 1": partial(writers.zero, stage=1),
        "zero 3": partial(writers.zero, stage=3),
    }

    def get(name: str) -> Path:
        if name not in made:
            made[name] = layouts[name](root / name)
        return made[name]

    return get


@pytest.fixture
def copied(written: Callable[[str], Path], tmp_path: Path) -> Callable[[str], Path]:
    """Return a copy of a layout, under its own name, to be broken."""

    def copy(name: str) -> Path:
        source = written(name)
        return Path(shutil.copytree(source, tmp_path / source.name))

    return copy
