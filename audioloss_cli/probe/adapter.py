"""What a training script says of its model: ``from audioloss_cli.probe.adapter import Options``."""

from audioloss_cli.probe.model_io.adapter import Options

__all__ = ["Options"]
