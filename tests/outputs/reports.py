"""Reports of every kind, for whatever renders them."""

import math

from audioloss_cli import AudioLossMonitor, Gate, Limits, Report, Series, Severity
from audioloss_cli.model import (
    MISSING,
    Defect,
    Diagnosis,
    Finding,
    RunReport,
    SeriesReport,
    StaleSuppression,
    Unaudited,
)
from audioloss_cli.model.checkpoint_report import CheckpointReport, ModuleSummary
from audioloss_cli.model.report import LeftOut, Source, Unread
from audioloss_cli.model.series_report import AuditedSeries, SourceShare
from tests.monitor.toys import plain_monitor
from tests.wobble import wobbly


def audited(tag: str, values: list[float], role: str = "audio", make=plain_monitor, **more) -> SeriesReport:
    monitor = make(name=f"runs/a:{tag}", **more)
    series = Series(tag)
    series.steps.extend(range(len(values)))
    series.values.extend(values)
    series.wall_times.extend(1.7e9 + index for index in range(len(values)))
    monitor.replay(series)
    report = AuditedSeries(series, role, monitor.limits, monitor.segment_starts, monitor.finish()).finished(
        keep_points=True
    )
    report.kind, report.kind_reason = monitor.kind, monitor.kind_reason
    return report


def incidents_of_every_kind() -> SeriesReport:
    return audited(
        "loss/audio",
        [3.0, 0.007, 0.001, 3.0, math.nan, 3.0, MISSING, math.inf, -math.inf, *wobbly(3.0, 150), *wobbly(0.007, 200)],
    )


def merged() -> SeriesReport:
    item = audited("loss", [3.0, 0.001])
    item.sources = [SourceShare("tensorboard", "loss", 2), SourceShare("text train.log", "loss", 0)]
    return item


def of_every_standing() -> Report:
    """What is found, known and suppressed, in one series and of the run."""
    item = audited("loss", [0.001, *wobbly(3.0, 150), 0.001, *wobbly(3.0, 150), 0.001])
    standings = [("found", "now critical"), ("known", ""), ("suppressed", "a | short * fine-tune")]
    for number, (incident, (standing, reason)) in enumerate(zip(item.incidents, standings, strict=True)):
        incident.fingerprint = f"{number:016x}"
        incident.standing, incident.standing_reason = standing, reason
    finding = Finding("sources-disagree", Severity.WARNING, "loss differs", {}, "Find out why.", "a" * 16, "known", "")
    run = RunReport("runs/a", [Source("jsonl", ["runs/a/log.jsonl"])], [item], [finding])
    other = RunReport("runs/b", [Source("jsonl", ["runs/b/log.jsonl"])], [audited("loss", wobbly(3.0, 50))])
    return Report(runs=[run, other])


def checkpoints() -> Report:
    """A log, a broken checkpoint beside it, and a clean one of an earlier step."""
    log = RunReport("runs/a/log.jsonl", [Source("jsonl", ["runs/a/log.jsonl"])], [audited("loss", wobbly(3.0, 50))])
    module = ModuleSummary("layers.*.mlp", 12, 1_000_000, ("BF16", "F32"), 12.5, 0.0123, 3, 0)
    head = ModuleSummary("audio_lm_head", 1, 8208, ("BF16",), math.nan, math.nan, 1, 1)
    bad = CheckpointReport(
        *("runs/a/checkpoint-500", 500, "Higgs Audio v2", 2_016_416, 13, 1_008_208, {"BF16": 1_000_000, "F32": 8208}),
        *("runs/a/checkpoint-0", [head, module], ["os.system"], ["optimizer.pt: 2 names are foreign"]),
    )
    good = CheckpointReport("runs/a/checkpoint-0", 0, "", 64, 1, 16, {"F32": 16}, modules=[module])
    findings = [
        Finding("non-finite-weights", Severity.CRITICAL, "audio_lm_head.weight holds 3 NaN", {"nan": 3}, "Go back."),
        Finding("unsafe-pickle", Severity.WARNING, "asks for os.system", {}, "Save it.", "b" * 16, "known", ""),
        Finding("not-resumable", Severity.INFO, "weights alone"),
    ]
    files = [Source("HF Trainer checkpoint", ["runs/a/checkpoint-500/model.safetensors"])]
    rows = [
        RunReport(good.path, [Source("safetensors file", [good.path])], checkpoint=good),
        RunReport(bad.path, files, findings=findings, checkpoint=bad),
    ]
    diagnosis = Diagnosis("audio-head-frozen", 1, ["3 NaN", "the log says: flat"], ["no-shift: 7"], "go back", bad.path)
    return Report(runs=[log, *rows], diagnoses=[diagnosis])


