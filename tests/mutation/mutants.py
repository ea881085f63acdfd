"""Mutants of a module: what Cosmic Ray changes in it, one thing at a time."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import parso
from cosmic_ray.ast import ast_nodes, get_ast, is_number
from cosmic_ray.mutating import mutate_code
from cosmic_ray.operators.number_replacer import NumberReplacer
from cosmic_ray.plugins import get_operator

BINARY = [
    "Add_Sub", "Sub_Add", "Mul_Div", "Div_Mul", "Pow_Mul", "Mod_Mul", "FloorDiv_Mul",
    "BitAnd_BitOr", "BitOr_BitAnd",
]  # fmt: skip
COMPARISONS = [
    "Eq_NotEq", "NotEq_Eq", "Lt_LtE", "Lt_GtE", "LtE_Lt", "LtE_Gt", "Gt_GtE", "Gt_LtE", "GtE_Gt",
    "GtE_Lt", "Is_IsNot", "IsNot_Is",
]  # fmt: skip
OPERATORS = (
    *(f"ReplaceBinaryOperator_{name}" for name in BINARY),
    *(f"ReplaceComparisonOperator_{name}" for name in COMPARISONS),
    "ReplaceUnaryOperator_Delete_USub",
    "ReplaceUnaryOperator_Delete_Not",
    "ReplaceUnaryOperator_Delete_Invert",
    "ReplaceTrueWithFalse",
    "ReplaceFalseWithTrue",
    "ReplaceAndWithOr",
    "ReplaceOrWithAnd",
    "AddNot",
    "ReplaceBreakWithContinue",
    "ReplaceContinueWithBreak",
    "ZeroIterationForLoop",
)


@dataclass(frozen=True)
class Mutant:
    """One change of a module.

    Attributes
    ----------
    line : int
        From 1.
    before, after : str
        The line, without its indent.
    occurrence : int
        Which of the equal changes that the module has, from 0.
    code : str
        The whole module.
    """

    line: int
    before: str
    after: str
    occurrence: int
    code: str


class WholeNumbers(NumberReplacer):  # type: ignore[misc]
    """Whole numbers, one up and one down."""

    def mutation_positions(self, node: Any) -> Iterator[Any]:
        if is_number(node) and node.value.isdecimal():
            yield from super().mutation_positions(node)


class Fractions(NumberReplacer):  # type: ignore[misc]
    """Floating-point numbers, doubled and halved; nought becomes one.

    Cosmic Ray adds and subtracts one, which turns most of them into nonsense that any test notices.
    """

    def mutation_positions(self, node: Any) -> Iterator[Any]:
        if is_number(node) and not node.value.isdecimal():
            yield from super().mutation_positions(node)

    def mutate(self, node: Any, index: int) -> Any:
        value = ast.literal_eval(node.value)
        changed = (value * 2, value / 2)[index] if value else 1.0
        return parso.python.tree.Number(node.prefix + repr(changed), node.start_pos)


def mutants(source: str) -> list[Mutant]:
    """Every mutant of a module that differs from it and from the others."""
    exempt = _exempt(source)
    tree = get_ast(source)
    operators = [WholeNumbers(), Fractions(), *(get_operator(f"core/{n}")() for n in OPERATORS)]
    codes: dict[str, tuple[int, str]] = {}
    for operator in operators:
        positions = [p for node in ast_nodes(tree) for p in operator.mutation_positions(node)]
        for i, (start, _) in enumerate(positions):
            code = None if _lies_in(start, exempt) else mutate_code(source, operator, i)
            if code not in {None, source}:
                codes.setdefault(code, start)
    return _numbered(source, codes)


def _numbered(source: str, codes: dict[str, Any]) -> list[Mutant]:
    lines, out = source.splitlines(), []
    seen: dict[tuple[str, str], int] = {}
    for code in sorted(codes, key=codes.__getitem__):
        changed = code.splitlines()
        line = next(i for i, (a, b) in enumerate(zip(lines, changed, strict=False)) if a != b)
        texts = lines[line].strip(), changed[line].strip()
        seen[texts] = seen.get(texts, -1) + 1
        out.append(Mutant(line + 1, *texts, seen[texts], code))
    return out


def _exempt(source: str) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    """From where to where there is nothing to test: types, words of errors, words of answers."""
    out = []
    for node in ast.walk(ast.parse(source)):
        parts: list[Any] = []
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            parts = [node.returns, *node.decorator_list]
        elif isinstance(node, ast.ClassDef):
            parts = list(node.decorator_list)
        elif isinstance(node, ast.arg | ast.AnnAssign):
            parts = [node.annotation]
        elif isinstance(node, ast.Raise | ast.TypeAlias | ast.JoinedStr) or (
            isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        ):
            parts = [node]
        elif isinstance(node, ast.Assign) and "|" in ast.unparse(node.value):
            # a union of types, such as Segment = Floor | Level
            union = isinstance(node.value, ast.BinOp) and ast.unparse(node.targets[0]).istitle()
            parts = [node] if union else []
        out += [((p.lineno, p.col_offset), (p.end_lineno, p.end_col_offset)) for p in parts if p]
    return out


def _lies_in(start: tuple[int, int], stretches: Any) -> bool:
    return any(low <= start < high for low, high in stretches)
