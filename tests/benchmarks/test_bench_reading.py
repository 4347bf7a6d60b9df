"""The reading benchmark at tiny sizes: its data, its contenders, its tables, and the whole of it through its door."""

from itertools import chain
from pathlib import Path

import pytest
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.summary.writer.record_writer import RecordWriter
from torch.utils.tensorboard import summary

from audioloss_cli import registry
from audioloss_cli.model import Note, Series
from tests.benchmarks import __main__ as benchmarks
from tests.benchmarks.reading import event_data, tables
from tests.benchmarks.reading.contenders import EVENTS, OURS, Contender
from tests.benchmarks.reading.event_files import write
from tests.benchmarks.reading.generate import main as generate
from tests.benchmarks.reading.measure import FailedError, Result, Run, in_turn, once
from tests.benchmarks.reading.measure import generate as generated
from tests.benchmarks.reading.works import DRAWN, EVENT_FILE, WORKS, Target, Work
from tests.effort import one_in

SIZE = 110
CONTENDERS = {one.name + work.data * (one.name == OURS): (work, one) for work in WORKS for one in work.contenders}


def test_the_framing_is_that_of_the_real_writers(tmp_path):
    torch_event = Event(step=7, wall_time=1.7e9 + 0.1, summary=summary.scalar("train/loss", 2.5))
    ours_event = Event(step=7, wall_time=1.7e9 + 0.1)
    ours_event.summary.value.add(tag="train/loss", simple_value=2.5)
    write(tmp_path / "ours", [ours_event])
    with (tmp_path / "theirs").open("wb") as stream:
        writer = RecordWriter(stream)
        writer.write(Event(wall_time=1.7e9, file_version="brain.Event:2").SerializeToString())
        writer.write(torch_event.SerializeToString())
        writer.flush()
        assert (tmp_path / "ours").read_bytes() == (tmp_path / "theirs").read_bytes()


@pytest.mark.parametrize("work", WORKS, ids=[work.name for work in WORKS])
def test_data_are_whole_and_always_the_same(work, tmp_path):
    generate(work.data, str(SIZE), str(tmp_path / "once"))
    generate(work.data, str(SIZE), str(tmp_path / "again"))
    first, second = (sorted(p for p in (tmp_path / at).rglob("*") if p.is_file()) for at in ("once", "again"))
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]
    others = {"rows": "jsonl", "console": "text", "log_history": "trainer_state", "table": "csv", "history": "wandb"}
    others |= {f"drawn_{seed}": "jsonl" for seed in DRAWN}
    mixed = {".jsonl": "jsonl", ".csv": "csv", ".log": "text", ".json": "trainer_state"}
    names = [others.get(work.data) or mixed.get(path.suffix, "tensorboard") for path in first]
    items = (registry.load("readers", name).read(path) for name, path in zip(names, first, strict=True))
    found = [item for item in chain.from_iterable(items) if not isinstance(item, Note)]
    assert all(isinstance(item, Series) for item in found)
    losses = {
        "rows": "audio_loss",
        "console": "Audio Loss",
        "log_history": "loss",
        "table": "audio_loss",
        "history": "train/audio_loss",
    }
    losses |= {f"drawn_{seed}": "audio_loss" for seed in DRAWN}
    one = losses.get(work.data)
    wanted = [item for item in found if one in (None, item.tag)]
    assert sum(map(len, wanted)) == SIZE
    assert (tmp_path / "once" / work.path).exists()


def test_data_that_are_there_are_kept_and_drafts_are_not_taken_for_them(tmp_path):
    (tmp_path / "it.unfinished").mkdir()
    generate("scalars", "10", str(tmp_path / "it"))
    assert [path.name for path in tmp_path.iterdir()] == ["it"]
    before = (tmp_path / "it" / EVENT_FILE).stat().st_mtime_ns
    generate("scalars", "20", str(tmp_path / "it"))
    assert (tmp_path / "it" / EVENT_FILE).stat().st_mtime_ns == before
    with pytest.raises(FailedError, match=r"no data nothing: .*no_such_data"):
        generated("no_such_data", 1, tmp_path / "nothing")


@pytest.mark.parametrize("name", one_in(3, CONTENDERS))
def test_each_contender_does_the_work(name, tmp_path):
    work, contender = CONTENDERS[name]
    if contender.missing:
        pytest.skip(f"not installed: {contender.missing}")
    generate(work.data, str(SIZE), str(tmp_path / "data"))
    run = once(contender, tmp_path / "data" / work.path)
    assert run.seconds > 0
    assert run.cpu >= 0
    assert run.peak_mb > 5
    assert run.points == (SIZE if contender.timed == "itself" and "load alone" not in name else None)


