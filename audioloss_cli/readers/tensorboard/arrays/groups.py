"""The records of a window by length, and the templates that are known of each length."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np  # noqa: TID253  # opened late, where arrays are worth it

from audioloss_cli.readers.tensorboard.arrays.chain import Chain, unaligned
from audioloss_cli.readers.tensorboard.arrays.shapes import Fit, Shape, row_bytes
from audioloss_cli.readers.tensorboard.framing import HEADER_BYTES
from audioloss_cli.readers.tensorboard.template import LONGEST_STEP, STEP_AT, STEP_KEY, WALL_TIME_AT, learn

_STEP_LENGTHS = 16  # more than there are
_ODD = 0  # key of records that cannot have a template
_LONGEST = 1 << 12  # keys fit in 16 bits, which are sorted without comparisons
_SHAPES_OF_A_KEY, _ODD_OF_A_KEY, _NEW_AT_ONCE = 8, 4, 64
_KNOWN_TEMPLATES = 1 << 14


class Found(NamedTuple):
    """Records of a window that have templates of one shape.

    Attributes:
        shape: that one.
        records: int64, their numbers in the window, ascending.
        rows: uint64 [records, words].
        fit: which templates they have.
    """

    shape: Shape
    records: Any
    rows: Any
    fit: Fit


class Groups:
    """What is known of records; it is true of any file."""

    def __init__(self) -> None:
        self._shapes: dict[int, list[Shape]] = {}
        self._count = 0

    def split(self, buffer: Any, chain: Chain) -> tuple[list[Found], list[int]]:
        """All records of a window that have templates, and the numbers of the others, ascending."""
        found, odd = list[Found](), list[int]()
        for key, records in _by_key(_keys(buffer, chain)):
            if key == _ODD:
                odd += records.tolist()
                continue
            length = key // _STEP_LENGTHS
            rows = _rows(buffer, chain.starts[records] + HEADER_BYTES, row_bytes(length))
            odd += self._match(key, records, rows, found)
        return found, sorted(odd)

    def _match(self, key: int, records: Any, rows: Any, found: list[Found]) -> list[int]:
        """Add to ``found`` the records that fit shapes of their key; return the others."""
        if self._count >= _KNOWN_TEMPLATES:
            self._shapes.clear()
            self._count = 0
        shapes, tried, odd = self._shapes.setdefault(key, []), 0, list[Any]()
        while len(records) and tried < _SHAPES_OF_A_KEY and len(odd) < _ODD_OF_A_KEY:
            if tried == len(shapes) and not self._learn(key, rows):
                # The version of a file may be as long as a record of its scalars.
                alike = _alike(rows, key // _STEP_LENGTHS)
                odd.append(records[alike])
                records, rows = records[~alike], rows[~alike]
                continue
            shape = shapes[tried]
            for _ in range(2):  # with the templates that are known, then with those that the rest teaches
                records, rows = _take(shape, records, rows, found)
                if not len(records) or not self._learn_alike(key, shape, rows):
                    break
            tried += 1
        return np.concatenate([records, *odd]).tolist()  # type: ignore[no-any-return]

    def _learn(self, key: int, rows: Any) -> bool:
        """A new shape from the first row, if it is a plain record."""
        template = learn(rows[0].tobytes()[: key // _STEP_LENGTHS])
        if template is None:
            return False
        shape = Shape(template)
        shape.add([template])
        self._shapes[key].append(shape)
        self._count += 1
        return True

    def _learn_alike(self, key: int, shape: Shape, rows: Any) -> bool:
        """More templates of a shape from rows that have none of those it knows."""
        _, firsts = np.unique(shape.hashes(rows), return_index=True)
        if len(firsts) > _NEW_AT_ONCE and len(firsts) > len(rows) // 4:
            return False  # no two are alike
        payloads = (rows[first].tobytes()[: shape.length] for first in np.sort(firsts).tolist())
        found = [template for payload in payloads if (template := learn(payload)) is not None and shape.takes(template)]
        shape.add(found)
        self._count += len(found)
        return bool(found)


def _take(shape: Shape, records: Any, rows: Any, found: list[Found]) -> tuple[Any, Any]:
    """Add to ``found`` what fits a shape; return the rest."""
    fit = shape.fit(rows)
    if fit.good is None:
        found.append(Found(shape, records, rows, fit))
        return records[:0], rows[:0]
    if fit.good.any():
        good = fit.good
        fitting = Fit(None if fit.which is None else fit.which[good], None, fit.differences[good], fit.spread)
        found.append(Found(shape, records[good], rows[good], fitting))
    return records[~fit.good], rows[~fit.good]


def _alike(rows: Any, length: int) -> Any:
    """Which rows, uint64 [rows, words], have the payload of the first one, but for its wall time: bool [rows]."""
    differences = (rows ^ rows[0]).view(np.uint8)[:, :length]
    differences[:, WALL_TIME_AT : WALL_TIME_AT + 8] = 0
    return ~differences.any(axis=1)


def _keys(buffer: Any, chain: Chain) -> Any:
    """Length and length of the step, in one number for each record."""
    payloads = chain.starts + HEADER_BYTES
    has_step = buffer[payloads + STEP_AT - 1] == STEP_KEY
    raw = unaligned(buffer, "<u8")[payloads + STEP_AT]
    step_bytes, more = has_step.astype(np.int64), has_step
    for shift in range(7, 8 * LONGEST_STEP, 8):
        more = more & ((raw >> np.uint64(shift)) & np.uint64(1)).astype(bool)
        if not more.any():
            break
        step_bytes += more
    plain = (chain.lengths < _LONGEST) & (chain.lengths > STEP_AT) & (step_bytes <= LONGEST_STEP)
    return np.where(plain, chain.lengths * _STEP_LENGTHS + step_bytes, _ODD).astype(np.uint16)


def _by_key(keys: Any) -> Iterator[tuple[int, Any]]:
    """Each key, and the numbers of its records."""
    if not len(keys):
        return
    if (keys == keys[0]).all():
        yield int(keys[0]), np.arange(len(keys))
        return
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    bounds = [0, *(np.flatnonzero(ordered[1:] != ordered[:-1]) + 1).tolist(), len(keys)]
    for begin, end in pairwise(bounds):
        yield int(ordered[begin]), order[begin:end]


def _rows(buffer: Any, at: Any, size: int) -> Any:
    """Copies of ``size`` bytes each, uint64 [rows, words]."""
    overlapping = np.ndarray((len(buffer) - size + 1,), f"V{size}", buffer, 0, (1,))
    return overlapping[at].view(np.uint64).reshape(len(at), size // 8)
