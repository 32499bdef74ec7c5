"""Schemas against recordings of the real server: `crd-validation/*`, `http-create-cr-*`."""

# ruff: noqa: E501 - complaints are kept whole, as recorded

import json
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml

from tutor.sandbox.api.status import FieldError, invalid_object
from tutor.sandbox.api.structural.structural import Structural, compile_schema
from tutor.sandbox.kinds import Object

SHARED = Path(__file__).resolve().parents[4] / "shared"
SCENARIOS = SHARED / "scenarios" / "crd-validation"
CASES = SHARED / "goldens" / "cases"

pytestmark = pytest.mark.skipif(
    not SCENARIOS.is_dir(), reason="the recordings are not beside the checkout"
)


def recorded_tries() -> list[Any]:
    """One case for each `sh try.sh [NAME] SPEC` step: the CRD, the object and the answer."""
    found: list[Any] = []
    for name in ("types-and-limits", "cel-rules"):
        path = SCENARIOS / f"{name}.yaml"
        if not path.is_file():
            continue
        scenario = yaml.safe_load(path.read_text())
        crd = yaml.safe_load(scenario["files"]["crd.yaml"])
        for step in scenario["steps"]:
            if step["run"].startswith("sh try.sh"):
                words = shlex.split(step["run"])[2:]
                found.append(pytest.param(crd, words, step["stdout"], id=f"{name} {words[-1]}"))
    return found


@pytest.mark.parametrize(("crd", "words", "stdout"), recorded_tries())
def test_object_when_judged_gets_the_complaints_that_were_recorded(
    crd: Object, words: list[str], stdout: str
) -> None:
    kind = crd["spec"]["names"]["kind"]
    name = words[0] if len(words) == 2 else "t"
    obj: Object = {
        "apiVersion": "ex.example.com/v1",
        "kind": kind,
        "metadata": {"name": name},
        "spec": json.loads(words[-1]),
    }
    errors = created(compiled(crd), obj)
    assert shown(kind, name, errors) in stdout
    assert bool(errors) is ("is invalid" in stdout)


def compiled(crd: Object) -> Structural:
    return compile_schema(crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"])


def created(structural: Structural, obj: Object) -> list[FieldError]:
    """What a create goes through, in place."""
    structural.read(obj)
    structural.default(obj)
    return structural.validate(obj)


def shown(kind: str, name: str, errors: list[FieldError]) -> str:
    """What kubectl prints of the complaints, sorted as the recording sorted it."""
    if not errors:
        return "created (server dry run)"
    if len(errors) == 1:
        return f'The {kind} "{name}" is invalid: {errors[0]}\n'
    lines = sorted([f"* {error}\n" for error in errors] + [f'The {kind} "{name}" is invalid: \n'])
    return "".join(lines)


def seal() -> Structural:
    case = json.loads((CASES / "apply-crd.json").read_text())
    return compiled(yaml.safe_load(case["files"]["harbor-crd.yaml"]))


@pytest.mark.parametrize("case", ["bad-enum", "many-errors", "missing-required"])
def test_seal_when_created_badly_gets_the_status_that_was_recorded(case: str) -> None:
    http = json.loads((CASES / f"http-create-cr-{case}.json").read_text())["http"]
    errors = created(seal(), json.loads(http["request_body"]))
    status = invalid_object("sea.example.com", "Seal", "bad", errors).status()
    assert status == json.loads(http["response_body"])


def test_seal_when_read_drops_unknown_fields_and_names_them() -> None:
    http = json.loads((CASES / "http-create-cr-unknown-field-warn.json").read_text())["http"]
    obj = json.loads(http["request_body"])
    structural = seal()
    assert structural.unknown(obj) == ["spec.colour"]
    assert structural.read(obj) == ['unknown field "spec.colour"']
    structural.default(obj)
    assert obj["spec"] == json.loads(http["response_body"])["spec"]


@pytest.mark.parametrize(
    ("patch", "complaint"),
    [
        ({"set": ["x", "x"]}, 'spec.set[1]: Duplicate value: "x"'),
        (
            {"byname": [{"name": "a", "v": 1}, {"name": "a", "v": 2}]},
            'spec.byname[1]: Duplicate value: {"name":"a"}',
        ),
        ({"byname": [{"v": 1}]}, "spec.byname[0].name: Required value"),
        ({"plain": ["p", "p"]}, ""),
    ],
)
def test_list_with_a_type_when_items_repeat_is_refused(patch: Object, complaint: str) -> None:
    scenario = yaml.safe_load((SCENARIOS / "list-types.yaml").read_text())
    structural = compiled(yaml.safe_load(scenario["files"]["crd.yaml"]))
    errors = structural.validate({"metadata": {"name": "o"}, "spec": patch})
    assert ", ".join(map(str, errors)) == complaint


@pytest.mark.parametrize(
    ("spec", "filled"),
    [
        (None, {"count": 3, "maybe": "set", "size": "small"}),
        (
            {"inner": {}, "list": [{"who": "one"}], "maybe": None, "size": None, "port": "http"},
            {
                "count": 3,
                "inner": {"a": "A"},
                "list": [{"on": True, "who": "one"}],
                "maybe": None,
                "port": "http",
                "size": "small",
            },
        ),
        (
            {"unknown": 1, "inner": {"zz": 2}, "port": 80, "free": {"any": {"thing": 1}}},
            {
                "count": 3,
                "free": {"any": {"thing": 1}, "known": "k"},
                "inner": {"a": "A"},
                "maybe": "set",
                "port": 80,
                "size": "small",
            },
        ),
    ],
)
def test_object_when_read_is_filled_and_pruned_as_recorded(spec: Any, filled: Object) -> None:
    obj: Object = {"metadata": {"name": "a"}} | ({} if spec is None else {"spec": spec})
    defs = definitions()
    defs.read(obj)
    defs.default(obj)
    assert obj["spec"] == filled


def definitions() -> Structural:
    scenario = yaml.safe_load((SCENARIOS / "defaults-and-pruning.yaml").read_text())
    text = scenario["files"]["good.yaml"].replace("on: {type", '"on": {type')
    return compiled(yaml.safe_load(text))


@pytest.mark.parametrize(
    ("spec", "complaints"),
    [
        (
            {"port": True, "maybe": 5},
            [
                'spec.maybe: Invalid value: "integer": spec.maybe in body must be of type string: "integer"',
                'spec.port: Invalid value: "boolean": spec.port in body must be of type integer,string: "boolean"',
            ],
        ),
        (
            {"tmpl": {"spec": 1}},
            ["spec.tmpl.apiVersion: Required value", "spec.tmpl.kind: Required value"],
        ),
        (
            {"tmpl": {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "inside"}, "spec": 1}},
            [],
        ),
    ],
)  # fmt: skip
def test_special_types_when_wrong_get_the_complaints_that_were_recorded(
    spec: Object, complaints: list[str]
) -> None:
    errors = created(definitions(), {"metadata": {"name": "d"}, "spec": spec})
    assert list(map(str, errors)) == complaints


def test_unknown_fields_when_listed_come_in_order() -> None:
    obj: Object = {"metadata": {}, "spec": {"unknown": 1, "inner": {"zz": 2}}}
    assert definitions().unknown(obj) == ["spec.inner.zz", "spec.unknown"]
    assert obj["spec"]["unknown"] == 1
