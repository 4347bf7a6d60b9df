"""Simulated logs of audio language model training: healthy ones, and ones that fail in a known way from a known step.

``simulate(family, seed, cadence, noise)`` gives the same bytes for the same arguments. Levels and shapes are those of
public logs and of small runs that were really trained; see each family.
"""

from tests.simulator import (  # each registers its families
    codebooks,
    collapses,
    constants,
    from_the_start,
    healthy_ce,
    healthy_other,
    healthy_several,
    invalid,
    other_losses,
    resumes,
    several_series,
    time_axes,
    upward,
    zeros,
)
from tests.simulator.family import FAILURES, FAMILIES, HEALTHY, Family
from tests.simulator.run import SimulatedRun, simulate

__all__ = ["FAILURES", "FAMILIES", "HEALTHY", "Family", "SimulatedRun", "simulate"]

_REGISTERED = (
    *(healthy_ce, healthy_other, healthy_several),
    *(collapses, from_the_start, zeros, invalid, constants, codebooks, upward, several_series, resumes, time_axes),
    *(other_losses,),
)
