"""The logged steps of a run, and the noise on them."""

import math
import zlib
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]
Steps = NDArray[np.int64]
Flags = NDArray[np.bool_]

STEPS, MIN_POINTS = 6000, 300  # a sparse log is longer, so that even a window of 128 points fills before the failure
EARLIEST, LATEST = 0.45, 0.65  # share of the run within which a failure starts that does not start with the run


@dataclass(frozen=True, slots=True)
class Stage:
    """Where a family draws: its own random numbers, the steps that are logged, and how noisy the loss is.

    Attributes:
        steps: logged training steps, ``cadence`` apart; half of the runs log step 0, as plain loops do, the others
            start at step ``cadence``, as trainers do that log at the end of an interval.
        noise: standard deviation of the logarithm of the logged loss.
    """

    rng: np.random.Generator
    steps: Steps
    cadence: int
    noise: float

    @classmethod
    def open(cls, name: str, seed: int, cadence: int, noise: float) -> Self:
        """The stage of one run; its random numbers depend on all four arguments and on nothing else."""
        rng = np.random.default_rng([zlib.crc32(name.encode()), seed, cadence, round(noise * 1e6)])
        points = max(STEPS // cadence, MIN_POINTS)
        first = 0 if rng.random() < 0.5 else 1
        return cls(rng, np.arange(first, points + first, dtype=np.int64) * cadence, cadence, noise)

    @property
    def last(self) -> int:
        """The last logged step."""
        return int(self.steps[-1])

    def onset(self) -> int:
        """A step in the middle of the run, logged or not."""
        return int(self.rng.integers(int(EARLIEST * self.last), int(LATEST * self.last)))

    def uniform(self, low: float, high: float) -> float:
        """One number."""
        return float(self.rng.uniform(low, high))

    def white(self, scale: float = 1.0) -> Values:
        """Independent log-normal factors with mean 1; ``scale`` multiplies the noise of the stage."""
        return self._factors(self.rng.standard_normal(len(self.steps)), self.noise * scale)

    def autocorrelated(self, length: float = 40.0) -> Values:
        """Log-normal factors whose correlation falls to 1/e within ``length`` training steps (AR(1))."""
        keep = math.exp(-self.cadence / length)
        shocks = self.rng.standard_normal(len(self.steps))
        shocks[1:] *= math.sqrt(1 - keep * keep)
        for index in range(1, len(shocks)):
            shocks[index] += keep * shocks[index - 1]
        return self._factors(shocks, self.noise)

    def heavy_tailed(self, freedom: float = 4.0) -> Values:
        """Factors whose logarithm is Student's t with the standard deviation of the stage: small batches."""
        scale = math.sqrt((freedom - 2) / freedom)
        return self._factors(self.rng.standard_t(freedom, len(self.steps)) * scale, self.noise)

    def jitter(self) -> Values:
        """White or autocorrelated, as it falls."""
        return self.white() if self.rng.random() < 0.5 else self.autocorrelated()

    @staticmethod
    def _factors(shocks: Values, deviation: float) -> Values:
        return np.exp(deviation * shocks - deviation * deviation / 2)
