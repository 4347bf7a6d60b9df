"""Who runs in the benchmark: a call in a fresh process, or a whole command."""

import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

OURS = "audioloss"


@dataclass(frozen=True)
class Contender:
    """One way to do the work.

    Attributes:
        name: as the table has it; ours begin with ``audioloss``.
        command: arguments of the Python interpreter; ``{path}`` stands for the data.
        requires: packages without which it cannot run.
        timed: by ``itself`` (a call of ``call.py``) or as the ``whole`` process, from start to end.
        exit_codes: with which it may end; those that mean "something found" are among them for a peer.
        slow: runs once; a call over a tenth of the data if the benchmark is quick. A whole process is never scaled up:
            its start does not grow with the data.
    """

    name: str
    command: tuple[str, ...]
    requires: tuple[str, ...] = ()
    timed: str = "whole"
    exit_codes: tuple[int, ...] = (0,)
    slow: bool = False

    @property
    def ours(self) -> bool:
        """Whether it is audioloss."""
        return self.name.startswith(OURS)

    @property
    def missing(self) -> list[str]:
        """Packages that are not installed."""
        return [package for package in self.requires if find_spec(package) is None]

    def arguments(self, path: Path) -> list[str]:
        """The command line."""
        return [sys.executable, *(part.replace("{path}", str(path)) for part in self.command)]


def call(name: str, peer: str, *requires: str, slow: bool = False) -> Contender:
    """A call of ``peers/MODULE.py``, written ``MODULE.FUNCTION``."""
    module, function = peer.split(".")
    command = ("-m", "tests.benchmarks.reading.call", module, function, "{path}")
    return Contender(name, command, requires, timed="itself", slow=slow)


def script(package: str, *arguments: str, slow: bool = False) -> Contender:
    """The console script of a peer, by what it calls."""
    start = f"import sys; from {package}.cli import main; sys.exit(main())"
    name = " ".join([package, *(part for part in arguments if not part.startswith("{"))])
    return Contender(name, ("-c", start, *arguments), (package,), exit_codes=(0, 1), slow=slow)


def audioloss(*arguments: str) -> Contender:
    """Our command line."""
    name = " ".join([OURS, *(part for part in arguments if not part.startswith("{"))])
    return Contender(name, ("-m", "audioloss_cli", *arguments))


_RUSTBOARD = ("tensorboard_data_server", "tensorboard", "grpc")

EVENTS = call(OURS, "audioloss.events")
EVENTS_UNCHECKED = call(f"{OURS}, no checksums", "audioloss.events_unchecked")
ROWS = call(OURS, "audioloss.rows")
HISTORY = call(OURS, "audioloss.history")
LOG_HISTORY = call(OURS, "audioloss.log_history")
LEET = Contender("wandb leet inspect", ("-m", "wandb", "leet", "inspect", "--json", "{path}"), ("wandb",), slow=True)
LINES = call(OURS, "audioloss.lines")
SCAN = audioloss("scan", "{path}")

RUSTBOARD = call("rustboard", "rustboard.read", *_RUSTBOARD)
RUSTBOARD_CHECKED = call("rustboard --checksum", "rustboard.read_checked", *_RUSTBOARD)
RUSTBOARD_LOAD = call("rustboard, load alone", "rustboard.load", *_RUSTBOARD)
PROTOBUF = call("protobuf loop, no checksums", "protobuf.read", "tensorboard")
ACCUMULATOR = call("EventAccumulator", "event_accumulator.read", "tensorboard", slow=True)
TBPARSE = call("tbparse", "tbparse.read", "tbparse", slow=True)
LOSSLINT = script("losslint", "check", "{path}", slow=True)
TRAINSPOTTER = script("trainspotter", "analyze", "--format", "tensorboard", "{path}", slow=True)

JSON_LOAD = call("json.load", "json.load")
_READ_CSV = "import sys, pandas; pandas.read_csv(sys.argv[1], engine='c')"
READ_CSV = Contender("pandas.read_csv", ("-c", _READ_CSV, "{path}"), ("pandas",))

ORJSON = call("orjson", "orjson.read", "orjson")
POLARS = call("polars", "polars.read", "polars")
POLARS_TYPED = call("polars, typed", "polars.read_typed", "polars")
LINE_READERS = (
    ORJSON,
    call("msgspec", "msgspec.read", "msgspec"),
    POLARS,
    POLARS_TYPED,
    call("duckdb", "duckdb.read", "duckdb"),
    call("duckdb, typed", "duckdb.read_typed", "duckdb"),
    call("pyarrow", "pyarrow.read", "pyarrow"),
    call("json", "json.read", slow=True),
    call("pandas", "pandas.read", "pandas", slow=True),
)

PATTERN = call("a pattern, line by line", "pattern.read")

_BARE = str(Path(__file__).with_name("bare_typer.py"))
PYTHON = Contender("python -c pass", ("-c", "pass"))
TYPER_VERSION = Contender("bare Typer --version", (_BARE, "--version"))
TYPER_HELP = Contender("bare Typer --help", (_BARE, "--help"))
VERSION, HELP = audioloss("--version"), audioloss("--help")
