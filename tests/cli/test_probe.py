"""``audioloss probe``: exit codes, messages of one line, reports on standard output and nothing beside them."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import torch
import transformers

import audioloss_cli
from tests.conftest import Ran
from tests.effort import exhaustive
from tests.probe import custom
from tests.probe.training import checkpoint
from tests.wobble import wobbly

ROOT = Path(__file__).parent.parent.parent
PACKAGE = Path(audioloss_cli.__file__).parent
SCHEMA = json.loads((PACKAGE / "outputs" / "report-1.schema.json").read_text())
HERE = "tests.probe.batches"
# Most of what is here probes a checkpoint of Higgs Audio v2.
pytestmark = pytest.mark.skipif(
    not hasattr(transformers, "HiggsAudioV2Config"), reason="this transformers has no Higgs Audio v2"
)
cpu_only = pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device here")


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # tiny models gain nothing from a second one
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def probe(audioloss: Callable[..., Ran]) -> Callable[..., Ran]:
    """Probe the untrained tiny model on a batch of ``batches``, on the CPU."""

    def run(data: str, *more: object) -> Ran:
        what = f"{HERE}:{data}" if data.isidentifier() else data
        return audioloss("probe", "--ckpt", checkpoint("untrained"), "--data", what, "--device", "cpu", *more)

    return run


def one_line(text: str) -> str:
    assert text.startswith("audioloss: error: ")
    assert text.count("\n") == 1
    assert text.endswith("\n")
    return text.strip()


def test_exit_codes_0_and_1(probe):
    assert probe("healthy").code == 0
    assert probe("masked").code == 1


@pytest.mark.parametrize("name", ["untrained", *exhaustive("repeating")])
@pytest.mark.parametrize(("data", "code", "severity"), [("repeating", 0, "info"), ("few_codes", 1, "warning")])
def test_codes_that_often_repeat_are_a_note_and_few_of_them_a_fault(name, data, code, severity, audioloss):
    """Whether the model has learnt how often they repeat, or nothing yet."""
    ran = audioloss(
        *("probe", "--ckpt", checkpoint(name), "--data", f"{HERE}:{data}", "--device", "cpu"),
        *("--fail-on", "warning", "--report", "json"),
    )
    findings = {item["code"]: item["severity"] for item in json.loads(ran.out)["findings"]}
    assert (ran.code, findings["poor-codes"]) == (code, severity), ran.out
    assert {each for each, found in findings.items() if found != "info"} == ({"poor-codes"} if code else set())


@pytest.mark.exhaustive
def test_codes_that_often_repeat_are_a_fault_where_the_model_copies(audioloss):
    ran = audioloss(
        *("probe", "--ckpt", checkpoint("no-shift"), "--data", f"{HERE}:repeating", "--device", "cpu"),
        *("--report", "json"),
    )
    findings = {item["code"]: item["severity"] for item in json.loads(ran.out)["findings"]}
    assert (ran.code, findings["poor-codes"]) == (1, "warning"), ran.out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "give --ckpt PATH, --data WHAT, or both"),
        (["--data", ""], "give --ckpt PATH, --data WHAT, or both"),
        (["--ckpt", "x", "--ckpt", "y", "--data", "z"], "--data goes with one --ckpt"),
        (["--ckpt", "x", "--backward"], "--backward needs --data as well"),
        (["--data", "x:y", "--against", "z"], "--against needs --ckpt as well"),
        (["--data", "y:z", "--backward"], "--backward needs --ckpt as well"),
        (["--data", "y:z", "--held-out", "y:z"], "--held-out needs --ckpt as well"),
        (["--data", "y:z", "--show-layout"], "--show-layout needs --ckpt as well"),
        (["--data", "y:z", "--batches", "0"], "--batches must be at least 1"),
        (["--ckpt", ".", "--data", "y:z", "--device", "gpu"], "--device 'gpu' is not one of auto, cpu"),
        (["--ckpt", ".", "--data", "y:z", "--batches", "0"], "--batches must be at least 1"),
        (["--ckpt", "x", "--data", "y", "--batches", "many"], "'--batches'"),
        (["--ckpt", "x", "--data", "y", "--timeout", "soon"], "'--timeout'"),
        (["--ckpt", "x", "--data", "y", "--report", "xml"], "'xml' is not one of"),
        (["--ckpt", ".", "--data", "y:z", "--data-arg", "size"], "--data-arg 'size' must look like name=value"),
        (["--ckpt", "x", "--data", "y", "--fail-on", "info"], "'--fail-on'"),
        (["--ckpt", "x", "--data", "y", "--config", "none.toml"], "none.toml"),
        (["--ckpt", "x", "--data", "y", "--nope"], "No such option"),
    ],
)
def test_usage_is_2(arguments, words, audioloss):
    ran = audioloss("probe", *arguments)
    assert (ran.code, ran.out) == (2, "")
    assert words in one_line(ran.err)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (("--dtype", "fp16"), "--dtype 'fp16' is not one of float32, bfloat16, float16"),
        (("--adapter", "none"), "--adapter 'none' is not one of csm, csm_hf, dia, generic"),
        (("--adapter", "generic"), "--labels-key"),
        (("--data-arg", "size=4"), "healthy() got an unexpected keyword argument 'size'"),
    ],
)
def test_what_only_the_probe_can_tell_is_2_too(more, words, probe):
    ran = probe("healthy", *more)
    assert (ran.code, ran.out) == (2, "")
    assert words in one_line(ran.err)


def test_what_cannot_be_read_is_3(audioloss, probe, tmp_path):
    (tmp_path / "torn.pt").write_bytes(b"PK\x03\x04 torn")
    for ran, words in (
        (audioloss("probe", "--ckpt", "nowhere", "--data", "x"), "nowhere: no such file or directory"),
        (audioloss("probe", "--ckpt", tmp_path, "--data", "x:y"), "is no checkpoint"),
        (probe("healthy", "--held-out", "nowhere.pt"), "--held-out 'nowhere.pt': there is no such file"),
        (probe("nowhere.pt"), "'nowhere.pt': there is no such file"),
        (probe("torn.pt"), "torn.pt"),
    ):
        assert (ran.code, ran.out) == (3, "")
        assert words in one_line(ran.err)


@cpu_only
@pytest.mark.parametrize("device", ["cuda", "cuda:3"])
def test_a_device_that_is_not_here_is_4(device, audioloss):
    ran = audioloss("probe", "--ckpt", checkpoint("untrained"), "--data", "x:y", "--device", device)
    assert (ran.code, ran.out) == (4, "")
    assert f"--device {device}: there is no CUDA device here" in one_line(ran.err)


@cpu_only
def test_auto_says_what_it_chose(audioloss):
    ran = audioloss("probe", "--ckpt", checkpoint("untrained"), "--data", f"{HERE}:healthy")
    assert "device cpu, chosen by auto: there is no CUDA or MPS device here" in " ".join(ran.out.split())


def document(ran: Ran) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(ran.out)
    jsonschema.Draft202012Validator(SCHEMA).validate(found)
    assert found["exit_code"] == ran.code
    return found


@pytest.mark.parametrize("data", ["healthy", "masked", "half_masked", "without_codes"])
def test_json_is_what_the_schema_says(data, probe):
    found = document(probe(data, "--report", "json", "--backward"))
    assert bool(found["diagnoses"]) == (data != "healthy")
    assert any(note.startswith("device cpu") for note in found["notes"])


def test_the_text_names_the_cause_its_evidence_and_the_fix(probe):
    ran = probe("masked")
    words = " ".join(ran.out.split())
    assert words.endswith(" the checkpoint and its data FAIL (exit 1): 1 critical in 1 checkpoint")
    assert "1. all-masked - all 936 audio labels are -100: there is nothing to learn Fix: Find the code" in words
    assert "Ruled out" in words
    assert ran.err == ""


def test_quiet_gives_the_worst_finding_and_the_verdict(probe):
    broken, verdict = probe("masked", "-q").out.splitlines()
    assert re.fullmatch("CRITICAL all-masked  [0-9a-f]{16}  the checkpoint and its data", broken)
    assert verdict == "FAIL (exit 1): 1 critical in 1 checkpoint"
    assert probe("healthy", "-q").out == "PASS (exit 0): nothing found in 1 checkpoint\n"


@pytest.mark.parametrize(
    ("data", "gate", "code"),
    [
        ("half_masked", "warning", 1),
        ("half_masked", "critical", 0),
        ("masked", "critical", 1),
        ("masked", "never", 0),
    ],
)
def test_the_gate(data, gate, code, probe):
    ran = probe(data, "--fail-on", gate, "--report", "json")
    assert (ran.code, document(ran)["gate"]["fail_on"]) == (code, gate)
    assert document(ran)["diagnoses"][0]["cause"] == "all-masked"


def test_the_gate_of_a_configuration_file(probe, tmp_path):
    (tmp_path / "audioloss.toml").write_text('fail-on = "never"\n')
    ran = probe("masked", "--report", "json")
    assert (ran.code, Path(document(ran)["config_file"]).name) == (0, "audioloss.toml")


def test_what_is_known_or_suppressed_passes(probe, tmp_path):
    """A suppression for a scan alone is none of the probe's."""
    ran = probe("masked", "-q", "--write-baseline", "known.json")
    assert (ran.code, ran.err) == (1, "1 known finding in known.json; --baseline known.json lets it pass\n")
    ran = probe("masked", "--report", "json", "--baseline", "known.json")
    assert ran.code == 0
    assert {(each["code"], each["standing"]) for each in document(ran)["findings"] if each["severity"] != "info"} == {
        ("all-masked", "known")
    }
    (tmp_path / "audioloss.toml").write_text(
        '[[suppress]]\ncode = "all-masked"\nrun = "*untrained*"\nreason = "a test"\n'
        '[[suppress]]\ncode = "loss-spike"\nreason = "of scans"\n'
    )
    ran = probe("masked", "--fail-on-stale-suppressions")
    verdict = "PASS (exit 0): nothing new found, 1 suppressed in 1 checkpoint"
    assert (ran.code, ran.out.splitlines()[-1]) == (0, verdict)
    assert "suppressed: a test" in ran.out
    assert probe("healthy", "-q", "--fail-on-stale-suppressions").code == 1


