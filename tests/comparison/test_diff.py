"""``audioloss diff``: where losses part, what was found in one alone, which settings differ."""

import json
import random
from pathlib import Path

import pytest

SAMPLES = Path(__file__).parent.parent.parent / "sample_logs"


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)


def noisy(level: float, count: int, seed: int = 0, noise: float = 0.02) -> list[float]:
    chance = random.Random(seed)
    return [level + chance.gauss(0, noise) for _ in range(count)]


def log(name: str, values: list[float], cadence: int = 1, tag: str = "audio_loss", **settings: object) -> Path:
    """A run of one series, with its settings beside it."""
    directory = Path(name)
    directory.mkdir(parents=True, exist_ok=True)
    rows = [json.dumps({"step": cadence * at, tag: value}) for at, value in enumerate(values)]
    (directory / "log.jsonl").write_text("".join(f"{row}\n" for row in rows))
    for file, content in settings.items():
        suffix = "json" if isinstance(content, dict) else "yaml"
        text = json.dumps(content) if isinstance(content, dict) else str(content)
        (directory / f"{file}.{suffix}").write_text(text)
    return directory


def compared(audioloss, *arguments: object) -> dict:
    ran = audioloss("diff", *arguments, "--report", "json")
    document = json.loads(ran.out)
    assert (document["schema"], document["exit_code"]) == ("audioloss.diff/1", ran.code)
    return document


def parting(audioloss, *arguments: object) -> dict:
    (pair,) = compared(audioloss, *arguments)["pairs"]
    (series,) = pair["series"]
    return series["parting"]


def test_the_same_run_elsewhere_is_the_same(audioloss):
    values = noisy(3.0, 300)
    ran = audioloss("diff", log("a", values), log("b", values))
    assert (ran.code, ran.err) == (0, "")
    assert "audio_loss: the same at all 300 steps" in ran.out
    assert ran.out.endswith("0 new, 0 gone, 0 the same (exit 0)\n")


def test_where_losses_part_and_that_they_stay_apart(audioloss):
    values = noisy(3.0, 600)
    other = [*values[:400], *noisy(2.0, 200, seed=1)]
    found = parting(audioloss, log("a", values), log("b", other))
    assert found["first_difference"] == 400
    (stretch,) = found["stretches"]
    assert stretch["first_step"] == pytest.approx(400, abs=6)
    assert (stretch["last_step"], found["stays_apart"]) == (599, True)
    assert [stretch["a"], stretch["b"]] == pytest.approx([3.0, 2.0], abs=0.05)
    assert found["ends"] == pytest.approx([3.0, 2.0], abs=0.05)


def test_other_noise_is_no_parting(audioloss):
    ran = audioloss("diff", log("a", noisy(3.0, 600)), log("b", noisy(3.0, 600, seed=1)))
    assert "first differs at step 0" in ran.out
    assert "never apart by more than their noise" in ran.out


def test_losses_that_come_together_again(audioloss):
    other = [*noisy(3.0, 200, 1), *noisy(4.0, 100, 2), *noisy(3.0, 300, 3)]
    found = parting(audioloss, log("a", noisy(3.0, 600)), log("b", other))
    (stretch,) = found["stretches"]
    assert stretch["first_step"] == pytest.approx(200, abs=6)
    assert stretch["last_step"] == pytest.approx(300, abs=6)
    assert not found["stays_apart"]


def test_runs_that_log_at_other_steps(audioloss):
    """One logs every 7 steps and the other every 10: hardly a step in common."""
    a, b = [5 - 0.001 * 7 * at for at in range(100)], [5 - 0.001 * 10 * at for at in range(70)]
    found = parting(audioloss, log("a", a, cadence=7), log("b", b, cadence=10))
    assert not found["interpolated"]  # every 70 steps they meet
    other = Path("c/log.jsonl")
    other.parent.mkdir()
    other.write_text("".join(json.dumps({"step": 10 * at + 5, "audio_loss": b[at] - 0.005}) + "\n" for at in range(70)))
    found = parting(audioloss, log("d", [5 - 0.01 * at for at in range(70)], cadence=10), "c")
    assert found["interpolated"]
    assert (found["steps"], found["stretches"]) == (69, [])
    (pair,) = compared(audioloss, log("e", [3.0] * 20), log_from("f", 1000))["pairs"]
    assert pair["series"][0]["parting"] is None


def log_from(name: str, first: int) -> Path:
    directory = Path(name)
    directory.mkdir()
    rows = (json.dumps({"step": first + at, "audio_loss": 3.0}) for at in range(20))
    (directory / "log.jsonl").write_text("".join(f"{row}\n" for row in rows))
    return directory


