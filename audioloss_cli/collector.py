"""How often Python looks for garbage: seldom in a command of our own, as always in a training script that we run."""

import gc

_OBJECTS = 1 << 16  # more than all imports leave behind
_usual: list[tuple[int, int, int]] = []


def seldom() -> None:
    """Let a command start faster: imports leave no garbage, and looking for it every 700 objects takes 5 ms."""
    _usual.append(gc.get_threshold())
    gc.set_threshold(_OBJECTS)


def as_usual() -> None:
    """Undo ``seldom``: cycles of tensors hold memory of the device until they are found."""
    if _usual:
        gc.set_threshold(*_usual.pop())
