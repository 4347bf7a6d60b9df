"""SQLite databases that another program may be writing: opened without a lock, read as far as they are intact."""

from audioloss_cli.readers._sqlite.database import Database, Table
from audioloss_cli.readers._sqlite.opening import holds, read_database

__all__ = ["Database", "Table", "holds", "read_database"]
