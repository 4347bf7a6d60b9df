"""Whether the audio loss that is trained is the one that logits and labels give; where not, what it is instead.

A loss that is held against the wrong labels, or that leaves out the audio, falls as nicely as one that learns. Beside
the logits of the same batch it is told apart: by the label offset at which the cross entropy is what is trained, or by
a total that falls where the cross entropy of the audio stays. One batch may be odd: several in a row must agree.
"""

import math
from collections import deque
from collections.abc import Mapping, Sequence
from random import Random
from time import perf_counter
from typing import Any

from audioloss_cli.model import Finding, Severity
from audioloss_cli.training.losses.outputs import number_of
from audioloss_cli.training.transport.scalar_layout import ACROSS, AT_OFFSETS, BOUND, PART

_FIRST = (1, 2, 3, 6, 10, 14, 18, 22, 26, 30, 34, 38, 42, 46, 50)  # steps that are measured; later ones by the clock
_TIMES = 1000  # as long as measuring took is waited before the next: it takes 0.1 % of the training
_LEAST = 5.0  # seconds
_IN_A_ROW = 3
_SAME, _NATS = 0.03, 0.02  # relative and absolute: what is trained may leave out the last frame of a segment, or not
_APART, _NEARER = 0.1, 0.25  # by which the cross entropies at two offsets must differ, and how near the one must be
_EXACT, _NOT_EXACT = 2e-4, 2e-3  # one is the other, in float32; and it is not
_DIGITS = 1e-5  # relative: two ways to sum the same numbers in float32
_FELL, _STAYED = 5.0, 0.9
_BELOW, _AT_LEAST, _AT_MOST = 0.9, 0.95, 1.5  # a mean over some steps, with some text, beside what one of them costs
_MOVED, _STEADY, _NEAR = 1.005, 1.02, 0.03
_CONSTANT = 10  # steps with one and the same total

_LEAK = (
    "Shift once: hold logits[t] against the code at t + 1, as in cross_entropy(logits[:-1], codes[1:]) within each "
    "segment. Throw away the checkpoints of this run."
)
_TWICE = "Shift once: either the collator or the loss, not both."
_ADD = "Add it: loss = text_loss + audio_loss, and give the audio labels to whatever computes it."
_CONST = "Find what is returned in place of the loss: an exception that is caught, or a placeholder."
_SCALE = "Divide by the codebooks or the accumulation once; thresholds are for a mean over codebooks."