def test_values_that_are_none_are_infinitely_apart(audioloss):
    values = noisy(3.0, 300)
    found = parting(audioloss, log("a", values), log("b", [*values[:200], *[float("nan")] * 100]))
    assert found["first_difference"] == 200
    assert (found["values"][1], found["stretches"][0]["b"], found["stays_apart"]) == ("NaN", "NaN", True)


def test_incidents_that_are_new_gone_and_the_same(audioloss):
    good, bad = noisy(3.0, 600), [*noisy(3.0, 300), *noisy(0.004, 300, noise=0.0001)]
    ran = audioloss("diff", log("a", good), log("b", bad))
    assert ran.code == 1
    assert "  NEW CRITICAL critical-loss at step 300 in audio_loss [" in ran.out
    ran = audioloss("diff", "b", "a")
    assert ran.code == 0
    assert "  GONE CRITICAL critical-loss" in ran.out
    ran = audioloss("diff", "b", log("c", [*bad, *noisy(0.004, 50, noise=0.0001)]))
    assert ran.code == 0
    assert "  SAME CRITICAL critical-loss" in ran.out
    assert "0 new, 0 gone, 1 the same (exit 0)" in ran.out


def test_what_got_worse_fails(audioloss):
    low = [*noisy(3.0, 300), *noisy(0.007, 300, noise=0.0001)]
    worse = [*low[:450], *noisy(0.004, 150, noise=0.0001)]
    ran = audioloss(
        "diff", log("a", low), log("b", worse), "--config", config('select = ["low-loss", "critical-loss"]\n')
    )
    assert ran.code == 1
    assert "SAME CRITICAL critical-loss" in ran.out
    assert "(was warning low-loss)" in ran.out
    assert audioloss("diff", "b", "a", "--config", "own.toml").code == 0


def config(text: str) -> Path:
    Path("own.toml").write_text(text)
    return Path("own.toml")


def test_what_is_new_below_the_gate_passes(audioloss):
    low = [*noisy(3.0, 300), *noisy(0.007, 300, noise=0.0001)]
    chosen = config('select = ["low-loss"]\n')
    log("a", noisy(3.0, 600)), log("b", low)
    assert audioloss("diff", "a", "b", "--config", chosen).code == 1
    assert audioloss("diff", "a", "b", "--config", chosen, "--fail-on", "critical").code == 0


def test_settings_that_differ_beside_the_logs(audioloss):
    values = noisy(3.0, 100)
    args = {"lr": 0.1, "model": {"layers": 2, "sizes": [1, 2]}, "hub_token": "abc", "same": 1, "max_tokens": 5}
    yaml = "optimizer:\n  lr: 0.1  # high\n  name: 'adam'\nlist:\n- a: 1\n"
    log("a", values, args=args, hparams=yaml, params="x: 1\n")
    other = {
        **args,
        "lr": 0.2,
        "model": {"layers": 3, "sizes": [1, 3]},
        "hub_token": "def",
        "new": None,
        "max_tokens": 6,
    }
    log("b", values, args=other, hparams=yaml.replace("0.1", "0.3").replace("a: 1", "a: 2"))
    (pair,) = compared(audioloss, "a", "b")["pairs"]
    assert {(each["file"], each["key"]): (each["a"], each["b"]) for each in pair["settings"]} == {
        ("args.json", "lr"): ("0.1", "0.2"),
        ("args.json", "model.layers"): ("2", "3"),
        ("args.json", "model.sizes"): ("[1, 2]", "[1, 3]"),
        ("args.json", "hub_token"): ("(not shown)", "(not shown)"),
        ("args.json", "max_tokens"): ("5", "6"),
        ("args.json", "new"): (None, "null"),
        ("hparams.yaml", "optimizer.lr"): ("0.1", "0.3"),
        ("hparams.yaml", "list.a"): ("1", "2"),
    }
    assert pair["files_of_one"] == [{"file": "params.yaml", "run": "a/log.jsonl"}]
    text = audioloss("diff", "a", "b").out
    assert "  args.json lr: 0.1 -> 0.2\n" in text
    assert "  args.json new: (not set) -> null\n" in text
    assert "abc" not in text


