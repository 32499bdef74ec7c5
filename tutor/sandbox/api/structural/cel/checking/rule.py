"""Whether an expression makes sense for the values of a schema, and what it costs at worst.

Source: apiextensions-apiserver (`pkg/apiserver/schema/cel/compilation.go`).
"""

import re
from dataclasses import dataclass, replace
from math import isinf

from tutor.sandbox.api.structural.cel.checking.call_costs import call_cost
from tutor.sandbox.api.structural.cel.checking.checker import Problem, check
from tutor.sandbox.api.structural.cel.checking.complaints import told
from tutor.sandbox.api.structural.cel.checking.cost import Coster
from tutor.sandbox.api.structural.cel.checking.declared import Declared
from tutor.sandbox.api.structural.cel.checking.literals import check_literals, check_program
from tutor.sandbox.api.structural.cel.checking.macros import MacroError, expand
from tutor.sandbox.api.structural.cel.checking.tree import Literal, Tree, read_tree, walk
from tutor.sandbox.api.structural.cel.checking.types import Type, optional_of
from tutor.sandbox.api.structural.cel.errors import SyntaxFailure

_NO_CODE = re.compile(r"""[rR]?('''|\"\"\"|'|")(?:\\.|(?!\1).)*\1|//[^\n]*""", re.DOTALL)
"""Texts and comments."""
_BACKQUOTE = re.compile("`[^`]*`")
"""A field's name in another writing, which the engine knows and Kubernetes does not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Compiled:
    """What is known of an expression."""

    failure: str = ""
    """What the compiler says of it, empty when it is good."""
    type: str = ""
    """The kind of its value."""
    uses_old: bool = False
    cost: int = 0
    """At worst."""


def compile_rule(text: str, declared: Declared, *, optional_old: bool) -> Compiled:
    """Check an expression over `self` and `oldSelf`."""
    try:
        tree = read_rule_tree(text)
    except SyntaxFailure as error:
        return Compiled(failure=f"compilation failed: {error}")
    checked = check(tree, variables_of(declared, optional_old=optional_old), declared)
    problems = checked.problems or check_literals(tree, checked)
    if problems:
        return Compiled(failure=f"compilation failed: {told(tree, problems)}")
    if why := check_program(tree, checked):
        return Compiled(failure=f"program instantiation failed: {why}")
    return Compiled(
        type=checked.types[tree.root.id].kind,
        uses_old="oldSelf" in checked.names,
        cost=Coster(checked, declared, call_cost).cost(tree.root).most,
    )


def variables_of(declared: Declared, *, optional_old: bool) -> dict[str, Type]:
    """The variables that expressions over a value may use."""
    own = declared.type
    return {"self": own, "oldSelf": optional_of(own) if optional_old else own}


def read_rule_tree(text: str) -> Tree:
    """Parse an expression, with every macro written out.

    Raises:
        SyntaxFailure: it is none.
    """
    tree = read_tree(text)
    quoted = _BACKQUOTE.finditer(_NO_CODE.sub(lambda found: " " * len(found[0]), text))
    if places := {number: found.start() for number, found in enumerate(quoted)}:
        problems = [Problem(number, "unsupported syntax: '`'") for number in places]
        raise SyntaxFailure(told(replace(tree, offsets=places), problems))
    too_large = [
        Problem(one.id, "invalid double literal")
        for one in walk(tree.root)
        if isinstance(one, Literal) and one.type == "double" and isinf(one.value)
    ]
    if too_large:
        raise SyntaxFailure(told(tree, too_large))
    try:
        return expand(tree)
    except MacroError as error:
        raise SyntaxFailure(told(tree, [Problem(error.at, str(error))])) from error
