from tutor.sandbox.schema.declarations import fields_of, packages
from tutor.sandbox.schema.table import Node, node_of


def at(kind: tuple[str, str, str], *path: str) -> Node:
    node = node_of(*kind)
    for name in path:
        assert node is not None
        node = node.element if name == "[]" else node.child(name)
    assert node is not None
    return node


POD = ("", "v1", "Pod")


def test_containers_merge_by_name_and_are_owned_by_name() -> None:
    node = at(POD, "spec", "containers")
    assert (node.shape, node.merge_key, node.patch_strategy) == ("list", "name", {"merge"})
    assert (node.list_type, node.list_keys) == ("map", ("name",))
    assert at(POD, "spec", "containers", "[]").type_name == "Container"


def test_ports_merge_by_one_key_and_are_owned_by_two() -> None:
    node = at(POD, "spec", "containers", "[]", "ports")
    assert node.merge_key == "containerPort"
    assert node.list_keys == ("containerPort", "protocol")
    port = ("spec", "containers", "[]", "ports", "[]")
    assert at(POD, *port, "protocol").default == "TCP"
    assert at(POD, *port, "containerPort").default == 0
    assert at(POD, *port, "hostIP").default is None


def test_volumes_retain_keys_and_have_the_embedded_sources_as_their_own_fields() -> None:
    assert at(POD, "spec", "volumes").patch_strategy == {"merge", "retainKeys"}
    assert list(at(POD, "spec", "volumes", "[]").fields)[:3] == ["name", "hostPath", "emptyDir"]


def test_deployment_strategy_retains_keys_without_merging() -> None:
    assert at(("apps", "v1", "Deployment"), "spec", "strategy").patch_strategy == {"retainKeys"}


def test_atomic_is_known_of_types_and_of_fields() -> None:
    assert at(POD, "spec", "nodeSelector").atomic
    env = at(POD, "spec", "containers", "[]", "env", "[]", "valueFrom")
    assert not env.atomic
    key_ref = env.child("secretKeyRef")
    assert key_ref is not None
    assert key_ref.atomic


def test_map_values_are_children_under_any_name() -> None:
    limits = at(POD, "spec", "containers", "[]", "resources", "limits")
    assert limits.shape == "map"
    assert at(POD, "metadata", "labels", "anything").type_name == "string"
    assert limits.child("cpu") is limits.element


def test_bytes_times_and_quantities_are_scalars() -> None:
    assert at(("", "v1", "Secret"), "data", "k").shape == "scalar"
    assert at(POD, "metadata", "creationTimestamp").shape == "scalar"
    assert at(POD, "spec", "overhead", "cpu").shape == "scalar"


def test_untyped_values_are_maps_of_nothing_known() -> None:
    data = at(("apps", "v1", "ControllerRevision"), "data")
    assert (data.shape, data.child("spec")) == ("map", None)


def test_a_schema_contains_itself() -> None:
    crd = ("apiextensions.k8s.io", "v1", "CustomResourceDefinition")
    schema = at(crd, "spec", "versions", "[]", "schema", "openAPIV3Schema")
    assert at(crd, "spec", "versions", "[]", "schema", "openAPIV3Schema", "properties", "a", "not")
    assert schema.type_name == "JSONSchemaProps"


def test_unknown_kinds_versions_and_fields_are_none() -> None:
    assert node_of("apps", "v1beta1", "Deployment") is None
    assert node_of("cert-manager.io", "v1", "Certificate") is None
    assert at(POD, "spec").child("nope") is None


def test_delete_options_are_known_in_every_group() -> None:
    assert node_of("apps", "v1", "DeleteOptions") is not None
    assert node_of("cert-manager.io", "v1", "DeleteOptions") is not None


def test_every_declared_type_resolves() -> None:
    for package in packages().values():
        for kind in package.kinds:
            walk(node_of(package.group, package.version, kind), set())


def walk(node: Node | None, seen: set[str]) -> None:
    if node is None or node.type_name in seen:
        return
    seen.add(node.type_name)
    for child in node.fields.values():
        walk(child, seen)
    walk(node.element, seen)


def test_numbers_of_protobuf_fields_are_unique_in_each_struct() -> None:
    numbers = [f.proto for f in fields_of("core/v1", "PodSpec") if f.proto]
    assert len(numbers) == len(set(numbers)) > 30
