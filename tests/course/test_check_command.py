import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
import yaml

from tutor.cli.check import check, print_schema
from tutor.cli.main import main
from tutor.probes.schema import schema_of

ROOT = Path(__file__).resolve().parents[2]
LESSONS = Path(__file__).parent / "data" / "lessons"


def broken(lesson_folder: Path) -> None:
    step = lesson_folder / "steps" / "make-secret.yaml"
    text = step.read_text(encoding="utf-8")
    text = text.replace("minutes: 3", "minuts: 3")
    step.write_text(text, encoding="utf-8")
    other = lesson_folder / "steps" / "read-it-back.yaml"
    text = other.read_text(encoding="utf-8").replace("secret.data.word)", "secrt.data.word)")
    text = text.replace("namespace: demo, name", "namespace: kube-system, name")
    other.write_text(text, encoding="utf-8")


def test_lessons_that_are_right_are_counted(capsys: pytest.CaptureFixture[str]) -> None:
    assert check([LESSONS]) == 0
    assert capsys.readouterr().out == "1 lesson, 2 steps: nothing to complain about\n"


def test_every_fault_has_its_place_and_its_cure(
    lesson_folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    broken(lesson_folder)
    monkeypatch.chdir(lesson_folder.parent)
    assert check([lesson_folder]) == 2
    lines = capsys.readouterr().out.splitlines()
    steps = "10-first-secret/steps"
    assert lines[0] == f"{steps}/make-secret.yaml:1:1: the key `minutes` is missing"
    assert lines[1] == "    Add `minutes:` here."
    assert lines[2] == (
        f"{steps}/make-secret.yaml:3:1: unknown key `minuts`: did you mean `minutes`?"
    )
    assert f"{steps}/read-it-back.yaml:17:36: unknown name `secrt`: did you mean `secret`?" in lines
    assert any("no grant for Secret objects in the namespace kube-system" in each for each in lines)
    assert len(lines) == 8  # each fault once, although there are three environments


@pytest.mark.parametrize("part", ["", "lesson.yaml", "steps", "steps/make-secret.yaml"])
def test_a_part_of_a_lesson_stands_for_the_lesson(
    part: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert check([LESSONS / "10-first-secret" / part]) == 0
    assert "1 lesson, 2 steps" in capsys.readouterr().out


def test_path_that_is_not_there_is_a_fault(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert check([tmp_path / "nowhere"]) == 2
    assert "cannot be read: No such file or directory" in capsys.readouterr().out


def test_folder_without_lessons_is_a_fault(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert check([tmp_path]) == 2
    assert "there is no lesson here" in capsys.readouterr().out


def test_commands_are_reached_from_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(LESSONS)]) == 0
    capsys.readouterr()
    assert main(["schema", "lesson"]) == 0
    assert json.loads(capsys.readouterr().out)["title"] == "Header"


@pytest.mark.parametrize("kind", ["lesson", "step"])
def test_schema_in_the_documents_is_that_of_the_program(
    kind: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert print_schema(kind) == 0
    written = (ROOT / "docs" / "schema" / f"{kind}.json").read_text(encoding="utf-8")
    assert capsys.readouterr().out == written, f"run: tutor schema {kind} > docs/schema/{kind}.json"


Schema = dict[str, Any]


def unknown(schema: Schema, value: Any, root: Schema) -> Iterator[str]:
    """What a schema has against a document, as far as keys go."""
    schema = root["$defs"][schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
    choices: list[Schema] = [*schema.get("oneOf", []), *schema.get("anyOf", [])]
    if choices:
        if all(list(unknown(choice, value, root)) for choice in choices):
            yield f"{value!r} fits no choice"
    elif isinstance(value, list):
        for item in cast("list[Any]", value):
            yield from unknown(schema.get("items", {}), item, root)
    elif isinstance(value, dict):
        yield from unknown_keys(schema, cast("dict[str, Any]", value), root)
    elif schema.get("type") in {"object", "array"}:
        yield f"{value!r} is not {schema['type']}"


def unknown_keys(schema: Schema, value: dict[str, Any], root: Schema) -> Iterator[str]:
    known: Schema = schema.get("properties", {})
    extra: Any = schema.get("additionalProperties", {})
    yield from (f"{each} is missing" for each in schema.get("required", []) if each not in value)
    for key, inner in value.items():
        if key not in known and extra is False:
            yield f"{key} is unknown"
        else:
            yield from unknown(known.get(key) or extra or {}, inner, root)


@pytest.mark.parametrize(
    "file", sorted([*LESSONS.rglob("*/*.yaml"), *(ROOT / "lessons").rglob("*/*.yaml")])
)
def test_schema_knows_every_key_that_is_written(file: Path) -> None:
    schema = schema_of("lesson" if file.name == "lesson.yaml" else "step")
    document = yaml.safe_load(file.read_text(encoding="utf-8"))
    assert list(unknown(schema, document, schema)) == []


def test_schema_explains_its_keys() -> None:
    schema = schema_of("step")
    sources = schema["$defs"]["Given"]["additionalProperties"]["properties"]
    assert sources["tls"]["description"].startswith("`tls`: which certificates")
    assert "expression" in sources["tls"]["properties"]["ca"]["description"]
    assert (
        schema["$defs"]["Fact"]["properties"]["settle"]["description"] == "How long it must hold."
    )
    assert "<where>" not in json.dumps(schema)
