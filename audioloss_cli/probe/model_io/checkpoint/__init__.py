"""Checkpoints: a path to a model that runs; no code of a checkpoint is executed and nothing is fetched."""

from audioloss_cli.probe.model_io.checkpoint.load import load_checkpoint
from audioloss_cli.probe.model_io.checkpoint.loaded import LoadedModel, Mismatch, Request
from audioloss_cli.probe.model_io.checkpoint.weights import WeightFault, weight_faults

__all__ = ["LoadedModel", "Mismatch", "Request", "WeightFault", "load_checkpoint", "weight_faults"]
