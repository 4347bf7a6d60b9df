"""What every mistake in a configuration is told by."""


class ConfigError(ValueError):
    """The configuration makes no sense; the message names the file and the key, the variable, or the option."""
