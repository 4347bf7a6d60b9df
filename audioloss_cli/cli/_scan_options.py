"""The options of ``audioloss scan`` alone; each may stand in a configuration file or the environment as well."""

from typing import Annotated, Literal

import typer

from audioloss_cli import registry
from audioloss_cli.cli._options import apart_at_commas, choice, completed_by, one_of, setting

Paths = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="PATH",
        help="Log files, archives, or directories to search for them (this one); - for standard input.",
    ),
]
Tag = Annotated[
    list[str] | None,
    setting(
        "--tag",
        "Audit the series that match this glob over the whole tag, such as '*audio_loss', or regular expression "
        "behind 're:'. Repeatable.",
        metavar="PATTERN",
    ),
]
AllLosses = Annotated[
    bool | None,
    setting("--all-losses/--no-all-losses", "Audit every series with a loss in its name.", show_default=False),
]
Scale = Annotated[float | None, setting("--scale", "The logged loss is this many times the mean over codebooks (1).")]
Window = Annotated[int | None, setting("--window", "Window in training steps (100).")]
Threshold = Annotated[float | None, setting("--threshold", "A loss below it is a warning (0.01).")]
CriticalThreshold = Annotated[float | None, setting("--critical-threshold", "A loss below it is critical (0.005).")]
Adaptive = Annotated[
    bool | None,
    setting("--adaptive/--no-adaptive", "Compare each loss with its own past, too (yes).", show_default=False),
]
Kind = Annotated[
    Literal["auto", "ce", "small", "rl", "signed", "open"] | None,
    setting(
        "--kind",
        "Kind of the losses: cross entropy, small by nature, of a policy, maybe negative, or not known (auto).",
    ),
]
Select = Annotated[
    list[str] | None,
    setting(
        "--select",
        "Ask only the loss rules of these codes, with commas between them. Repeatable.",
        metavar="CODE",
        callback=apart_at_commas,
        autocompletion=completed_by("rules"),
    ),
]
Ignore = Annotated[
    list[str] | None,
    setting(
        "--ignore",
        "Do not ask the loss rules of these codes. Repeatable.",
        metavar="CODE",
        callback=apart_at_commas,
        autocompletion=completed_by("rules"),
    ),
]
AllowDefects = Annotated[
    bool | None,
    setting("--allow-defects/--no-allow-defects", "A damaged log does not fail the audit.", show_default=False),
]
AllowUnread = Annotated[
    bool | None,
    setting(
        "--allow-unread/--no-allow-unread",
        "A file that looks like a log and cannot be read does not fail the audit.",
        show_default=False,
    ),
]
Exclude = Annotated[
    list[str] | None,
    setting("--exclude", "Do not look at files or directories that match this glob. Repeatable.", metavar="GLOB"),
]
Format = Annotated[
    str | None,
    setting(
        "--format",
        f"Read every PATH as {choice('readers')}.",
        callback=one_of("readers"),
        autocompletion=lambda: list(registry.names("readers")),
    ),
]
Pattern = Annotated[
    list[str] | None,
    setting(
        "--pattern",
        r"Read lines of console output that hold this regular expression: (?P<step>\d+), and a named group for each "
        "number. Repeatable.",
        metavar="REGEX",
    ),
]
Checksum = Annotated[
    bool | None,
    setting("--checksum/--no-checksum", "Verify the checksums of event files (yes).", show_default=False),
]
Jobs = Annotated[
    int | None, setting("--jobs", "Processes for much work, one for little; 0 takes one for each core (0).")
]
Cache = Annotated[
    str | None,
    setting("--cache", "Keep what was read in this directory, and read only what is new next time.", metavar="DIR"),
]
