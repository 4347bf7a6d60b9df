"""``python -m tests.fuzz.stored_checkpoints``: any damage to any layout gives findings or exit 3, in time and memory.

Layouts are made by hand, without torch; the files of one lie beside each other, and one of them is damaged.
"""

import json
import os
import pickle
import random
import shutil
import struct
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from audioloss_cli.checkpoints.audit import audit_checkpoint
from audioloss_cli.checkpoints.stored import ReadError
from tests.checkpoints.build import Raw, model_tensors, safetensors_bytes, write_shards
from tests.checkpoints.torch_files import FLOATS, legacy, state, zipped
from tests.fuzz import _damage
from tests.fuzz._run import Case, Target, main
from tests.fuzz.checkpoints import archives, pickles

_LONGEST_MESSAGE = 4000
_ZIPS = (".pt", ".bin", ".ckpt", ".distcp", ".npz")
_TOKENIZER = b'{"chat_template": "{% for m in messages %}{{ m.content }}{% endfor %}"}'
_ADAPTER = b'{"r": 8, "target_modules": ["audio_lm_head"]}'
_LAYOUTS: dict[str, dict[str, bytes]] = {}


def _layouts() -> dict[str, dict[str, bytes]]:
    """Name of a directory -> name of a file -> its bytes; of a layout with one file that file is the checkpoint."""
    weights = safetensors_bytes(_tensors(), {"format": "pt"})
    names = ("model.embed.weight", "model.layers.0.weight", "audio_lm_head.weight")
    torch_file = zipped(state(*names))
    config = json.dumps({"model_type": "made_up", "auto_map": {"AutoModel": "a.B"}}).encode()
    text = pickles.text
    step = b"}" + text("state") + b"}" + text("step") + b"K\x07s" + b"s" + text("param_groups") + b"]s"
    scheduler = b"}" + text("last_epoch") + b"K\x07s"
    lightning = b"}" + text("pytorch-lightning_version") + text("2.5") + b"s" + text("global_step") + b"K\x07s"
    lightning += (
        text("state_dict") + state("a.weight", "b.weight") + b"s" + text("optimizer_states") + b"]" + step + b"as"
    )
    zero = (
        b"}"
        + text("module")
        + state("a.weight")
        + b"s"
        + text("global_steps")
        + b"K\x07s"
        + text("dp_world_size")
        + b"K\x01s"
    )
    flat = b"}" + text("optimizer_state_dict") + b"}" + text("zero_stage") + b"K\x01s"
    flat += text("single_partition_of_fp32_groups") + b"]" + pickles.tensor("0", 4, (4,), (1,)) + b"as" + b"s"
    half = _tensors()["embed.weight"]
    front = "base_model.model.audio_lm_head.lora"
    adapter = safetensors_bytes({
        f"{front}_A.weight": half._replace(shape=(8, 5)), f"{front}_B.weight": half._replace(shape=(5, 8))
    })  # fmt: skip
    trainer_state = json.dumps({"global_step": 7, "log_history": []}).encode()
    arrays = archives.stored(
        {"a.weight.npy": archives.array(np.ones((3, 4), "f4")), "b.npy": archives.array(np.zeros(3, "i8"))}
    )
    trainer = {
        "model.safetensors": weights,
        "config.json": config,
        "optimizer.pt": zipped(step),
        "scheduler.pt": zipped(scheduler),
    }
    trainer |= {
        "rng_state.pth": zipped(state("cpu")),
        "trainer_state.json": trainer_state,
        "training_args.bin": zipped(pickles.called("argparse", "Namespace")),
    }
    return {
        "one/model.safetensors": {"model.safetensors": weights},
        "one/model.pt": {"model.pt": torch_file},
        "one/old.pth": {"old.pth": legacy(state(*names))},
        "one/bare.pt": {"bare.pt": pickle.dumps({"a": [1, 2.5], "b": eval}, 4)},
        "one/arrays.npz": {"arrays.npz": arrays},
        "one/epoch=0.ckpt": {"epoch=0.ckpt": zipped(lightning)},
        "shards": _shards(),
        "bin": {"pytorch_model.bin": torch_file, "config.json": config, "tokenizer_config.json": _TOKENIZER},
        "adapter": {"adapter_model.safetensors": adapter, "adapter_config.json": _ADAPTER},
        "checkpoint-7": trainer,
        "zero": {
            "latest": b"global_step7",
            "global_step7/mp_rank_00_model_states.pt": zipped(zero),
            "global_step7/zero_pp_rank_0_mp_rank_00_optim_states.pt": zipped(flat),
        },
        "distributed": {".metadata": _metadata(), "__0_0.distcp": zipped(pickles.tensor("0", 4, (4,), (1,)))},
    }  # fmt: skip


