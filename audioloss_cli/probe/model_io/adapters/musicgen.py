"""MusicGen in transformers: ``MusicgenForConditionalGeneration`` and its melody model.

Layout: transformers/models/musicgen/modeling_musicgen.py (5.24). ``labels`` are [B, T, K] in the delay pattern, with
``pad_token_id`` where nothing counts; the model makes the decoder's inputs of them, one column later, unless the batch
has ``decoder_input_ids`` [B K, T]. Logits are [B K, T, V], their last T columns are scored, and nothing is shifted.
"""

from audioloss_cli.checkpoints.families import audio_groups
from audioloss_cli.probe.model_io.adapter import Config, Options
from audioloss_cli.probe.model_io.adapters._described import EVERY, Described, over, part_of

OPTIONS = EVERY


def serves(config: Config) -> bool:
    """By model type."""
    return config.get("model_type") in ("musicgen", "musicgen_melody")


class Adapter(Described):
    """Rows are the cells of [B, T]."""

    needs_codes = False
    parameters = audio_groups("musicgen")

    def __init__(self, config: Config, options: Options) -> None:
        decoder = part_of(config, "decoder")
        pad = decoder.get("pad_token_id", 2048)
        family = Options(
            codes_key="decoder_input_ids",
            codes_layout="(BK)T",
            labels_key="labels",
            labels_layout="BTK",
            logits_key="logits",
            logits_layout="(BK)TV",
            shift=0,
            num_codebooks=decoder.get("num_codebooks", 4),
            vocab_size=decoder.get("vocab_size", 2048),
            pad=pad,
        )
        super().__init__(config, over(family, options), "MusicGen (transformers)")
