"""What strangers wrote, driven through the command line: not one control character of it reaches a terminal."""

import json
import os
import pty
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from tests.conftest import Ran
from tests.event_files import scalar_event, write
from tests.probe import tiny
from tests.probe.training import checkpoint
from tests.wobble import wobbly

#: A title, a cleared screen, a bell, C1, DEL, a bare return, directions of writing, and line ends of Unicode.
HOSTILE = "x\x1b]0;title\x07\x1b[2J\x08\x7f\x9b31m\x85\rPASS\u202e\u2066\u200f\u2028\u2029\U000e0041y"
NUL = "\x00"
LONG = HOSTILE * 300  # 10,000 characters
ROOT = Path(__file__).parent.parent
LOW = [*wobbly(6.9, 20), *wobbly(0.001, 20)]


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])


def assert_clean(ran: Ran) -> None:
    """One line on standard error at most, nothing to obey on either stream, and nothing too long to be read."""
    for text in (ran.out, ran.err):
        assert not {character for character in text if not character.isprintable()} - {"\n"}
        assert "internal error" not in text
        assert not [line for line in text.splitlines() if line.startswith("PASS") and ran.code]
    assert ran.err.count("\n") <= 1
    assert len(ran.err) < 1200
    assert all(len(line) < 1400 for line in ran.out.splitlines())


@pytest.mark.parametrize(
    "words",
    [
        [LONG],
        [f"--{LONG}"],
        ["scan", "x", f"--{HOSTILE}"],
        ["scan", "x", "--window", LONG],
        ["scan", "x", "--scale", HOSTILE],
        ["scan", "x", "--fail-on", LONG],
        ["scan", "x", "--kind", HOSTILE],
        ["scan", "x", "--format", LONG],
        ["scan", "x", "--report", HOSTILE],
        ["scan", "x", "--select", LONG],
        ["scan", "x", "--tag", f"re:({LONG}"],
        ["scan", "x", "--tag", HOSTILE],
        ["scan", "x", "--config", HOSTILE],
        ["scan", "x", "--output", f"{HOSTILE}/x"],
        ["scan", "x", "--cache", f"/dev/null/{HOSTILE}"],
        ["scan", "x", "--config", LONG],
        ["scan", "x", "--output", f"{LONG}/x"],
        ["scan", "x", "--cache", LONG],
        ["scan", LONG],
        ["test", LONG],
        ["probe", "--ckpt", "x", "--data", LONG],
        ["probe", "--ckpt", "x", "--data", "x", "--log-dir", LONG],
        ["scan", f"{HOSTILE}{NUL}"],
        ["scan", "\udcff\udc80"],
        ["rule", LONG],
        ["rule", "\udcff"],
        ["test", HOSTILE],
        ["probe", "--ckpt", LONG, "--data", "x"],
        ["probe", "--ckpt", "x", "--data", "x", "--device", LONG],
        ["probe", "--ckpt", "x", "--data", "x", "--dtype", HOSTILE],
        ["probe", "--ckpt", "x", "--data", "x", "--data-arg", LONG],
        ["probe", "--ckpt", "x", "--data", "x", "--log-dir", HOSTILE],
    ],
    ids=lambda words: " ".join(word for word in words if word.isprintable())[:40],
)
def test_arguments(words, audioloss):
    ran = audioloss(*words)
    assert ran.code in (2, 3)
    assert_clean(ran)


def test_the_environment(audioloss, monkeypatch):
    monkeypatch.setenv("AUDIOLOSS_WINDOW", LONG)
    assert_clean(audioloss("scan", "x"))


@pytest.mark.parametrize(
    "text", ['"{}" = 1', 'window = "{}"', 'tag = ["re:({}"]', '[rules."{}"]', '[kinds]\n"{}" = 1', 'select = ["{}"]']
)
def test_a_configuration_file(text, audioloss):
    escaped = json.dumps(HOSTILE)[1:-1].replace("\\udb40\\udc41", "\\U000E0041")
    Path("audioloss.toml").write_text(text.replace("{}", escaped))
    ran = audioloss("scan", "x")
    assert ran.code in (2, 3)
    assert_clean(ran)