def test_exit_zero_passes(probe):
    verdict = "FAIL (exit 0 by --exit-zero): 1 critical in 1 checkpoint\n"
    assert probe("masked", "-q", "--exit-zero").out.endswith(verdict)


def test_the_report_in_a_file(probe, tmp_path):
    ran = probe("masked", "--report", "json", "--output", "report.json")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith("FAIL (exit 1)")
    assert json.loads((tmp_path / "report.json").read_text())["diagnoses"][0]["cause"] == "all-masked"


def test_the_batch_is_written_down(probe, tmp_path):
    assert probe("masked", "--dump-batch", "batch.json").code == 1
    dump = json.loads((tmp_path / "batch.json").read_text())
    assert dump["schema"] == "audioloss.batch/1"
    assert dump["batches"][0]["entries"]["audio_labels"]["masked"] == 2 * 68 * 8


@pytest.mark.parametrize(
    ("option", "file"),
    [
        ("--dump-batch", "weights.pt"),
        ("--output", "weights.pt"),
        ("--dump-batch", "batch.pt"),
        ("--output", "./batch.pt"),
        ("--output", "data/more.pt"),
    ],
)
def test_what_is_read_is_never_overwritten(option, file, audioloss, tmp_path):
    (tmp_path / "data").mkdir()
    for name in ("weights.pt", "batch.pt", "data/more.pt"):
        (tmp_path / name).write_bytes(b"months of work")
    ran = audioloss(
        *("probe", "--ckpt", "weights.pt", "--data", "batch.pt", "--held-out", "data", option, file, "--device", "cpu")
    )
    assert ran.code == 2
    assert f"{option} {Path(file)} is what" in one_line(ran.err)
    assert (tmp_path / file).read_bytes() == b"months of work"


