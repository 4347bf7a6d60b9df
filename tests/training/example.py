"""A tiny fine-tune that goes wrong, and is stopped: ``python -m tests.training.example [DIRECTORY]``.

From the 13th sample on, the collator no longer finds the turns to learn from and masks every audio label. The audio
loss is then the mean of nothing, NaN, which the Trainer leaves out of its own log.
"""

import logging
import sys
import tempfile
from pathlib import Path

from transformers import PrinterCallback, Trainer, TrainingArguments
from transformers.utils.logging import disable_progress_bar

from audioloss_cli.training import AudioLossCallback, Policy
from tests.training import loops

BROKEN_FROM = 12


def fine_tune(directory: Path) -> tuple[Trainer, AudioLossCallback]:
    """The run, as it ended."""
    callback = AudioLossCallback(Policy(critical=["log", "dump", "advise", "stop"]))
    trainer = loops.InOrder(
        model=loops.model(),
        args=arguments(directory),
        train_dataset=loops.Samples(100, BROKEN_FROM, masked=True),
        callbacks=[callback],
    )
    trainer.remove_callback(PrinterCallback)
    trainer.train()
    return trainer, callback


def arguments(directory: Path) -> TrainingArguments:
    """As usual; so slow a learning rate that the figures are the same on every machine."""
    return loops.arguments(directory, 100, learning_rate=1e-5, report_to=["tensorboard"])


def main() -> None:
    """Log to stdout, relative to the directory of the run."""
    logging.basicConfig(stream=sys.stdout, format="%(levelname)s %(message)s")
    disable_progress_bar()
    directory = Path(sys.argv[1] if sys.argv[1:] else tempfile.mkdtemp())
    trainer, callback = fine_tune(directory)
    print(f"stopped at step {trainer.state.global_step} of {trainer.state.max_steps}")
    for taken in callback.guard.taken:
        outcome = taken.outcome.replace(f"{directory}/", "")
        print(f"  {taken.action}: {outcome[:90]}{'...' if len(outcome) > 90 else ''}")


if __name__ == "__main__":
    main()