@pytest.mark.parametrize("arguments", [[], ["-v"], ["-q"], ["--tag", "none"], ["--all-losses"], ["-o", "report"]])
def test_tags_runs_and_files(arguments, audioloss, jsonl):
    tag = f"{LONG}/audio_loss"
    rows = [{"step": step, tag: value, f"lr{LONG}": 1} for step, value in enumerate(LOW)]
    jsonl(*rows, "no row", name=f"run{HOSTILE}/log{HOSTILE}.jsonl")
    events = [scalar_event(step, {tag: value}) for step, value in enumerate(LOW)]
    write(Path(f"events{HOSTILE}") / f"x{HOSTILE}.tfevents", events)
    with next(Path(f"events{HOSTILE}").iterdir()).open("ab") as stream:
        stream.write(HOSTILE.encode() * 10)
    jsonl({"lr": 1, HOSTILE: 1}, name=f"silent{HOSTILE}/log.jsonl")
    Path(f"no log{HOSTILE}.jsonl").write_text(HOSTILE * 10)
    ran = audioloss("scan", ".", *arguments)
    assert ran.code in (1, 3)
    assert_clean(ran)
    if "-o" in arguments:
        assert_clean(Ran(ran.code, Path("report").read_text(), ""))


def test_json_is_escaped_and_lossless(audioloss, jsonl):
    tag, run = f"{LONG[:3000]}{NUL}\ud800/audio_loss", f"run{HOSTILE}é\udcff"
    jsonl(*({"step": step, tag: value} for step, value in enumerate(LOW)), name=f"{run}/log.jsonl")
    printed = audioloss("scan", ".", "--report", "json")  # first: a report that lies there is said to be none of a run
    ran = audioloss("scan", ".", "--report", "json", "-o", "report.json")
    assert Path("report.json").read_text() == printed.out
    assert ran.code == printed.code == 1
    assert not {character for character in printed.out if not character.isprintable()} - {"\n"}
    assert "é" in printed.out
    (found,) = json.loads(printed.out)["runs"]
    assert found["run"] == f"{run}/log.jsonl"
    assert found["tags"] == [tag] == [found["series"][0]["tag"]]


def test_test_files(audioloss):
    name = json.dumps(HOSTILE)[1:-1].replace("\\udb40\\udc41", "\\U000E0041")
    body = f'[[test]]\nname = "{name}"\n[test.series]\n"{name}/audio_loss" = "6.9-0.01x400 0.001x50"\n'
    Path(f"t{HOSTILE}.toml").write_text(body + "alerts = []\n")
    assert_clean(audioloss("test", f"t{HOSTILE}.toml"))
    Path("t.toml").write_text(body.replace("[test.series]", "alerts = []\n[test.series]"))
    for arguments in ([], ["-v"]):
        ran = audioloss("test", "t.toml", *arguments)
        assert ran.code == 1
        assert_clean(ran)


