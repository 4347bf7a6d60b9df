"""Whether a text file is the console output of a training."""

from collections import Counter
from collections.abc import Sequence
from fnmatch import fnmatch

from audioloss_cli.naming import classify
from audioloss_cli.readers.text.lines import TextBlocks, cleaned
from audioloss_cli.readers.text.parser import LONGEST_PROSE, Parser
from audioloss_cli.readers.text.template import key_of
from audioloss_cli.readers.text.user_pattern import UserPattern
from audioloss_cli.storage.log_file import HEAD_BYTES, LogFile

# What holds text of another kind, whatever losses are printed as examples in it.
_OTHERS = frozenset(
    [
        ".md",
        ".rst",
        ".adoc",
        ".tex",
        ".bib",
        ".html",
        ".htm",
        ".xml",
        ".svg",
        ".css",
        ".js",
        ".ts",
        ".py",
        ".pyi",
        ".ipynb",
        ".c",
        ".cc",
        ".cpp",
        ".cu",
        ".h",
        ".hpp",
        ".rs",
        ".go",
        ".java",
        ".sh",
        ".bash",
        ".yaml",
        ".yml",
        ".toml",
        ".cfg",
        ".ini",
        ".json",
        ".csv",
        ".tsv",
        ".sql",
        ".patch",
        ".diff",
        ".safetensors",
        ".bin",
        ".pt",
        ".pth",
        ".ckpt",
        ".npy",
        ".npz",
        ".wav",
        ".flac",
        ".mp3",
        ".png",
        ".jpg",
        ".gz",
        ".zip",
        ".tar",
        ".parquet",
        ".arrow",
        ".db",
        ".sqlite",
        ".wandb",
        ".pkl",
        ".pdf",
        ".lock",
        ".jinja",
        ".vtt",
        ".srt",
    ]
)
_NAMES = (
    "readme*",
    "requirements*",
    "license*",
    "changelog*",
    "debug.log",
    "debug-*.log",
    "pip*.log",
    "vocab*",
    "merges*",
)
_BINARY = bytes(range(9)) + bytes(range(14, 27)) + bytes(range(28, 32))
_LIKELY = (".log", ".out", ".err", ".stdout", ".stderr")
_LINES, _CONVINCING = 3000, 2  # that may hold a loss, and that have to
_FARTHEST = 2 << 20


def may_be_console(file: LogFile) -> bool:
    """Tell by the name and the first bytes whether it is worth a look."""
    if file.suffix in _OTHERS or any(fnmatch(file.name, name) for name in _NAMES):
        return False
    head = file.head[:4096]
    zeros = head.count(b"\0")
    if zeros and not 0.4 * len(head) < zeros < 0.9 * len(head):
        return False
    odd = len(head) - len(head.translate(None, _BINARY))
    return bool(head) and odd - zeros <= 0.02 * len(head)


def shows_losses(file: LogFile, patterns: Sequence[str] = ()) -> bool:
    """Tell whether at least two lines of one kind hold a loss, or a pattern of the user."""
    lines = cleaned(b"\n".join(file.lines)).split("\n")
    if _convince(lines) or (patterns and _hold(patterns, lines)):
        return True
    if len(file.head) < HEAD_BYTES or not (file.name.endswith(_LIKELY) or "log" in file.name):
        return False
    return file.path.is_file() and _shows_losses_further_on(file)  # a pipe cannot be opened twice


def _convince(lines: list[str]) -> bool:
    parser, kinds = Parser(), Counter[str]()
    tried = 0
    for line in lines:
        if len(line) > LONGEST_PROSE or not ("loss" in line.lower() or "nll" in line or "ce" in line or "]" in line):
            continue
        tried += 1
        if tried > _LINES:
            break
        entry = parser.parse(line)
        if entry is None or not any(classify(tag).says_loss for tag, _ in entry.numbers):
            continue
        kind = ",".join(tag for tag, _ in entry.numbers) if entry.is_record else key_of(line)
        kinds[kind] += 1
        if kinds[kind] >= _CONVINCING:
            return True
    return False


def _hold(patterns: Sequence[str], lines: list[str]) -> bool:
    parser = Parser([UserPattern(text) for text in patterns])
    return sum(parser.parse_own(line) is not None for line in lines[:_LINES]) >= _CONVINCING


def _shows_losses_further_on(file: LogFile) -> bool:
    """A log may begin with the code of the training, its configuration or megabytes of warnings."""
    seen = 0
    for block in TextBlocks(file.path):
        if not isinstance(block, str):
            return False
        if _convince(block.split("\n")):
            return True
        seen += len(block)
        if seen > _FARTHEST:
            return False
    return False
