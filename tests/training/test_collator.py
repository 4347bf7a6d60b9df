"""Which columns a Trainer removes before its collator."""

import pickle

from transformers import default_data_collator
from transformers.trainer_utils import RemoveColumnsCollator

from audioloss_cli.training.integrations.transformers.forward_hook import watch_collator


class Loader:
    def __init__(self, collate_fn):
        self.collate_fn = collate_fn


def collator():
    return RemoveColumnsCollator(default_data_collator, ["input_ids"])


def test_their_names_are_noted_and_the_batch_is_as_ever():
    loader = Loader(collator())
    watched = watch_collator(loader)
    features = [{"input_ids": [1, 2], "audio_out_ids": [3]}]
    assert loader.collate_fn(features)["input_ids"].tolist() == [[1, 2]]
    assert watched.dropped == ("audio_out_ids",)
    watched.let_go()
    assert isinstance(loader.collate_fn, RemoveColumnsCollator)


def test_a_worker_gets_it_without_the_loader():
    watched = watch_collator(Loader(collator()))
    again = pickle.loads(pickle.dumps(watched))
    assert again([{"input_ids": [1], "x": 0}])["input_ids"].tolist() == [[1]]
    again.let_go()


def test_another_collator_is_left_alone():
    loader = Loader(default_data_collator)
    assert watch_collator(loader) is None
    assert loader.collate_fn is default_data_collator
    assert watch_collator(None) is None