class Agreement:
    """Compares step by step; each thing is found once.

    Attributes:
        agrees: whether what was measured last is the cross entropy of the next code, and can be told from others.
        part_is_audio: whether the audio part of what is trained was, at the last measure, the cross entropy at one of
            the offsets: a total without its text loss need then not be recomputed.
    """

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """A training begins, perhaps not the first."""
        self.agrees = self.part_is_audio = False
        self._steps, self._due = 0, 0.0
        self._suspected, self._count = "", 0
        self._first: tuple[float, float] | None = None  # what was trained at first, and what the audio cost
        self._measured: tuple[float, float, float] | None = None  # of a step that does not show what is trained
        self._logged_first = 0.0  # what was logged as trained at first, in terms of what the audio cost
        self._ratios: list[float] = []
        self._rights = deque[float](maxlen=_IN_A_ROW)
        self._last, self._repeats = math.nan, 0
        self._random = Random(0)  # noqa: S311  # no secret, and the same in every run

    def due(self) -> bool:
        """Whether the micro-batches of the step that begins are to be measured."""
        self._steps += 1
        if self._steps <= _FIRST[-1]:
            return self._steps in _FIRST
        now = perf_counter()
        if now < self._due:
            return False
        self._due = now + _LEAST  # if this step shows no outputs, and so takes nothing
        return True

    def note(self, values: Mapping[str, Any]) -> None:
        """Whether the losses of a micro-batch agree, where that can be told without a wait."""
        numbers = [number_of(values.get(name)) for name in (PART, *AT_OFFSETS, ACROSS[1])]
        if not all(isinstance(each, float) and math.isfinite(each) for each in numbers):
            return
        part, here, right, after, across = numbers
        to_the_digit = any(_is_exactly(part, each, (here, after)) for each in (right, across))
        rather = to_the_digit or any(_is_rather(part, right, other) for other in (here, after))
        self.agrees = rather and _same(part, right)

    def took(self, seconds: float) -> None:
        """How long it took to measure; the next time comes as much later."""
        wait = max(_LEAST, _TIMES * seconds)
        self._due = perf_counter() + wait * self._random.uniform(1, 1.3)

    def judge(self, values: Mapping[str, float]) -> list[Finding]:
        """What is wrong with the loss that is trained, of the numbers of one step."""
        total = values.get("total", values.get(BOUND, math.nan))
        self._repeats = self._repeats + 1 if total == self._last else 0
        self._last = total
        if AT_OFFSETS[1] not in values:
            return []
        here, right, after = (values.get(name, math.nan) for name in AT_OFFSETS)
        if not math.isfinite(right):
            return []
        self._rights.append(right)
        if self._repeats >= _CONSTANT and max(self._rights) > _MOVED * min(self._rights):
            self._repeats = -_CONSTANT
            same = f"the loss that is trained was {total:.6g} at {_CONSTANT + 1} steps in a row"
            said = f"{same}; from its logits the audio costs {min(self._rights):.4g} to {max(self._rights):.4g} nats"
            return [Finding("constant-loss", Severity.CRITICAL, said, advice=_CONST)]
        part, bound = values.get(PART, math.nan), values.get(BOUND, math.nan)
        known = "total" in values or math.isfinite(part) or math.isfinite(bound)
        self._measured = None if known else (here, right, after)
        if not known:  # a framework may log what is trained, see ``logged``
            return []
        if math.isfinite(part):
            measured = (here, right, after)
            across = [values.get(name, math.nan) for name in ACROSS]
            self.part_is_audio = any(_same(part, each) for each in (*measured, *across) if math.isfinite(each))
            found = self._of_part(part, measured, across)
            if found is not None:
                return found
        return self._of_bound(bound, right)

    def logged(self, total: float) -> list[Finding]:
        """What is wrong with the loss that a framework logs as trained, where a step does not show what that is.

        It is a total that holds the audio loss, and no smaller than that. Where it was so at first, and is no more,
        while the cross entropy at another label offset is, that is what is trained.
        """
        measured, self._measured = self._measured, None
        if measured is None or not 0 < total < math.inf:
            return []
        here, right, after = measured
        self._logged_first = self._logged_first or total / right
        fits = self._logged_first >= 1 and total < _BELOW * right
        for code, other, where, advice in (
            ("label-leak", here, "at their own positions", _LEAK),
            ("double-shift", after, "two positions later", _TWICE),
        ):
            if fits and other < _BELOW * right and _AT_LEAST * other <= total <= _AT_MOST * other:
                said = (
                    f"the loss that is trained is {total:.4g}, less than the audio costs, which is {right:.4g} nats "
                    f"against the next labels; against those {where} it is {other:.4g}"
                )
                return self._suspect(code, Finding(code, Severity.CRITICAL, said, advice=advice))
        return self._suspect("")

    def _of_part(self, part: float, within: Sequence[float], across: Sequence[float]) -> list[Finding] | None:
        """None where it is the cross entropy at no offset, nor a multiple of it."""
        right = within[1]
        offset = next((each for each in (0, 2) if _is_at(each, part, within, across)), None)
        if offset is None and _same(part, right):
            return self._suspect("")
        for each, code, where, advice in (
            (0, "label-leak", "their own positions, not of the next ones", _LEAK),
            (2, "double-shift", "two positions later, not of the next ones", _TWICE),
        ):
            if offset == each:
                other = within[each]
                said = (
                    f"the audio loss that is trained is {part:.4g}: the cross entropy against the labels of {where}, "
                    f"which is {other:.4g}; against the next ones it is {right:.4g} nats"
                )
                return self._suspect(code, Finding(code, Severity.CRITICAL, said, advice=advice))
        self._ratios.append(part / right if right else math.nan)
        steady = len(self._ratios) >= 2 * _IN_A_ROW and max(self._ratios) < _STEADY * min(self._ratios)
        if steady and _is_scale(self._ratios[0]):
            ratio, self._ratios = self._ratios[0], []
            said = f"the audio loss that is trained is {ratio:.4g} times the mean cross entropy over codebooks"
            return [Finding("loss-scale", Severity.INFO, said, advice=_SCALE)]
        return None

    def _of_bound(self, total: float, right: float) -> list[Finding]:
        """A total that holds the audio loss is no smaller than that, whatever it is multiplied by."""
        if not 0 < total < math.inf:
            return self._suspect("")
        self._first = self._first or (total, right)
        fell = total * right and (total / right) * _FELL < self._first[0] / self._first[1]
        if not (fell and total < right / 2 and right > _STAYED * self._first[1]):
            return self._suspect("")
        said = (
            f"the loss that is trained fell from {self._first[0]:.4g} to {total:.4g} while the audio costs {right:.4g} "
            "nats as at first: it is not part of it"
        )
        return self._suspect("total-mismatch", Finding("total-mismatch", Severity.CRITICAL, said, advice=_ADD))

    def _suspect(self, code: str, finding: Finding | None = None) -> list[Finding]:
        self._count = self._count + 1 if code and code == self._suspected else int(bool(code))
        self._suspected = code
        return [finding] if finding is not None and self._count >= _IN_A_ROW else []


def _is_at(offset: int, part: float, within: Sequence[float], across: Sequence[float]) -> bool:
    """Whether what is trained is the cross entropy at another offset, be it within segments or across them."""
    rights = (within[1], across[1])
    to_the_digit = any(_is_exactly(part, each[offset], rights) for each in (within, across))
    return to_the_digit or _is_rather(part, within[offset], within[1])


def _is_exactly(part: float, other: float, rights: Sequence[float]) -> bool:
    """Whether it is the one to the last digits of float32, and none of the others."""
    near = abs(part - other)
    return near <= _DIGITS * other and all(abs(part - each) > 10 * max(near, _DIGITS * each) for each in rights)


def _is_rather(part: float, other: float, right: float) -> bool:
    """Whether what is trained is the one and not the other: to the last digits, or because it alone is learnt.

    A loss may leave out the last frame of a segment, or hold it against the first of the next, which moves it a little.
    """
    if abs(part - other) <= _EXACT * other:
        return abs(part - right) > _NOT_EXACT * right
    return other < (1 - _APART) * right and abs(part - other) <= _NEARER * (right - part)


def _same(value: float, other: float) -> bool:
    return abs(value - other) <= _SAME * other + _NATS


def _is_scale(ratio: float) -> bool:
    """Whether it is a power of two but 1, as the codebooks or the accumulation give it."""
    if not 0 < ratio < math.inf:
        return False
    power = math.log2(ratio)
    return round(power) != 0 and abs(power - round(power)) < _NEAR
