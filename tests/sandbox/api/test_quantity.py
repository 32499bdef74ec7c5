"""Quantities that are added and compared. Wording of none: they are read before they get here."""

import pytest

from tutor.sandbox.api.builtin.pod.defaults import round_up_resources
from tutor.sandbox.api.builtin.quantity import parse


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("1500m", "1500m"),
        ("0.5e3", "500"),
        ("1024Mi", "1Gi"),
        ("0.1n", "1n"),
        ("1e-999999999", "1e-9"),
    ],
)
def test_quantity_is_written_in_its_form(written: str, shown: str) -> None:
    assert str(parse(written)) == shown


@pytest.mark.parametrize("written", ["9" * 400, "1e999999999", f"1e{'9' * 30}", f"{'9' * 300}Ei"])
def test_quantity_beyond_all_bounds_is_more_than_any_other_and_short(written: str) -> None:
    endless, negative = parse(written), parse(f"-{written}")
    assert negative < parse("-1Ei") < parse("1Ei") < endless
    assert (endless + endless).value > 0
    assert len(str(endless)) < 50


@pytest.mark.parametrize(
    ("written", "rounded"), [("1e400", "1e400"), ("0.1m", "1m"), ("1500m", "1500m")]
)
def test_resources_are_rounded_up_to_thousandths(written: str, rounded: str) -> None:
    listed = {"cpu": written}
    round_up_resources(listed)
    assert listed == {"cpu": rounded}