def test_a_report_may_lie_beside_the_weights(audioloss, tmp_path):
    weights = tmp_path / "model"
    weights.symlink_to(checkpoint("untrained"))
    arguments = ("probe", "--ckpt", ".", "--data", f"{HERE}:healthy", "--output", "report.json")
    for _ in range(2):  # the second time it is there
        assert "is what" not in audioloss(*arguments).err


@pytest.mark.parametrize("command", [("--output", "same.json", "--dump-batch", "same.json")])
def test_two_files_of_one_name(command, probe):
    ran = probe("healthy", *command)
    assert ran.code == 2
    assert "--output same.json is what --dump-batch same.json names" in one_line(ran.err)


def test_the_logs_of_the_run(probe, jsonl):
    losses = enumerate([*wobbly(4.0, 22), *wobbly(0.004, 29)])
    jsonl(*({"step": 10 * index, "audio_loss": loss} for index, loss in losses), name="runs/a.jsonl")
    found = document(probe("healthy", "--log-dir", "runs", "--report", "json"))
    run, checkpoint = found["runs"]
    assert run["series"][0]["incidents"]
    assert checkpoint["checkpoint"]["tensors"] > 0
    (logged,) = [finding for finding in found["findings"] if finding["code"] == "logged-loss"]
    assert logged["severity"] == "warning"
    assert "logged audio_loss 0.004 at step 500" in logged["message"]
    assert found["exit_code"] == 1


