"""Records that also read like a dict: ``alert.type`` and ``alert['type']`` are the same field."""

from collections.abc import Iterator, Mapping
from typing import Any


class FieldMapping(Mapping[str, Any]):
    """A dataclass whose fields are also its mapping keys, in the order of their declaration."""

    __slots__ = ()

    def __getitem__(self, key: str) -> Any:
        if key in self._names():
            return getattr(self, key)
        raise KeyError(key)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names())

    def __len__(self) -> int:
        return len(self._names())

    def _names(self) -> tuple[str, ...]:
        return tuple(self.__dataclass_fields__)  # type: ignore[attr-defined]  # every subclass is a dataclass
