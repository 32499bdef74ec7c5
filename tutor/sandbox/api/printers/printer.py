"""What a printer is, and the columns that most of them share."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tutor.sandbox.api.jsonpath import JSONPath
from tutor.sandbox.kinds import Object

WIDE = 1
"""The priority of columns that are shown with `-o wide` only."""


@dataclass(frozen=True, slots=True)
class Column:
    """One entry of a Table's `columnDefinitions`."""

    name: str
    description: str
    type: str = field(default="string", kw_only=True)
    format: str = field(default="", kw_only=True)
    priority: int = field(default=0, kw_only=True)
    path: JSONPath | None = field(default=None, kw_only=True)
    """Where the cell's value stands in a custom resource; None for built-in kinds."""

    def definition(self) -> Object:
        """The entry as the server sends it, without leaving anything out."""
        return {
            "name": self.name,
            "type": self.type,
            "format": self.format,
            "description": self.description,
            "priority": self.priority,
        }


@dataclass(frozen=True, slots=True)
class Printer:
    """How objects of one kind become rows."""

    columns: tuple[Column, ...]
    cells: Callable[[Object, datetime], list[Any]]
    """One value for each column; the time gives ages."""
    conditions: Callable[[Object], list[Object]] | None = None
    """The row's conditions, which mark finished objects."""
    order: Callable[[Object], Any] | None = None
    """Sort key of the rows of a list; None keeps the list's own order."""


NAME = Column("Name", "Name of the object.", format="name")
AGE = Column("Age", "Time since the object was created.")
CONTAINERS = (
    Column("Containers", "Container names of the template.", priority=WIDE),
    Column("Images", "Container images of the template.", priority=WIDE),
)
