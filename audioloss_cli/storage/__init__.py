"""Files: long columns and spill files for what does not fit into memory, and the cache of readings."""
