"""What a server says it serves: resources from discovery, and the schemas of its OpenAPI."""

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

Read = Callable[[str], Awaitable[Any]]
"""GETs a path; the JSON of the answer."""

_REFERENCE = "#/components/schemas/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """One resource of a group version, with what is below its objects."""

    root: str
    """`/api/v1`, `/apis/GROUP/VERSION`."""
    name: str
    kind: str
    namespaced: bool
    subresources: tuple[str, ...]

    @property
    def api_version(self) -> str:
        """As objects name it."""
        return self.root.removeprefix("/apis/").removeprefix("/api/")


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Everything that requests can be made of."""

    resources: list[Served]
    schemas: dict[str, Any] = field(default_factory=dict[str, Any])
    """By the names that documents use for them."""
    by_kind: dict[tuple[str, str], Any] = field(default_factory=dict[tuple[str, str], Any])
    """The schema of an apiVersion and kind."""

    def resolved(self, schema: Any) -> Any:
        """A schema without a reference at its top."""
        while True:
            each = schema.get("allOf", [schema])[0]
            reference = each.get("$ref")
            if reference is None:
                return each
            schema = self.schemas.get(reference.removeprefix(_REFERENCE), {})


async def read_catalogue(read: Read) -> Catalogue:
    """Ask a server."""
    found = Catalogue([])
    roots = ["/api/v1"]
    groups = await read("/apis")
    roots += [f"/apis/{v['groupVersion']}" for g in groups["groups"] for v in g["versions"]]
    documents = (await read("/openapi/v3"))["paths"]
    for root in roots:
        found.resources.extend(_resources(root, await read(root)))
        place = documents.get(root.removeprefix("/"))
        if place is not None:
            _learn(found, (await read(place["serverRelativeURL"]))["components"]["schemas"])
    return found


def _resources(root: str, answer: Any) -> Iterator[Served]:
    names = [item["name"] for item in answer["resources"]]
    for item in answer["resources"]:
        if "/" in item["name"]:
            continue
        below = tuple(n.partition("/")[2] for n in names if n.startswith(item["name"] + "/"))
        yield Served(
            root=root,
            name=item["name"],
            kind=item["kind"],
            namespaced=item["namespaced"],
            subresources=below,
        )


def _learn(found: Catalogue, schemas: dict[str, Any]) -> None:
    found.schemas.update(schemas)
    for schema in schemas.values():
        for each in schema.get("x-kubernetes-group-version-kind", ()):
            api_version = f"{each['group']}/{each['version']}".removeprefix("/")
            found.by_kind[(api_version, each["kind"])] = schema
