"""Reports that the page is tried with."""

import html
import math
import re
from collections.abc import Iterable

from audioloss_cli.model import Defect, Report, RunReport, SeriesReport, View
from audioloss_cli.model.report import LeftOut, Source, Unaudited, Unread
from audioloss_cli.model.series_report import SourceShare
from audioloss_cli.outputs import render
from tests.outputs.reports import audited
from tests.wobble import wobbly

HOSTILE = "<script>alert(1)</script>\"'&\u202eevil\x1b[31m\udcff"


def page_of(report: Report, **view: object) -> str:
    return render("html", report, View(**view))


def shown(page: str) -> str:
    """What the page says, without its markup."""
    text = re.sub(r"<(script|style)>.*?</\1>", " ", page, flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", text)).split())


def collapsed(tag: str = "train/audio_loss") -> SeriesReport:
    """Healthy, then next to nothing from step 300 on."""
    return audited(tag, [*wobbly(3.0, 300), *wobbly(0.004, 300)])


def run_of(name: str, series: Iterable[SeriesReport], **more: object) -> RunReport:
    series = list(series)
    sources = [Source("tensorboard", [f"{name}/events"]), Source("text", [f"{name}/train.log"])]
    return RunReport(name, sources, series, tags=[item.tag for item in series], **more)


def standing(item: SeriesReport, kind: str, reason: str = "") -> SeriesReport:
    for incident in item.incidents:
        incident.standing, incident.standing_reason, incident.fingerprint = kind, reason, "0123456789abcdef"
    return item


def mixed() -> Report:
    """A run of each state; codebooks, hostile names and gaps among them."""
    codebooks = [audited(f"train/loss_codebook_{number}", wobbly(3.0 + number, 400)) for number in range(4)]
    shared = collapsed("shared")
    shared.sources = [SourceShare("tensorboard", "shared", 400), SourceShare("text train.log", "shared", 200)]
    return Report(
        runs=[
            run_of("runs/a", [collapsed(), *codebooks, shared]),
            run_of("runs/b", [audited("train/audio_loss", wobbly(3.0, 200))]),
            run_of("runs/c", [standing(collapsed(), "known")]),
            run_of("runs/d", [standing(collapsed(), "suppressed", "measured without audio, until June")]),
            run_of(
                "runs/e", [audited("loss", wobbly(2.0, 50))], defects=[Defect("runs/e/events", "checksum", "bad", 7)]
            ),
            run_of("runs/f", [], note="no loss among its scalars"),
            run_of(f"runs/{HOSTILE}", [audited(f"audio_loss {HOSTILE}", [3.0] * 20 + [math.nan] * 20)]),
        ],
        unaudited=[Unaudited(f"runs/{HOSTILE}", "no loss among its scalars", ["lr"], "name one with --tag")],
        stray_defects=[Defect("runs/z", "unreadable", "Permission denied")],
        unread=[Unread("runs/a/metrics.parquet", "there is no reader for it", "export it as CSV")],
        left_out=[LeftOut("runs/a/data.jsonl", "samples of a data set")],
    )
