"""The formats of strings that a schema may ask for.

Names stand here without dashes, as the server compares them. Source: kube-openapi
(`pkg/validation/strfmt`), apiextensions-apiserver (`pkg/apiserver/validation/formats.go`).
"""

import ipaddress
import re
from collections.abc import Callable, Mapping
from datetime import date

from tutor.sandbox.api.structural.url import parse_url

_HOSTNAME = re.compile(
    r"[^\W_]((-?[^\W_]{0,62})?)|([^\W_](([^\W_]|-){0,61}[^\W_])?\.)+[^\W\d_]{2,63}"
)
_UUID = "{0}{{8}}-?{0}{{4}}-?{1}{0}{{3}}-?{2}{0}{{3}}-?{0}{{12}}"
_HEX = "[0-9a-fA-F]"
_DATE_TIME = re.compile(r"([0-9]{2}):([0-9]{2}):([0-9]{2})(.[0-9]+)?(z|[+-][0-9]{2}:[0-9]{2})")
_DURATION = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h)")
_LOOSE_DURATION = re.compile(r"(\d+)\s*([A-Za-zµ]+)")
_LOOSE_UNITS = re.compile(
    r"ns|nano.*|us|µs|micro.*|ms|milli.*|s|sec.*|m|min.*|h|hr|hour.*|d|day.*|w|wk|week.*"
)
_MAC_GROUPS = (
    r"([0-9a-fA-F]{2}[:-]){5}[0-9a-fA-F]{2}",
    r"([0-9a-fA-F]{2}[:-]){7}[0-9a-fA-F]{2}",
    r"([0-9a-fA-F]{2}[:-]){19}[0-9a-fA-F]{2}",
    r"([0-9a-fA-F]{4}\.){2,3}[0-9a-fA-F]{4}",
    r"([0-9a-fA-F]{4}\.){9}[0-9a-fA-F]{4}",
)
_EMAIL = re.compile(r"""(?:[^<>@]*<)?([^\s<>@",;:\\\[\]()]+|"[^"]*")@([^\s<>@",;:\\]+)>?""")
_BASE64 = re.compile(
    r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{4})"
)
_CARD = re.compile(
    r"4[0-9]{12}(?:[0-9]{3})?|5[1-5][0-9]{14}|6(?:011|5[0-9][0-9])[0-9]{12}|3[47][0-9]{13}"
    r"|3(?:0[0-5]|[68][0-9])[0-9]{11}|(?:2131|1800|35[0-9]{3})[0-9]{11}"
)
_BYTE = "(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_RGB = rf"rgb\(\s*{_BYTE}\s*,\s*{_BYTE}\s*,\s*{_BYTE}\s*\)"
_MAX_HOSTNAME = 255
_MAX_LABEL = 63
_MAX_NAME = 253


