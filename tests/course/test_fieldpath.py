import pytest

from tutor.course.fieldpath import parse_path


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("spec", ("spec",)),
        ("spec.ports[0].name", ("spec", "ports", 0, "name")),
        ('metadata.labels["a.b/c"]', ("metadata", "labels", "a.b/c")),
        ("a[1][2]", ("a", 1, 2)),
    ],
)
def test_field_path_is_keys_and_positions(text: str, path: tuple[str | int, ...]) -> None:
    assert parse_path(text) == path


@pytest.mark.parametrize("text", ["", ".spec", "spec.", "spec..a", "spec ports", "a[x]", "a[-1]"])
def test_field_path_when_wrong_is_refused_in_words(text: str) -> None:
    with pytest.raises(ValueError, match=r"path|names no field"):
        parse_path(text)
