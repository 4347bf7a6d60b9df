"""What the rules say of a loss of which nothing tells whether it is small by nature; a private module is no plugin."""

from audioloss_cli.model import SeriesHistory

_QUESTION = (
    "; whether it is small by nature is open: a held-out loss, a score such as WER or accuracy, config.json beside the "
    "log, or --kind would settle it"
)


def open_question(history: SeriesHistory) -> str:
    """Return a clause for the end of a message: what is open, and what would settle it; empty if nothing is."""
    return _QUESTION if history.kind == "open" else ""