def test_who_is_not_there_or_fails_stands_in_the_table(tmp_path):
    absent = Contender("absent", ("-c", "pass"), ("no_such_package",))
    broken = Contender("broken", ("-c", "raise SystemExit('out of order')"))
    fine = Contender(OURS, ("-c", "pass"))
    turns = []
    found = in_turn(
        [absent, broken, fine],
        dict.fromkeys([absent, broken, fine], (tmp_path, 1)),
        1,
        2,
        lambda one, turn: turns.append((one.name, turn)),
    )
    assert turns == [("broken", 0), (OURS, 0), (OURS, 1)]
    printed = tables.of_work(Work("it", "{size} things", "", 1, ".", (absent, broken, fine)), found)
    assert "| absent    | not installed" in printed
    assert "absent not installed: no_such_package" in printed
    assert "| broken    | failed" in printed
    assert "broken failed: exit 1: out of order" in printed


def test_a_slow_contender_runs_once(tmp_path):
    slow = Contender("slow", ("-c", "pass"), slow=True)
    assert [len(result.runs) for result in in_turn([slow], {slow: (tmp_path, 1)}, 1, 3, lambda *_: None)] == [1]


def result(contender, seconds, size=100, cpu=1.0, peak_mb=50.0):
    return Result(contender, size, 100, [Run(each, cpu, peak_mb, size) for each in seconds])


def test_the_tables_hold_the_figures():
    peer = Contender("peer", ())
    results = [result(EVENTS, [1.0, 2.0, 9.0]), result(peer, [1.5], size=10, cpu=0.3, peak_mb=70)]
    targets = (
        *(Target("times", 8, "peer"), Target("times per CPU second", 2.5, "peer"), Target("MB", 49)),
        *(Target("ms above", 20, OURS, of="peer"), Target("times", 2, "nobody")),
    )
    work = Work("it", "{size} things", "", 100, ".", (EVENTS, peer), targets)
    ours, theirs = tables.of_work(work, results).splitlines()[-2:]
    assert cells(ours) == [OURS, "2.00 (1.00 to 9.00)", "1.00", "50", "100", "1x", "1x"]
    assert cells(theirs) == ["peer (over 10 points, times 10)", "15.00 (once)", "3.00", "70", "10", "7.5x", "3x"]
    rows = [cells(line)[3:] for line in tables.of_targets([(work, results)]).splitlines()[2:]]
    results[1].failure = "failed: in its second round"
    assert cells(tables.of_targets([(work, results)]).splitlines()[2])[4] == "not measured"
    assert rows == [
        ["at least 8 times", "7.5", "no", "3"],
        ["at least 2.5 times per CPU second", "3", "yes", "3"],
        ["at most 49 MB", "50", "no", ""],
        ["at most 20 ms above", "13,000", "no", "2,000"],
        ["at least 2 times", "not measured", "", ""],
    ]


def cells(line):
    return [cell.strip() for cell in line[1:-1].split("|")]


def test_every_target_names_contenders_of_its_work():
    for work in WORKS:
        names = {one.name for one in work.contenders}
        assert len(names) == len(work.contenders)
        assert all(target.of in names and target.against in names | {""} for target in work.targets)


def test_the_paths_are_those_of_the_generators():
    assert EVENT_FILE == event_data.FILE


@pytest.mark.exhaustive
def test_it_prints_its_tables(capsys, tmp_path):
    every = ["--only", "scan", "--only", "jsonl", "--no-peers", "--size", "300", "--rounds", "2"]
    assert benchmarks.main([*every, "--data", str(tmp_path)]) == 0
    printed = capsys.readouterr().out
    assert "## scan: 300 scalar events, the whole process" in printed
    assert "## jsonl: 300 JSON lines" in printed
    assert "not measured" in printed
    assert {path.name for path in tmp_path.iterdir()} == {"scalars-300", "rows-300"}
    assert benchmarks.main([*every, "--data", str(tmp_path), "--markdown"]) == 0
    assert "##" not in capsys.readouterr().out


def test_it_lists_its_works(capsys):
    assert benchmarks.main(["--list"]) == 0
    assert [line.split(":")[0] for line in capsys.readouterr().out.splitlines()] == [work.name for work in WORKS]


def test_the_measuring_process_stays_small():
    """What it imports would be added to the memory of what it measures."""
    heavy = "{'numpy', 'pandas', 'torch', 'tensorboard', 'rich', 'typer'}"
    code = f"import sys; from tests.benchmarks import __main__; sys.exit(str({heavy} & set(sys.modules) or '') or 0)"
    once(Contender("imports", ("-c", code)), Path())  # FailedError names what was imported
