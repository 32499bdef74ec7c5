"""What can go wrong with an expression."""


class SyntaxFailure(Exception):
    """The text is no expression; the message is cel-go's, with line, column and a pointer."""


class EvaluationError(Exception):
    """The expression has no value for what it was asked about; the message is cel-go's."""
