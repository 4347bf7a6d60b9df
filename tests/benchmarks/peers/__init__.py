"""Other ways to watch a loss, one a file: ``alarms(loss, beside)`` yields what it would have said of one loss series.

``beside`` are the series of the run that are no losses (gradient norm, epoch). A peer that wraps a package imports it
inside of its functions and names it in ``REQUIRES``.
"""

_HERE = "tests.benchmarks.peers"

# name -> module and function
PEERS = {
    "plain": (f"{_HERE}.plain", "alarms"),
    "olmo": (f"{_HERE}.olmo", "alarms"),
    "olmo-mirrored": (f"{_HERE}.olmo", "mirrored"),
    "llm-foundry": (f"{_HERE}.llm_foundry", "alarms"),
    "page-hinkley": (f"{_HERE}.page_hinkley", "alarms"),
    "adwin": (f"{_HERE}.adwin", "alarms"),
    "losslint": (f"{_HERE}.losslint", "alarms"),
    "trainspotter": (f"{_HERE}.trainspotter", "alarms"),
    "trainspotter-info": (f"{_HERE}.trainspotter", "with_info"),
}
