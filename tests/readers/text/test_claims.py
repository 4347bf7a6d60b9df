"""Which files are console output of a training, and which only look so."""

import json

import pytest

from tests.readers.text.reads import claimed, write

ROWS = "".join(f"Step {step}: Audio Loss = {step / 7:.3f}\n" for step in range(1, 40))


@pytest.mark.parametrize(
    "name", ["train.log", "nohup.out", "slurm-12.out", "log.txt", "log_1700.txt", "console", "x.log.1", "job.o123"]
)
def test_console_output_is_claimed_by_its_lines(tmp_path, name):
    assert claimed(write(tmp_path, "Using 8 GPUs\n" + ROWS, name))


def test_output_that_begins_with_much_else_is_claimed(tmp_path):
    assert claimed(write(tmp_path, "import os  # the code of the training\n" * 5000 + ROWS))


@pytest.mark.parametrize(
    "name",
    [
        "README.md",
        "README",
        "README.txt",
        "requirements.txt",
        "train.py",
        "config.yaml",
        "debug-internal.log",
        "debug.log",
        "x.csv",
    ],
)
def test_what_is_something_else_by_name_is_not(tmp_path, name):
    assert not claimed(write(tmp_path, ROWS, name))


@pytest.mark.parametrize(
    "content",
    [
        "torch==2.1\nnumpy>=1.26\n",
        "".join(f"wavs/{n}.wav|some text about a loss|{n / 7:.2f}\n" for n in range(99)),
        "".join(f"{n}\t{n * n}\n" for n in range(99)),
        "".join(
            f"Collecting package-{n}\n  Downloading package_{n}-1.0-py3-none-any.whl (1.{n} MB)\n" for n in range(99)
        ),
        "".join(
            f"2024-01-01 10:00:{n % 60:02},123 DEBUG SenderThread:{n} [sender.py:send():182] send: stats\n"
            for n in range(99)
        ),
        "learning_rate: 0.0001\nloss_weight: 1.0\nbatch_size: 8\n",
        "The loss was 2.5 at first. Later the loss: 2.4 was lower.\nNobody knows why.\n",
        json.dumps({"loss": 2.5}) + "\n",
        "\0\1\2\3loss: 2.5\nloss: 2.5\n",
        "",
    ],
)
def test_what_is_something_else_by_its_lines_is_not(tmp_path, content):
    assert not claimed(write(tmp_path, content, "notes.log"))


def test_lines_of_python_in_a_file_called_jsonl_are_read(tmp_path):
    from audioloss_cli import scan

    path = write(tmp_path, "".join(f"{{'step': {step}, 'audio_loss': 4.5}}\n" for step in range(1, 40)), "log.jsonl")
    (run,) = scan(path).runs
    assert run.format == "text"
    assert run.defects == []
