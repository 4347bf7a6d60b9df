"""What is said of torch without importing it is what the torch that is installed says."""

import torch

from audioloss_cli.checkpoints.pickles.tables import DTYPES, NAMES, QSCHEMES, STORAGES
from audioloss_cli.checkpoints.stored import ITEMSIZES


def test_dtypes_and_their_sizes():
    installed = {name: found.itemsize for name, found in vars(torch).items() if isinstance(found, torch.dtype)}
    assert installed == {name: DTYPES[name] for name in installed}


def test_their_names_in_checkpoints_have_the_same_sizes():
    assert {name: DTYPES[name] for name in NAMES} == {name: ITEMSIZES[short] for name, short in NAMES.items()}
    assert set(NAMES.values()) == set(ITEMSIZES)


def test_quantisation_schemes():
    assert {name for name, found in vars(torch).items() if isinstance(found, torch.qscheme)} <= QSCHEMES


def test_classes_of_storages():
    names = {name for name in dir(torch) if name.endswith("Storage")} - {"Storage", "TypedStorage", "UntypedStorage"}
    assert names <= set(STORAGES)
    assert all(str(torch.serialization.StorageType(name).dtype) == f"torch.{STORAGES[name]}" for name in names)
