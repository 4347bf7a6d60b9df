"""Expressions in an archive of ``torch.export``: ``sympy.sympify`` evaluates them, so they have to be small."""

import ast
import re
from collections.abc import Iterator

_LONGEST, _MOST_NODES = 4000, 300
_MOST_BITS = 1024  # of a number that comes of constants alone
_MOST_EXPONENT = 64
_QUOTED = re.compile(r"[\w.+:@\-]{0,100}")
_NUMBER = re.compile(r"[+-]?\d{1,40}(\.\d{0,60})?([eE][+-]?\d{1,3})?|[+-]?(inf|nan|oo)")
_FUNCTIONS = re.compile(
    "Symbol|Integer|Float|Rational|Add|Mul|Pow|Mod|Max|Min|Abs|floor|ceiling|And|Or|Not|Where|Identity|ModularIndexing"
    "|Eq|Equality|Ne|Unequality|Ge|GreaterThan|Gt|StrictGreaterThan|Le|LessThan|Lt|StrictLessThan|ToFloat|RoundDecimal"
    "|(Python|Clean)(Mod|Div)|(Ceil|Floor|Trunc|Round)To(Int|Float)|(Ceil|Floor|FloatTrue|IntTrue)Div|[LR]Shift"
    "|PowByNatural|FloatPow"
)
_POWERS = {"Pow", "PowByNatural", "FloatPow"}
_SHIFTS = {"LShift", "RShift"}
_NODES = (ast.Expression, ast.Call, ast.keyword, ast.Name, ast.Load, ast.Constant, ast.BinOp, ast.UnaryOp, ast.Compare)
_OPERATORS = (ast.operator, ast.unaryop, ast.cmpop)


def is_harmless(text: str) -> bool:
    """Whether it calls sympy's own functions on numbers and symbols alone, and comes to no long number.

    Text stands only where it names a symbol or is a number; exponents and shifts are small constants, for
    ``9**9**9**9`` does not end.
    """
    if len(text) > _LONGEST:
        return False
    try:
        tree = ast.parse(text, mode="eval")
        nodes = list(ast.walk(tree))
        quoted = {id(argument): call for call, argument in _quotations(nodes)}
        allowed = len(nodes) <= _MOST_NODES and all(_is_allowed(node, quoted.get(id(node), "")) for node in nodes)
        return allowed and _bits(tree.body) <= _MOST_BITS
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False


def _quotations(nodes: list[ast.AST]) -> Iterator[tuple[str, ast.expr]]:
    """Arguments that may be text, and the function whose they are."""
    for node in nodes:
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in {"Symbol", "Float"}:
            yield from ((node.func.id, argument) for argument in node.args)


def _is_allowed(node: ast.AST, function: str) -> bool:
    if isinstance(node, ast.Call):
        return isinstance(node.func, ast.Name) and _FUNCTIONS.fullmatch(node.func.id) is not None
    if isinstance(node, ast.Constant):
        if isinstance(node.value, str):
            pattern = _NUMBER if function == "Float" else _QUOTED
            return bool(function) and pattern.fullmatch(node.value) is not None
        return not isinstance(node.value, bytes)
    if isinstance(node, ast.Name):
        return not node.id.startswith("_")
    return isinstance(node, (*_NODES, *_OPERATORS))


def _bits(node: ast.expr) -> float:
    """An upper bound on the length of the number that it comes to; what has a symbol in it stays symbolic.

    Raises:
        ValueError: an exponent, a shift or a precision is no small constant.
    """
    if isinstance(node, ast.Constant):
        return node.value.bit_length() + 1 if isinstance(node.value, int) else 64
    if isinstance(node, ast.UnaryOp):
        return _bits(node.operand)
    if isinstance(node, ast.Compare):
        return max(map(_bits, (node.left, *node.comparators)))
    if isinstance(node, ast.BinOp):
        kind = (
            "Pow" if isinstance(node.op, ast.Pow) else "LShift" if isinstance(node.op, ast.LShift | ast.RShift) else ""
        )
        return _bits_of(kind, [node.left, node.right])
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        for keyword in node.keywords:
            _small(keyword.value)
        return _bits_of(node.func.id, node.args)
    return 1


def _bits_of(function: str, arguments: list[ast.expr]) -> float:
    if function in _POWERS | _SHIFTS and arguments:
        amount = abs(_small(*arguments[1:]))
        return _bits(arguments[0]) * max(amount, 1) if function in _POWERS else _bits(arguments[0]) + amount
    if function == "Float":
        _small(*arguments[1:])
    return 1 + sum(map(_bits, arguments))


def _small(*nodes: ast.expr) -> float:
    """The only one, or 0 where there is none."""
    value = _value(*nodes) if nodes else 0
    if not abs(value) <= _MOST_EXPONENT:
        raise ValueError(value)
    return value


def _value(node: ast.expr) -> float:
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return -_value(node.operand)
    if (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in {"Integer", "Float", "Rational"}
    ):
        first, *rest = map(_value, node.args[:2])
        return first / rest[0] if rest and node.func.id == "Rational" and rest[0] else first
    if isinstance(node, ast.Constant) and isinstance(node.value, (int, float, str)):
        return float(node.value)
    raise ValueError(ast.dump(node)[:60])
