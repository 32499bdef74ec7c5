"""What one version of a custom resource makes of its objects: one compiled schema.

`compile_schema` does all work that does not depend on an object; a `Structural` is then asked about
objects. Source: apiextensions-apiserver (`pkg/apiserver/customresource_handler.go`,
`pkg/registry/customresource`).
"""

from collections.abc import Iterable

from tutor.sandbox.api.node import Node
from tutor.sandbox.api.status import FieldError, go_quote, invalid
from tutor.sandbox.api.structural.checks import Checker
from tutor.sandbox.api.structural.correlation import ABSENT
from tutor.sandbox.api.structural.defaulting import fill
from tutor.sandbox.api.structural.embedded import check_embedded, read_embedded
from tutor.sandbox.api.structural.lists import check_lists
from tutor.sandbox.api.structural.node import SchemaNode
from tutor.sandbox.api.structural.pruning import drop_nulls, prune
from tutor.sandbox.api.structural.rules import Level, read_rules
from tutor.sandbox.api.structural.schema import Schema, read_schema
from tutor.sandbox.api.values import fresh
from tutor.sandbox.kinds import Object

_BLOCKING = frozenset(
    {
        "FieldValueNotSupported",
        "FieldValueRequired",
        "FieldValueTooLong",
        "FieldValueTooMany",
        "FieldValueTypeInvalid",
    }
)
_UNCHECKED = (
    "some validation rules were not checked because the object was invalid; "
    "correct the existing errors to complete validation"
)


class Structural:
    """A compiled schema. Objects are resources: their own metadata is known to every schema."""

    __slots__ = ("_checker", "_node", "_rules", "_status", "schema")

    def __init__(
        self, schema: Schema, checker: Checker, status: Checker | None, rules: Level | None
    ) -> None:
        self.schema = schema
        self._checker = checker
        self._status = status
        self._rules = rules
        self._node = SchemaNode(schema, root=True)

    def node(self) -> Node:
        """The schema as field management walks it."""
        return self._node

    def prune(self, obj: Object) -> None:
        """Drop, in place, unknown fields and nulls that may not be; metadata stays as it is."""
        prune(obj, self.schema)
        drop_nulls(obj, self.schema)

    def unknown(self, obj: Object) -> list[str]:
        """The paths of the fields that `prune` drops for being unknown, in order."""
        return prune(fresh(obj), self.schema)

    def read(self, obj: Object) -> list[str]:
        """Prune a decoded object in place, embedded objects too; returns the complaints.

        Raises:
            EmbeddedError: the type or metadata of an embedded object cannot be read.
        """
        complaints = [f"unknown field {go_quote(path)}" for path in prune(obj, self.schema)]
        drop_nulls(obj, self.schema)
        return complaints + sorted(read_embedded(obj, self.schema))

    def default(self, obj: Object) -> None:
        """Fill in the defaults in place."""
        fill(obj, self.schema)

    def validate(self, obj: Object) -> list[FieldError]:
        """Everything that is wrong with a new object."""
        return self.complete([*self.check(obj), *self.check_parts(obj)], obj)

    def validate_update(self, new: Object, old: Object) -> list[FieldError]:
        """Everything that is wrong with a change, but for what was wrong before."""
        found = [*self.check(new, old), *self.check_parts(new, old)]
        return self.complete(found, new, old)

    def check(self, new: Object, old: Object | None = None) -> list[FieldError]:
        """What the schema says of the values."""
        found: list[FieldError] = []
        self._checker.check(new, "", found)
        if found and old is not None:
            # Only now is it worth to look for what was so before.
            found = []
            self._checker.check(new, "", found, old)
        return found

    def check_status(self, new: Object, old: Object) -> list[FieldError]:
        """What the schema says of the status, where only that is written."""
        if self._status is None or "status" not in new:
            return []
        found: list[FieldError] = []
        self._status.check(new["status"], "", found, old.get("status", ABSENT))
        return [below(error, "status") for error in found]

    def check_parts(self, new: Object, old: Object | None = None) -> list[FieldError]:
        """What is wrong with embedded objects, and what is there twice in lists with keys."""
        return [*check_embedded(new, self.schema), *self.check_lists(new, old)]

    def check_lists(self, new: Object, old: Object | None = None) -> list[FieldError]:
        """What is there twice; complaints of all lists are left out if old lists have any."""
        found = list(check_lists(new, self.schema))
        if found and old is not None and any(check_lists(old, self.schema)):
            return []
        return found

    def complete(
        self, found: Iterable[FieldError], new: Object, old: Object | None = None
    ) -> list[FieldError]:
        """Add what the rules say, unless the object is too wrong to be judged by them."""
        errors = list(found)
        if self._rules is None:
            return errors
        if any(error.reason in _BLOCKING for error in errors):
            return [*errors, invalid("<nil>", None, _UNCHECKED)]
        return errors + self._rules.judge(new, ABSENT if old is None else old)


def compile_schema(raw: Object | None) -> Structural:
    """Compile an `openAPIV3Schema`; without one, fields of every kind are unknown."""
    given: Object = raw or {}
    schema = read_schema(given)
    properties: Object = given.get("properties") or {}
    status = properties.get("status")
    return Structural(
        schema,
        Checker(given),
        Checker(status) if status is not None else None,
        read_rules(given, schema, root=True),
    )


def below(error: FieldError, name: str) -> FieldError:
    """The complaint at its place in the whole object; its text stays as it is."""
    path = name if error.path == "<nil>" else f"{name}.{error.path}"
    return FieldError(path, error.kind, error.reason, error.detail, error.value, error.shows_value)
