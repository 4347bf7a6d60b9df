"""Any model whose keys and axes the options name; also the way to probe an exported program."""

from audioloss_cli.probe.model_io.adapter import Config, Options
from audioloss_cli.probe.model_io.adapters._described import EVERY, Described

OPTIONS = EVERY


def serves(config: Config) -> bool:
    """Never: it is chosen by name."""
    return False


class Adapter(Described):
    """Described by the options alone.

    Raises:
        UsageError: an option is missing, or a layout makes no sense.
    """

    def __init__(self, config: Config, options: Options) -> None:
        super().__init__(config, options)