def parse_ip(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The address, or None; zeros before the numbers of an IPv4 address are borne."""
    if "%" in text:
        return None
    if re.fullmatch(r"[0-9.]+", text):
        text = ".".join(part.lstrip("0") or part[:1] for part in text.split("."))
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def parse_cidr(text: str) -> ipaddress.IPv4Interface | ipaddress.IPv6Interface | None:
    """The address with its prefix, or None."""
    host, slash, prefix = text.partition("/")
    address = parse_ip(host)
    if address is None or not slash or not re.fullmatch(r"[0-9]{1,3}", prefix):
        return None
    try:
        return ipaddress.ip_interface(f"{address}/{prefix}")
    except ValueError:
        return None


def _is_ipv4(text: str) -> bool:
    return "." in text and parse_ip(text) is not None


def _is_ipv6(text: str) -> bool:
    return ":" in text and parse_ip(text) is not None


def _is_cidr(text: str) -> bool:
    return parse_cidr(text) is not None


def _is_uri(text: str) -> bool:
    try:
        parse_url(text)
    except ValueError:
        return False
    return True


def is_date(text: str) -> bool:
    """Whether the text is a day, `2006-01-02`."""
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return bool(re.fullmatch(r"\d{4}-\d{2}-\d{2}", text, re.ASCII))


def is_date_time(text: str) -> bool:
    """Whether the text is a time with a zone; seconds up to 59, in any letter case."""
    day, middle, clock = text.lower().partition("t")
    match = _DATE_TIME.fullmatch(clock)
    if not middle or match is None or not is_date(day):
        return False
    return match[1] <= "23" and match[2] <= "59" and match[3] <= "59"


def _is_duration(text: str) -> bool:
    if text in {"0", "+0", "-0"} or re.fullmatch(rf"(?:[+-]?)(?:{_DURATION.pattern[5:]})+", text):
        return True
    return any(_LOOSE_UNITS.fullmatch(unit.lower()) for _, unit in _LOOSE_DURATION.findall(text))


def _is_hostname(text: str) -> bool:
    return (
        len(text.encode()) <= _MAX_HOSTNAME
        and bool(_HOSTNAME.fullmatch(text))
        and all(len(part.encode()) <= _MAX_LABEL for part in text.split("."))
    )


def _is_isbn10(text: str) -> bool:
    digits = re.sub(r"[\s-]+", "", text)
    if not re.fullmatch(r"[0-9]{9}[0-9X]", digits):
        return False
    values = [10 if digit == "X" else int(digit) for digit in digits]
    return sum((place + 1) * value for place, value in enumerate(values)) % 11 == 0


def _is_isbn13(text: str) -> bool:
    digits = re.sub(r"[\s-]+", "", text)
    if not re.fullmatch(r"[0-9]{13}", digits):
        return False
    return sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(digits)) % 10 == 0


def _is_isbn(text: str) -> bool:
    return _is_isbn10(text) or _is_isbn13(text)


def _is_credit_card(text: str) -> bool:
    digits = re.sub(r"\D+", "", text, flags=re.ASCII)
    if not _CARD.fullmatch(digits):
        return False
    doubled = (int(d) * (place % 2 + 1) for place, d in enumerate(reversed(digits)))
    return sum(value // 10 + value % 10 for value in doubled) % 10 == 0


def _is_short_name(text: str) -> bool:
    return len(text) <= _MAX_LABEL and bool(re.fullmatch(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?", text))


def _is_long_name(text: str) -> bool:
    label = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
    return len(text) <= _MAX_NAME and bool(re.fullmatch(rf"{label}(\.{label})*", text))


def _matching(pattern: str) -> Callable[[str], bool]:
    matches = re.compile(pattern).fullmatch
    return lambda text: matches(text) is not None


STRING_FORMATS: Mapping[str, Callable[[str], bool]] = {
    "bsonobjectid": _matching(_HEX + "{24}"),
    "uri": _is_uri,
    "email": _matching(_EMAIL.pattern),
    "hostname": _is_hostname,
    "ipv4": _is_ipv4,
    "ipv6": _is_ipv6,
    "cidr": _is_cidr,
    "mac": _matching("|".join(_MAC_GROUPS)),
    "uuid": _matching(_UUID.format(_HEX, _HEX, _HEX)),
    "uuid3": _matching(_UUID.format(_HEX, "3", _HEX)),
    "uuid4": _matching(_UUID.format(_HEX, "4", "[89abAB]")),
    "uuid5": _matching(_UUID.format(_HEX, "5", "[89abAB]")),
    "isbn": _is_isbn,
    "isbn10": _is_isbn10,
    "isbn13": _is_isbn13,
    "creditcard": _is_credit_card,
    "ssn": _matching(r"[0-9]{3}[- ][0-9]{2}[- ][0-9]{4}"),
    "hexcolor": _matching(r"#?([0-9a-fA-F]{3}|[0-9a-fA-F]{6})"),
    "rgbcolor": _matching(_RGB),
    "byte": _matching(_BASE64.pattern),
    "password": lambda _: True,
    "date": is_date,
    "duration": _is_duration,
    "datetime": is_date_time,
    "k8sshortname": _is_short_name,
    "k8slongname": _is_long_name,
}
"""What tells a good value, by name. Other formats of strings are not looked at."""
