"""How many bytes of curves the page has room for, so that it opens in a browser however many runs there are."""

PAGE = 17_000_000  # bytes of all curves and details; with a table of ten thousand runs the page stays under 30 MB
RUN = 100_000  # bytes of the curves of one run
FULL_CLEAN = 2_000_000  # bytes after which a run in which nothing was found has thumbnails alone
_RUNS_TO_COME = 400  # how many more runs there must be room for, at any time: the later ones are drawn more coarsely
_OF_A_PART = 22  # bytes of a path: mean, highest and lowest value of a part of the series
_OF_A_FIGURE = 1_600  # bytes of axes and legend
_FEWEST, _MOST = 24, 512  # parts of a curve

THUMBNAIL = 40  # parts


class Budget:
    """Counts what was written, and says how finely the next run is drawn."""

    def __init__(self) -> None:
        self.used = 0

    def take(self, text: str) -> None:
        """Count a text that is part of the page."""
        self.used += len(text)

    def parts(self, figures: int) -> int:
        """Return how many parts each of so many curves of the next run may have; 0 if there is no room for any."""
        room = min(RUN, (PAGE - self.used) // _RUNS_TO_COME if self.used else RUN)
        parts = (room // max(figures, 1) - _OF_A_FIGURE) // _OF_A_PART
        return min(parts, _MOST) if parts >= _FEWEST else 0

    @property
    def full(self) -> bool:
        """Whether nothing but a row of the table may be added for a run."""
        return self.used >= PAGE
