"""Whether the audio parameters may be trained, and whether the loss reaches them: looked at after the first backwards.

Nothing is left in place once it is known. A loop that has thrown its gradients away by the end of a step is seen by
hooks on its parameters, for one step.
"""

import re
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from audioloss_cli.model import Finding, Severity
from audioloss_cli.probe.check import run_checks
from audioloss_cli.probe.measure.evidence import REST, Evidence, Gradient
from audioloss_cli.probe.model_io.layout import Layout
from audioloss_cli.training.response.restore import is_sharded

_LOOKS = 3
_TRIES = 12  # steps; a loop that makes no gradients is not asked for ever
_CHECKS = ("frozen_audio", "no_audio_gradient")


class GradientLook:
    """At the first steps of a training."""

    def __init__(self) -> None:
        self._handles: list[Any] = []
        self.begin()

    def begin(self) -> None:
        """A training begins, perhaps not the first."""
        self.left, self._dead, self._tries = _LOOKS, 0, _TRIES
        self._let_go()
        self._seen: dict[str, bool] | None = None

    def stop(self) -> None:
        """Look no more."""
        self.left = 0
        self._let_go()

    def look(self, model: Any, layout: Layout | None, *, whole: bool) -> list[Finding]:
        """What is wrong with the gradients of the step that was made.

        Args:
            model: that is trained.
            layout: of its family; without one, nothing is known of its audio parameters.
            whole: whether no gradient was thrown away yet.
        """
        self._tries -= 1
        if not self.left or self._tries < 0:
            self.stop()
            return []
        if model is None or not hasattr(model, "named_parameters"):
            self.left = 0
            return []
        if layout is None or not layout.parameters:
            self.left -= 1  # the family may be known at the next batch
            return []
        if is_sharded(model):
            self.left = 0
            return []
        reached = self._reached(model, whole=whole)
        if reached is None:
            return []
        self.left -= 1
        found = self._judged(model, layout, reached)
        if found:
            self.left = 0
        return found

    def _judged(self, model: Any, layout: Layout, reached: dict[str, bool]) -> list[Finding]:
        evidence = Evidence(layout, {}, gradients=_groups(model, layout, reached), gradient_source="total")
        found = [each for each in run_checks(evidence, _CHECKS).findings if each.severity is Severity.CRITICAL]
        dead = [each for each in found if each.code == "no-audio-gradient"]
        self._dead = self._dead + 1 if dead and "head" in _dead_groups(evidence) else 0
        # One batch may have no audio, or none that counts.
        return [each for each in found if each not in dead or self._dead == _LOOKS]

    def _reached(self, model: Any, *, whole: bool) -> dict[str, bool] | None:
        """Names of parameters, and whether their gradient is anything but zero; None if that is not known yet."""
        seen = {name: _is_any(each.grad) for name, each in model.named_parameters() if each.grad is not None}
        if whole or any(seen.values()):  # zeros all over may be what zero_grad(set_to_none=False) left
            self._let_go()
            return seen
        if self._seen:
            seen = dict(self._seen)
            self._seen.clear()  # the hooks stay for the looks that are left
            return seen
        if self._seen is None:
            self._seen = {}
            self._handles = list(self._hooked(model, self._seen))
        return None

    def _hooked(self, model: Any, seen: dict[str, bool]) -> Iterator[Any]:
        for name, each in model.named_parameters():
            if each.requires_grad and each.is_leaf:

                def noted(parameter: Tensor, name: str = name) -> None:
                    seen[name] = seen.get(name, False) or _is_any(parameter.grad)

                yield each.register_post_accumulate_grad_hook(noted)

    def _let_go(self) -> None:
        for each in self._handles:
            each.remove()
        self._handles = []


def _is_any(gradient: Tensor | None) -> bool:
    """On a device a gradient that is there counts as one: to look into it would wait."""
    if gradient is None or gradient.layout is not torch.strided:
        return gradient is not None
    return not gradient.is_cpu or bool(gradient.any())


def _groups(model: Any, layout: Layout, reached: dict[str, bool]) -> dict[str, Gradient]:
    each: dict[str, list[Any]] = {}
    for name, parameter in model.named_parameters():
        group = next((group for group, pattern in layout.parameters.items() if re.search(pattern, name)), REST)
        counts = each.setdefault(group, [0, 0, 0.0, 0])
        counts[0] += 1
        counts[1] += parameter.requires_grad
        counts[2] = max(counts[2], float(reached.get(name, False)))
        counts[3] += parameter.requires_grad and "lora_" in name
    return {group: Gradient(counts[0], counts[1], counts[2], adapted=counts[3]) for group, counts in each.items()}


def _dead_groups(evidence: Evidence) -> list[str]:
    return [name for name, group in evidence.audio_gradients.items() if group.trainable and group.norm == 0]
