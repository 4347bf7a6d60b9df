"""Write the batch of the alert, what the trainer left of it, the findings and the diagnosis to a JSON file."""

from dataclasses import asdict

from audioloss_cli.probe.dump import write_dump
from audioloss_cli.training.batches.first_batches import INPUTS
from audioloss_cli.training.losses.monitors import AUDIO
from audioloss_cli.training.response.alert_context import AlertContext

EVERY_RANK = False


def act(case: AlertContext) -> str:
    """``<directory>/step-<step>-<code>.json``: statistics and first values of every tensor, no data as a whole.

    The name of a codebook, or of another series beside the audio loss, stands behind the code.
    """
    alert, found = case.alert, case.examination
    series = "" if case.series in (AUDIO, INPUTS) else f"-{case.series.replace('/', '-')}"
    rank = f"-rank{case.rank}" if case.rank else ""
    path = case.directory / f"step-{alert.step}-{alert.code}{series}{rank}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    batches = [{"model_inputs": fed.clean, **({"original": fed.original} if fed.original else {})} for fed in case.fed]
    report = {
        "alert": {**alert, "severity": str(alert.severity)},
        "ranks": case.ranks,
        "findings": [{**asdict(each), "severity": str(each.severity)} for each in found.findings],
        "diagnoses": [asdict(each) for each in found.diagnoses],
        "notes": [*found.notes, *([case.about_the_batch] if case.about_the_batch else [])],
        "diagnostics": dict(case.diagnostics),
    }
    write_dump(path, batches, report)
    return str(path)
