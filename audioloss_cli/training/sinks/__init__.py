"""Where alerts are announced, one destination a module."""
