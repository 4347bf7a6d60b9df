"""What is measured: data, contenders, and what is to be reached. A new work is one entry."""

from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.reading import contenders as who
from tests.benchmarks.reading.contenders import Contender

DRAWN = (1, 2, 3, 4)  # seeds of ``jsonl_data.drawn``
EVENT_FILE = "run/events.out.tfevents.0.benchmark"


@dataclass(frozen=True)
class Target:
    """What is to be reached by ``of`` against ``against``.

    Attributes:
        kind: ``times`` as fast, at least; ``times per CPU second``, at least; ``ms above``, at most; ``MB``, at most
            and against nothing.
    """

    kind: str
    bound: float
    against: str = ""
    of: str = who.OURS


@dataclass(frozen=True)
class Work:
    """One table.

    Attributes:
        name: for ``--only``.
        title: above the table; ``{size}`` stands for the number of points.
        data: name of the generator.
        size: scalar points, or rows.
        path: what the contenders are given, below the directory of the data.
        rounds: times that each contender runs, in turn.
        quick: times less data if the benchmark is quick.
    """

    name: str
    title: str
    data: str
    size: int
    path: str
    contenders: tuple[Contender, ...]
    targets: tuple[Target, ...] = ()
    rounds: int = 5
    quick: int = 10

    def place(self, data: Path, size: int) -> Path:
        """Directory of the data of this size."""
        return data / f"{self.data}-{size}"


def _twice_rustboard(name: str, title: str, data: str, size: int) -> Work:
    rivals = (who.EVENTS, who.RUSTBOARD, who.RUSTBOARD_CHECKED)
    return Work(name, title, data, size, EVENT_FILE, rivals, (Target("times", 2, "rustboard"),))


_LINE_TARGETS = (
    Target("times", 1.5, "orjson"),
    Target("times per CPU second", 1, "polars"),
    Target("times per CPU second", 1, "polars, typed"),
)

