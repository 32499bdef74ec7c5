"""What schemathesis is to look at in each answer; loaded by it."""

from typing import Any

import schemathesis  # pyright: ignore[reportMissingImports] - in the environment of `make fuzz`

from tests.contract.fuzz.judging import fault_of
from tests.contract.fuzz.wire import Answer


@schemathesis.check  # pyright: ignore[reportUntypedFunctionDecorator, reportUnknownMemberType]
def answers_as_it_should(_context: Any, response: Any, _case: Any) -> None:
    """Fail for what no server should say."""
    headers = {name.lower(): ", ".join(values) for name, values in response.headers.items()}
    why = fault_of(Answer(response.status_code, headers, response.content, ended=True))
    assert not why, why
