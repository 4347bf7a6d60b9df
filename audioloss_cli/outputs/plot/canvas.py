"""A raster of dots in characters: eight to a character in Braille, or one letter a character."""

_BRAILLE = 0x2800
_DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))  # of a character, by row and column


class Canvas:
    """Dots of several pens; where two meet, the later one shows.

    Args:
        columns, rows: size in characters.
        fine: eight dots a character, as Braille has them; else one, drawn as the letter of the pen.
    """

    def __init__(self, columns: int, rows: int, *, fine: bool) -> None:
        self._across, self._down = (2, 4) if fine else (1, 1)
        self._rows = rows
        self.width, self.height = columns * self._across, rows * self._down
        self._cells = dict[tuple[int, int], tuple[int, int]]()

    def dot(self, x: int, y: int, pen: int) -> None:
        """Set a dot, counted from the left and from the top; one beyond the edge is left out."""
        if not (0 <= x < self.width and 0 <= y < self.height):
            return
        place, bit = (x // self._across, y // self._down), _DOTS[y % self._down][x % self._across]
        self._cells[place] = (self._cells.get(place, (0, pen))[0] | bit, pen)

    def column(self, x: int, top: int, bottom: int, pen: int) -> None:
        """Set all dots of a column between two, both included."""
        for y in range(top, bottom + 1):
            self.dot(x, y, pen)

    def line(self, start: tuple[int, int], end: tuple[int, int], pen: int) -> None:
        """Set the dots between two, both included, so that no column and no row is left out."""
        (x, y), (to_x, to_y) = start, end
        steps = max(abs(to_x - x), abs(to_y - y), 1)
        for step in range(steps + 1):
            self.dot(round(x + (to_x - x) * step / steps), round(y + (to_y - y) * step / steps), pen)

    def row(self, number: int, letters: str) -> list[tuple[str, int]]:
        """Return one row of characters, each with its pen; -1 where there is none."""
        found = list[tuple[str, int]]()
        for column in range(self.width // self._across):
            bits, pen = self._cells.get((column, number), (0, -1))
            char = " " if not bits else chr(_BRAILLE + bits) if self._across > 1 else letters[pen % len(letters)]
            found.append((char, pen))
        return found
