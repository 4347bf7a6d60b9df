"""What the fuzz scripts share: inputs by number, a guarded process that judges them, and the count at the end.

A script gives a ``Target``. Input number n of a seed is always the same one, so ``--seed S --only N`` repeats it.

A forked child judges a block of inputs, one after the other, for a process a input would cost a hundred times as much.
It measures the CPU seconds and the peak memory of each; the parent kills it where an input does not come to an end, and
starts another one behind that input. One input of ``Target.every`` goes through the command line as well.
"""

import argparse
import json
import mmap
import os
import random
import resource
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SECONDS, MEMORY_BYTES = 5.0, 200 << 20  # for an input of up to a megabyte; the seconds grow with larger ones
_MEGABYTE = 1 << 20
_ADDRESS_BYTES = 3 << 30  # above what a child starts with: past it, an allocation fails rather than the machine
_HANG_SECONDS = 60.0  # of a clock that other processes slow down as well
_BLOCK = 2000  # inputs of one child
_MOST_SHOWN = 20
_MEMORY = Path("/dev/shm")  # a disk would be what takes the time
_STATE = struct.Struct("<qd")  # number of the input under way, and when it was begun


@dataclass(frozen=True)
class Case:
    """One input.

    Attributes:
        name: of its file.
        content: the bytes of the file.
        truth: what the judge has to know of it.
        made: in words, how it was made.
        size: of the file, where it ends in a hole behind the content.
    """

    name: str
    content: bytes
    truth: Any = None
    made: str = ""
    size: int = 0


@dataclass(frozen=True)
class Target:
    """What is fuzzed.

    Attributes:
        make: the input that comes of a random source.
        judge: everything that is wrong with what the product says of the file, and the exit code that it would give
            (None if unknown); an exception is wrong by itself.
        warm_up: imports and runs all that an input may need, once: memory is counted from there.
        command: arguments of the command line for a file; none if it has no command.
        every: one input in so many goes through the command line.
        codes: exit codes that the command may give.
    """

    make: Callable[[random.Random], Case]
    judge: Callable[[Path, Case], tuple[list[str], int | None]]
    warm_up: Callable[[], None]
    command: Callable[[Path], Sequence[str]] | None = None
    every: int = 1000
    codes: frozenset[int] = frozenset({0, 1, 3})


def main(target: Target, name: str, arguments: Sequence[str] | None = None) -> int:
    """Judge inputs until the time or their number is up; 1 if anything was wrong with one."""
    options = _options(name, arguments)
    print(f"{name}: seed {options.seed}", flush=True)
    target.warm_up()
    with tempfile.TemporaryDirectory(dir=_MEMORY if _MEMORY.is_dir() else None) as directory:
        began, wrong, count = time.monotonic(), Counter[str](), 0
        for number, complaints in _judged(target, options, Path(directory)):
            count = number + 1
            for complaint in complaints:
                wrong[complaint.splitlines()[0][:60]] += 1
                if sum(wrong.values()) <= _MOST_SHOWN:
                    print(f"input {number}: {complaint}", flush=True)
                    print(f"  again: python -m tests.fuzz.{name} --seed {options.seed} --only {number}", flush=True)
        count = 1 if options.only is not None else count
        seconds = time.monotonic() - began
    print(f"{name}: seed {options.seed}, {count:,} inputs in {seconds:.0f} s, {sum(wrong.values())} complaints")
    for complaint, times in wrong.most_common():
        print(f"  {times:6} {complaint}")
    return int(bool(wrong))


def _options(name: str, arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog=f"python -m tests.fuzz.{name}")
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--inputs", type=int, help="so many, however long they take")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    parser.add_argument("--only", type=int, help="the input of this number alone")
    parser.add_argument("--keep", type=Path, help="a directory for the inputs that something is wrong with")
    return parser.parse_args(arguments)


def _judged(target: Target, options: argparse.Namespace, directory: Path) -> Iterator[tuple[int, list[str]]]:
    """The number of each input and what is wrong with it, block by block."""
    number = options.only or 0
    last = number + 1 if options.only is not None else options.inputs
    until = None if last is not None else time.monotonic() + options.seconds
    while (until is None or time.monotonic() < until) and (last is None or number < last):
        end = number + _BLOCK if last is None else min(number + _BLOCK, last)
        found, number_then = _block(target, options, directory, range(number, end), until)
        for index in range(number, number_then):
            yield index, found.get(index, [])
        number = number_then


