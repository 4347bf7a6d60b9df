"""What checks look at: one opened checkpoint, the statistics of its values, its family, what it is compared with."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from audioloss_cli.checkpoints.stored import Checkpoint

if TYPE_CHECKING:
    from collections.abc import Mapping

    from audioloss_cli.checkpoints.comparison import Comparison
    from audioloss_cli.checkpoints.families import Family
    from audioloss_cli.checkpoints.health import TensorStatistics


@dataclass(slots=True)
class CheckpointEvidence:
    """One checkpoint, and what is known about it.

    Attributes:
        checkpoint: opened.
        family: what the model is made of; None where no family fits.
        statistics: by the name of a tensor; empty where no values were read (``--headers``).
        comparison: with the base or an earlier checkpoint; None if there is none.
        state_statistics: of the tensors of optimizers, of which NaN and infinities alone are known; empty likewise.
    """

    checkpoint: Checkpoint
    family: "Family | None" = None
    statistics: "Mapping[str, TensorStatistics]" = field(default_factory=dict)
    comparison: "Comparison | None" = None
    state_statistics: "Mapping[str, TensorStatistics]" = field(default_factory=dict)
