"""What may stand in an archive of ``torch.export`` that is loaded: operators of torch, names and numbers.

Such an archive is source code in disguise. As torch 2.13 reads it, names of nodes and arguments are pasted into Python
(torch/fx/graph.py); expressions go through ``sympy.sympify``, which evaluates; operators are looked up from ``torch``
on, as far as any module that it imports (torch/_export/serde/serialize.py); subclasses and constants are unpickled
without a guard, and compiled models are shared libraries (torch/export/pt2_archive/_package.py). Whatever is not known
to be harmless is refused.
"""

import ast
import io
import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from audioloss_cli.probe.checkpoint.pickles import check_zip, unsafe_globals
from audioloss_cli.probe.errors import UnreadableError

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
_FUNCTIONS = re.compile(
    "Symbol|Integer|Float|Rational|Add|Mul|Pow|Mod|Max|Min|Abs|floor|ceiling|And|Or|Not|Where|Identity|ModularIndexing"
    "|Eq|Equality|Ne|Unequality|Ge|GreaterThan|Gt|StrictGreaterThan|Le|LessThan|Lt|StrictLessThan|ToFloat|RoundDecimal"
    "|(Python|Clean)(Mod|Div)|(Ceil|Floor|Trunc|Round)To(Int|Float)|(Ceil|Floor|FloatTrue|IntTrue)Div|[LR]Shift"
    "|PowByNatural|FloatPow"
)
_NODES = (ast.Expression, ast.Call, ast.keyword, ast.Name, ast.Load, ast.Constant, ast.BinOp, ast.UnaryOp, ast.Compare)
_OPERATORS = (ast.operator, ast.unaryop, ast.cmpop)


def check_program(path: Path) -> None:
    """Look at every part of the archive that is read.

    Raises:
        UnreadableError: it is damaged, of an older format, or holds something that would run; that is named.
    """
    if not zipfile.is_zipfile(path):
        raise UnreadableError(f"{path} is no archive of torch.export, or cut short; save it again")
    check_zip(path)
    with zipfile.ZipFile(path) as archive:
        problem = next(_problems(archive), None)
    if problem is not None:
        raise UnreadableError(
            f"{path}: {problem}; it is not loaded: pass the weights with --model package.module:factory"
        )


def _problems(archive: zipfile.ZipFile) -> Iterator[str]:
    names = archive.namelist()
    root = names[0].partition("/")[0] + "/" if names else ""
    # torch looks entries up without regard to case, and takes the first of two
    if len({name.casefold() for name in names}) < len(names) or not all(name.startswith(root) for name in names):
        yield "two of its entries go by one name"
    if f"{root}{_MODEL}" not in names:
        yield f"there is no {_MODEL} in it, as torch.export.save writes it since torch 2.8"
    for name in names:
        yield from _problems_of_entry(archive, name, name.removeprefix(root))


def _problems_of_entry(archive: zipfile.ZipFile, name: str, inner: str) -> Iterator[str]:
    if inner.startswith("data/aotinductor/"):
        yield f"{name} is compiled code"
    elif inner.startswith("models/") or inner.endswith("_config.json"):
        try:
            yield from (f"{name} {problem}" for problem in _problems_of_json(json.loads(archive.read(name))))
        except (ValueError, RecursionError):
            yield f"{name} is no JSON"
    elif inner.endswith(".pt"):
        yield from _problems_of_pickle(name, archive.read(name))
    elif inner.startswith("data/constants/") and not inner.startswith("data/constants/tensor_"):
        yield f"{name} is an object of another class than a tensor"


def _problems_of_pickle(name: str, data: bytes) -> Iterator[str]:
    """Sample inputs; nothing where there are none."""
    if data and not data.startswith(b"PK"):
        yield f"{name} is a bare pickle"
    elif data:
        try:
            asked = unsafe_globals(io.BytesIO(data))
        except Exception as error:  # noqa: BLE001  # whatever a pickle made by hand brings about
            asked = [f"what cannot be told ({type(error).__name__})"]
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
        return _is_expression(text)
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


def _is_expression(text: str) -> bool:
    """Calls of sympy's own functions on numbers and symbols; text only where it names a symbol or is a number."""
    try:
        tree = ast.parse(text, mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    quoted = {
        id(argument)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in {"Symbol", "Float"}
        for argument in node.args
    }
    return all(_is_allowed(node, id(node) in quoted) for node in ast.walk(tree))


def _is_allowed(node: ast.AST, quoted: bool) -> bool:
    if isinstance(node, ast.Call):
        return isinstance(node.func, ast.Name) and _FUNCTIONS.fullmatch(node.func.id) is not None
    if isinstance(node, ast.Constant):
        return not isinstance(node.value, (str, bytes)) or (
            quoted and isinstance(node.value, str) and _PLAIN.fullmatch(node.value) is not None
        )
    if isinstance(node, ast.Name):
        return not node.id.startswith("_")
    return isinstance(node, (*_NODES, *_OPERATORS))
