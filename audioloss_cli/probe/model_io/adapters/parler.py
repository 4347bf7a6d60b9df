"""Parler-TTS (huggingface/parler-tts): ``ParlerTTSForConditionalGeneration``.

Layout: parler_tts/modeling_parler_tts.py. ``labels`` are [B, T, K] in the delay pattern, -100 where nothing counts; the
model makes the decoder's inputs of them, one column later. Logits are [B K, prompt + T, V], of which the last T are
scored. The loss is the mean over codebooks, which ``per_codebook_losses`` lists.
"""

from audioloss_cli.checkpoints.families import audio_groups
from audioloss_cli.probe.model_io.adapter import Config, Options
from audioloss_cli.probe.model_io.adapters._described import EVERY, Described, over, part_of

OPTIONS = EVERY


def serves(config: Config) -> bool:
    """By model type."""
    return config.get("model_type") == "parler_tts"


class Adapter(Described):
    """Rows are the cells of [B, T]."""

    needs_codes = False
    parameters = audio_groups("parler_tts")

    def __init__(self, config: Config, options: Options) -> None:
        decoder = part_of(config, "decoder")
        family = Options(
            codes_key="decoder_input_ids",
            codes_layout="(BK)T",
            labels_key="labels",
            labels_layout="BTK",
            logits_key="logits",
            logits_layout="(BK)TV",
            shift=0,
            num_codebooks=decoder.get("num_codebooks", 9),
            vocab_size=decoder.get("vocab_size", 1088),
            bos=decoder.get("bos_token_id", 1025),
            eos=decoder.get("eos_token_id", 1024),
            pad=decoder.get("pad_token_id", 1024),
        )
        super().__init__(config, over(family, options), "Parler-TTS")
