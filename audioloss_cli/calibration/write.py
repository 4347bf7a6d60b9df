"""The settings as a configuration file, each with a comment of what its figure comes from."""

from collections.abc import Iterator, Mapping

from audioloss_cli.calibration.calibrate import Calibration, changed, pattern_of
from audioloss_cli.calibration.measure import TagFigures
from audioloss_cli.config import KEYS
from audioloss_cli.config.toml_text import text_of, value_of
from audioloss_cli.model import printable, shortened

_MOST = 300  # characters of a comment


def toml_of(found: Calibration) -> str:
    """A configuration file that loads as ``found.config``."""
    return "\n".join(_lines(found)) + "\n"


def _lines(found: Calibration) -> Iterator[str]:
    fields = dict(changed(found.config))
    kinds, rules = fields.pop("kinds", {}), fields.pop("rules", {})
    yield "# Written by audioloss calibrate, from these healthy losses:"
    for each in found.figures:
        yield _comment(_described(each))
    for name, value in fields.items():
        key = KEYS[name]
        yield ""
        reasons = [found.reasons[key]] if key in found.reasons else []
        if name == "ignore":
            given = {code: found.reasons.get(f"ignore.{code}") for code in value}
            reasons = [f"{code} {reason}" for code, reason in given.items() if reason]
        yield from map(_comment, reasons)
        yield f"{key} = {value_of(value)}"
    if kinds:
        yield from ("", "[kinds]")
        tags = {pattern_of(each.tag): each.tag for each in found.figures}
        for pattern, kind in kinds.items():
            yield from _explained(found.reasons, f"kinds.{tags.get(pattern, pattern)}")
            yield f"{text_of(pattern)} = {text_of(kind)}"
    for code, options in rules.items():
        yield from ("", f"[rules.{code}]")
        yield from _explained(found.reasons, f"rules.{code}")
        yield from (f"{name} = {value_of(value)}" for name, value in options.items())


def _explained(reasons: Mapping[str, str], key: str) -> Iterator[str]:
    if key in reasons:
        yield _comment(reasons[key])


def _described(each: TagFigures) -> str:
    runs = f"{each.runs} runs" if each.runs > 1 else "1 run"
    return (
        f"{each.tag}: {runs}, {each.points:,} points, one each {each.stride:g} steps; starts at {each.start:.4g}, "
        f"lowest {each.lowest:.4g} (step {each.lowest_step:,} of {each.lowest_run}); neighbours differ by "
        f"{each.noise:.2%}, and 9 points fall at most {each.fall:.3g} times below the 9 before"
    )


def _comment(text: str) -> str:
    return f"# {shortened(printable(text), _MOST)}"
