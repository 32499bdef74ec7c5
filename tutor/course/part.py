"""A mapping in a lesson's file, as a value.

Its kinds are no dataclasses, which write and compile half a dozen functions for each class: the
first picture of a lesson would wait for that.
"""

from typing import Any, ClassVar, Self, dataclass_transform, get_origin

from tutor.course.places import NOWHERE, Where


@dataclass_transform(frozen_default=True, kw_only_default=True)
class Part:
    """Made by keyword, equal to another of its kind with the same values, and never changed."""

    opaque: ClassVar[frozenset[str]] = frozenset()
    """Keys whose value is kept as plain data and read by somebody else."""
    names: ClassVar[tuple[str, ...]] = ()
    """What it has, in order, but for its place."""

    where: Where = NOWHERE

    def __init_subclass__(cls) -> None:
        told = cls.__annotations__.items()
        cls.names = tuple(name for name, kind in told if get_origin(kind) is not ClassVar)

    def __init__(self, **values: Any) -> None:
        kind = type(self)
        if unknown := values.keys() - {"where", *kind.names}:
            raise TypeError(f"{kind.__name__} has no {min(unknown)}")
        for name in kind.names:
            # What is left out is what the class has.
            if name not in values and not hasattr(kind, name):
                raise TypeError(f"{kind.__name__} needs {name}")
        self.__dict__.update(values)

    def with_values(self, **values: Any) -> Self:
        """The same with other values."""
        return type(self)(**{**self.__dict__, **values})

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__} cannot be changed")

    def _values(self) -> tuple[Any, ...]:
        return tuple(getattr(self, name) for name in self.names)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Part) or type(self) is not type(other):
            return NotImplemented
        return self._values() == other._values() and self.where == other.where

    def __hash__(self) -> int:
        return hash(self._values())

    def __repr__(self) -> str:
        told = zip(self.names, self._values(), strict=True)
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in told)})"
