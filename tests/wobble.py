"""Made-up losses that are never the same twice in a row: a constant is a fault of its own."""


def wobbly(level: float, count: int) -> list[float]:
    """``count`` losses around a level, each moved by up to 0.06 % of it."""
    return [level * (1 + 1e-4 * (index % 7)) for index in range(count)]
