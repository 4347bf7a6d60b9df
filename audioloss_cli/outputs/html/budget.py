"""How many bytes the page has room for, so that it opens in a browser however many runs there are."""

PAGE = 18_500_000  # bytes of all rows and sections; with a table of ten thousand runs the page stays under 30 MB
FULL_CLEAN = 2_000_000  # bytes after which a run in which nothing was found has thumbnails alone

_RUN = 160_000  # bytes of the section of one run
_MANY = 1300  # runs for which there is room for a curve and an incident each
_FIRST = 100  # runs that are drawn and told finely, as if so many more were to come ...
_TO_COME = 400
_MORE_TO_COME = 300  # ... and how many more are expected at least, from then on
_CURVES = 0.65  # share of the section of a run that is for its curves
_OF_A_RUN = 4_000  # bytes of its row, and of its section beside curves and incidents in full
_OF_A_PART = 22  # bytes of a path: mean, highest and lowest value of a part of the series
_OF_A_FIGURE, _OF_AN_ENTRY, _OF_A_THUMBNAIL = 1_600, 1_600, 900  # bytes, beside the parts
_FEWEST, _MOST = 24, 512  # parts of a curve
_MOST_ENTRIES, _MOST_THUMBNAILS = 30, 48

THUMBNAIL = 40  # parts


class Budget:
    """Counts what was written, and says how much may be said of the next run."""

    def __init__(self) -> None:
        self.used = self.runs = 0

    def take(self, *texts: str) -> None:
        """Count the texts of one run that are part of the page."""
        self.used += sum(map(len, texts))
        self.runs += 1

    def parts(self, figures: int) -> int:
        """Return how many parts each of so many curves of the next run may have; 0 if there is no room for any."""
        parts = (int(self._room * _CURVES) // max(figures, 1) - _OF_A_FIGURE) // _OF_A_PART
        return min(parts, _MOST) if parts >= _FEWEST else 0

    @property
    def thumbnails(self) -> int:
        """How many small curves the next run may have."""
        return min(int(self._room * (1 - _CURVES)) // _OF_A_THUMBNAIL, _MOST_THUMBNAILS)

    @property
    def entries(self) -> int:
        """How many incidents of the next run may be told in full, at least one; the others in a line each."""
        return min(max(int(self._room * (1 - _CURVES)) // _OF_AN_ENTRY, 1), _MOST_ENTRIES)

    @property
    def full(self) -> bool:
        """Whether nothing but a row of the table may be added for a run."""
        return self.used >= PAGE

    @property
    def _room(self) -> int:
        """Bytes for the next run. How many are to come nobody knows: as there are more, each has less."""
        if not self.runs:
            return _RUN
        to_come = _TO_COME if self.runs < _FIRST else max(_MANY - self.runs, _MORE_TO_COME)
        return min(_RUN, max((PAGE - self.used) // to_come - _OF_A_RUN, 0))
