"""One healthy batch of each model family, and a model for it: a new adapter adds a line to ``HEALTHY``."""

from collections.abc import Callable
from functools import cache, partial
from typing import Any, NamedTuple

from torch import Tensor

from audioloss_cli.probe.model_io.adapter import Options
from tests.probe import tiny, tiny_families, tiny_siblings

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


parler_model = partial(tiny_families.Delayed, tiny_families.PARLER, 5)
dia_batch = partial(tiny_families.delayed_batch, by_book=True)

HEALTHY = {
    "csm": Healthy(tiny_siblings.csm_config().to_dict(), tiny_siblings.csm_batch, cache(tiny_siblings.csm_model)),
    "csm_hf": Healthy(tiny_families.CSM_HF, tiny_families.csm_hf_batch, tiny_families.CsmHf),
    "dia": Healthy(tiny_families.DIA, dia_batch, lambda: tiny_families.Delayed(tiny_families.DIA, by_book=True)),
    "generic": Healthy({}, tiny_siblings.toy_batch, tiny_siblings.Toy, TOY),
    "higgs_audio": Healthy(ORIGINAL, tiny.original_batch, tiny_model),
    "higgs_audio_v2": Healthy(tiny.config().to_dict(), tiny.hf_batch, tiny_model),
    "moshi_kyutai": Healthy(tiny_families.KYUTAI, tiny_families.kyutai_batch, tiny_families.Kyutai),
    "musicgen": Healthy(
        tiny_families.MUSICGEN, tiny_families.delayed_batch, lambda: tiny_families.Delayed(tiny_families.MUSICGEN)
    ),
    "parler": Healthy(
        tiny_families.PARLER, tiny_families.delayed_batch, lambda: tiny_families.Delayed(tiny_families.PARLER, 5)
    ),
    "moshi": Healthy(
        tiny_siblings.moshi_config().to_dict(), tiny_siblings.moshi_batch, cache(tiny_siblings.moshi_model)
    ),
}
CHOSEN_BY_NAME = {"generic"}
#: Whose codes are fed in where no row of the logits says so.
WITHOUT_CODES = {"moshi_kyutai"}
