"""Find the type of every part of an expression, or what is wrong with it.

Source: cel-go (`checker/checker.go`).
"""

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from tutor.sandbox.api.structural.cel.checking.declarations import (
    Overload,
    named_type,
    overloads,
)
from tutor.sandbox.api.structural.cel.checking.declared import Declared
from tutor.sandbox.api.structural.cel.checking.tree import (
    Call,
    Entries,
    Expr,
    Fold,
    ListOf,
    Literal,
    Name,
    Select,
    Tree,
)
from tutor.sandbox.api.structural.cel.checking.types import (
    BOOL,
    DYN,
    ERROR,
    INT,
    Bindings,
    Type,
    is_dyn,
    is_open,
    list_of,
    map_of,
    optional_of,
    unwrapped,
    wider_of,
)


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with one part of an expression."""

    id: int
    text: str


@dataclass(slots=True)
class Checked:
    """What is known of an expression's parts by their ids."""

    types: dict[int, Type] = field(default_factory=dict[int, Type])
    overloads: dict[int, tuple[str, ...]] = field(default_factory=dict[int, tuple[str, ...]])
    resolved: dict[int, Expr] = field(default_factory=dict[int, Expr])
    """What stands for an expression whose dotted name is one name."""
    problems: list[Problem] = field(default_factory=list[Problem])
    names: set[str] = field(default_factory=set[str])
    """Every variable that is looked at."""


def check(tree: Tree, variables: Mapping[str, Type], root: Declared) -> Checked:
    """Check an expression; the fields of objects in `root` may be named."""
    checker = _Checker(variables, root)
    checker.check(tree.root)
    found = checker.found
    for number, type_ in found.types.items():
        found.types[number] = checker.bindings.resolve(type_, final=True)
    return found


def dotted(expr: Expr) -> str | None:
    """A chain of fields as a name."""
    match expr:
        case Name():
            return expr.name
        case Select(tests=False):
            before = dotted(expr.operand)
            return before and f"{before}.{expr.field}"
        case _:
            return None


