"""False alarms, misses and delays of every detector over simulated logs, and false alarms over real ones.

``python -m tests.benchmarks.bench_detection [--quick] [--split tune|report]``

Ours: ``default`` has every rule on, ``thresholds`` the plain thresholds alone; an alarm is an incident of warning or
critical severity, at the step at which it fired. Peers are described in ``tests/benchmarks/peers``; each is given every
loss series by itself, its alarms nearer than 100 steps (or one logged point) are one, and a peer that needs the whole
log speaks at its last step.

False alarms are alarms on runs of healthy families, per million points of their loss series, whichever of them the
detector looks at. A failure is missed if there is no alarm at or after its onset, the first logged step at which the
log differs from that of the same run without the failure; the delay is counted from there in training steps. Runs in
whose log nothing differs are left out. The summary leaves out families whose log holds too little to tell (marked *). A
detector that cries often hits some failures by chance: read its misses beside its false alarms.
"""

import argparse
from collections.abc import Sequence

from tests.benchmarks.detection import corpus, tables
from tests.benchmarks.detection.detectors import NAMES, OURS, lacking
from tests.benchmarks.detection.trials import CADENCES, NOISES, SPLITS, Outcome, grid, seeds, trials
from tests.simulator import FAMILIES

QUICK_CADENCES, QUICK_NOISES = (1, 10, 100), (0.05,)


def parser() -> argparse.ArgumentParser:
    """The command line."""
    found = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    found.add_argument("--quick", action="store_true", help="one seed, three cadences, one level of noise")
    found.add_argument("--split", choices=SPLITS, default="tune", help="disjoint seeds; tune on one, report the other")
    found.add_argument("--seeds", type=int, help="a family, cadence and level of noise; 5, or 1 with --quick")
    found.add_argument("--detectors", nargs="+", choices=NAMES, default=NAMES, metavar="NAME", help=", ".join(NAMES))
    found.add_argument("--families", nargs="+", choices=FAMILIES, default=[*FAMILIES], metavar="NAME")
    found.add_argument("--cadences", nargs="+", type=int, help="training steps between two points")
    found.add_argument("--noises", nargs="+", type=float, help="standard deviation of the logarithm of the loss")
    found.add_argument("--by", choices=["family", "cadence", "noise"], default="family", help="rows of the tables")
    found.add_argument("--list", action="store_true", help="each false alarm and each miss of ours")
    found.add_argument("--sections", nargs="+", choices=["simulator", "corpus"], default=["simulator", "corpus"])
    found.add_argument("--jobs", type=int, default=1, help="processes")
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the tables."""
    options = parser().parse_args(arguments)
    absent = lacking(options.detectors)
    for name, reason in absent.items():
        print(f"{name} is left out: {reason}")
    names = [name for name in options.detectors if name not in absent]
    if "simulator" in options.sections:
        runs = grid(
            options.families,
            seeds(options.split, options.seeds or (1 if options.quick else 5)),
            options.cadences or (QUICK_CADENCES if options.quick else CADENCES),
            options.noises or (QUICK_NOISES if options.quick else NOISES),
        )
        print(f"{len(runs)} simulated runs, split {options.split}\n", flush=True)
        show(list(trials(runs, names, options.jobs)), names, options.by, every=options.list)
    if "corpus" in options.sections:
        print("\n## Real logs of healthy runs\n", flush=True)
        for line in corpus.section(names):
            print(line)


def show(outcomes: list[Outcome], names: Sequence[str], rows: str, *, every: bool) -> None:
    """The tables of the simulated runs."""
    print(tables.summary(outcomes, names))
    ours = [name for name in names if name in OURS]
    for title, columns, cell in (
        ("False alarms per million healthy points", names, tables.alarms_per_million),
        ("Failures: missed, and median delay in steps of the others", names, tables.missed_and_delay),
        ("Gradual collapses: warned before the loss is below 0.01", names, tables.warned),
        ("Failures: a code that names the fault", ours, tables.right_code),
    ):
        kept = [outcome for outcome in outcomes if outcome.detector in columns]
        if columns:
            print(f"## {title}\n\n{tables.by(rows, kept, columns, cell)}")
    if every:
        print(*tables.listed(outcome for outcome in outcomes if outcome.detector in ours), sep="\n")


if __name__ == "__main__":
    main()
