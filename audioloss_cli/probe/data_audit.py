"""The data alone, before a model is run: every batch of the loader through the checks that need none."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path

import torch

from audioloss_cli.causes import diagnose
from audioloss_cli.model import Finding, Incident, Report, Severity, Unaudited
from audioloss_cli.probe.check import Outcome, run_checks
from audioloss_cli.probe.config import ProbeConfig
from audioloss_cli.probe.data import BatchSource, open_whole
from audioloss_cli.probe.data._blame import users_code
from audioloss_cli.probe.data._named import as_batch
from audioloss_cli.probe.dump import write_dump
from audioloss_cli.probe.errors import UnreadableError
from audioloss_cli.probe.measure.data_figures import DataFigures
from audioloss_cli.probe.measure.evidence import Evidence
from audioloss_cli.probe.measure.observe import read_audio
from audioloss_cli.probe.measure.pool import Pool
from audioloss_cli.probe.measure.samples import Samples, samples_of
from audioloss_cli.probe.measure.statistics.chunks import one_thread_each
from audioloss_cli.probe.measure.suspicion import COSTLY, needed
from audioloss_cli.probe.merging import Merged
from audioloss_cli.probe.model_io.adapter import Adapter, Batch, to_device
from audioloss_cli.probe.model_io.batch import as_tensor
from audioloss_cli.probe.model_io.checkpoint.files import read_json
from audioloss_cli.probe.model_io.checkpoint.pickles import trusting
from audioloss_cli.probe.model_io.choose import choose_adapter

#: What is done, of how much (0: not known), and on what.
Progress = Callable[[int, int, str], None]

_IN_FULL = 16  # batches that every check looks at
_TWICE = 2  # batches that are collated once more
# What is cheap, and finds in one batch what is wrong whatever the others hold.
_ALWAYS = (
    *("all_masked", "bad_attention_mask", "bad_positions", "delay_mismatch", "empty_input", "id_out_of_range"),
    *("ignored_index_in_inputs", "missing_input", "placeholder_mismatch", "wrong_dtype", "wrong_shape"),
    "wrong_text_shape",
)
# What is judged over the whole data, by figures or by a sample of the batches.
_OF_THE_WHOLE = (
    *("data_summary", "delay_mismatch", "dominant_label", "double_shift", "duplicate_samples", "few_distinct_labels"),
    *("label_leak", "labels_of_other_audio", "low_valid_fraction", "masked_samples", "poor_codes", "special_labels"),
    "text_alone",
)
_BY_BATCH = (*_ALWAYS, *COSTLY)
_CPU = torch.device("cpu")


def audit_data(
    config: ProbeConfig,
    batches: int | None = None,
    progress: Progress | None = None,
    incidents: Iterable[Incident] = (),
) -> Report:
    """Go through a whole data set and say what is wrong with its batches, and why.

    Args:
        config: what to audit; of ``checkpoint``, ``device`` and what else a model needs nothing is read.
        batches: how many to take; None for all.
        progress: told of every batch.
        incidents: of the logs of a training on these data.

    Returns:
        A report with findings, diagnoses and notes. Where the data broke off, it says so, and what was found before.

    Raises:
        UsageError: the configuration makes no sense, or no adapter is found.
        UnreadableError: the data or the configuration of the model cannot be read, or there is no batch.
        EnvironmentalError: a package is missing.
    """
    with trusting(config.trust_checkpoint):
        source = open_whole(config.data, config.data_arguments, _TWICE)
        if config.dump:
            write_dump(Path(config.dump), source.batches[:1], {"data": config.data})
        adapter, name, note = _adapter(config, source.batches[0])
        audit = _Audit(config.data, source, adapter)
        broke_off = audit.go_through(batches, progress)
        audit.collate_again()
    notes = [f"no checkpoint, adapter {name}, {adapter.layout.name}; {source.kind}", note, *source.notes]
    with one_thread_each():
        return audit.report(config, notes, broke_off, incidents)


def _adapter(config: ProbeConfig, batch: Batch) -> tuple[Adapter, str, str]:
    """The adapter, its name, and where its numbers are from."""
    settings, note = {}, "ids, codebooks and delay as the family publishes them: --config-json names the model's own"
    if config.config_json:
        path = Path(config.config_json)
        path = path / "config.json" if path.is_dir() else path
        if not path.is_file():
            raise UnreadableError(f"--config-json {path}: no such file; name the config.json of the model")
        settings, note = read_json(path), f"ids, codebooks and delay as {path} has them"
    options = config.options
    if config.adapter == "generic" or (options.labels_key and not config.adapter):
        note = "ids, codebooks and delay as described"
        # What there is to say of the output of a model does not matter here.
        options = replace(
            options, logits_key=options.logits_key or "logits", logits_layout=options.logits_layout or "BTKV"
        )
    try:
        adapter, name = choose_adapter(config.adapter, settings, options, batch)
    except UnreadableError as error:
        raise UnreadableError(f"{config.config_json or config.data}: {error}") from error
    return adapter, name, note


class _Audit:
    """One pass over the data.

    Attributes:
        figures: over all of it.
        merged: what the checks found in its batches.
        pool: a sample of the batches.
        clauses: with which checks ruled their problems out in the first batch.
        twice: what was found when samples were collated again.
    """

    def __init__(self, what: str, source: BatchSource, adapter: Adapter) -> None:
        self.what, self.source, self.adapter = what, source, adapter
        layout = adapter.layout
        self.figures = DataFigures(layout.num_codebooks, max(layout.vocab_size, layout.input_size))
        self.figures.may_repeat = source.with_replacement
        self.merged, self.pool = Merged(), Pool()
        self.clauses: dict[str, str] = {}
        self.twice: list[Finding] = []

    def go_through(self, batches: int | None, progress: Progress | None) -> str:
        """Look at every batch; what stopped it too early, if anything did."""
        total = self.source.total or 0
        total = min(total, batches) if batches and total else batches or total
        try:
            for batch in islice(self._batches(), batches):
                with one_thread_each():  # the workers of the loader use the cores
                    self._look_at(batch)
                if progress is not None:
                    progress(self.figures.batches, total, self.what)
        except UnreadableError as error:
            if not self.figures.batches:
                raise
            return f"it broke off at batch {self.figures.batches}: {error}"
        return ""

    def _batches(self) -> Iterator[Batch]:
        with users_code(self.what):
            stream = self.source.whole() if self.source.whole is not None else iter(self.source.batches)
        while True:
            with users_code(self.what):
                found = next(stream, self)
            if found is self:
                return
            named = as_batch(found, f"--data {self.what!r}")
            yield to_device({name: as_tensor(value) for name, value in named.items()}, _CPU)

    def _look_at(self, batch: Batch) -> None:
        number = self.figures.batches
        evidence = Evidence(self.adapter.layout, batch, read_audio(self.adapter, batch))
        samples = samples_of(evidence)
        order = self.source.order
        places = order.popleft() if order else None
        histogram, outside = self.figures.add(samples, places)
        if number < _IN_FULL:
            outcome = run_checks(evidence, _BY_BATCH)
            self.clauses = self.clauses or outcome.passed
        else:
            outcome = run_checks(evidence, (*_ALWAYS, *needed(samples, histogram, outside)), clauses=False)
        self.pool.offer(evidence.audio)
        self.merged.add(number, outcome, _set_aside(outcome, evidence, samples), places)

    def collate_again(self) -> None:
        """Collate the first samples once more, after the pass: what a second epoch would see."""
        if self.source.again is None:
            return
        try:
            again = self.source.again()
        except UnreadableError as error:
            self.source.notes.append(f"The samples could not be collated a second time: {error}")
            return
        for before, after in zip(self.source.batches, again, strict=False):
            evidence = Evidence(self.adapter.layout, before, read_audio(self.adapter, before))
            evidence.again = read_audio(self.adapter, after)
            outcome = run_checks(evidence, ("mutated_by_collator",))
            self.twice = self.twice or outcome.findings  # a shuffled pass has other batches first: it has no number
            self.clauses |= outcome.passed

    def report(self, config: ProbeConfig, notes: list[str], broke_off: str, incidents: Iterable[Incident]) -> Report:
        """What was found, by batch and over the whole."""
        layout, figures = self.adapter.layout, self.figures
        whole = run_checks(Evidence(layout, {}, self.pool.audio(), data=figures), _OF_THE_WHOLE)
        whole.findings += self.twice
        outcome = self.merged.outcome(figures.batches, whole, self.clauses)
        notes += [self._extent(), _beyond(figures)]
        told = [note for note in notes if note]
        report = Report(config.gate, findings=outcome.findings, notes=told, subject="the data")
        report.diagnoses = diagnose(outcome.findings, outcome.passed, incidents)
        if broke_off:
            hint = "what is reported is of the batches before; mend what stopped it and audit the data again"
            report.unaudited.append(Unaudited(config.data, broke_off, hint=hint))
        elif not figures.columns and not any(each.severity is not Severity.INFO for each in outcome.findings):
            hint = "name the codes and labels of the batch with --adapter, or with --codes-key and --labels-key"
            report.unaudited.append(Unaudited(config.data, "no audio could be found in it", hint=hint))
        return report

    def _extent(self) -> str:
        figures = self.figures
        return (
            f"batches: {figures.batches:,}, samples: {figures.samples:,}, audio columns: {figures.columns:,}; "
            f"looked at together: {self.pool.batches:,} batches"
        )


def _beyond(figures: DataFigures) -> str:
    if figures.whole:
        return ""
    return f"copies were looked for among the first {figures.known:,} samples"


def _set_aside(outcome: Outcome, evidence: Evidence, samples: Samples) -> frozenset[str]:
    """Codes that are no fault of this batch, unless every batch has them: that of text alone, or of answers in text."""
    codes = {finding.code for finding in outcome.findings}
    if codes & {"missing-input", "empty-input"} and _is_text_alone(evidence, samples):
        return frozenset({"missing-input", "empty-input"})
    answered = samples.columns == 0
    answered |= samples.answers
    return frozenset({"all-masked"} if "all-masked" in codes and bool(answered.all()) else ())


def _is_text_alone(evidence: Evidence, samples: Samples) -> bool:
    """Whether the text asks for no audio, and nothing but audio is missing."""
    layout, text = evidence.layout, samples.text
    audio = None if text is None else layout.placeholders_in(text)
    if audio is None or bool(audio.any()) or bool(samples.columns.any()):
        return False
    needs = [item for item in layout.fields if item.required and item.role in ("text", "text-labels")]
    return all(evidence.batch.get(item.name) is not None for item in needs)
