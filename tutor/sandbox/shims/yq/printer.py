"""Evaluates an expression over documents and prints what it finds, with separators between them."""

from __future__ import annotations

import yaml

from tutor.sandbox.shims import yamltext
from tutor.sandbox.shims.flags import UsageError
from tutor.sandbox.shims.yq import output
from tutor.sandbox.shims.yq.expression import compiled
from tutor.sandbox.shims.yq.operators import ExpressionError, is_true, scalar


class Printer:
    """What was printed so far decides about the next separator.

    `unwrap` is None where nobody asked: YAML scalars are then printed raw, those of JSON are not.
    """

    def __init__(self, *, indent: int, pretty: bool, unwrap: bool | None, separate: bool) -> None:
        self._indent = indent
        self._pretty = pretty
        self._unwrap = unwrap
        self._separate = separate
        self._printed = False
        self.good = False

    def evaluate(self, expression: str, text: str, name: str, read: str, wanted: str) -> None:
        """Print the results for every document of a text.

        `read` and `wanted` are the formats, `yaml` or `json`, of the text and of the output.

        Raises:
            UsageError: the expression or the text is wrong.
        """
        try:
            step = compiled(expression)
            documents = yamltext.compose_all(text)
        except ExpressionError as error:
            raise UsageError(str(error)) from None
        except yamltext.YamlError as error:
            raise UsageError(f"bad file '{name}': {error}") from None
        if expression.strip() == "." and text.startswith("---\n") and wanted == "yaml":
            print("---")
        for document in documents:
            root = document if document is not None else _empty(expression)
            try:
                results = step([root])
            except ExpressionError as error:
                raise UsageError(str(error)) from None
            self._print(results, wanted, pretty=self._pretty or read == "json")

    def _print(self, results: list[yaml.Node], wanted: str, *, pretty: bool) -> None:
        for position, node in enumerate(results):
            if position == 0 and self._printed and self._separate and wanted == "yaml":
                print("---")
            self.good = self.good or is_true(node)
            self._printed = True
            print(self._text(node, wanted, pretty=pretty), end="")

    def _text(self, node: yaml.Node, wanted: str, *, pretty: bool) -> str:
        if wanted == "json":
            return output.as_json(node, indent=self._indent, raw=bool(self._unwrap))
        raw = True if self._unwrap is None else self._unwrap
        return output.as_yaml(node, indent=self._indent, pretty=pretty, raw=raw)


def _empty(expression: str) -> yaml.Node:
    """An empty document: null, which `.` prints as nothing."""
    return scalar("" if expression.strip() == "." else "null", "!!null")
