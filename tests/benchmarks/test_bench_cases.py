"""Logs with a person's verdict: what counts as found, as flagged, and as not judged."""

import json

from tests.benchmarks import bench_cases

HEALTHY = [4.0 + 0.01 * (step % 7) for step in range(300)]


def case(directory, name, losses):
    directory.joinpath(name).mkdir()
    lines = [json.dumps({"step": step, "audio_loss": loss}) for step, loss in enumerate(losses)]
    directory.joinpath(name, "log.jsonl").write_text("\n".join(lines) + "\n")


def test_faults_found_and_healthy_logs_flagged(tmp_path, capsys):
    case(tmp_path, "low", [*HEALTHY, *[0.001] * 9])
    case(tmp_path, "missed", HEALTHY)
    case(tmp_path, "fine", HEALTHY)
    rows = [
        "path\toptions\twant\tkind",
        "low\t\tfail-critical\tcollapse",
        "missed\t\tfail\tcollapse",
        "fine\t\tpass\thealthy",
        "low\t--fail-on never\tpass\thealthy",
        "nowhere\t\tfail|unreadable\tcollapse",
        "fine\t\tunreadable\tformat",
    ]
    (tmp_path / "expected.tsv").write_text("\n".join(rows) + "\n")
    assert bench_cases.main([str(tmp_path), "--gates", "audioloss", "--list"]) == 0
    out = capsys.readouterr().out
    assert "| audioloss | 1 of 3       | 0 of 2          | 1          |" in out
    assert "missed: 0" in out


def test_a_single_log_is_given_one_by_one_and_event_files_by_their_directory(tmp_path):
    for name in ("a/events.out.tfevents.1", "a/events.out.tfevents.2", "b/log.csv", "b/log.jsonl"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
    assert bench_cases._logs(tmp_path) == [tmp_path / "a", tmp_path / "b/log.csv", tmp_path / "b/log.jsonl"]
    assert bench_cases._logs(tmp_path / "b/log.csv") == [tmp_path / "b/log.csv"]


def test_without_cases_it_says_so(capsys, monkeypatch):
    monkeypatch.delenv("AUDIOLOSS_CASES", raising=False)
    assert bench_cases.main([]) == 2
    assert "AUDIOLOSS_CASES" in capsys.readouterr().err
