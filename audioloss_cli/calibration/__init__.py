"""From healthy runs to settings under which they stay silent, and what these settings still find."""

from audioloss_cli.calibration.calibrate import Calibration, calibrate, complaints_of, starting_point
from audioloss_cli.calibration.check import CheckedRun, check_runs
from audioloss_cli.calibration.write import toml_of

__all__ = ["Calibration", "CheckedRun", "calibrate", "check_runs", "complaints_of", "starting_point", "toml_of"]