WORKS = (
    Work(
        "scalars",
        "{size} scalar events, read",
        "scalars",
        1_000_000,
        EVENT_FILE,
        (
            *(who.EVENTS, who.EVENTS_UNCHECKED, who.RUSTBOARD, who.RUSTBOARD_CHECKED),
            *(who.PROTOBUF, who.ACCUMULATOR, who.TBPARSE),
        ),
        (
            Target("times", 5, "rustboard --checksum"),
            Target("times", 100, "EventAccumulator"),
            Target("times", 100, "tbparse"),
            Target("MB", 120),
        ),
    ),
    Work(
        "scan",
        "{size} scalar events, the whole process",
        "scalars",
        1_000_000,
        EVENT_FILE,
        (who.SCAN, who.LOSSLINT, who.TRAINSPOTTER),
        (
            Target("times", 100, "losslint check", of="audioloss scan"),
            Target("times", 50, who.TRAINSPOTTER.name, of="audioloss scan"),
            Target("MB", 120, of="audioloss scan"),
        ),
        quick=40,
    ),
    Work(
        "long",
        "{size} scalar events in one file, the whole process: how much memory it takes",
        "scalars",
        20_000_000,
        EVENT_FILE,
        (who.SCAN,),
        (Target("MB", 300, of="audioloss scan"),),
        rounds=1,
        quick=10,
    ),
    Work(
        "runs",
        "{size} scalar events in runs of 5,000, ours the whole process",
        "runs",
        1_000_000,
        ".",
        (who.SCAN, who.RUSTBOARD_LOAD, who.ACCUMULATOR),
        (
            Target("times", 2, "rustboard, load alone", of="audioloss scan"),
            Target("times", 100, "EventAccumulator", of="audioloss scan"),
        ),
    ),
    Work(
        "small-runs",
        "{size} scalar events in runs of 500, ours the whole process",
        "small_runs",
        1_000_000,
        ".",
        (who.SCAN, who.RUSTBOARD_LOAD, who.ACCUMULATOR),
    ),
    Work(
        "long-runs",
        "{size} scalar events in runs of 500,000, the whole process: how much memory it takes",
        "long_runs",
        20_000_000,
        ".",
        (who.SCAN,),
        (Target("MB", 250, of="audioloss scan"),),
        rounds=1,
        quick=10,
    ),
    Work(
        "mixed-runs",
        "{size} points in runs of 100, each of one of five formats, the whole process: how much memory it takes",
        "mixed_runs",
        1_000_000,
        ".",
        (who.SCAN,),
        (Target("MB", 250, of="audioloss scan"),),
        rounds=1,
        quick=10,
    ),
    Work(
        "blobs",
        "{size} scalar events among images and audio, 510 MB per 100,000",
        "blobs",
        100_000,
        EVENT_FILE,
        (who.EVENTS, who.RUSTBOARD, who.RUSTBOARD_CHECKED, who.ACCUMULATOR),
        (Target("times", 1, "rustboard"), Target("times", 200, "EventAccumulator")),
        quick=20,
    ),
    _twice_rustboard("random-tags", "{size} scalar events of 22 tags in random order", "random_tags", 500_000),
    _twice_rustboard("evals", "{size} scalar events, evaluations between", "evals", 1_000_000),
    _twice_rustboard("several-values", "{size} values, five an event", "several_values", 1_000_000),
    _twice_rustboard("tensors", "{size} tensor-valued scalar events", "tensors", 1_000_000),
    Work(
        "jsonl",
        "{size} JSON lines, two of nine columns",
        "rows",
        1_000_000,
        "log.jsonl",
        (who.ROWS, *who.LINE_READERS),
        (
            *_LINE_TARGETS,
            Target("times per CPU second", 1, "duckdb"),
            Target("times per CPU second", 1, "duckdb, typed"),
        ),
    ),
    *(
        Work(
            f"jsonl-drawn-{seed}",
            f"{{size}} JSON lines of keys, formats and kinds that the seed {seed} draws, two columns",
            f"drawn_{seed}",
            400_000,
            "log.jsonl",
            (who.ROWS, who.ORJSON, who.POLARS, who.POLARS_TYPED),
            _LINE_TARGETS,
        )
        for seed in DRAWN
    ),
    Work(
        "wandb",
        "{size} rows of a W&B history, five columns, read; scan and leet inspect as whole processes",
        "history",
        1_000_000,
        "run-benchmark.wandb",
        (who.HISTORY, who.SCAN, who.LEET),
        (Target("times", 3, "wandb leet inspect", of="audioloss scan"), Target("MB", 120)),
        rounds=3,
    ),
    Work(
        "console",
        "{size} lines of console output, one of three columns",
        "console",
        1_000_000,
        "train.log",
        (who.LINES, who.PATTERN, who.SCAN),
        (Target("times", 0.3, who.PATTERN.name), Target("MB", 120, of="audioloss scan")),
    ),
    Work(
        "trainer-state",
        "{size} rows in a trainer_state.json, all tags",
        "log_history",
        100_000,
        "run/trainer_state.json",
        (who.LOG_HISTORY, who.JSON_LOAD),
        (Target("times", 3, "json.load"),),
    ),
    Work(
        "csv",
        "A table of {size} rows and five columns, whole processes: a scan, and pandas alone",
        "table",
        1_000_000,
        "run/metrics.csv",
        (who.SCAN, who.READ_CSV),
        (Target("times", 1, "pandas.read_csv", of="audioloss scan"),),
    ),
    Work(
        "start",
        "Start-up, and a run of {size} events, whole processes",
        "scalars",
        5_000,
        EVENT_FILE,
        (
            *(who.PYTHON, who.TYPER_VERSION, who.VERSION, who.TYPER_HELP, who.HELP),
            *(who.SCAN, who.LOSSLINT, who.TRAINSPOTTER),
        ),
        (
            Target("ms above", 20, "bare Typer --version", of="audioloss --version"),
            Target("ms above", 20, "bare Typer --help", of="audioloss --help"),
            Target("ms above", 80, "audioloss --version", of="audioloss scan"),
        ),
        rounds=15,
        quick=1,
    ),
)
