"""Files that want to run something, to take the memory, or never to end: each is told in a finding or a line."""

import json
import os
import pickle
import random
import resource
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from audioloss_cli import Severity
from audioloss_cli.checkpoints.audit import audit_checkpoint
from audioloss_cli.checkpoints.discover import checkpoints_under
from audioloss_cli.checkpoints.stored import ReadError
from tests.checkpoints.build import with_header
from tests.checkpoints.torch_files import FLOATS, legacy, state, zipped
from tests.fuzz.checkpoints import archives
from tests.fuzz.checkpoints.pickles import called, integer, name, tensor, text, whole

CANARY = Path(tempfile.gettempdir()) / f"audioloss-hostile-{os.getpid()}"
RUN = text(f"touch {CANARY}")
MANY = 6_000


def times(count: int, piece: bytes) -> bytes:
    return piece * count


def bare(value: bytes) -> bytes:
    return b"\x80\x04" + value + b"."


def doubled() -> bytes:
    """60 lists, each of which holds the one before twice."""
    return b"]" + b"".join(b"q\x00]h\x00ah\x00a" for _ in range(60))


def pairs() -> bytes:
    """Tuples, each of which holds the one before twice, as a key."""
    return b"}" + b")" + times(80, b"2\x86") + b"K\x01s"


def reused_list() -> bytes:
    """One long list from which many dicts are made."""
    pair = b"(" + times(4000, text("k") + b"K\x01\x86") + b"l"
    return b"(" + pair + b"q\x000" + times(4000, name("collections", "OrderedDict") + b"h\x00\x85R") + b"l"


def reused_text() -> bytes:
    """One long text that is encoded many times."""
    call = name("_codecs", "encode") + b"h\x00h\x01\x86R"
    return b"(" + text("a" * 300_000) + b"q\x000" + text("latin1") + b"q\x010" + times(3000, call) + b"l"


def long_names() -> bytes:
    """Names that are put together of long parts, each with each."""
    parts = b"".join(text("m" * 900 + str(index)) + b"q" + bytes([index]) + b"0" for index in range(80))
    return (
        b"("
        + parts
        + b"".join(b"h" + bytes([a]) + b"h" + bytes([b]) + b"\x93" for a in range(80) for b in range(80))
        + b"l"
    )


def long_keys() -> bytes:
    """Tensors whose dotted names are long, and share their first parts."""
    inner = b"}" + times(1, text("0")) + tensor("0", 4, (4,), (1,)) + b"q\x05s"
    inner += b"".join(text(str(index)) + b"h\x05s" for index in range(1, 3000))
    for _ in range(20):
        inner = b"}" + text("k" * 5000) + inner + b"s"
    return inner


def colliding_keys() -> bytes:
    return b"}(" + b"".join(integer(((1 << 61) - 1) * n) + b"N" for n in range(1, MANY)) + b"u"


def colliding_tuples() -> bytes:
    return b"}(" + b"".join(integer(n) + integer(-n) + b"\x86N" for n in range(1, MANY)) + b"u"


def zip_of(**changes: object) -> bytes:
    """An archive whose entry ``data/0`` says something else than is there."""
    entries = [
        {"name": "w/data.pkl", "data": whole(state())},
        {"name": "w/data/0", "data": FLOATS, **changes},
        {"name": "w/version", "data": b"3\n"},
    ]
    import zlib

    for entry in entries:
        plain = {"size": len(entry["data"]), "crc": zlib.crc32(entry["data"]), "method": 0, "flags": 0}  # type: ignore[arg-type]
        entry.update(
            {key: value for key, value in {**plain, "packed": None, "offset": None}.items() if key not in entry}
        )
    return archives.archive(entries)


def strange(kind: str) -> bytes:
    """The first archive of this kind that the fuzzer makes."""
    entries = {"w/data.pkl": whole(state()), "w/data/0": FLOATS, "w/version": b"3\n"}
    return next(
        made for made, found in (archives.strange(entries, random.Random(seed)) for seed in range(500)) if found == kind
    )


