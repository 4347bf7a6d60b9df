"""The settings of a test, in layers: a configuration file, the test file's own, the test's own.

Nothing else counts: a unit test that a file above the working directory or the environment could change would say
nothing about the configuration that it names.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from audioloss_cli.alert_tests.table import Table
from audioloss_cli.config import FIELDS, KEYS, ConfigError, ScanConfig, make_config, read_config
from audioloss_cli.model import SettingError


@dataclass(frozen=True, slots=True)
class Settings:
    """Fields of ``ScanConfig`` that the layers so far have set, and the configuration that they make."""

    fields: dict[str, Any] = field(default_factory=dict)
    config: ScanConfig = field(default_factory=ScanConfig)

    @classmethod
    def read(cls, path: Path | None) -> Self:
        """The lowest layer.

        Raises:
            ConfigError: see ``make_config``.
        """
        return cls() if path is None else cls(read_config(path), make_config(path, {}))

    def under(self, content: Any, where: str) -> "Settings":
        """These settings with a layer above them; all losses and certain tags exclude each other, as in ``scan``.

        Raises:
            ConfigError: the layer makes no sense.
        """
        upper = {FIELDS[key]: value for key, value in Table(content, where, FIELDS).content.items()}
        below = self.fields
        if "tags" in upper or upper.get("all_losses"):
            below = {name: value for name, value in below.items() if name not in ("tags", "all_losses")}
        fields = {**below, **upper}
        try:
            return Settings(fields, ScanConfig(**fields))
        except SettingError as error:
            raise ConfigError(f"{where}: {KEYS[error.field]} {error.complaint}") from None