def _block(
    target: Target, options: argparse.Namespace, directory: Path, numbers: range, until: float | None
) -> tuple[dict[int, list[str]], int]:
    """What is wrong with the inputs of a child, and the number of the first one that it did not come to."""
    state, notes = mmap.mmap(-1, _STATE.size), directory / "complaints.jsonl"
    state[:] = _STATE.pack(numbers.start, time.monotonic())
    notes.write_text("")
    child = os.fork()
    if not child:
        _be_the_child(target, options, directory, numbers, until, state, notes)
    status, hung = _wait(child, state)
    if os.WIFEXITED(status) and os.WEXITSTATUS(status):
        raise SystemExit("the fuzz script itself failed, see above")
    found: dict[int, list[str]] = dict(map(json.loads, notes.read_text().splitlines()))
    at = _STATE.unpack(state[:])[0]
    if hung or status:
        why = f"does not end in {_HANG_SECONDS:.0f} s" if hung else f"the process died of signal {status & 0x7F}"
        found.setdefault(at, []).append(why)
        _keep(options.keep, directory, at)
        at += 1
    return found, at


def _wait(child: int, state: mmap.mmap) -> tuple[int, bool]:
    """The status of a child that has ended, and whether it had to be killed."""
    pause = 0.001
    while True:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return status, False
        if time.monotonic() - _STATE.unpack(state[:])[1] > _HANG_SECONDS:
            os.kill(child, signal.SIGKILL)
            return os.waitpid(child, 0)[1], True
        time.sleep(pause := min(2 * pause, 0.2))


def _be_the_child(
    target: Target,
    options: argparse.Namespace,
    directory: Path,
    numbers: range,
    until: float | None,
    state: mmap.mmap,
    notes: Path,
) -> None:
    """Judge the inputs and end the process; after one that took much memory, leave the rest to another child."""
    code = 70
    try:
        limit = _address_bytes() + _ADDRESS_BYTES
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
        number = numbers.start
        for number in numbers:
            state[:] = _STATE.pack(number, time.monotonic())
            if until is not None and time.monotonic() >= until:
                break
            complaints, spent = _one(target, options.seed, number, directory)
            if complaints:
                with notes.open("a") as stream:
                    stream.write(json.dumps([number, complaints]) + "\n")
                _keep(options.keep, directory, number)
            if spent:
                state[:] = _STATE.pack(number + 1, time.monotonic())
                break
        else:
            state[:] = _STATE.pack(numbers.stop, time.monotonic())
        code = 0
    except BaseException:  # noqa: BLE001  # of the script itself
        traceback.print_exc()
    finally:
        os._exit(code)


def _one(target: Target, seed: int, number: int, directory: Path) -> tuple[list[str], bool]:
    """What is wrong with one input, and whether it took so much memory that the process is of no more use."""
    case = target.make(random.Random(f"{seed}:{number}"))
    path = _written(case, directory)
    memory, began = _peak_bytes(), time.process_time()
    try:
        complaints, code = target.judge(path, case)
    except BaseException as error:  # noqa: BLE001  # SystemExit and MemoryError too
        complaints, code = [f"{type(error).__name__}: {error}\n{traceback.format_exc()}"], None
    seconds, taken = time.process_time() - began, _peak_bytes() - memory
    size = max(path.stat().st_size if path.is_file() else 0, _MEGABYTE)
    if seconds > SECONDS * size / _MEGABYTE:
        complaints.append(f"takes {seconds:.1f} s of CPU for {len(case.content)} bytes")
    if taken > MEMORY_BYTES:
        complaints.append(f"takes {taken >> 20} MB for {len(case.content)} bytes")
    if target.command is not None and number % target.every == 0:
        complaints += _by_command(target, path, code)
    return [f"{each} [{case.made}]" for each in complaints], taken > MEMORY_BYTES // 8


def _written(case: Case, directory: Path) -> Path:
    place = directory / "input"
    for old in place.iterdir() if place.is_dir() else ():
        shutil.rmtree(old) if old.is_dir() else old.unlink()
    path = place / case.name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(case.content)
    if case.size:
        os.truncate(path, case.size)
    return path


def _by_command(target: Target, path: Path, expected: int | None) -> list[str]:
    """What is wrong with the command: its exit code, or what it writes."""
    arguments = [sys.executable, "-m", "audioloss_cli", *target.command(path)]  # type: ignore[misc]
    try:
        done = subprocess.run(arguments, capture_output=True, timeout=_HANG_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return [f"the command does not end in {_HANG_SECONDS:.0f} s"]
    found = []
    if done.returncode not in target.codes or (expected is not None and done.returncode != expected):
        found.append(f"the command exits {done.returncode}, expected {expected}: {done.stderr[-300:]!r}")
    if b"Traceback" in done.stderr or b"internal error" in done.stderr:
        found.append(f"the command shows an error of ours: {done.stderr[-600:]!r}")
    return found


def _keep(place: Path | None, directory: Path, number: int) -> None:
    if place is not None:
        shutil.copytree(directory / "input", place / str(number), dirs_exist_ok=True)


def _peak_bytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10


def _address_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[0]) * mmap.PAGESIZE
