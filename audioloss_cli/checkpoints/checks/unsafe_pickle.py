"""Loading a file of the checkpoint would run code, or import what nobody expects in a checkpoint.

What: A pickle imports something that runs code or programs (``os.system``, ``builtins.eval``), or a name that is
neither of torch or numpy nor of a package that trainings are written with. Nothing was loaded: only opcodes were read.

Why: Loaders such as ``torch.load(weights_only=False)`` and ``pickle.load`` run whatever a pickle asks for, with the
rights of whoever loads it.

Fix: Do not load the file. Get the weights as safetensors from where you trust; if the name is of your own code, save
the state dict alone.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

from audioloss_cli.checkpoints.check import faults_of
from audioloss_cli.checkpoints.evidence import CheckpointEvidence
from audioloss_cli.checkpoints.pickles.imports import judge
from audioloss_cli.checkpoints.words import listed
from audioloss_cli.model import Problem, Severity

CODE = "unsafe-pickle"
_SHOWN, _LISTED = 5, 100
_WORDS = {
    Severity.CRITICAL: "would run code, for it imports",
    Severity.WARNING: "imports what is of no known training library:",
    Severity.INFO: "takes the program that wrote it, for it imports",
}


def check(evidence: CheckpointEvidence) -> Iterator[Problem]:
    """One problem for each severity, with the names and the files."""
    judged = _judged(evidence)
    for severity, words in _WORDS.items():
        found = judged[severity]
        if found:
            names = sorted({name for each in found.values() for name in each})
            text = f"loading {_files(found)} {words} {listed(names, _SHOWN)}"
            files = [file.name for file in found]
            yield Problem(severity, text, {"names": names[:_LISTED], "files": files[:_LISTED], "count": len(names)})
    yield from faults_of(evidence, CODE)


def passed(evidence: CheckpointEvidence) -> str:
    """How many names were looked at."""
    names = {name for each in evidence.checkpoint.imports.values() for name in each}
    if not evidence.checkpoint.files or any(problem.severity is not Severity.INFO for problem in check(evidence)):
        return ""
    return f"the {len(names)} names that its pickles import run no code" if names else "its files import nothing"


def _judged(evidence: CheckpointEvidence) -> Mapping[Severity, Mapping[Path, list[str]]]:
    """Return file -> names that are so bad."""
    known = {name: judge(name) for names in evidence.checkpoint.imports.values() for name in names}
    judged: dict[Severity, dict[Path, list[str]]] = {severity: {} for severity in _WORDS}
    for file, names in evidence.checkpoint.imports.items():
        for name in names:
            severity = known[name]
            if severity is not None:
                judged[severity].setdefault(file, []).append(name)
    return judged


def _files(found: Mapping[Path, list[str]]) -> str:
    return listed((file.name for file in found), most=1)
