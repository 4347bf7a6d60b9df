"""How the documentation of a rule or a check is read; light, for whoever lists codes needs no rules."""

import inspect
from types import ModuleType
from typing import NamedTuple, Self


class RuleText(NamedTuple):
    """The documentation of a rule or a check: its module's docstring, cut at What / Why / Fix.

    Attributes:
        title: first line.
        what: the condition.
        why: what it means for the training run.
        fix: what to do about it.
    """

    title: str
    what: str
    why: str
    fix: str

    @classmethod
    def of(cls, module: ModuleType) -> Self:
        """Read the docstring of ``module``.

        Raises:
            ValueError: a section is missing.
        """
        return cls.parse(module.__doc__ or "", module.__name__)

    @classmethod
    def parse(cls, docstring: str, name: str) -> Self:
        """Cut the docstring of the module ``name``.

        Raises:
            ValueError: a section is missing.
        """
        text = inspect.cleandoc(docstring)
        title, *paragraphs = (" ".join(part.split()) for part in text.split("\n\n"))
        found = dict(part.split(": ", 1) for part in paragraphs if ": " in part)
        try:
            return cls(title, found["What"], found["Why"], found["Fix"])
        except KeyError as missing:
            raise ValueError(f"{name}: the docstring has no section {missing.args[0]}:") from None