def _tensors() -> dict[str, Raw]:
    """Tensors of a tiny model in bfloat16, with numbers about 0.01 in them."""
    return {
        name: each._replace(data=b"".join(struct.pack("<H", 0x3C00 + n % 251) for n in range(len(each.bytes) // 2)))
        for name, each in model_tensors().items()
    }


def _shards() -> dict[str, bytes]:
    with tempfile.TemporaryDirectory() as place:
        directory = write_shards(Path(place) / "model", _tensors())
        return {each.name: each.read_bytes() for each in directory.iterdir()}


def _metadata() -> bytes:
    """What torch.distributed.checkpoint says of one tensor in one chunk."""
    kind, text, integer = "torch.distributed.checkpoint.metadata", pickles.text, pickles.integer

    def made(name: str, module: str = kind, **fields: bytes) -> bytes:
        inner = b"".join(text(key) + value + b"s" for key, value in fields.items())
        return pickles.name(module, name) + b")\x81}" + inner + b"b"

    size = pickles.called("torch", "Size", integer(4) + b"\x85")
    none = pickles.called("torch", "Size", integer(0) + b"\x85")
    chunk = made("ChunkStorageMetadata", offsets=none, sizes=size)
    properties = pickles.name(kind, "TensorProperties") + b")\x81" + pickles.name("torch", "float32") + b"\x85b"
    tensor = made("TensorStorageMetadata", properties=properties, size=size, chunks=b"]" + chunk + b"a")
    index = made("MetadataIndex", fqn=text("a.weight"), offset=none, index=integer(0))
    length = len(zipped(pickles.tensor("0", 4, (4,), (1,))))
    info = made(
        "_StorageInfo", "torch.distributed.checkpoint.filesystem",
        relative_path=text("__0_0.distcp"), offset=integer(0), length=integer(length),
    )  # fmt: skip
    return pickles.whole(
        made(
            "Metadata",
            state_dict_metadata=b"}" + text("a.weight") + tensor + b"s",
            planner_data=b"}",
            storage_data=b"}" + index + info + b"s",
        )
    )


def warm_up() -> None:
    """Make the healthy layouts and audit each; none of them may have anything critical."""
    archives.warm_up()
    _LAYOUTS.update(_layouts())
    with tempfile.TemporaryDirectory() as place:
        for name, files in _LAYOUTS.items():
            directory = Path(place) / name.replace("/", "-")
            _write(directory, files)
            path = directory / next(iter(files)) if "/" in name else directory
            findings = audit_checkpoint(path).findings
            if name != "one/bare.pt" and any(finding.severity.value == "critical" for finding in findings):
                sys.exit(f"the healthy example of {name} has {findings}")


def make(source: random.Random) -> Case:
    """An input."""
    name = source.choice(list(_LAYOUTS))
    file = source.choice(list(_LAYOUTS[name]))
    content, made = _damaged(file, _LAYOUTS[name][file], source)
    return Case(f"{name.replace('/', '-')}/{file}", content, name, f"{file} of {name}: {made}")


def _damaged(file: str, data: bytes, source: random.Random) -> tuple[bytes, str]:
    if source.random() < 0.3 and data.startswith(b"PK") and file.endswith(_ZIPS):
        entries = archives.contents(data)
        if source.random() < 0.4:
            return archives.strange(entries, source)
        inner = next((each for each in entries if each.endswith("data.pkl")), next(iter(entries)))
        entries[inner], made = _odd_pickle(entries[inner], source)
        return archives.stored(entries), f"{inner}: {made}"
    if source.random() < 0.3 and data.startswith(b"\x80"):
        return _odd_pickle(data, source)
    kinds: dict[str, Callable[[], bytes]] = {
        "flip": lambda: _damage.flip(source, data),
        "cut": lambda: _damage.cut(source, data),
        "delete": lambda: _damage.delete(source, data),
        "insert": lambda: _damage.insert(source, data, [FLOATS, b"{", b"\xff" * 8, struct.pack("<Q", 1 << 62)]),
        "zeros": lambda: _damage.zeros(source, data),
        "splice": lambda: _spliced(data, source),
        "twice": lambda: data + data,
        "empty": lambda: b"",
    }
    kind = source.choice([*kinds, "flip", "flip", "cut", "splice"])
    return kinds[kind](), kind


def _spliced(data: bytes, source: random.Random) -> bytes:
    """The front of one file and the rest of any other."""
    other = source.choice([each for files in _LAYOUTS.values() for each in files.values()])
    return data[: source.randrange(len(data) + 1)] + other[source.randrange(len(other) + 1) :]


def _odd_pickle(data: bytes, source: random.Random) -> tuple[bytes, str]:
    kind = source.randrange(3)
    if kind == 0:
        return pickles.whole(pickles.soup(source)), "opcodes at random"
    if kind == 1 and data.startswith(b"\x80\x02"):
        try:
            return pickles.edited(data, source), "edited pickle"
        except (ValueError, IndexError):
            pass
    value, made = pickles.hostile(source)
    return pickles.whole(value), made


def judge(path: Path, case: Case) -> tuple[list[str], int | None]:
    """What is wrong with what the audit makes of a damaged file."""
    name: str = case.truth
    files = _LAYOUTS[name]
    directory = next(parent for parent in path.parents if parent.parent.name == "input")
    own = path.relative_to(directory).as_posix()
    _write(directory, {each: content for each, content in files.items() if each != own})
    checkpoint = path if "/" in name else directory
    try:
        audited = audit_checkpoint(checkpoint)
    except ReadError as error:
        texts, code = [str(error)], 3
    except OSError as error:
        return [f"{type(error).__name__}: {error}"], None
    else:
        texts, code = [finding.message for finding in audited.findings], None
    wrong = [f"more than a line: {each[:200]!r}" for each in texts if len(each) > _LONGEST_MESSAGE or "\n" in each]
    if pickles.CANARY.exists():
        shutil.rmtree(pickles.CANARY, ignore_errors=True)
        wrong.append("code of the file was run")
    return wrong, code


def _write(directory: Path, files: dict[str, bytes]) -> None:
    for name, content in files.items():
        (path := directory / name).parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def command(path: Path) -> Sequence[str]:
    """The same by the command line."""
    return ["probe", "--ckpt", os.fspath(path)]


if __name__ == "__main__":
    sys.exit(main(Target(make, judge, warm_up, command), "stored_checkpoints"))
