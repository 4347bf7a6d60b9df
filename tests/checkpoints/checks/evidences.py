"""Evidence of a made-up model with 4 codebooks: healthy, and broken in one way for each check."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

from audioloss_cli.checkpoints.evidence import CheckpointEvidence
from audioloss_cli.checkpoints.families import Expected, _facts
from audioloss_cli.checkpoints.health import TensorStatistics
from audioloss_cli.checkpoints.stored import Checkpoint, Fault, StoredTensor
from audioloss_cli.model import Severity

if TYPE_CHECKING:
    from audioloss_cli.checkpoints.families import Family

K, V, HIDDEN, TEXT = 4, 34, 16, 100
FILE = Path("model.safetensors")
FAMILY = cast(
    "Family",
    SimpleNamespace(
        NAME="a made-up family",
        GROUPS={
            "head": r"\baudio_head\b",
            "embeddings": r"\baudio_embeddings\b",
            "ffn": r"\baudio_mlp\b",
            "text_head": r"\btext_head\b",
            "text_embeddings": r"\bembed_tokens\b",
        },
        serves=lambda _config, _names: True,
        expected=lambda config: expected(config),  # noqa: PLW0108  # it stands further down
    ),
)


def expected(config: Mapping[str, Any]) -> list[Expected]:
    """Head and table of all codebooks, and one audio FFN."""
    books, size, hidden = (_facts.axis(config, name) for name in ("num_codebooks", "codebook_size", "hidden_size"))
    rows, count = _facts.times(books, size), _facts.books(books)
    return [
        Expected("head", HEAD, (rows, hidden), count),
        Expected("embeddings", EMBEDDINGS, (rows, hidden), count),
        Expected("ffn", MLP, (None, hidden)),
    ]


HEAD, EMBEDDINGS, MLP, NORM, BIAS = (
    "audio_head.weight",
    "audio_embeddings.weight",
    "layers.0.audio_mlp.up_proj.weight",
    "layers.0.input_layernorm.weight",
    "layers.0.self_attn.q_proj.bias",
)
SHAPES: Mapping[str, tuple[int, ...]] = {
    HEAD: (K * V, HIDDEN),
    EMBEDDINGS: (K * V, HIDDEN),
    MLP: (HIDDEN * 4, HIDDEN),
    NORM: (HIDDEN,),
    BIAS: (HIDDEN,),
    "layers.0.self_attn.q_proj.weight": (HIDDEN, HIDDEN),
    "layers.1.self_attn.q_proj.weight": (HIDDEN, HIDDEN),
    "text_head.weight": (TEXT, HIDDEN),
    "embed_tokens.weight": (TEXT, HIDDEN),
}


def tensors(**more: Any) -> dict[str, StoredTensor]:
    """Tensors of the healthy checkpoint, one behind the other."""
    found, offset = dict[str, StoredTensor](), 0
    for name, shape in SHAPES.items():
        found[name] = replace(StoredTensor(name, "BF16", shape, FILE, offset), **more)
        offset += found[name].nbytes
    return found


def statistics_of(tensor: StoredTensor, **more: Any) -> TensorStatistics:
    """What a trained tensor is like, but for what is given."""
    norm = 0.02 * math.sqrt(tensor.elements)
    healthy = TensorStatistics(tensor.elements, lowest=-0.08, highest=0.08, norm=norm)
    if tensor.name == NORM:
        healthy = replace(healthy, lowest=1.0, highest=1.0, norm=math.sqrt(HIDDEN), is_constant=True)
    if tensor.name == BIAS:
        healthy = replace(healthy, zero=HIDDEN, lowest=0.0, highest=0.0, norm=0.0, is_constant=True)
    return replace(healthy, **more)


def seen(changes: Mapping[str, Mapping[str, Any]] | None = None, **checkpoint: Any) -> CheckpointEvidence:
    """All that is known of a healthy checkpoint, but for these statistics and these fields of the checkpoint."""
    fields = {
        "path": Path("checkpoint-500"),
        "kind": "HF Trainer checkpoint",
        "tensors": tensors(),
        "files": [FILE],
        "config": {"model_type": "made_up", "num_codebooks": K, "codebook_size": V, "hidden_size": HIDDEN},
        "step": 500,
        **checkpoint,
    }
    opened = Checkpoint(**fields)
    found = {name: statistics_of(tensor, **(changes or {}).get(name, {})) for name, tensor in opened.tensors.items()}
    return CheckpointEvidence(opened, FAMILY, found)


def faulty(code: str, fault: Fault) -> CheckpointEvidence:
    """A checkpoint of which this was found while its files were opened or read."""
    assert fault.code == code
    return seen(faults=[fault])


def emptied() -> CheckpointEvidence:
    """Placeholders of ranks in place of values."""
    found = tensors()
    return seen(tensors={name: replace(tensor, shape=(0,)) for name, tensor in found.items()})


def told(code: str, severity: Severity = Severity.CRITICAL) -> CheckpointEvidence:
    """A checkpoint of which the layout found this."""
    return faulty(code, Fault(code, severity, "model-00002-of-00003.safetensors is not as it should be"))


IN_A_LAYER = (
    *("self_attn.q_proj.weight", "self_attn.o_proj.weight"),
    *("mlp.up_proj.weight", "mlp.down_proj.weight", "norm.weight"),
)


def stacked(
    lacking: Mapping[int, Sequence[str]], layers: Sequence[int] = range(6), **config: Any
) -> CheckpointEvidence:
    """A model of layers, without these tensors of some."""
    pairs = [(number, name) for number in layers for name in IN_A_LAYER if name not in lacking.get(number, ())]
    names = [f"layers.{number}.{name}" for number, name in pairs]
    return seen(tensors={name: StoredTensor(name, "BF16", (2, 2), FILE, 0) for name in names}, config=config)


def with_state(**numbers: int) -> CheckpointEvidence:
    """A checkpoint whose optimizer holds this."""
    evidence = seen()
    evidence.state_statistics = {"optimizer.pt: state.0.exp_avg": TensorStatistics(8, **(numbers or {"nan": 1}))}
    return evidence


def patched() -> CheckpointEvidence:
    """One layer of eight in another precision."""
    name = "layers.{}.self_attn.k_proj.weight"
    more = {
        name.format(n): StoredTensor(name.format(n), "F32" if n == 5 else "BF16", (4, 4), FILE, 0) for n in range(8)
    }
    return seen(tensors={**tensors(), **more})


#: check -> evidence in which it must find something; a new check adds a line.
FIRES: dict[str, Callable[[], CheckpointEvidence]] = {
    "code_in_config": lambda: seen(path=Path(__file__).parent / "coded"),
    "constant_weights": lambda: seen({HEAD: {"lowest": 0.5, "highest": 0.5, "is_constant": True}}),
    "damaged_file": lambda: told("damaged-file"),
    "dead_codes": lambda: seen({EMBEDDINGS: {"dead_rows": tuple(range(V, V + 20)), "dead": 20}}),
    "denormal_weights": lambda: seen({MLP: {"denormal": HIDDEN * HIDDEN * 2}}),
    "duplicate_tensor": lambda: told("duplicate-tensor", Severity.WARNING),
    "empty_weights": emptied,
    "extreme_weights": lambda: seen({MLP: {"highest": 1e30, "norm": 1e30}}),
    "missing_shard": lambda: told("missing-shard"),
    "missing_tensor": lambda: stacked({2: ("mlp.up_proj.weight",)}),
    "mixed_dtypes": patched,
    "non_finite_state": with_state,
    "non_finite_weights": lambda: seen({MLP: {"nan": 3, "infinite": 1, "first_bad": HIDDEN + 2}}),
    "path_leaves_checkpoint": lambda: told("path-leaves-checkpoint"),
    "stray_shard": lambda: told("stray-shard", Severity.WARNING),
    "unfinished_save": lambda: told("unfinished-save"),
    "unsafe_pickle": lambda: seen(imports={FILE: ["os.system"]}),
    "unread_values": lambda: faulty("unread-values", Fault("unread-values", Severity.CRITICAL, "it is too short")),
    "wrong_total_size": lambda: told("wrong-total-size", Severity.WARNING),
    "wrong_weight_map": lambda: told("wrong-weight-map"),
    "zero_weights": lambda: seen({HEAD: {"zero": K * V * HIDDEN, "lowest": 0.0, "highest": 0.0, "norm": 0.0}}),
}