REPORTS: dict[str, Report] = {
    "empty": Report(),
    "healthy": Report(
        runs=[RunReport("runs/a", [Source("jsonl", [])], [audited("loss", wobbly(3.0, 50))], tags=["loss"])]
    ),
    "incidents": Report(
        runs=[
            RunReport(
                "runs/a",
                [Source("tensorboard", [])],
                [incidents_of_every_kind(), audited("other", [3.0])],
                tags=["loss/audio", "other"],
            ),
            RunReport("runs/b", [Source("jsonl", [])], note="no loss among its scalars", tags=["lr"]),
        ]
    ),
    "flapping": Report(runs=[RunReport("runs/a", [Source("jsonl", [])], [audited("loss", [3.0, 0.001] * 500)])]),
    "small by nature": Report(
        runs=[RunReport("runs/a", [Source("jsonl", [])], [audited("loss", [0.05, 0.008], make=AudioLossMonitor)])]
    ),
    "a sum": Report(
        runs=[RunReport("runs/a", [Source("jsonl", [])], [audited("loss", wobbly(55.0, 9), make=AudioLossMonitor)])]
    ),
    "nothing finite": Report(runs=[RunReport("runs/a", [Source("jsonl", [])], [audited("loss", [math.nan] * 5)])]),
    "defects": Report(
        runs=[
            RunReport(
                "runs/a",
                [Source("tensorboard", [])],
                [audited("loss", [3.0])],
                defects=[Defect("runs/a/f", "checksum", "bad", offset=7)],
            )
        ],
        stray_defects=[
            Defect("runs/c", "unreadable", "Permission denied"),
            Defect("runs/d", "malformed", "bad", line=3),
        ],
    ),
    "several sources": Report(
        runs=[
            RunReport(
                "runs/a",
                [Source("tensorboard", ["runs/a/events.tfevents"]), Source("text", ["runs/a/train.log"])],
                [merged()],
                findings=[Finding("sources-disagree", Severity.WARNING, "loss differs", {"step": 3}, "Find out why.")],
                not_audited=["text_loss"],
                details=["train.log: step is the step"],
            )
        ],
        unread=[Unread("runs/a/metrics.parquet", "there is no reader for it", "export it as CSV")],
        left_out=[LeftOut("runs/a/data.jsonl", "samples of a data set")],
    ),
    "standings": of_every_standing(),
    "stale": Report(
        Gate(fail_on_stale_suppressions=True),
        stale_suppressions=[StaleSuppression("code = 'low-loss'", "matches nothing", "audioloss.toml")],
    ),
    "unaudited": Report(
        unaudited=[Unaudited("runs/x", "no loss among its scalars", ["lr", "epoch"], "name one with --tag")]
    ),
    "probe": Report(
        Gate("critical", allow_defects=True),
        findings=[
            Finding("empty-logits", Severity.CRITICAL, "no logits", {"shape": [0, 8, 1026], "mean": math.nan, "n": 1}),
            Finding("missing-weights", Severity.WARNING, "the checkpoint lacks a", {}, "Save it."),
            Finding("cross-entropy", Severity.INFO, "7.1 nats"),
        ],
        notes=["device cpu"],
        diagnoses=[Diagnosis("inputs-filtered", 1, ["no logits"], ["no-shift: 7 nats"], "keep the column")],
    ),
    "checkpoints": checkpoints(),
    "hostile markup": Report(
        runs=[
            RunReport(
                "=cmd|' /C calc'!A0,\u202e::error::x%0A<!--]]>",
                [Source("jsonl", ["-->\"'&amp; @user `a``b` $x$ https://evil.example www.evil.example\r\n|x|.jsonl"])],
                [audited("<script>alert('1')</script>\ufffe\x00\\{\"", [0.001])],
                note="]]></failure>",
            ),
            RunReport(
                "<b>ckpt</b>",
                [Source("safetensors file", ["<i>.safetensors"])],
                checkpoint=CheckpointReport(
                    *("<b>ckpt</b>", None, "", 0, 1, 1, {"<u>": 1}, "</script>"),
                    *([ModuleSummary("</td><script>\x1b[2J", 1, 1, ("\u202e",))], ["os.\x07system"], ["<!--"]),
                ),
            ),
        ],
        unaudited=[Unaudited("-x`|\n# heading", "<b>none</b>", hint="::stop-commands::x")],
        stray_defects=[Defect("+1\t\u2028", "unreadable", "\x85\x1b[2J", line=1)],
    ),
    "hostile names": Report(
        runs=[
            RunReport(
                "runs/\x1b[31mred\udcff",
                [Source("jsonl", [])],
                [audited("loss\x07\n[bold]x[/bold] :smile: " + "y" * 100, [0.001])],
            )
        ],
    ),
}

assert Limits() == REPORTS["healthy"].runs[0].series[0].limits
