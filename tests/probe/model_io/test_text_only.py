"""A language model of text alone is named for what it is."""

import pytest
import torch
import transformers

from audioloss_cli.probe.model_io.text_only import text_only

TEXT = ["model.embed_tokens.weight", "model.layers.0.self_attn.q_proj.weight", "lm_head.weight"]


@pytest.mark.parametrize(
    ("config", "parameters", "found"),
    [
        ({"architectures": ["LlamaForCausalLM"], "model_type": "llama"}, TEXT, "LlamaForCausalLM"),
        ({"architectures": ["LlamaForCausalLM"], "model_type": "llama"}, [*TEXT, "audio_lm_head.weight"], ""),
        ({"architectures": ["LlamaForCausalLM"], "rope": {"num_codebooks": 8}}, TEXT, ""),
        ({"architectures": ["OwnForCausalLM"], "text": {"model_type": "speech_lm"}}, TEXT, ""),
        ({"architectures": ["CsmForConditionalGeneration"]}, TEXT, ""),
        ({"model_type": "llama"}, TEXT, ""),
        ({"architectures": "LlamaForCausalLM"}, TEXT, ""),
        ({}, TEXT, ""),
    ],
)
def test_neither_configuration_nor_weights_name_audio(config, parameters, found):
    assert text_only(config, parameters) == found


@pytest.mark.parametrize(
    "more", [{}, {"audio_in_ids": torch.zeros(8, 9).long(), "label_audio_ids": torch.zeros(8, 9).long()}]
)
def test_a_probe_says_so_whatever_the_batch_holds(more, audioloss, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    config = transformers.LlamaConfig(
        hidden_size=8,
        intermediate_size=8,
        num_hidden_layers=1,
        num_attention_heads=1,
        num_key_value_heads=1,
        vocab_size=32,
    )
    transformers.LlamaForCausalLM(config).save_pretrained("llama")
    ids = torch.arange(12).reshape(1, 12)
    torch.save({"input_ids": ids, "labels": ids, **more}, "batch.pt")
    probed = ("probe", "--ckpt", "llama", "--data", "batch.pt", "--device", "cpu")
    ran = audioloss(*probed)
    assert (ran.code, ran.out, ran.err.count("\naudioloss")) == (3, "", 0)
    assert "llama is a text-only model (LlamaForCausalLM): neither its configuration nor its weights" in ran.err
    described = ("--adapter", "generic", "--labels-key", "labels", "--codes-key", "input_ids", "--layout", "BT")
    assert "text-only" not in audioloss(*probed, *described, "--logits-key", "logits", "--logits-layout", "BTV").err
