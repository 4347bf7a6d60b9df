"""Which rules a configuration chooses."""

from audioloss_cli.config import ScanConfig
from audioloss_cli.monitor.ruleset import Choice


def choice_of(config: ScanConfig) -> Choice:
    """The rules that watch every series.

    Raises:
        SettingError: a code or an option that is not known, or no rule left.
    """
    return Choice(config.adaptive, config.select, config.ignore, config.rules)
