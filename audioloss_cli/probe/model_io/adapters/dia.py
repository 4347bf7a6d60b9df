"""Dia in transformers: ``DiaForConditionalGeneration``.

Layout: transformers/models/dia (5.24), processing_dia.py for the batch. ``decoder_input_ids`` are [B, T, K] in the
delay pattern, ``labels`` [B K, T] are the same one column later, -100 where nothing counts. Logits are [B K, T, V],
and nothing is shifted.
"""

from audioloss_cli.checkpoints.families import audio_groups
from audioloss_cli.probe.model_io.adapter import Config, Options
from audioloss_cli.probe.model_io.adapters._described import EVERY, Described, over, part_of

OPTIONS = EVERY


def serves(config: Config) -> bool:
    """By model type."""
    return config.get("model_type") == "dia"


class Adapter(Described):
    """Rows are the cells of [B, T]."""

    needs_codes = False
    parameters = audio_groups("dia")

    def __init__(self, config: Config, options: Options) -> None:
        decoder = part_of(config, "decoder_config")
        family = Options(
            codes_key="decoder_input_ids",
            codes_layout="BTK",
            labels_key="labels",
            labels_layout="(BK)T",
            logits_key="logits",
            logits_layout="(BK)TV",
            shift=0,
            num_codebooks=decoder.get("num_channels", 9),
            vocab_size=decoder.get("vocab_size", 1028),
            bos=config.get("bos_token_id", 1026),
            eos=config.get("eos_token_id", 1024),
            pad=config.get("pad_token_id", 1025),
        )
        super().__init__(config, over(family, options), "Dia (transformers)")
