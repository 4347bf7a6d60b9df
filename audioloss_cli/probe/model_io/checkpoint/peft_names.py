"""Weights under the names of PEFT: adapters beside the layers that they change, made into the layers themselves.

A trainer that saves the wrapped model writes ``q_proj.base_layer.weight``, ``q_proj.lora_A.default.weight`` and
``q_proj.lora_B.default.weight`` where the model has ``q_proj.weight``, and ``modules_to_save.default`` beside
``original_module`` (peft/tuners/lora/layer.py, peft/utils/other.py; 0.13 to 0.21). What was trained is the sum.
"""

import math
import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from torch import Tensor

from audioloss_cli.probe.errors import UnreadableError
from audioloss_cli.probe.model_io.checkpoint.adapter_settings import check_settings
from audioloss_cli.probe.model_io.checkpoint.files import Stored, read_json

_CONFIG = "adapter_config.json"
_MARK = re.compile(r"\.(base_layer|lora_\w+|original_module|modules_to_save)(\.|$)")
_BASE = re.compile(r"\.base_layer(?=\.)")
_PART = re.compile(
    r"^(?P<module>.+)\.lora_(?P<kind>embedding_)?(?P<half>[AB])(\.(?P<adapter>[^.]+))?(\.weight)?$", re.DOTALL
)
_SAVED = re.compile(r"\.modules_to_save\.(?P<adapter>[^.]+)(?=\.)")
_ORIGINAL = re.compile(r"\.original_module(?=\.)")
_REMEDY = "merge them (model.merge_and_unload()) and save that, or probe the adapter's own directory"


class _Pair(NamedTuple):
    """The halves of one adapter: A [r, in], B [out, r]; an embedding's table is [in, out]."""

    module: str
    down: Tensor
    up: Tensor
    embedding: bool


def holds_adapters(names: Collection[str]) -> bool:
    """Whether any name is one of PEFT's."""
    return any(_MARK.search(name) for name in names)


def merged(stored: Stored, path: Path) -> Stored:
    """The same weights under the model's own names, with the adapters added to the layers they belong to.

    Args:
        stored: weights, some of whose names are PEFT's.
        path: where they lie; ``adapter_config.json`` there, in ``lora_adapters`` or one directory up tells their scale.

    Raises:
        UnreadableError: they are no LoRA, or their scale is not known; the message says that the names are PEFT's.
    """
    if not holds_adapters(stored.tensors):
        return stored
    settings, where = _settings(path)
    plain = _plain(stored.tensors)
    pairs = _pairs(stored.tensors, path)
    if where is not None:
        check_settings(settings, dict(stored.tensors), where)
    for pair in pairs:
        name = f"{pair.module}.weight"
        if name not in plain:
            raise UnreadableError(f"{path} holds {pair.module}.lora_A of PEFT without its base layer; {_REMEDY}")
        plain[name] = _sum(plain[name], pair, _scale(pair, settings, where, path), settings)
    note = f"{len(pairs)} adapters of PEFT (.lora_A., .lora_B.) are merged into their layers"
    return Stored(plain, [*stored.notes, note if pairs else "the names of PEFT are read as the model's own"])


def _plain(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Base layers by the model's names; a module that was saved in full counts in place of the original."""
    base = {name: tensor for name, tensor in tensors.items() if ".lora_" not in name and not _SAVED.search(name)}
    plain = {_ORIGINAL.sub("", _BASE.sub("", name)): tensor for name, tensor in base.items()}
    saved = {_SAVED.sub("", name): tensor for name, tensor in tensors.items() if _SAVED.search(name)}
    return {**plain, **saved}


def _pairs(tensors: Mapping[str, Tensor], path: Path) -> list[_Pair]:
    halves: dict[tuple[str, str], dict[str, Tensor]] = {}
    embeddings = set()
    for name, tensor in tensors.items():
        if ".lora_" not in name:
            continue
        found = _PART.match(name)
        if found is None or tensor.ndim != len(("r", "in")):
            raise UnreadableError(f"{path} holds {name[:120]!r} of PEFT, which is more than a plain LoRA; {_REMEDY}")
        if found["kind"]:
            embeddings.add(found["module"])
        halves.setdefault((found["module"], found["adapter"] or ""), {})[found["half"]] = tensor
    adapters = sorted({adapter for _, adapter in halves})
    if len(adapters) > 1:
        raise UnreadableError(
            f"{path} holds {len(adapters)} adapters of PEFT ({', '.join(adapters[:4])[:200]}); {_REMEDY}"
        )
    lost = next((module for (module, _), each in halves.items() if set(each) != {"A", "B"}), None)
    if lost is not None:
        raise UnreadableError(f"{path} holds half of the LoRA of {lost[:120]!r} (PEFT); save it again")
    return [_Pair(module, each["A"], each["B"], module in embeddings) for (module, _), each in halves.items()]


def _settings(path: Path) -> tuple[dict[str, Any], Path | None]:
    directory = path if path.is_dir() else path.parent
    places = [place / nested for place in (directory, directory.parent) for nested in ("", "lora_adapters")]
    where = next((place / _CONFIG for place in places if (place / _CONFIG).is_file()), None)
    return ({}, None) if where is None else (read_json(where), where)


def _scale(pair: _Pair, settings: Mapping[str, Any], where: Path | None, path: Path) -> float:
    """By which the product of the halves is multiplied (``LoraLayer.update_layer``)."""
    if not bool(pair.up.any()) or not bool(pair.down.any()):
        return 0.0
    rank, alpha = len(pair.down), settings.get("lora_alpha")
    for pattern, value in (settings.get("alpha_pattern") or {}).items():
        if re.match(rf"(.*\.)?({pattern})$", pair.module):
            alpha = value
    if where is None or not isinstance(alpha, (int, float)):
        raise UnreadableError(
            f"{path} holds adapters under the names of PEFT (such as {pair.module[:120]}.lora_A) and no {_CONFIG} "
            f"beside it tells their scale (lora_alpha): put it there, or {_REMEDY}"
        )
    return float(alpha) / (math.sqrt(rank) if settings.get("use_rslora") else rank)


def _sum(base: Tensor, pair: _Pair, scale: float, settings: Mapping[str, Any]) -> Tensor:
    if not scale:
        return base
    product = pair.up.float() @ pair.down.float() * scale
    turned = product.T if pair.embedding or settings.get("fan_in_fan_out") else product
    if turned.shape != base.shape:
        raise UnreadableError(
            f"the LoRA of {pair.module[:120]!r} (PEFT) gives {list(product.shape)} for a layer of {list(base.shape)}; "
            "the two are not of one model"
        )
    return (base.float() + turned).to(base.dtype)