class _Checker:
    def __init__(self, variables: Mapping[str, Type], root: Declared) -> None:
        self.found = Checked()
        self.bindings = Bindings()
        self._variables = dict(variables)
        self._structs: dict[str, Declared] = {}
        self._learn(root)
        self._free = 0

    def check(self, expr: Expr) -> Type:
        """The type of an expression, which is kept."""
        found = self._find(expr)
        self.found.types[expr.id] = found
        return found

    def _find(self, expr: Expr) -> Type:
        match expr:
            case Literal():
                return _LITERALS[expr.type]
            case Name():
                return self._name(expr)
            case Select():
                return self._select(expr)
            case Call():
                return self._call(expr)
            case ListOf():
                return self._list(expr)
            case Entries():
                return self._struct(expr) if expr.type else self._map(expr)
            case Fold():
                return self._fold(expr)

    def _complain(self, expr: Expr, text: str) -> None:
        self.found.problems.append(Problem(expr.id, text))

    def _learn(self, declared: Declared) -> None:
        """Know the fields of the objects in a value by the names of their types."""
        inner: Declared | None = declared
        while inner is not None:
            if inner.type.kind == "struct":
                self._structs[inner.type.name] = inner
            inner = inner.element

    def _lookup(self, name: str) -> Type | None:
        plain = name.removeprefix(".")
        return self._variables.get(plain) or named_type(plain)

    def _undeclared(self, expr: Expr, name: str) -> Type:
        self._complain(expr, f"undeclared reference to '{name}' (in container '')")
        return ERROR

    def _name(self, expr: Name) -> Type:
        known = self._lookup(expr.name)
        if known is None:
            return self._undeclared(expr, expr.name)
        self.found.names.add(expr.name.removeprefix("."))
        return known

    def _select(self, expr: Select) -> Type:
        name = dotted(expr)
        known = self._lookup(name) if name else None
        if name and known is not None:
            self.found.resolved[expr.id] = Name(id=expr.id, name=name)
            return known
        result = self._field(expr, expr.operand, expr.field, optional=False)
        return BOOL if expr.tests else self.bindings.resolve(result)

    def _optional_select(self, expr: Call) -> Type:
        operand, name = expr.args
        if not isinstance(name, Literal) or name.type != "string":
            self._complain(name, f"unsupported optional field selection: {name}")
            return ERROR
        found = self._field(expr, operand, name.value, optional=True)
        self.found.overloads[expr.id] = ("select_optional_field",)
        return self.bindings.resolve(found)

    def _field(self, expr: Expr, operand: Expr, name: str, *, optional: bool) -> Type:
        target, is_optional = unwrapped(self.bindings.resolve(self.check(operand)))
        match target.kind:
            case "map":
                result = target.params[1]
            case "struct":
                result = self._struct_field(expr, target.name, name)
            case "param":
                self._assignable(DYN, target)
                result = DYN
            case _:
                if not is_open(target):
                    self._complain(expr, f"type '{target}' does not support field selection")
                result = DYN
        return optional_of(result) if optional or is_optional else result

    def _struct_field(self, expr: Expr, struct: str, name: str) -> Type:
        declared = self._structs.get(struct)
        if declared is None:
            self._complain(expr, f"unexpected failed resolution of '{struct}'")
            return ERROR
        known = declared.fields.get(name)
        if known is None:
            self._complain(expr, f"undefined field '{name}'")
            return ERROR
        self._learn(known)
        return known.type

    def _call(self, expr: Call) -> Type:
        if expr.function == "_?._":
            return self._optional_select(expr)
        for arg in expr.args:
            self.check(arg)
        target = expr.target
        if target is not None and (prefix := dotted(target)):
            name = f"{prefix}.{expr.function}".removeprefix(".")
            if name in overloads():
                plain = Call(id=expr.id, function=name, target=None, args=expr.args)
                self.found.resolved[expr.id] = plain
                return self._overload(plain)
        if target is not None:
            self.check(target)
        if expr.function not in overloads():
            return self._undeclared(expr, expr.function)
        return self._overload(expr)

    def _overload(self, expr: Call) -> Type:
        given = (*((expr.target,) if expr.target else ()), *expr.args)
        types = [self.found.types[one.id] for one in given]
        is_member = expr.target is not None
        signatures = [one for one in overloads()[expr.function] if one.is_member == is_member]
        if expr.function in {"_&&_", "_||_"}:
            return self._logical(expr, types, signatures)
        result: Type | None = None
        matching: list[str] = []
        for signature in signatures:
            takes, into = self._instance(signature)
            if not self._all_assignable(types, takes):
                continue
            matching.append(signature.id)
            found = self.bindings.resolve(into)
            if result is None:
                result = found
            elif not is_dyn(result) and found != result:
                result = DYN
        if result is None:
            shown = [str(self.bindings.resolve(one, final=True)) for one in types]
            receiver = f"{shown.pop(0)}." if is_member else ""
            applied = f"{receiver}({', '.join(shown)})"
            text = f"found no matching overload for '{expr.function}' applied to '{applied}'"
            self._complain(expr, text)
            return ERROR
        self.found.overloads[expr.id] = tuple(matching)
        return result

    def _logical(self, expr: Call, types: list[Type], signatures: list[Overload]) -> Type:
        wrong = [
            (arg, found)
            for arg, found in zip(expr.args, types, strict=True)
            if not self._assignable(found, BOOL)
        ]
        for arg, found in wrong:
            self._mismatch(arg, BOOL, found)
        if wrong:
            return ERROR
        self.found.overloads[expr.id] = (signatures[0].id,)
        return BOOL

    def _instance(self, signature: Overload) -> tuple[tuple[Type, ...], Type]:
        """A signature with type parameters of its own."""
        if not signature.parameters:
            return signature.takes, signature.result
        own = Bindings({one: self._parameter() for one in signature.parameters})
        return tuple(map(own.resolve, signature.takes)), own.resolve(signature.result)

    def _list(self, expr: ListOf) -> Type:
        joined: Type | None = None
        for index, item in enumerate(expr.items):
            found = self._given(item, optional=index in expr.optional)
            joined = self._join(joined, found)
        return list_of(joined or self._parameter())

    def _map(self, expr: Entries) -> Type:
        keys: Type | None = None
        values: Type | None = None
        for entry in expr.entries:
            if not isinstance(entry.key, str):
                keys = self._join(keys, self.check(entry.key))
            found = self._given(entry.value, optional=entry.optional)
            values = self._join(values, found)
        if keys is None or values is None:
            keys, values = self._parameter(), self._parameter()
        return map_of(keys, values)

    def _struct(self, expr: Entries) -> Type:
        known = self._lookup(expr.type)
        if known is None:
            return self._undeclared(expr, expr.type)
        made = known.params[0] if known.params else known
        if known.kind != "type":
            self._complain(expr, f"'{known}' is not a type")
            made = ERROR
        elif made.kind not in _MESSAGES:
            self._complain(expr, f"'{made}' is not a message type")
            made = ERROR
        for entry in expr.entries:
            self.check(entry.value)
        return made

    def _given(self, expr: Expr, *, optional: bool) -> Type:
        """The type of a part of a list or map, which may be one that may be absent."""
        found = self.check(expr)
        if not optional:
            return found
        inner, is_optional = unwrapped(found)
        if not is_optional and not is_dyn(inner):
            self._mismatch(expr, optional_of(inner), inner)
        return inner

    def _fold(self, expr: Fold) -> Type:
        over = self.bindings.resolve(self.check(expr.over))
        so_far = self.check(expr.start)
        variable, second = self._iterated(expr, over)
        with self._scope(**{expr.result_name: so_far}):
            inner = {expr.variable: variable} | ({expr.second: second} if expr.second else {})
            with self._scope(**inner):
                self._expect(expr.condition, BOOL)
                self._expect(expr.step, so_far)
            return self.bindings.resolve(self.check(expr.result))

    def _iterated(self, expr: Fold, over: Type) -> tuple[Type, Type]:
        """The types of a loop's variables."""
        match over.kind:
            case "list":
                item = over.params[0]
                return (INT, item) if expr.second else (item, item)
            case "map":
                return over.params[0], over.params[1]
            case "dyn" | "error" | "param":
                self._assignable(DYN, over)
                return DYN, DYN
            case _:
                text = (
                    f"expression of type '{over}' cannot be range of a comprehension (must be"
                    " list, map, or dynamic)"
                )
                self._complain(expr.over, text)
                return ERROR, ERROR

    @contextmanager
    def _scope(self, **names: Type) -> Generator[None]:
        outer = self._variables
        self._variables = outer | names
        try:
            yield
        finally:
            self._variables = outer

    def _expect(self, expr: Expr, wanted: Type) -> None:
        found = self.check(expr)
        if not self._assignable(wanted, found):
            self._mismatch(expr, wanted, found)

    def _mismatch(self, expr: Expr, wanted: Type, found: Type) -> None:
        self._complain(expr, f"expected type '{wanted}' but found '{found}'")

    def _join(self, before: Type | None, found: Type) -> Type:
        if before is None:
            return found
        if self._assignable(before, found):
            return wider_of(before, found)
        return DYN

    def _parameter(self) -> Type:
        self._free += 1
        return Type("param", f"_var{self._free - 1}")

    def _assignable(self, wanted: Type, given: Type) -> bool:
        return self._all_assignable((wanted,), (given,))

    def _all_assignable(self, wanted: Sequence[Type], given: Sequence[Type]) -> bool:
        tried = self.bindings.copy()
        if not tried.all_assignable(tuple(wanted), tuple(given)):
            return False
        self.bindings = tried
        return True


_MESSAGES = ("any", "timestamp", "duration", "dyn", "null")
"""Types that are messages of protobuf."""
_LITERALS: Mapping[str, Type] = {
    kind: Type("null") if kind == "null" else Type(kind)
    for kind in ("null", "bool", "int", "uint", "double", "string", "bytes")
}
