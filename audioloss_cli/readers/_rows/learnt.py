"""What the rows of a log have taught about its keys, and which blanks therefore stand for a missing number."""

import re
from typing import Any

from audioloss_cli.model.reader import MarkError
from audioloss_cli.model.shape import COUNT, Names, has_shape
from audioloss_cli.readers._rows.row import Row

_HELD_OUT = re.compile(r"(?<![a-z])(?:eval|evaluation|val|valid|validation|test|dev|predict)(?![a-z])", re.IGNORECASE)
_LEARNING_RATE = re.compile(r"(?<![a-z])(?:lr|learning_?rate)(?![a-z])", re.IGNORECASE)
# Nothing here may grow faster than the log: a key counts for so many outer ones, an outer key for so many inner ones,
# and the sets of nulls hold so many names in all.
_MOST_OUTER, _MOST_INNER, _MOST_NULLS = 16, 64, 1 << 20
_STATE = {"inner": Names([str]), "nulls": [[str]], "beside": Names(COUNT)}


class Learnt:
    """What was learnt row by row.

    It only ever grows, and a row of which one with the same keys was learnt teaches nothing: typed reading relies on
    that.

    Attributes:
        version: changes whenever ``missing`` may answer differently than before.
    """

    def __init__(self) -> None:
        self.version = 0
        self._inner: dict[str, list[str]] = {}  # key -> keys below it that have held a number, itself included
        self._rates = set[str]()  # learning rates that have held a number
        # Key -> keys that were null in a row in which it had a number. Keys that always come together share one set.
        self._null_beside: dict[str, frozenset[str]] = {}
        self._nulls = 0  # names in all of these sets that there ever were
        self._held_out: dict[str, bool] = {}
        self._last: object = None  # the keys of the row that was learnt last

    def learn(self, row: Row) -> None:
        """Take in one row."""
        keys = [key for key, _ in row.numbers], row.nulls
        if keys == self._last:
            return
        self._last = keys
        here = dict.fromkeys(keys[0])
        for key in here:
            if key not in self._null_beside:
                self._begin(key)
        if row.nulls:
            self._note_nulls(here, frozenset(row.nulls))

    def _begin(self, key: str) -> None:
        self.version += 1
        self._null_beside[key] = frozenset()
        self._inner.setdefault(key, []).insert(0, key)
        if _LEARNING_RATE.search(key):
            self._rates.add(key)
        at = key.find("/")
        for _ in range(_MOST_OUTER):
            if at < 0:
                break
            inner = self._inner.setdefault(key[:at], [])
            if len(inner) < _MOST_INNER:
                inner.append(key)
            at = key.find("/", at + 1)

    def _note_nulls(self, here: dict[str, None], nulls: frozenset[str]) -> None:
        grown: dict[frozenset[str], frozenset[str]] = {frozenset(): nulls}
        for key in here:
            found = self._null_beside[key]
            if found not in grown:
                grown[found] = found if nulls <= found or self._nulls > _MOST_NULLS else found | nulls
                self._nulls += len(grown[found]) if grown[found] is not found else 0
            if grown[found] is not found:
                self._null_beside[key] = grown[found]
                self.version += 1

    def has_numbers(self, key: str) -> bool:
        """Whether a key, or one below it, has held a number."""
        return key in self._inner

    def missing(self, row: Row) -> list[str]:
        """Return the keys whose number the row says is missing.

        A row of another kind, such as an evaluation row, says nothing of the keys of the others. Logs with fixed
        columns (LLaMA-Factory's) write null for everything that does not belong to the kind of row at hand: the
        training loss is null in each evaluation row and in the closing summary. Such a row has a number in a held-out
        column, or in one that was itself null beside a number of this key, or it lacks a learning rate that others
        have. A new column is no such sign: a counter of bad batches appears just when the loss turns into null. Nor is
        a gradient norm that is null too.
        """
        known = dict.fromkeys(key for blank in row.blanks for key in self._inner.get(blank, ()))
        if not known or not self._rates.isdisjoint(row.blanks):
            return []
        here = {key for key, _ in row.numbers}
        if any(map(self._is_held_out, here)):
            return []
        apart: dict[int, bool] = {}
        found = list[str]()
        for key in known:
            beside = self._null_beside[key]
            if id(beside) not in apart:
                apart[id(beside)] = beside.isdisjoint(here)
            if key not in here and apart[id(beside)]:
                found.append(key)
        return found

    def _is_held_out(self, key: str) -> bool:
        if key not in self._held_out:
            self._held_out[key] = _HELD_OUT.search(key) is not None
        return self._held_out[key]

    @property
    def size(self) -> int:
        """How many names it holds."""
        return sum(map(len, self._inner.values())) + sum(map(len, set(self._null_beside.values())))

    def state(self) -> dict[str, Any]:
        """Return what ``resume`` needs, in types that JSON knows."""
        sets = list(dict.fromkeys(self._null_beside.values()))
        places = {blanks: place for place, blanks in enumerate(sets)}
        return {
            "inner": self._inner,
            "nulls": [sorted(nulls) for nulls in sets],
            "beside": {key: places[blanks] for key, blanks in self._null_beside.items()},
        }

    @classmethod
    def resume(cls, state: dict[str, Any]) -> "Learnt":
        """What was known when ``state`` was asked for.

        Raises:
            MarkError: ``state`` did not make it.
        """
        if not has_shape(state, _STATE) or not _is_closed(state):
            raise MarkError("no state of rows")
        learnt = cls()
        sets = [frozenset(blanks) for blanks in state["nulls"]]
        learnt._inner = {key: list(inner) for key, inner in state["inner"].items()}
        learnt._null_beside = {key: sets[place] for key, place in state["beside"].items()}
        learnt._rates = {key for key in learnt._null_beside if _LEARNING_RATE.search(key)}
        return learnt


def _is_closed(state: dict[str, Any]) -> bool:
    """Whether all that a state refers to is in it."""
    places, known = range(len(state["nulls"])), state["beside"].keys()
    inner = state["inner"].values()
    return all(place in places for place in state["beside"].values()) and all(known >= set(keys) for keys in inner)
