"""A format whose reader can go on where it stopped: one point a line, ``tag=value``; the step is the line number."""

from pathlib import Path

from audioloss_cli.model import EVERYTHING, Cursor, Defect, ReadOptions, SeriesCollector


class Reader:
    """Counts the bytes that it read.

    Args:
        marks: whether it says where to go on.
    """

    ORDER = 1
    CONTINUES = False

    def __init__(self, marks: bool = True) -> None:
        self.read_bytes = 0
        self._marks = marks

    def run_of(self, path: Path) -> Path:
        return path

    def claims(self, file) -> bool:
        return file.suffix == ".toy"

    def read(self, path: Path, request: ReadOptions = EVERYTHING):
        start, number = (request.since.offset, request.since.state["lines"]) if request.since else (0, 0)
        with path.open("rb") as stream:
            stream.seek(start)
            content = stream.read()
        self.read_bytes += len(content)
        found = SeriesCollector(wants=request.wanted)
        offset = start
        for line in content.splitlines(keepends=True):
            if not line.endswith(b"\n"):
                yield Defect(str(path), "truncated", "the last line is incomplete", offset)
                break
            number += 1
            tag, _, value = line.decode("latin-1").strip().partition("=")
            try:
                found.append(tag, number, float(value), float(number))
            except ValueError:
                yield Defect(str(path), "malformed", f"{tag} has no value", offset, number)
            offset += len(line)
        yield from found.flush()
        if request.mark and self._marks:
            yield Cursor(offset, {"lines": number})
