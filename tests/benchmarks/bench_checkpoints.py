"""How fast the values of a checkpoint are audited, beside a plain read of its file and beside a loop with torch.

``python -m tests.benchmarks.bench_checkpoints [--mb 2048] [--rounds 5] [--no-peers] [--directory /tmp]``

One file of safetensors of bfloat16 weights is written and removed again. Warm, all contenders run in turn in each
round, and the least of their seconds counts, in CPU seconds too, since other work may share the cores. Cold, the file
is taken out of the page cache before each run, and seconds on the clock count. The memory is the highest resident set
of a new process, with Python and numpy. Headers are those of a sharded directory of a model with 70 billion parameters,
whose shards are holes behind their headers.
"""

import argparse
import json
import os
import resource
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from audioloss_cli.checkpoints.audit import audit_checkpoint
from audioloss_cli.checkpoints.health import examine
from audioloss_cli.checkpoints.layouts import open_checkpoint
from tests.benchmarks.bench_reports import peak_resident
from tests.benchmarks.markdown import table

PLAIN, LOOP = "plain read into one buffer", "safetensors load_file, isnan, isinf, zero, min, max, std a tensor"
QUICK, FULL = "NaN, infinity, zero", "all statistics"
_BUFFER = 1 << 20
_LAYERS, _HIDDEN, _VOCABULARY, _SHARDS = 80, 8192, 128256, 30  # of a model with 70 billion parameters


def header_of(shapes: dict[str, tuple[int, ...]]) -> tuple[bytes, int]:
    """Return the header of a file of bfloat16 tensors, and how many bytes follow it."""
    header, end = dict[str, object](), 0
    for name, shape in shapes.items():
        start, end = end, end + 2 * int(np.prod(shape))
        header[name] = {"dtype": "BF16", "shape": list(shape), "data_offsets": [start, end]}
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text, end


