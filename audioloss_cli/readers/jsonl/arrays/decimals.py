"""From digits to the float64 that is nearest, for all numbers of a column.

A number is an integer of at most 64 bits over a power of ten of at most 10**22, which float64 holds exactly. The
quotient of the two in float64 is off by about one unit in the last place; what it is off by is computed from the exact
remainder (T. J. Dekker, "A floating-point technique for extending the available precision", Numer. Math. 18, 1971),
and added. The sum is the nearest float64 unless the exact quotient lies next to the middle between two: such a number,
as one that is too long or has too large an exponent, is left to Python. (W. D. Clinger, "How to read floating point
numbers accurately", PLDI 1990, has the case of integers below 2**53 that need no remainder.)
"""

from typing import Any

import numpy as np  # noqa: TID253  # opened late, for large files only

from audioloss_cli.readers.jsonl.arrays.cut import aligned
from audioloss_cli.readers.jsonl.arrays.words import ONES, SIXTY_FOUR, U64, Words, digits, eight, last, words_from

_MOST_TENS = 22
_POWERS = np.array([10.0**power for power in range(_MOST_TENS + 1)])
_SPLIT = float((1 << 27) + 1)  # a float64 is the sum of two of half as many bits, whose products are exact
_NEAR = 2.0**-45  # far more than the relative error of what is added
_EIGHT_DIGITS = np.array([[1], [10**8], [10**16]], U64)
_MOST_DIGITS, _HIGHEST = 19, U64(999)  # of an integer; of what eight digits of 24 may spell before the other 16
_NONE = 1023  # the exponent of 1.0 in float64


def _by_dot() -> tuple[Any, Any, Any]:
    """For each exponent of the flag of a dot as float64: digits behind it, and the numbers that take it out."""
    behind = np.zeros(_NONE + 64, np.int64)
    above, nine = np.full(_NONE + 64, ONES), np.zeros(_NONE + 64, U64)
    for word in range(3):
        for byte in range(8):
            flag = _NONE + 8 * byte + 7 - word
            behind[flag] = count = 7 - byte + 8 * word
            if count < _MOST_DIGITS:  # behind as many, nothing but zeros can stand before the dot
                above[flag], nine[flag] = 10 ** (count + 1), 9 * 10**count
    return behind, above, nine


_BEHIND, _ABOVE, _NINE = _by_dot()


def integers(window: Any, starts: Any, lengths: Any) -> tuple[Words, Words, Any]:
    """The digits of numbers as uint64, with 0 for a dot; flags of where the dot was; which numbers are too long.

    Words of eight are read backwards from the end; their flags are laid over each other, each a bit lower.
    """
    count = (int(lengths.max(initial=1)) + 7) // 8
    back = np.arange(count + 1, dtype=np.int64)[:, None]
    place, shift = aligned(starts + lengths)
    around = words_from(window, -count).take(place + (count - back))
    read = around[:-1] << (SIXTY_FOUR - shift)
    read |= np.right_shift(around[1:], shift, out=around[1:])
    flags = digits(read, last(lengths - 8 * back[:-1]))
    flags >>= back[:-1].view(U64)
    parts = eight(read) * _EIGHT_DIGITS[:count]
    too_long = read[-1] > _HIGHEST if count == len(_EIGHT_DIGITS) else np.zeros(len(starts), bool)
    return np.add.reduce(parts, axis=0), np.bitwise_or.reduce(flags, axis=0), too_long


def nearest(total: Words, dots: Words, exponents: Any) -> tuple[Any, Any]:
    """float64, and which of them are not known for sure. ``total`` is lost."""
    flag = dots.astype(np.float64).view(np.int64) >> 52
    whole = total // _ABOVE.take(flag)
    whole *= _NINE.take(flag)
    total -= whole
    power = _BEHIND.take(flag) - exponents
    unsure = power > _MOST_TENS
    np.minimum(power, _MOST_TENS, out=power)
    rough = total.astype(np.float64)
    rest = (total - rough.astype(U64)).view(np.int64).astype(np.float64)
    return _quotient(rough, rest, power, unsure)


def _quotient(rough: Any, rest: Any, power: Any, unsure: Any) -> tuple[Any, Any]:
    """Of ``rough + rest`` and a power of ten."""
    divisor = _POWERS.take(power)
    quotient = rough / divisor
    product = quotient * divisor
    high, low = _halves(quotient)
    error = high * _HIGH.take(power) - product
    error += high * _LOW.take(power)
    error += low * _HIGH.take(power)
    error += low * _LOW.take(power)
    rough -= product
    rough -= error
    rough += rest
    rough /= divisor
    values = quotient + rough
    near = rough * _NEAR
    rough -= near
    near += near
    near += rough
    unsure |= quotient + rough != quotient + near
    return values, unsure


def _halves(numbers: Any) -> tuple[Any, Any]:
    """The upper and the lower bits of float64."""
    wide = numbers * _SPLIT
    high = wide - (wide - numbers)
    return high, numbers - high


_HIGH, _LOW = _halves(_POWERS)