def test_directories_are_compared_run_by_run(audioloss):
    log("a/one", noisy(3.0, 100)), log("a/two", noisy(3.0, 100)), log("a/old", noisy(3.0, 100))
    log("b/one", noisy(3.0, 100)), log("b/two", noisy(2.0, 100)), log("b/new", [*noisy(3.0, 50), *[0.0] * 50])
    found = compared(audioloss, "a", "b")
    assert [pair["a"] for pair in found["pairs"]] == ["a/one/log.jsonl", "a/two/log.jsonl"]
    assert [run["run"] for run in found["only_a"]] == ["a/old/log.jsonl"]
    assert [run["entries"][0]["code"] for run in found["only_b"]] == ["zero-loss"]
    assert found["exit_code"] == 1


def test_reports_are_compared_by_fingerprint(audioloss):
    bad = [*noisy(3.0, 300), *noisy(0.004, 300, noise=0.0001)]
    log("runs/one", bad), log("runs/two", noisy(3.0, 600))
    assert audioloss("scan", "runs", "-o", "before.json").code == 1
    log("runs/one", [*bad, *noisy(3.0, 200)]), log("runs/two", bad)
    assert audioloss("scan", "runs", "-o", "after.json").code == 1
    found = compared(audioloss, "before.json", "after.json")
    assert [len(pair["same"]) for pair in found["pairs"]] == [1, 0]
    assert [entry["code"] for entry in found["pairs"][1]["new"]] == ["critical-loss"]
    prints = {entry["fingerprint"] for pair in found["pairs"][:1] for each in pair["same"] for entry in each.values()}
    assert len(prints) == 1
    ran = audioloss("diff", "before.json", "runs")  # a report with the runs themselves
    assert ran.code == 1
    assert "1 new, 0 gone, 1 the same; a report holds no curves" in ran.out


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ('{"schema": "audioloss.report/1", "runs": [', "a damaged report"),
        ('{"schema": "audioloss.report/9", "runs": []}', "schema 'audioloss.report/9' is not audioloss.report/1"),
        ('{"schema": "audioloss.report/1", "runs": []}', "'defects' is missing"),
        ('{"schema": "audioloss.report/1", "runs": [{"run": 1, "series": 2}]}', "a damaged report"),
        ('{"schema": "audioloss.report/1", "runs": ' + "[" * 3000 + "}", "a damaged report"),
    ],
)
def test_a_damaged_report_is_refused_in_one_line(audioloss, content, complaint):
    Path("x.json").write_text(content)
    ran = audioloss("diff", "x.json", "x.json")
    assert (ran.code, ran.out, ran.err.count("\n")) == (2, "", 1)
    assert complaint in ran.err
    assert "x.json" in ran.err


def test_what_cannot_be_read_exits_3(audioloss):
    log("a", noisy(3.0, 50))
    ran = audioloss("diff", "a", "nothing")
    assert ran.code == 3
    assert "not compared in B: nothing: no such file or directory" in ran.out
    ran = audioloss("diff", SAMPLES / "truncated", SAMPLES / "truncated")
    assert ran.code == 3
    assert "the last record has 41 of 58 bytes" in ran.out
    assert audioloss("diff", SAMPLES / "truncated", SAMPLES / "truncated", "--allow-defects").code == 0


def test_no_log_is_overwritten(audioloss):
    log("a", noisy(3.0, 50))
    kept = Path("a/log.jsonl").read_bytes()
    ran = audioloss("diff", "a", "a", "-o", "a/log.jsonl")
    assert (ran.code, ran.err.count("\n")) == (2, 1)
    assert Path("a/log.jsonl").read_bytes() == kept
    assert audioloss("diff", "a", "a", "-o", "out.txt").out == ""
    assert "the same at all 50 steps" in Path("out.txt").read_text()


def test_hostile_names_are_escaped(audioloss):
    log("a", noisy(3.0, 50), tag="audio_loss \x1b[31m\u202e", args={"k\x1b": "a\x1b[2J"})
    log("b", noisy(2.0, 50), tag="audio_loss \x1b[31m\u202e", args={"k\x1b": "b\x7f"})
    ran = audioloss("diff", "a", "b")
    assert ran.out.replace("\n", "").isprintable()
    assert r"args.json k\x1b: a\x1b[2J -> b\x7f" in ran.out
    document = audioloss("diff", "a", "b", "--report", "json").out
    assert document.isascii()
    assert json.loads(document)["pairs"][0]["settings"][0]["b"] == "b\x7f"


def test_no_line_is_wider_than_can_be_read(audioloss):
    ran = audioloss("diff", SAMPLES / "healthy", SAMPLES / "recovery")
    assert "loss stayed below 0.01 for a whole window of 100 steps" in " ".join(ran.out.split())
    assert all(len(line) <= 100 or str(SAMPLES) in line for line in ran.out.splitlines())
