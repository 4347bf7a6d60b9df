"""The settings, declared once in ``scan_config``: command line, schema of the file and documentation follow.

The public names are imported when they are first used: help and the version need the declaration alone.
"""

from typing import TYPE_CHECKING

from audioloss_cli._lazy import exports

if TYPE_CHECKING:
    from audioloss_cli.config.errors import ConfigError
    from audioloss_cli.config.files import (
        TRAINING,
        find_config,
        make_config,
        read_config,
        read_toml,
        read_training,
        refuse_unknown,
    )
    from audioloss_cli.config.scan_config import FIELDS, KEYS, SETTINGS, ScanConfig

_HOMES = {
    "ConfigError": "errors",
    "FIELDS": "scan_config",
    "KEYS": "scan_config",
    "SETTINGS": "scan_config",
    "ScanConfig": "scan_config",
    "TRAINING": "files",
    "find_config": "files",
    "make_config": "files",
    "read_config": "files",
    "read_toml": "files",
    "read_training": "files",
    "refuse_unknown": "files",
}

__all__ = [
    "FIELDS",
    "KEYS",
    "SETTINGS",
    "TRAINING",
    "ConfigError",
    "ScanConfig",
    "find_config",
    "make_config",
    "read_config",
    "read_toml",
    "read_training",
    "refuse_unknown",
]

__getattr__, __dir__ = exports(__name__, _HOMES)
