"""Classes that are made of fields, as by `dataclasses`, without its compiling.

That writes and compiles half a dozen functions for each class, which takes a third of a
millisecond; the first picture of a lesson would wait for some fifty of them.
"""

from inspect import get_annotations
from typing import Any, TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform()
def filled(cls: type[T]) -> type[T]:
    """Have a class made of what it annotates, beyond what its base is made of."""
    names = (*getattr(cls, "__match_args__", ()), *get_annotations(cls))

    def fill(self: object, *given: object, **named: object) -> None:
        values = dict(zip(names, given, strict=False)) | named
        if len(values) != len(given) + len(named) or not values.keys() <= {*names}:
            raise TypeError(f"{cls.__name__} is made of {', '.join(names) or 'nothing'}")
        for name in names:
            # What is left out is what the class has.
            if name not in values and not hasattr(cls, name):
                raise TypeError(f"{cls.__name__} needs {name}")
        self.__dict__.update(values)
        after = getattr(self, "__post_init__", None)
        if after is not None:
            after()

    return _with(cls, __init__=fill, __match_args__=names)


@dataclass_transform(frozen_default=True)
def value(cls: type[T]) -> type[T]:
    """Have it equal to another of its class with the same fields, too, and never changed."""
    made = filled(cls)
    return _with(made, __eq__=_equal, __hash__=_hash, __repr__=_told, __setattr__=_refuse)


def _with(cls: type[T], **attributes: Any) -> type[T]:
    for name, attribute in attributes.items():
        setattr(cls, name, attribute)
    return cls


def _values(self: Any) -> list[object]:
    return [getattr(self, name) for name in self.__match_args__]


def _equal(self: object, other: object) -> bool:
    return _values(self) == _values(other) if type(self) is type(other) else NotImplemented


def _hash(self: object) -> int:
    return hash((type(self), *_values(self)))


def _told(self: Any) -> str:
    told = zip(self.__match_args__, _values(self), strict=True)
    return f"{type(self).__name__}({', '.join(f'{name}={each!r}' for name, each in told)})"


def _refuse(self: object, name: str, value: object) -> None:
    del value
    raise AttributeError(f"{name} of a {type(self).__name__} cannot be changed")
