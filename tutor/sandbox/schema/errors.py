"""Why a body is not an object of its type, in the words of the server's decoder."""


class DecodeError(Exception):
    """A body cannot be read as its type; the text is Go's own and goes into the Status as it is."""


class UnrecognizedError(DecodeError):
    """A body that does not even say its kind: no JSON or YAML, no object, no usable kind."""


def quoted(text: str) -> str:
    """Text as Go's `%q` prints it."""
    return '"' + "".join(_escaped(char) for char in text) + '"'


def _escaped(char: str) -> str:
    if char in '"\\':
        return f"\\{char}"
    if char.isprintable():
        return char
    short = {
        "\a": "\\a",
        "\b": "\\b",
        "\f": "\\f",
        "\n": "\\n",
        "\r": "\\r",
        "\t": "\\t",
        "\v": "\\v",
    }
    if char in short:
        return short[char]
    code = ord(char)
    if code < 0x20 or code == 0x7F:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
