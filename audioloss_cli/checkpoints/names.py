"""Names of tensors without what wrappers add: DDP, FSDP, torch.compile, PEFT, Lightning and most wrapper classes."""

import re
from collections.abc import Iterable

#: Of DataParallel and DDP; of torch.compile; of PEFT; of Lightning and most wrapper classes.
PREFIXES = ("module.", "_orig_mod.", "base_model.model.", "model.")
# Modules that wrappers put in between: torch.compile and FSDP; a layer beside its LoRA; a module that PEFT saves whole
_BETWEEN = re.compile(
    r"(?:^|(?<=\.))(?:_orig_mod|_fsdp_wrapped_module|_checkpoint_wrapped_module|base_layer|original_module"
    r"|modules_to_save\.[^.]+)\."
)
_SAVED = re.compile(r"\.modules_to_save\.[^.]+\.")
#: The original's name of a module -> that of transformers, both without prefixes (Higgs Audio v2).
_COUNTERPARTS = (
    (re.compile(r"^audio_codebook_embeddings(?=\.)"), "embed_audio_tokens.embed_audio_tokens"),
    (re.compile(r"^audio_decoder_proj\.(?=(?:audio|text)_lm_head\.)"), ""),
)


def own(name: str) -> str:
    """Return a name as the model itself has it, without any of ``PREFIXES``, its own ``model.`` included."""
    name = _BETWEEN.sub("", name)
    while prefix := next((each for each in PREFIXES if name.startswith(each)), ""):
        name = name.removeprefix(prefix)
    return name


def common(name: str) -> str:
    """Return a name under which a tensor is found in each layout of its family, such as both of Higgs Audio."""
    name = own(name)
    for pattern, replacement in _COUNTERPARTS:
        name = pattern.sub(replacement, name)
    return name


def by_common(names: Iterable[str]) -> dict[str, str]:
    """Return common name -> name; a name that is not alone in coming to its common one stands for itself.

    Of a module that PEFT saves whole, the trained copy counts and not the original.
    """
    found: dict[str, list[str]] = {}
    for name in names:
        found.setdefault(common(name), []).append(name)
    chosen: dict[str, str] = {}
    for key, several in found.items():
        trained = [name for name in several if _SAVED.search(name)] or several
        chosen |= {key: trained[0]} if len(trained) == 1 else {name: name for name in trained}
    return chosen