class Checkpoints:
    """A --ckpt each, with what a stranger wrote in it."""

    @staticmethod
    def pickle_global() -> list[object]:
        name = HOSTILE.replace("\u2028", "").encode()
        code = b"c" + name.replace(b"\n", b"") * 50 + b"\n" + name + b"\n)R."
        Path("plain.pt").write_bytes(b"\x80\x02" + code)
        return ["plain.pt"]

    @staticmethod
    def pickle_global_in_a_zip() -> list[object]:
        torch.save({"a": torch.zeros(2)}, "whole.pt")
        name = HOSTILE.encode()
        with zipfile.ZipFile("whole.pt") as whole, zipfile.ZipFile("zipped.pt", "w") as zipped:
            for item in whole.namelist():
                data = b"\x80\x02c" + name + b"\n" + name * 30 + b"\n)R." if item.endswith("data.pkl") else None
                zipped.writestr(item, whole.read(item) if data is None else data)
        return ["zipped.pt"]

    @staticmethod
    def tensor_names() -> list[object]:
        save_file({LONG: torch.zeros(2), f"{HOSTILE}.weight": torch.ones(3)}, "names.safetensors")
        return ["names.safetensors"]

    @staticmethod
    def tensor_names_of_a_model() -> list[object]:
        path = Path("model")
        tiny.model().save_pretrained(path)
        from safetensors.torch import load_file

        state = load_file(path / "model.safetensors")
        state[LONG] = state.pop(next(iter(state)))
        state[HOSTILE] = torch.full((3,), float("nan"))
        save_file(state, path / "model.safetensors", {"format": "pt"})
        return [path]

    @staticmethod
    def shard_names() -> list[object]:
        path = Path("shards")
        tiny.model().save_pretrained(path)
        (path / "model.safetensors").unlink()
        index = {"metadata": {}, "weight_map": {LONG: f"{LONG}.safetensors", "b": f"../{HOSTILE}"}}
        (path / "model.safetensors.index.json").write_text(json.dumps(index))
        return [path]

    @staticmethod
    def base_model() -> list[object]:
        path = Path("adapter")
        path.mkdir()
        settings = {"peft_type": "LORA", "base_model_name_or_path": LONG, "r": 2, "target_modules": [HOSTILE]}
        (path / "adapter_config.json").write_text(json.dumps(settings))
        save_file({HOSTILE: torch.zeros(2)}, path / "adapter_model.safetensors")
        return [path]

    @staticmethod
    def config_strings(**more: object) -> list[object]:
        path = Path("config")
        tiny.model().save_pretrained(path)
        settings = json.loads((path / "config.json").read_text())
        changed = {"model_type": LONG, "architectures": [LONG], "torch_dtype": HOSTILE, "dtype": HOSTILE}
        (path / "config.json").write_text(json.dumps({**settings, **(more or changed)}))
        return [path]

    @staticmethod
    def config_values() -> list[object]:
        return Checkpoints.config_strings(hidden_size=LONG, hidden_act=HOSTILE)

    @staticmethod
    def config_that_is_none() -> list[object]:
        Path("torn").mkdir()
        Path("torn/config.json").write_text(HOSTILE)
        return ["torn"]

    @staticmethod
    def file_name() -> list[object]:
        Path(f"{HOSTILE}.pt").write_bytes(b"torn")
        return [f"{HOSTILE}.pt"]

    @staticmethod
    def factory() -> list[object]:
        torch.save(torch.nn.Linear(1, 1).state_dict(), "linear.pt")
        return ["linear.pt", "--model", "strange:raises"]


STRANGE = f"""
from tests.probe import tiny
HOSTILE = {HOSTILE!r}
LONG = {LONG!r}
class Strange(Exception):
    pass
Strange.__name__ = HOSTILE
class Mute(Exception):
    def __str__(self):
        raise ValueError(LONG)
def raises():
    raise Strange(LONG)
def mute():
    raise Mute
def mute_model():
    inner = tiny.model()
    def forward(*arguments, **more):
        raise Mute
    inner.forward = forward
    return inner
class MuteData:
    def __len__(self):
        return 2
    def __getitem__(self, index):
        raise Mute
def data():
    return tiny.hf_batch(distinct=64)
def names():
    return {{HOSTILE: 1, LONG: 2}}
def model():
    inner = tiny.model()
    def forward(*arguments, **more):
        raise Strange(LONG)
    inner.forward = forward
    return inner
class Data:
    def __len__(self):
        return 2
    def __getitem__(self, index):
        raise Strange(LONG)
"""


@pytest.mark.parametrize("make", [name for name in vars(Checkpoints) if name[0] != "_"])
@pytest.mark.parametrize("report", ["text", "json"])
def test_a_checkpoint(make, report, audioloss):
    Path("strange.py").write_text(STRANGE)
    sys.modules.pop("strange", None)
    words = getattr(Checkpoints, make)()
    ran = audioloss("probe", "--data", "strange:data", "--device", "cpu", "--report", report, "--ckpt", *words)
    assert ran.code in (1, 2, 3)
    if report == "text" or ran.code > 1:
        assert_clean(ran)
    else:
        assert not {character for character in ran.out if not character.isprintable()} - {"\n"}
        assert json.loads(ran.out)["exit_code"] == ran.code


