"""``python -m tests.benchmarks.reading.generate NAME SIZE DIRECTORY``: the data of a work, unless they are there.

A process of its own: what the measuring process imports would be added to the memory of what it measures, because Linux
carries the peak of the process that starts another over to it.
"""

import shutil
import sys
from pathlib import Path

from tests.benchmarks.reading import event_data, jsonl_data, many_runs, table_data, text_data, wandb_data


def main(name: str, size: str, directory: str) -> None:
    """Write beside the place, then rename: half-written data are never taken for whole."""
    place = Path(directory)
    if place.exists():
        return
    draft = place.with_name(f"{place.name}.unfinished")
    shutil.rmtree(draft, ignore_errors=True)
    modules = (jsonl_data, many_runs, table_data, text_data, wandb_data)
    module = next((module for module in modules if hasattr(module, name)), event_data)
    getattr(module, name)(draft, int(size))
    draft.rename(place)


if __name__ == "__main__":
    main(*sys.argv[1:])