RUNS: dict[str, Callable[[], bytes]] = {
    "os.system in a zip": lambda: zipped(called("os", "system", RUN)),
    "os.system in a legacy file": lambda: legacy(b"}" + text("a") + called("os", "system", RUN) + b"s"),
    "os.system in a bare pickle": lambda: bare(called("posix", "system", RUN)),
    "os.system beside tensors": lambda: zipped(state() + text("x") + called("nt", "system", RUN) + b"s"),
    "eval of Python 2": lambda: bare(called("__builtin__", "eval", text("1"))),
    "name on the stack": lambda: bare(text("os") + text("system") + b"\x93" + RUN + b"\x85R"),
    "INST": lambda: bare(b"(" + RUN + b"ios\nsystem\n"),
    "OBJ": lambda: bare(b"(" + name("os", "system") + RUN + b"o"),
    "new object": lambda: bare(name("subprocess", "Popen") + RUN + b"\x85\x81"),
    "new object with names": lambda: bare(name("subprocess", "Popen") + RUN + b"\x85}\x92"),
    "second pickle of a file": lambda: bare(b"N") + bare(called("os", "system", RUN)),
    "inside of arguments": lambda: zipped(called("collections", "OrderedDict", called("os", "system", RUN))),
    "inside of a tensor": lambda: zipped(called("torch._utils", "_rebuild_tensor_v2", called("os", "system", RUN))),
    "dropped": lambda: zipped(called("os", "system", RUN) + b"0" + state()),
    "attribute of a library": lambda: bare(called("torch.serialization", "os.system", RUN)),
    "getattr": lambda: bare(called("builtins", "getattr", called("a", "b", text("os")), text("system"))),
    "getattr of a module": lambda: bare(called("builtins", "getattr", name("torch.hub", "os"), text("system"))),
    "partial": lambda: bare(called("functools", "partial", name("os", "system"), RUN)),
    "operator": lambda: bare(called("operator", "methodcaller", text("system"), RUN)),
    "nested pickle": lambda: bare(called("pickle", "loads", b"C\x02N.")),
    "hub": lambda: bare(called("torch.hub", "load", text("a/b"), text("c"))),
    "computed name": lambda: bare(called("_codecs", "decode", b"C\x02os") + text("system") + b"\x93" + RUN + b"\x85R"),
    "split frame": lambda: b"\x80\x04\x95" + struct.pack("<Q", 6) + b"cnumpyos\nsystem\n(" + RUN + b"tR.",
    "hidden behind odd numbers": lambda: bare(b"I0x10\n0F1.0\0x\n0" + called("os", "system", RUN)),
    "hidden behind text": lambda: bare(b"S'\xc3\xa9'\n0" + called("os", "system", RUN)),
    "extension": lambda: bare(b"\x82\x07" + b"(" + RUN + b"tR"),
}  # fmt: skip
TAKES: dict[str, Callable[[], bytes]] = {
    "deep lists": lambda: zipped(b"]" * MANY + b"a" * (MANY - 1)),
    "deep tuples": lambda: zipped(b")" + b"\x85" * MANY),
    "deep dicts": lambda: zipped(times(MANY, b"}" + text("model")) + b"N" + b"s" * MANY),
    "deep calls": lambda: bare(name("a", "b") + times(MANY, b")R")),
    "deep key": lambda: bare(b"}" + b")" + b"\x85" * MANY + b"K\x01s"),
    "list in itself": lambda: zipped(b"]q\x00h\x00a"),
    "dict in itself": lambda: zipped(b"}q\x00" + text("state_dict") + b"h\x00s"),
    "doubling lists": lambda: zipped(doubled()),
    "doubling tuples": lambda: bare(pairs()),
    "reused list": lambda: bare(reused_list()),
    "reused text": lambda: bare(reused_text()),
    "long names": lambda: bare(long_names()),
    "long keys": lambda: zipped(long_keys()),
    "colliding numbers": lambda: bare(colliding_keys()),
    "tuples as keys": lambda: bare(colliding_tuples()),
    "many dicts": lambda: bare(b"(" + b"}" * 200_000 + b"l"),
    "many marks": lambda: bare(b"(" * 200_000),
    "far memo": lambda: bare(b"N" + b"".join(b"r" + struct.pack("<I", 7919 * index) for index in range(MANY))),
    "huge number": lambda: bare(b"\x8b" + struct.pack("<i", 300_000) + b"\x7f" * 300_000),
    "number in digits": lambda: bare(b"L" + b"9" * 300_000 + b"L\n"),
    "lying text": lambda: bare(b"\x8d" + struct.pack("<Q", 1 << 62) + b"abc"),
    "lying bytes": lambda: bare(b"B" + struct.pack("<I", (1 << 32) - 1) + b"abc"),
    "lying frame": lambda: bare(b"\x95" + struct.pack("<Q", 1 << 62) + b"N"),
    "storage of petabytes": lambda: zipped(state(count=1 << 50, size=(1 << 50,))),
    "expanded tensor": lambda: zipped(state(size=(1 << 40,), stride=(0,))),
    "many expanded tensors": lambda: zipped(state(*map(str, range(3000)), size=(1 << 20,), stride=(0,))),
    "tensor of a million axes": lambda: zipped(state(size=(1,) * MANY, stride=(1,) * MANY)),
    "legacy storage of petabytes": lambda: legacy(state(count=1 << 50, size=(4,)), elements=1 << 50),
    "zip bomb": lambda: strange("bomb"),
    "overlapping entries": lambda: strange("quine"),
    "entry that lies": lambda: zip_of(size=1 << 31, packed=1 << 31),
    "encrypted entry": lambda: zip_of(flags=1),
    "two entries of a name": lambda: zip_of(name="w/data.pkl"),
    "unknown compression": lambda: zip_of(method=93),
    "header of 10^12 elements": lambda: with_header({
        "a": {"dtype": "F32", "shape": [10**12], "data_offsets": [0, 4 * 10**12]}
    }),
    "header of 10^18 bytes": lambda: struct.pack("<Q", 10**18) + b"{}",
    "deep header": lambda: with_header("[" * 100_000),
    "control characters in names": lambda: zipped(state("a\x1b[2J\x07", "b\nc\r", "\u202ed")),
    "empty": lambda: b"",
    "zeros": lambda: bytes(4096),
}  # fmt: skip
#: Honest in what can be told of it: nothing in it is a fault.
NO_FAULT = {"control characters in names", "far memo", "lying frame"}


