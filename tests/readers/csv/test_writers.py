"""Tables as the loggers write them: each by its own writer where that installs, else in its published form."""

import csv
import gzip
import io
import math
from pathlib import Path

import pandas as pd
import pytest

from audioloss_cli import registry, scan
from audioloss_cli.model import Defect, Series
from audioloss_cli.readers.csv import claims, read, run_of
from audioloss_cli.storage.log_file import LogFile


def series_of(path: Path) -> dict[str, list[tuple[int, float]]]:
    """Points by tag (of an export of several runs, by ``run/tag``) of a table without a defect."""
    assert claims(LogFile(path))
    found: dict[str, list[tuple[int, float]]] = {}
    for item in read(path):
        assert isinstance(item, Series), item
        name = f"{item.run}/{item.tag}" if item.run else item.tag
        found.setdefault(name, []).extend(zip(item.steps, item.values, strict=True))
    return found


def written(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="")
    return path


def test_lightnings_metrics(tmp_path):
    loggers = pytest.importorskip("lightning.pytorch.loggers")
    logger = loggers.CSVLogger(tmp_path, name="logs", flush_logs_every_n_steps=40)
    for step in range(9, 500, 10):
        logger.log_metrics({"epoch": step // 100, "train/audio_loss_step": 6 - step / 200}, step)
        logger.log_metrics({"lr-AdamW": 1e-3 / (step + 1)}, step)
        if step % 100 == 99:
            logger.log_metrics({"epoch": step // 100, "val/audio_loss": 5 - step / 200}, step)
            logger.log_metrics({"epoch": step // 100, "train/audio_loss_epoch": 5.5 - step / 200}, step)
    logger.save()
    path = Path(logger.log_dir) / "metrics.csv"
    assert run_of(path) == path.parent
    found = series_of(path)
    assert found["train/audio_loss_step"] == [(step, 6 - step / 200) for step in range(9, 500, 10)]
    assert found["lr-AdamW"] == [(step, 1e-3 / (step + 1)) for step in range(9, 500, 10)]
    assert found["val/audio_loss"] == [(step, 5 - step / 200) for step in range(99, 500, 100)]
    assert found["train/audio_loss_epoch"] == [(step, 5.5 - step / 200) for step in range(99, 500, 100)]
    assert scan(tmp_path).exit_code == 0


def test_keras_csv_logger_counts_epochs(tmp_path):
    rows = [f"{epoch},{0.5 + epoch / 100},{3 / (epoch + 1)},NA" for epoch in range(9)]
    found = series_of(written(tmp_path / "training.log", "\r\n".join(["epoch,accuracy,loss,val_loss", *rows, ""])))
    assert found["loss"] == [(epoch, 3 / (epoch + 1)) for epoch in range(9)]
    assert "val_loss" not in found


def test_yolos_padded_columns(tmp_path):
    text = (
        "                  epoch,         train/box_loss,         train/cls_loss,               metrics/mAP50(B)\n"
        "                      1,                 1.2043,                 2.3456,                        0.31002\n"
        "                      2,                 1.1043,                 2.1456,                        0.41002\n"
    )
    path = written(tmp_path / "train" / "results.csv", text)
    assert run_of(path) == path.parent
    assert series_of(path)["train/box_loss"] == [(1, 1.2043), (2, 1.1043)]


@pytest.mark.parametrize("name", ["run-version_0-tag-audio_loss.csv", "audio_loss.csv"])
def test_tensorboards_export_names_the_tag_in_the_file_name(tmp_path, name):
    rows = "".join(f"{1.7e9 + step:.4f},{step},{6.5 - step / 10}\n" for step in range(5))
    path = written(tmp_path / name, "Wall time,Step,Value\n" + rows)
    assert series_of(path)["audio_loss"] == [(step, 6.5 - step / 10) for step in range(5)]
    assert next(iter(read(path))).wall_times[2] == 1.7e9 + 2


def test_wandbs_export_of_two_runs(tmp_path):
    twins = ("", "__MIN", "__MAX")
    header = ["Step", *(f"{run} - audio_loss{twin}" for run in ("warm-1", "cold - 2") for twin in twins)]
    table = io.StringIO()
    writer = csv.writer(table, quoting=csv.QUOTE_ALL)
    writer.writerow(header)
    for step in range(0, 100, 10):
        warm, cold = (6 - step / 50,) * 3, ("",) * 3 if step % 20 else (5 - step / 50,) * 3
        writer.writerow([step, *warm, *cold])
    found = series_of(written(tmp_path / "wandb_export_2024-01-01.csv", table.getvalue()))
    assert found == {
        "warm-1/audio_loss": [(step, 6 - step / 50) for step in range(0, 100, 10)],
        "cold - 2/audio_loss": [(step, 5 - step / 50) for step in range(0, 100, 20)],
    }


def test_wandbs_export_of_one_run(tmp_path):
    rows = "".join(f'"{step}","{6 - step / 50}","{6 - step / 50}","{6 - step / 50}"\n' for step in range(5))
    text = '"Step","run - train/audio_loss","run - train/audio_loss__MIN","run - train/audio_loss__MAX"\n' + rows
    assert series_of(written(tmp_path / "export.csv", text)) == {
        "train/audio_loss": [(step, 6 - step / 50) for step in range(5)]
    }


@pytest.mark.parametrize(
    ("separator", "decimal", "encoding", "suffix"),
    [
        (",", ".", "utf-8", ".csv"),
        ("\t", ".", "utf-8-sig", ".tsv"),
        (";", ",", "utf-8", ".csv"),
        (";", ".", "utf-16", ".csv"),
        ("\t", ",", "utf-16-le", ".csv"),
        (",", ".", "utf-8", ".csv.gz"),
        (",", ".", "utf-8", ".csv.1"),
        ("|", ".", "utf-8", ".txt"),
    ],
)
def test_what_pandas_writes_in_each_dialect(tmp_path, separator, decimal, encoding, suffix):
    frame = pd.DataFrame({"step": range(30), "audio_loss": [6 / (at + 1) for at in range(30)], "lr": [1e-3] * 30})
    frame.loc[7, "audio_loss"] = math.inf
    text = frame.to_csv(index=False, sep=separator, decimal=decimal)
    path = tmp_path / f"log{suffix}"
    path.write_bytes(gzip.compress(text.encode()) if suffix.endswith(".gz") else text.encode(encoding))
    found = series_of(path)
    assert found["audio_loss"] == list(zip(range(30), frame["audio_loss"], strict=True))
    assert found["lr"] == [(step, 1e-3) for step in range(30)]


def test_an_index_column_is_none_and_twice_the_same_name_is_two_columns(tmp_path):
    text = ",step,loss,loss\n" + "".join(f"{at},{at * 10},{at + 0.5},{at + 0.25}\n" for at in range(4))
    assert series_of(written(tmp_path / "log.csv", text)) == {
        "loss": [(at * 10, at + 0.5) for at in range(4)],
        "loss.1": [(at * 10, at + 0.25) for at in range(4)],
    }


def test_a_repeated_header_starts_a_launch_perhaps_with_other_columns(tmp_path):
    text = "step,loss\n1,3.5\n2,3.0\nstep,loss\n1,3.25\nstep,lr,loss\n2,0.5,2.5\n"
    assert series_of(written(tmp_path / "log.csv", text)) == {
        "loss": [(1, 3.5), (2, 3.0), (1, 3.25), (2, 2.5)],
        "lr": [(2, 0.5)],
    }


def test_a_preamble_and_comments(tmp_path):
    text = "sep=;\n# made by train.py\nstep;loss\n1;3,5\n# resumed\n2;3,25\n"
    assert series_of(written(tmp_path / "log.csv", text)) == {"loss": [(1, 3.5), (2, 3.25)]}
    text = "# step loss\n".replace(" l", ",l") + "1,3.5\n2,3.25\n"
    assert series_of(written(tmp_path / "savetxt.csv", text)) == {"loss": [(1, 3.5), (2, 3.25)]}


def test_the_long_form(tmp_path):
    shares = {"audio_loss": 0.5, "text_loss": 0.25}
    rows = [f"a,{tag},{step + share},{step}\n" for step in range(4) for tag, share in shares.items()]
    text = "run,metric,value,step\n" + "".join(rows)
    found = series_of(written(tmp_path / "metrics.csv", text))
    assert found["audio_loss"] == [(step, step + 0.5) for step in range(4)]
    assert found["text_loss"] == [(step, step + 0.25) for step in range(4)]


def test_without_a_step_each_row_stands_at_its_line(tmp_path):
    assert series_of(written(tmp_path / "loss.csv", "audio_loss\n3.5\n3.0\n2.5\n")) == {
        "audio_loss": [(2, 3.5), (3, 3.0), (4, 2.5)]
    }


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("train.csv", "audio_path,text,duration\na.wav,hello,1.5\nb.wav,there,2.5\n"),
        ("metrics.csv", "model,wer,cer\nbase,0.3,0.1\n"),
        ("iris.csv", "sepal,petal\n1.5,2.5\n3.5,1.5\n"),
        ("notes.txt", "step, loss and what I think of them\n\nnothing, yet\n"),
        ("log.txt", "10:02:03, step 5, loss 3.5\n10:02:04, step 6, loss 3.25\n"),
        ("requirements.txt", "torch\nnumpy\n"),
        ("vocab.csv", "id,token\n1,a\n2,b\n"),
    ],
)
def test_other_tables_are_no_logs(tmp_path, name, text):
    assert not claims(LogFile(written(tmp_path / name, text)))


def test_losses_by_sample_are_named_and_left_out(tmp_path):
    written(tmp_path / "per_sample.csv", "utt_id,text,loss\na,hello,3.5\nb,there,0.0\n")
    report = scan(tmp_path)
    assert not report.runs
    assert [left.path for left in report.left_out] == [str(tmp_path / "per_sample.csv")]


def test_a_column_that_never_holds_a_number(tmp_path):
    """An audio loss that is empty in each row is gone; one of an evaluation, or of an epoch's end, has not come yet."""
    text = "step,audio_loss,val_audio_loss,mel_loss_epoch,mel_loss_step\n1,,,,3.5\n2,,,,3.0\n"
    found = series_of(written(tmp_path / "log.csv", text))
    assert found.keys() == {"audio_loss", "mel_loss_step"}
    assert [math.isnan(value) for _, value in found["audio_loss"]] == [True]


def test_a_healthy_table_and_a_collapsed_one_from_the_command_line(tmp_path):
    rows = [f"{step},{5 + math.sin(step) / 3 if step < 300 else 'nan'},{1e-4}" for step in range(400)]
    path = written(tmp_path / "log.csv", "\n".join(["step,audio_loss,lr", *rows]))
    report = scan(path)
    assert report.exit_code == 1
    assert [incident.code for incident in report.incidents] == ["non-finite-loss"]
    assert registry.load("readers", "csv").ORDER == 40
    assert not [defect for defect in read(path) if isinstance(defect, Defect)]
