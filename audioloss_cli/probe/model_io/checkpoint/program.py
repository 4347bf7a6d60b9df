"""What may stand in an archive of ``torch.export`` that is loaded: operators of torch, names and numbers.

Such an archive is source code in disguise. As torch 2.13 reads it, names of nodes and arguments are pasted into Python
(torch/fx/graph.py); expressions go through ``sympy.sympify``, which evaluates; operators are looked up from ``torch``
on, as far as any module that it imports (torch/_export/serde/serialize.py); subclasses and constants are unpickled
without a guard, and compiled models are shared libraries (torch/export/pt2_archive/_package.py). Whatever is not known
to be harmless is refused.
"""

import json
import re
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from audioloss_cli.checkpoints.claims import claimed, most_bytes
from audioloss_cli.checkpoints.zips import read_stored
from audioloss_cli.probe.errors import UnreadableError
from audioloss_cli.probe.model_io.checkpoint.expressions import is_harmless
from audioloss_cli.probe.model_io.checkpoint.pickles import foreign_names
from audioloss_cli.probe.model_io.checkpoint.zips import check_archive

_MODEL = "models/model.json"
_PLAIN = re.compile(r"[\w.+:@\-]*")
_TARGET = re.compile(
    r"torch\.ops\.(aten|prims)\.(?!from_file\b)\w+(\.\w+)?|torch\._?sym_\w+|math\.(ceil|floor|trunc|sqrt)"
    r"|torch\.ops\.higher_order\.(wrap_with_set_grad_enabled|wrap_with_autocast|cond|while_loop|scan|map_impl)"
    r"|_operator\.(eq|ne|le|ge|lt|gt|neg|pos|and_|or_|mul|add|sub|floordiv|mod|truediv|pow|getitem|abs|not_|index)"
)
_CONTEXT = re.compile(r'[\w"\[\], .\-]*')
_TREES = re.compile(r"builtins\.(tuple|list|dict)|collections\.OrderedDict|transformers\.[\w.]+")
_IDENTIFIERS = {"name", "as_name", "forward_arg_names"}
_TEXT = {"metadata", "guards_code", "as_string", "as_strings"}  # not compiled, or pasted as quoted text


def check_program(path: Path) -> None:
    """Look at every part of the archive that is read.

    Raises:
        UnreadableError: it is damaged, of an older format, or holds something that would run; that is named.
    """
    entries = check_archive(path, path)
    with path.open("rb") as stream:
        problem = next(_problems(stream, entries, path.stat().st_size), None)
    if problem is not None:
        raise UnreadableError(
            f"{path}: {problem}; it is not loaded: pass the weights with --model package.module:factory"
        )


def _problems(stream: IO[bytes], entries: Mapping[str, zipfile.ZipInfo], size: int) -> Iterator[str]:
    if _MODEL not in entries:
        yield f"there is no {_MODEL} in it, as torch.export.save writes it since torch 2.8"
    sizes = {name: entry.file_size for name, entry in entries.items()}
    for name, entry in entries.items():
        if name.startswith("data/aotinductor/"):
            yield f"{name} is compiled code"
        elif name.startswith("models/") or name.endswith("_config.json"):
            yield from (
                f"{name} {problem}" for problem in _problems_of_text(read_stored(stream, entry), name, sizes, size)
            )
        elif name.endswith(".pt"):
            yield from _problems_of_pickle(name, read_stored(stream, entry))
        elif name.startswith("data/constants/") and not name.startswith("data/constants/tensor_"):
            yield f"{name} is an object of another class than a tensor"


def _problems_of_text(data: bytes, name: str, sizes: Mapping[str, int], size: int) -> Iterator[str]:
    try:
        found = json.loads(data)
        yield from _problems_of_json(found)
        if name.endswith("_config.json") and name.startswith("data/"):
            yield from _problems_of_payload(found, name.rpartition("/")[0], sizes, size)
    except (ValueError, RecursionError):
        yield "is no JSON"
    except (TypeError, KeyError, AttributeError, IndexError) as error:
        yield f"is not as torch.export.save writes it ({type(error).__name__})"


def _problems_of_payload(found: Any, folder: str, sizes: Mapping[str, int], size: int) -> Iterator[str]:
    """Views of stored bytes that reach out of them, or claim much more than there is in the file."""
    whole = 0
    for name, payload in found["config"].items():
        meta, stored = payload["tensor_meta"], sizes[f"{folder}/{payload['path_name']}"]
        shape, strides = ([item["as_int"] for item in meta[field]] for field in ("sizes", "strides"))
        # in bytes at least: torch holds the views to the dtype
        last = meta["storage_offset"]["as_int"] + sum(
            (axis - 1) * step for axis, step in zip(shape, strides, strict=True)
        )
        whole += claimed(shape, 1)
        if 0 not in shape and not 0 <= last < stored:
            yield f"says that {name[:80]!r} is {str(shape)[:80]}, which is more than is stored"
        if whole > most_bytes(size):
            yield f"claims tensors of {whole:,} values"


def _problems_of_pickle(name: str, data: bytes) -> Iterator[str]:
    """Sample inputs; nothing where there are none."""
    if data and not data.startswith(b"PK"):
        yield f"{name} is a bare pickle"
    elif data:
        try:
            asked = foreign_names(data, name)
        except UnreadableError as error:
            yield str(error)
            return
        if asked:
            yield f"{name} asks for {', '.join(asked)}"


def _problems_of_json(found: Any, key: str = "") -> Iterator[str]:
    if isinstance(found, dict):
        if found.get("use_pickle"):
            yield "has a pickled tensor"
        for name, value in found.items():
            if not _PLAIN.fullmatch(name):
                yield f"has the name {name[:60]!r}"
            if name not in _TEXT or not _is_flat(value):  # a tensor may go by such a name
                yield from _problems_of_json(value, name)
    elif isinstance(found, list):
        for value in found:
            yield from _problems_of_json(value, key)
    elif isinstance(found, str) and not _harmless(found, key):
        yield f"says {key} {found[:60]!r}"


def _is_flat(value: Any) -> bool:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else [value]
    return all(item is None or isinstance(item, str) for item in inner)


def _harmless(text: str, key: str) -> bool:
    if key == "expr_str":
        return is_harmless(text)
    if key in {"target", "as_operator"}:
        return _TARGET.fullmatch(text) is not None
    if key in {"in_spec", "out_spec"}:
        return _is_tree(json.loads(text))
    if key == "path_name":
        return re.fullmatch(r"(weight|tensor)_\d+", text) is not None
    if key in _IDENTIFIERS:
        return not text or (text.isidentifier() and not text.startswith("__"))
    return _PLAIN.fullmatch(text) is not None


def _is_tree(found: Any) -> bool:
    """[version, node] of torch/utils/_pytree.py; a node has a type, a context in JSON, and children."""
    if isinstance(found, list):
        return all(isinstance(item, int) or _is_tree(item) for item in found)
    if not isinstance(found, dict) or not _is_tree(found.get("children_spec", [])):
        return False
    kind, context = found.get("type"), found.get("context")
    return (kind is None or _TREES.fullmatch(str(kind)) is not None) and _CONTEXT.fullmatch(str(context)) is not None