@pytest.mark.parametrize(
    "words",
    [
        ["--data", "strange:raises"],
        ["--data", "strange:Data"],
        ["--data", "strange:names"],
        ["--data", "strange:mute"],
        ["--data", "strange:MuteData"],
        ["--data", "strange:data", "--model", "strange:mute_model"],
        ["--data", f"strange:{HOSTILE}"],
        ["--data", f"{LONG}:x"],
        ["--data", "strange:data", "--model", "strange:model"],
        ["--data", "strange:data", "--adapter", LONG],
        ["--data", LONG],
        ["--data", "strange:data", "--held-out", LONG],
        ["--data", "strange:data", "--held-out", f"strange:{HOSTILE}"],
        ["--data", "strange:data", "--model", LONG],
        ["--data", "names.npz"],
        ["--data", "global.pt"],
        ["--data", f"{HOSTILE}.safetensors"],
    ],
    ids=lambda words: " ".join(word for word in words if word.isprintable())[:40],
)
def test_data(words, audioloss):
    import numpy as np

    Path("strange.py").write_text(STRANGE)
    sys.modules.pop("strange", None)
    np.savez("names.npz", **{HOSTILE.replace("/", ""): np.array([None], dtype=object)})
    Path("global.pt").write_bytes(b"\x80\x02c" + HOSTILE.encode() * 30 + b"\nx\n)R.")
    Path(f"{HOSTILE}.safetensors").write_bytes(b"\x10" + bytes(7) + b'{"' + b"\x1b[2J" * 4)
    ran = audioloss("probe", "--ckpt", checkpoint("untrained"), "--device", "cpu", *words)
    assert ran.code in (1, 2, 3)
    assert_clean(ran)


WARNS = f"""
import logging, sys, warnings
from tests.probe import batches
def data():
    warnings.warn({HOSTILE!r})
    logging.warning({HOSTILE!r})
    print({HOSTILE!r}, file=sys.stderr)
    print({HOSTILE!r})
    return batches.healthy()
"""


@pytest.mark.exhaustive
def test_what_others_print_passes_the_same_door(tmp_path):
    Path("strange.py").write_text(WARNS)
    words = f"probe --ckpt {checkpoint('untrained')} --data strange:data --device cpu -v"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])}
    command = [sys.executable, "-m", "audioloss_cli", *words.split()]
    done = subprocess.run(command, capture_output=True, check=False, env=environment)
    assert done.returncode == 0
    err = done.stderr.decode()
    assert err.count(r"x\x1b]0;title\x07\x1b[2J\x08\x7f\x9b31m\x85") >= 4
    assert not {character for character in err if not character.isprintable()} - set("\n\r\t")


def test_a_traceback_passes_it_too(tmp_path):
    Path("sitecustomize.py").write_text(
        "import audioloss_cli.audit.scanning as s\n"
        f"def broken(*a, **k): raise RuntimeError({LONG!r})\ns.discover = broken\n"
    )
    Path("log.jsonl").write_text("{}")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)]), "AUDIOLOSS_TRACEBACK": "1"}
    command = [sys.executable, "-m", "audioloss_cli", "scan", "log.jsonl"]
    done = subprocess.run(command, capture_output=True, check=False, env=environment)
    assert done.returncode == 4
    assert not {character for character in done.stderr.decode() if not character.isprintable()} - {"\n"}


def test_the_progress_bar(tmp_path):
    name = f"run{HOSTILE}.jsonl"
    os.mkfifo(name)
    terminal, theirs = pty.openpty()
    command = [sys.executable, "-m", "audioloss_cli", "scan", "--format", "jsonl", name]
    environment = {**os.environ, "COLUMNS": "500", "TERM": "xterm"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=theirs, env=environment) as child:
        os.close(theirs)
        end = os.open(name, os.O_WRONLY)  # waits for its reader
        seen = b""
        while b"31m" not in seen:
            seen += os.read(terminal, 100_000)
        child.send_signal(signal.SIGTERM)
        child.communicate(timeout=60)
    os.close(end)
    os.close(terminal)
    assert child.returncode == 143
    assert rb"run" in seen
    assert rb"x\x1b]0;title\x07\x1b[2J\x08\x7f\x9b31m" in seen
    assert b"\x1b]" not in seen
    assert b"\x07" not in seen
