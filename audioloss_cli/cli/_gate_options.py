"""What is known already: the baseline that a scan or a probe writes, and what tells found from known."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from audioloss_cli.config import ScanConfig
    from audioloss_cli.findings.judge import Judge
    from audioloss_cli.model import Report

WriteBaseline = Annotated[
    Path | None,
    typer.Option("--write-baseline", help="Write what was found to this file, as known from now on.", metavar="FILE"),
]


def judge_of(config: "ScanConfig", config_file: Path | None, write_to: Path | None) -> "Judge":
    """Return what tells found from known; whatever is wrong with the files it needs is said before anything is audited.

    Raises:
        ConfigError: the baseline is none; or the file to write holds something else, or lies in no directory.
    """
    from audioloss_cli.findings.judge import judge_of as made_of  # noqa: PLC0415  # --help needs none of it

    if write_to is not None:
        from audioloss_cli.config import ConfigError  # noqa: PLC0415
        from audioloss_cli.findings.baseline import refuse_other_file  # noqa: PLC0415

        if not write_to.absolute().parent.is_dir():
            place = write_to.absolute().parent
            raise ConfigError(f"--write-baseline {write_to}: there is no directory {place}; make it first")
        refuse_other_file(write_to)
    return made_of(config, str(config_file or ""))


def write_baseline(file: Path | None, report: "Report") -> None:
    """Write the baseline, if one was asked for, and tell how much stands in it.

    Raises:
        WriteError: it cannot be written.
    """
    if file is None:
        return
    from audioloss_cli.findings import baseline  # noqa: PLC0415  # --help needs none of it
    from audioloss_cli.terminal import WriteError, tell  # noqa: PLC0415

    try:
        count = baseline.write_baseline(file, report)
    except OSError as error:
        raise WriteError(f"cannot write the baseline to {file}: {error.strerror}") from None
    known, them = ("known finding", "it") if count == 1 else ("known findings", "them")
    tell(f"{count:,} {known} in {file}; --baseline {file} lets {them} pass\n")
