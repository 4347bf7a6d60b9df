"""One healthy batch of each model family, and a model for it: a new adapter adds a line to ``HEALTHY``."""

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

from torch import Tensor

from audioloss_cli.probe.model_io.adapter import Options
from tests.probe import tiny, tiny_siblings

ORIGINAL = {
    "model_type": "higgs_audio",
    "audio_num_codebooks": tiny.K,
    "audio_codebook_size": tiny.BOS,
    "audio_out_token_idx": tiny.AUDIO,
    "audio_in_token_idx": 116,
    "use_delay_pattern": True,
    "text_config": {"vocab_size": 128},
}
TOY = Options(
    codes_key="tokens",
    labels_key="targets",
    layout="BTK",
    logits_key="out.logits",
    logits_layout="BTKV",
    num_codebooks=3,
)


tiny_model = cache(tiny.model)


class Healthy(NamedTuple):
    """A configuration that the adapter serves, at least two samples, and a model that runs them, shared by tests."""

    config: dict[str, Any]
    batch: Callable[[], dict[str, Tensor]]
    model: Callable[[], Any]
    options: Options = Options()


HEALTHY = {
    "csm": Healthy(tiny_siblings.csm_config().to_dict(), tiny_siblings.csm_batch, cache(tiny_siblings.csm_model)),
    "generic": Healthy({}, tiny_siblings.toy_batch, tiny_siblings.Toy, TOY),
    "higgs_audio": Healthy(ORIGINAL, tiny.original_batch, tiny_model),
    "higgs_audio_v2": Healthy(tiny.config().to_dict(), tiny.hf_batch, tiny_model),
    "moshi": Healthy(
        tiny_siblings.moshi_config().to_dict(), tiny_siblings.moshi_batch, cache(tiny_siblings.moshi_model)
    ),
}
CHOSEN_BY_NAME = {"generic"}