def test_healthy_logs_are_a_fact(probe, jsonl):
    jsonl(*({"step": step, "audio_loss": loss} for step, loss in enumerate(wobbly(6.9, 50))), name="runs/a.jsonl")
    found = document(probe("healthy", "--log-dir", "runs", "--report", "json"))
    (logged,) = [finding for finding in found["findings"] if finding["code"] == "logged-loss"]
    assert (logged["severity"], found["exit_code"]) == ("info", 0)


def test_a_log_that_is_not_there_is_not_audited(probe):
    ran = probe("healthy", "--log-dir", "nowhere")
    assert ran.code == 3
    assert "nowhere" in ran.out


def test_a_log_that_cannot_be_read_is_not_audited(probe, jsonl, tmp_path):
    jsonl(*({"step": step, "audio_loss": loss} for step, loss in enumerate(wobbly(6.9, 50))), name="runs/a.jsonl")
    (tmp_path / "runs" / "metrics.parquet").write_bytes(b"PAR1")
    ran = probe("healthy", "--log-dir", "runs", "-q")
    assert ran.code == 3
    assert ran.out.startswith("NOT READ runs/metrics.parquet: it is named like a log")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("nothing", "'nothing' is no import string; it must look like 'package.module:factory'"),
        ("tests.probe.nothing:factory", "there is no module 'tests.probe.nothing'"),
        ("tests.probe.custom:nothing", "module 'tests.probe.custom' has no attribute 'nothing'"),
    ],
)
def test_an_import_string_is_wrong_in_three_ways(text, words, probe):
    ran = probe("healthy", "--model", text)
    assert (ran.code, ran.out) == (2, "")
    assert f"--model {text!r}" in one_line(ran.err)
    assert words in ran.err


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("tests.probe.nothing:factory", "there is no module 'tests.probe.nothing'"),
        (f"{HERE}:nothing", "has no attribute 'nothing'"),
        (f"{HERE}:failing", "failed: RuntimeError: the disk is gone"),
    ],
)
def test_so_is_one_of_data(text, words, probe):
    ran = probe(text)
    assert (ran.code, ran.out) == (2, "")
    assert words in one_line(ran.err)


def test_a_model_that_only_options_describe(audioloss, tmp_path):
    torch.save(custom.codebooks().state_dict(), tmp_path / "weights.pt")
    torch.save({"tokens": custom.codes(), "targets": custom.codes()}, tmp_path / "batch.pt")
    described = {
        "--ckpt": "weights.pt",
        "--data": "batch.pt",
        "--device": "cpu",
        "--adapter": "generic",
        "--model": "tests.probe.custom:codebooks",
        "--model-arg": "flat=true",
        "--codes-key": "tokens",
        "--labels-key": "targets",
        "--layout": "BTK",
        "--logits-key": "logits",
        "--logits-layout": "(BK)TV",
        "--loss-key": "loss",
        "--shift": "1",
        "--ignore-index": "-100",
        "--codebooks": str(custom.K),
    }
    ran = audioloss("probe", *(word for pair in described.items() for word in pair), "--backward", "--report", "json")
    assert (ran.code, document(ran)["diagnoses"]) == (0, [])


def test_a_timeout_that_no_clock_can_hold(probe):
    assert probe("healthy", "--timeout", "inf").code == 0


def fresh(*arguments: object, path: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """In a process of its own, with a directory before all others to import from."""
    environment = {**os.environ, "PYTHONPATH": f"{path}{os.pathsep}{ROOT}", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "audioloss_cli", "probe", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment, timeout=300)


def test_a_probe_that_takes_too_long_is_4(tmp_path):
    """Wherever it is stuck."""
    done = fresh("--ckpt", checkpoint("untrained"), "--data", f"{HERE}:too_long", "--device", "cpu", "--timeout", "3")
    assert (done.returncode, done.stdout) == (4, "")
    assert "the probe did not finish within --timeout 3 seconds; nothing was concluded" in one_line(done.stderr)


@pytest.mark.exhaustive
def test_what_a_factory_prints_is_no_part_of_the_report():
    done = fresh(
        *("--ckpt", checkpoint("untrained"), "--data", f"{HERE}:talkative", "--data-arg", "word=hello"),
        *("--device", "cpu", "--report", "json"),
    )
    assert (done.returncode, json.loads(done.stdout)["exit_code"]) == (0, 0)
    assert "hello\n" in done.stderr
    assert "hello below\n" in done.stderr


def test_without_torch_it_says_how_to_get_it(tmp_path):
    (tmp_path / "sitecustomize.py").write_text("import sys\nsys.modules['torch'] = None\n")
    done = fresh("--ckpt", ".", "--data", "y:z", path=tmp_path)
    assert (done.returncode, done.stdout) == (4, "")
    assert "probe needs the extra 'probe', which is not installed: pip install " in one_line(done.stderr)
    assert "torch" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--ckpt", "nowhere", "--data", "y:z"), "nowhere: no such file or directory\n"),
        (("--ckpt", "org/name", "--data", "y:z"), "get it with hf download org/name, which prints"),
        (("--ckpt", ".", "--data", "y"), "--data 'y': there is no such file"),
        (("--ckpt", ".", "--data", "y:z", "--held-out", "w"), "--held-out 'w': there is no such file"),
    ],
)
def test_what_is_not_there_is_told_before_torch_is_imported(arguments, words, audioloss, monkeypatch):
    monkeypatch.setitem(sys.modules, "audioloss_cli.probe.command", None)
    ran = audioloss("probe", *arguments)
    assert (ran.code, ran.out) == (3, "")
    one_line(ran.err)
    assert words in ran.err