def audited(path: Path) -> list[tuple[Severity, str, str]]:
    """What is told of a checkpoint: findings, or a line why there is nothing to audit."""
    try:
        found = audit_checkpoint(path).findings
    except ReadError as error:
        return [(Severity.CRITICAL, "", str(error))]
    return [(finding.severity, finding.code, finding.message) for finding in found]


@pytest.mark.parametrize("kind", RUNS)
def test_what_would_run_code_is_critical_and_does_not_run(kind, tmp_path):
    (path := tmp_path / "model.pt").write_bytes(RUNS[kind]())
    told = [(severity, code) for severity, code, _ in audited(path)]
    if kind == "extension":
        assert (Severity.WARNING, "unsafe-pickle") in told
    else:
        assert (Severity.CRITICAL, "unsafe-pickle") in told
    assert not CANARY.exists()


@pytest.fixture(scope="module")
def taken(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, object]]:
    """What a process of its own says of each file: findings, CPU seconds, and the peak of memory above its start."""
    place = tmp_path_factory.mktemp("hostile")
    for number, kind in enumerate(TAKES):
        (place / f"{number}.pt").write_bytes(TAKES[kind]())
    found = {}
    command = [sys.executable, "-W", "ignore", "-m", __name__, *(str(place / f"{n}.pt") for n in range(len(TAKES)))]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    for kind, line in zip(TAKES, done.stdout.splitlines(), strict=True):
        found[kind] = json.loads(line)
    return found


@pytest.mark.parametrize("kind", TAKES)
def test_what_asks_for_more_than_it_has_is_told_in_time_and_memory(kind, taken):
    findings, seconds, grown, size = (taken[kind][key] for key in ("findings", "seconds", "grown", "size"))
    assert (
        any(severity in ("critical", "warning") for severity, _, _ in findings) == (kind not in NO_FAULT)
        or kind in LOUD
    )
    assert seconds < 20  # of CPU time; a hang would take for ever
    assert grown < 150_000_000 + 8 * size
    assert not CANARY.exists()


LOUD = {
    *("deep calls", "deep key", "doubling tuples", "reused list", "reused text", "long names", "colliding numbers"),
    *("tuples as keys", "many dicts", "huge number", "number in digits", "far memo", "list in itself"),
    *("dict in itself", "long keys", "lying frame"),
}  # fmt: skip  # whether these are told depends on what the file has beside


def main(paths: list[str]) -> None:
    """Audit one after the other, and print a line of JSON for each."""
    (warm := Path(tempfile.mkdtemp()) / "x.pt").write_bytes(zipped(state()))
    audited(warm)
    for path in map(Path, paths):
        before, began = _peak(), time.process_time()
        findings = [(severity.value, code, message) for severity, code, message in audited(path)]
        seconds = time.process_time() - began
        line = {"findings": findings, "seconds": seconds, "grown": _peak() - before, "size": path.stat().st_size}
        print(json.dumps(line))


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10


def test_links_pipes_and_devices_are_not_opened(tmp_path):
    model = tmp_path / "model"
    model.mkdir()
    (model / "config.json").write_text("{}")
    os.mkfifo(model / "model.safetensors")
    assert any(code == "damaged-file" for _, code, _ in audited(model))
    (model / "model.safetensors").unlink()
    (model / "pytorch_model.bin").symlink_to("/dev/zero")
    assert any(code in ("damaged-file", "path-leaves-checkpoint") for _, code, _ in audited(model))
    os.mkfifo(tmp_path / "pipe.pt")
    (tmp_path / "zero.pt").symlink_to("/dev/zero")
    assert [path.name for path in checkpoints_under(tmp_path)] == ["model"]


def test_links_that_leave_the_directory_are_told(tmp_path):
    (tmp_path / "secret.bin").write_bytes(zipped(state()))
    model = tmp_path / "model"
    model.mkdir()
    (model / "config.json").write_text("{}")
    (model / "pytorch_model.bin").symlink_to(tmp_path / "secret.bin")
    assert "path-leaves-checkpoint" in [code for _, code, _ in audited(model)]


def test_what_pickle_writes_and_torch_does_not_is_read_as_well(tmp_path):
    (path := tmp_path / "model.pt").write_bytes(pickle.dumps({"a": [1.5]}))
    with pytest.raises(ReadError, match="holds no tensors"):
        audit_checkpoint(path)


if __name__ == "__main__":
    main(sys.argv[1:])
