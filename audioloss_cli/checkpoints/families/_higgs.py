"""What both layouts of Higgs Audio v2 share; no plugin."""

from collections.abc import Iterable, Iterator, Mapping

from audioloss_cli.checkpoints.families import Axis, Expected

GROUPS: Mapping[str, str] = {
    "head": r"\baudio_lm_head\b",
    "embeddings": r"\b(?:audio_codebook_embeddings|embed_audio_tokens)\b",
    "ffn": r"\baudio_mlp\b",
    "text_head": r"\btext_lm_head\b",
    "text_embeddings": r"(?:^|\.)embed_tokens\b",
    "text_ffn": r"\blayers\.\d+\.(?:mlp|input_layernorm|post_attention_layernorm)\b",
    "encoders": r"\b(?:audio_tower|audio_encoder_proj)\b",
}


def audio_layers(layers: Iterable[int], hidden: Axis | None, inner: Axis | None) -> Iterator[Expected]:
    """Yield what each layer with an audio path of its own has: an FFN, and the norms before attention and FFN."""
    for layer in layers:
        front = f"layers.{layer}.audio_"
        for name, shape in (("gate", (inner, hidden)), ("up", (inner, hidden)), ("down", (hidden, inner))):
            yield Expected("ffn", f"{front}mlp.{name}_proj.weight", shape)
        for name in ("input_layernorm", "post_attention_layernorm"):
            yield Expected("ffn", f"{front}{name}.weight", (None,))