def test_a_model_of_the_hub_that_was_downloaded_is_named_with_its_place(audioloss, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    kept = tmp_path / "hub" / "models--org--name"
    (kept / "refs").mkdir(parents=True)
    (kept / "refs" / "main").write_text("1a2b")
    (kept / "snapshots" / "1a2b").mkdir(parents=True)
    (kept / "snapshots" / "1a2b" / "config.json").write_text("{}")
    ran = audioloss("probe", "--ckpt", "org/name", "--data", "y:z")
    assert (ran.code, f"--ckpt {kept / 'snapshots' / '1a2b'}" in ran.err) == (3, True)


LOADED = """
import sys
from audioloss_cli import cli
code = cli.execute(["probe", "--help"])
print("loaded:", *sorted({"torch", "numpy", "pandas", "transformers", "rich"} & set(sys.modules)), file=sys.stderr)
sys.exit(code)
"""


def test_help_is_light_and_names_every_option():
    done = subprocess.run([sys.executable, "-c", LOADED], capture_output=True, text=True, check=False, cwd=ROOT)
    assert (done.returncode, done.stderr) == (0, "loaded:\n")
    assert {"--ckpt", "--data", "--device", "--dump-batch", "--timeout"} <= options_of(done.stdout)


def options_of(text: str) -> set[str]:
    return set(re.findall(r"(?<![\w-])--[a-z][a-z-]*[a-z]", text))


def test_every_option_that_a_message_names_is_there(audioloss):
    """Options that other programs have are named with their program."""
    ours = options_of(audioloss("probe", "--help").out) | options_of(audioloss("scan", "--help").out)
    named = {
        option: path.name
        for path in sorted((PACKAGE / "probe").rglob("*.py"))
        for option in options_of(path.read_text(encoding="utf-8"))
    }
    assert {option: where for option, where in named.items() if option not in ours} == {}


def data_alone(audioloss: Callable[..., Ran], what: str, *more: object) -> Ran:
    return audioloss("probe", "--data", f"tests.probe.pipelines:{what}", "--report", "json", *more)


def test_the_data_alone_are_audited_without_a_checkpoint(audioloss):
    healthy = data_alone(audioloss, "batches")
    assert (healthy.code, [each["code"] for each in document(healthy)["findings"]]) == (0, ["data-summary"])
    broken = data_alone(audioloss, "loader", "--data-arg", "fault=all-masked", "--data-arg", "workers=0")
    found = document(broken)
    assert (broken.code, found["diagnoses"][0]["cause"]) == (1, "all-masked")
    assert all(each["fingerprint"] for each in found["findings"])
    few = data_alone(audioloss, "loader", "--data-arg", "fault=all-masked", "--data-arg", "workers=0", "--batches", "9")
    assert few.code == 0  # the fault lies behind them


def test_data_alone_that_break_off_or_cannot_be_read_are_3(audioloss):
    ran = data_alone(audioloss, "breaking", "--data-arg", "workers=0", "--fail-on", "never")
    assert ran.code == 3
    assert "it broke off at batch 3" in document(ran)["unaudited"][0]["reason"]
    for more, words in (
        (["--config-json", "nowhere.json"], "--config-json nowhere.json: no such file"),
        (["--data-arg", "count=0"], "gives no batch"),
    ):
        ran = data_alone(audioloss, "batches", *more)
        assert (ran.code, ran.out) == (3, "")
        assert words in one_line(ran.err)


def test_the_data_alone_load_no_transformers():
    """A subprocess: here they are loaded already."""
    code = (
        "import sys; from audioloss_cli.probe import command; "
        "command.audit_data({'data': 'tests.probe.plain_batch:batch', 'checkpoint': ''}, {}, []); "
        "sys.exit('transformers' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=300).returncode == 0
