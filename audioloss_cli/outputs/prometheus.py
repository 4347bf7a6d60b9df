"""Metrics in the text format of Prometheus, such as for the textfile collector of the node exporter."""

import math
from collections.abc import Iterator

from audioloss_cli import outputs
from audioloss_cli.model import Gate, Report, RunReport, View
from audioloss_cli.outputs._problems import of_audit, of_run

METRICS = {
    "audioloss_exit_code": "Verdict: 0 clean, 1 findings at or above the gate, 3 something could not be audited.",
    "audioloss_runs": "Runs that were read.",
    "audioloss_checkpoints": "Checkpoints that were audited.",
    "audioloss_series": "Series that were audited.",
    "audioloss_findings": "Incidents and findings by severity and standing.",
    "audioloss_incomplete": "What could not be audited or is stale, by kind.",
    "audioloss_run_findings": "Incidents and findings of a run that count at the gate.",
    "audioloss_series_last_step": "Last training step of an audited series.",
    "audioloss_series_lowest_value": "Lowest finite value of an audited series.",
    "audioloss_finding_first_step": "Training step at which an incident began, or 0 for a finding that has none.",
}
_EXACT = 2**53  # below, every whole number is a float64
_Labels = tuple[tuple[str, str], ...]


class Output(outputs.Output):
    """Samples of a family have to stand together: they are kept as short texts until the end."""

    suffixes = (".prom",)
    metrics = METRICS

    def __init__(self, view: View) -> None:
        super().__init__(view)
        self._gate = Gate()
        self._samples: dict[str, dict[str, float]] = {name: {} for name in METRICS}

    def begin(self, gate: Gate) -> tuple[str, ...]:
        """Keep the gate; nothing can be said yet."""
        self._gate = gate
        return ()

    def run(self, run: RunReport) -> tuple[str, ...]:
        """Keep the samples of a run."""
        self._add("audioloss_checkpoints" if run.checkpoint else "audioloss_runs", ())
        failing = 0
        for problem in of_run(run, self._gate):
            if problem.kind == "defect":
                self._add("audioloss_incomplete", (("kind", problem.kind),))
                continue
            failing += problem.fails
            self._count(str(problem.severity), problem.standing)
            labels = {"run": run.run, "tag": problem.tag, "code": problem.code, "severity": str(problem.severity)}
            labels |= {"standing": problem.standing, "fingerprint": problem.identity}
            self._set("audioloss_finding_first_step", tuple(labels.items()), problem.step or 0)
        self._add("audioloss_run_findings", (("run", run.run),), failing)
        for item in run.series:
            self._add("audioloss_series", ())
            series = (("run", run.run), ("tag", item.tag))
            self._set("audioloss_series_last_step", series, item.span[1])
            self._set("audioloss_series_lowest_value", series, item.extremes[0] if item.extremes else math.nan)
        return ()

    def end(self, report: Report) -> Iterator[str]:
        """Yield all samples, family by family."""
        for problem in of_audit(report):
            if problem.kind == "finding":
                self._count(str(problem.severity), problem.standing)
            else:
                self._add("audioloss_incomplete", (("kind", problem.kind),))
        self._set("audioloss_exit_code", (), report.exit_code)
        for name in ("audioloss_runs", "audioloss_series"):
            self._add(name, (), 0)
        for name, samples in self._samples.items():
            if samples:
                yield f"# HELP {name} {METRICS[name]}\n# TYPE {name} gauge\n"
                yield from (f"{name}{labels} {_number(value)}\n" for labels, value in samples.items())

    def _count(self, severity: str, standing: str) -> None:
        self._add("audioloss_findings", (("severity", severity), ("standing", standing)))

    def _add(self, name: str, labels: _Labels, more: float = 1) -> None:
        key = self._key(labels)
        self._samples[name][key] = self._samples[name].get(key, 0) + more

    def _set(self, name: str, labels: _Labels, value: float) -> None:
        self._samples[name][self._key(labels)] = value

    def _key(self, labels: _Labels) -> str:
        return "{" + ",".join(f'{name}="{self._quoted(value)}"' for name, value in labels) + "}" if labels else ""

    def _quoted(self, value: str) -> str:
        return self.shown(value).replace("\\", "\\\\").replace('"', '\\"')


def _number(value: float) -> str:
    if math.isfinite(value):
        return str(int(value)) if value == int(value) and abs(value) < _EXACT else repr(value)
    return "NaN" if math.isnan(value) else "+Inf" if value > 0 else "-Inf"