def write_model(path: Path, nbytes: int) -> None:
    """Write weights as a training leaves them: matrices of 32 MB, or smaller ones in a small file, and norms."""
    width = 4096 if nbytes >= 1 << 28 else 512
    count = max(nbytes // (2 * width * width), 1)
    shapes = dict[str, tuple[int, ...]]()
    for layer in range(count):
        shapes[f"layers.{layer}.mlp.up_proj.weight"] = (width, width)
        shapes[f"layers.{layer}.input_layernorm.weight"] = (width,)
    header, _ = header_of(shapes)
    values = np.random.default_rng(0).normal(0, 0.02, width * (width + 1)).astype(np.float32)
    data = (values.view(np.uint32) >> 16).astype("<u2").tobytes()
    with path.open("wb") as file:
        file.write(header)
        for _ in range(count):
            file.write(data)
        file.flush()
        os.fsync(file.fileno())


def write_sharded(directory: Path) -> None:
    """Write headers of a model with 70 billion parameters, and holes for its weights."""
    directory.mkdir(exist_ok=True)
    mlp, small = 28672, 1024
    shapes = {"model.embed_tokens.weight": (_VOCABULARY, _HIDDEN), "lm_head.weight": (_VOCABULARY, _HIDDEN)}
    for layer in range(_LAYERS):
        inside = {
            "self_attn.q_proj": (_HIDDEN, _HIDDEN),
            "self_attn.k_proj": (small, _HIDDEN),
            "self_attn.v_proj": (small, _HIDDEN),
            "self_attn.o_proj": (_HIDDEN, _HIDDEN),
            "mlp.gate_proj": (mlp, _HIDDEN),
            "mlp.up_proj": (mlp, _HIDDEN),
            "mlp.down_proj": (_HIDDEN, mlp),
            "input_layernorm": (_HIDDEN,),
            "post_attention_layernorm": (_HIDDEN,),
        }
        shapes |= {f"model.layers.{layer}.{name}.weight": shape for name, shape in inside.items()}
    names, total, weight_map = list(shapes), 0, dict[str, str]()
    for shard in range(_SHARDS):
        file = f"model-{shard + 1:05}-of-{_SHARDS:05}.safetensors"
        part = names[shard * len(names) // _SHARDS : (shard + 1) * len(names) // _SHARDS]
        header, nbytes = header_of({name: shapes[name] for name in part})
        (directory / file).write_bytes(header)
        os.truncate(directory / file, len(header) + nbytes)
        weight_map |= dict.fromkeys(part, file)
        total += nbytes
    index = {"metadata": {"total_size": total}, "weight_map": weight_map}
    (directory / "model.safetensors.index.json").write_text(json.dumps(index))
    (directory / "config.json").write_text(json.dumps({"model_type": "llama", "hidden_size": _HIDDEN}))


def plain_read(path: Path) -> None:
    """What nothing that reads a whole file can be faster than, without a mapping."""
    buffer = memoryview(bytearray(_BUFFER))
    with path.open("rb", buffering=0) as file:
        while file.readinto(buffer):
            pass


def audited(path: Path, *, quick: bool = False, jobs: int = 1) -> int:
    """Audit the values of all tensors; return how many there are."""
    report = examine(open_checkpoint(path).tensors, quick=quick, jobs=jobs)
    assert not report.faults
    return len(report.statistics)


def torch_loop(path: Path) -> dict[str, tuple[bool, bool, bool, float, float, float]]:
    """As people write it in a notebook."""
    import torch
    from safetensors.torch import load_file

    return {
        name: (
            bool(torch.isnan(tensor).any()),
            bool(torch.isinf(tensor).any()),
            bool((tensor == 0).all()),
            float(tensor.min()),
            float(tensor.max()),
            float(tensor.float().std()),
        )
        for name, tensor in load_file(path).items()
    }


def torch_isnan(path: Path) -> dict[str, bool]:
    """The least that people write."""
    import torch
    from safetensors.torch import load_file

    return {
        name: bool(torch.isnan(tensor).any() or torch.isinf(tensor).any()) for name, tensor in load_file(path).items()
    }


CONTENDERS: dict[str, Callable[[Path], object]] = {
    PLAIN: plain_read,
    QUICK: lambda path: audited(path, quick=True),
    FULL: audited,
    f"{QUICK}, --jobs 2": lambda path: audited(path, quick=True, jobs=2),
    f"{FULL}, --jobs 2": lambda path: audited(path, jobs=2),
    "safetensors load_file, isnan and isinf a tensor": torch_isnan,
    LOOP: torch_loop,
}

_OURS = 5  # of them need no torch


def seconds_of(call: Callable[[], object]) -> tuple[float, float]:
    """Seconds on the clock, and of CPU."""
    before, start = time.process_time(), time.perf_counter()
    call()
    return time.perf_counter() - start, time.process_time() - before


def warm(path: Path, rounds: int, *, peers: bool) -> dict[str, tuple[float, float]]:
    """The least seconds of each contender, on the clock and of CPU, while the file is in the page cache."""
    plain_read(path)
    least = dict[str, tuple[float, float]]()
    for _ in range(rounds):
        for name, call in CONTENDERS.items() if peers else list(CONTENDERS.items())[:_OURS]:
            wall, cpu = seconds_of(lambda call=call: call(path))
            known = least.get(name, (wall, cpu))
            least[name] = min(known[0], wall), min(known[1], cpu)
    return least


def cold(path: Path, rounds: int) -> dict[str, float]:
    """The least seconds on the clock of a plain read and of an audit whose file is on the disk alone."""
    least = dict[str, float]()
    for _ in range(rounds):
        for name in (PLAIN, QUICK, FULL, f"{FULL}, --jobs 2"):
            with path.open("rb") as file:
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
            wall, _ = seconds_of(lambda name=name: CONTENDERS[name](path))
            least[name] = min(least.get(name, wall), wall)
    return least


def print_peak(path: Path, jobs: int) -> None:
    """Audit all values, and print the peak of the resident set in bytes."""
    audited(path, jobs=jobs)
    print(peak_resident())


def peak_of(path: Path, jobs: int = 1) -> float:
    """MB of a new process that audits all values."""
    code = f"from tests.benchmarks.bench_checkpoints import Path, print_peak; print_peak(Path({str(path)!r}), {jobs})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return int(done.stdout) / 1e6


def headers(directory: Path) -> tuple[float, float]:
    """Seconds of an audit of headers alone, and of a new process that does it, in CPU seconds."""
    wall, _ = seconds_of(lambda: audit_checkpoint(directory, headers=True))
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    code = (
        "from pathlib import Path; from audioloss_cli.checkpoints.audit import audit_checkpoint;"
        f" audit_checkpoint(Path({str(directory)!r}), headers=True)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def report(directory: Path, nbytes: int, rounds: int, *, peers: bool) -> None:
    """Measure and print."""
    path = directory / "model.safetensors"
    write_model(path, nbytes)
    size = path.stat().st_size
    found = warm(path, rounds, peers=peers)
    plain, full = found[PLAIN], found[FULL]
    rows = [
        (name, f"{size / wall / 1e9:.2f}", f"{cpu:.2f}", f"{plain[1] / cpu:.0%}", f"{cpu / full[1]:.1f}")
        for name, (wall, cpu) in found.items()
    ]
    print(f"{size / 1e9:.2f} GB of bfloat16, {len(open_checkpoint(path).tensors)} tensors\n")
    print(table(("warm", "GB/s", "CPU, s", "of a plain read", "CPU times all statistics"), rows))
    slow = cold(path, rounds)
    rows = [(name, f"{size / wall / 1e9:.2f}", f"{slow[PLAIN] / wall:.0%}") for name, wall in slow.items()]
    print(table(("cold", "GB/s", "of a plain read"), rows))
    print(f"peak memory: {peak_of(path):.0f} MB, with two threads {peak_of(path, 2):.0f} MB")
    path.unlink()
    write_sharded(directory)
    wall, cpu = headers(directory)
    print(f"headers of 70 billion parameters in {_SHARDS} shards: {wall:.3f} s, a new process {cpu:.2f} CPU s")


def main() -> None:
    """Print tables."""
    found = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    found.add_argument("--mb", type=int, default=2048, help="of the file")
    found.add_argument("--rounds", type=int, default=5)
    found.add_argument("--directory", type=Path, help="on the disk that is measured")
    found.add_argument("--no-peers", action="store_true", help="leave the loops with torch out, which take minutes")
    asked = found.parse_args()
    with TemporaryDirectory(dir=asked.directory) as name:
        report(Path(name), asked.mb << 20, asked.rounds, peers=not asked.no_peers)


if __name__ == "__main__":
    main()
