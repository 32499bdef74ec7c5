"""What must differ between two plays of a scenario is replaced by a name, on both sides.

The rules and their order are those of the recordings' README; each replaces values that depend on
the moment, the machine or chance.
"""

import re

_RANDOM = "bcdfghjklmnpqrstvwxz2456789"
_MONTHS = "Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec"
_AGE = r"(?:\d+y)?(?:\d+d)?(?:\d+h)?(?:\d+m)?(?:\d+s)?"

RULES: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.MULTILINE), replacement)
    for pattern, replacement in (
        (r"-----BEGIN ([A-Z0-9 ]+)-----.*?-----END \1-----\n?", r"<pem \1>"),
        (r"LS0tLS1CRUdJTi[A-Za-z0-9+/=]+", "<pem base64>"),
        (r"eyJ[A-Za-z0-9_-]+\.eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+", "<jwt>"),
        (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "<uid>"),
        (r'(continue: |"continue": ?"?|continue=)[A-Za-z0-9_%=-]{20,}', r"\1<continue>"),
        (
            (
                r'(resourceVersion: ?|"resourceVersion\\?": ?|resourceVersion='
                r"|resource version to be \d+, was |ResourceVersion in record \()"
                r'(?:\\?")?\d+(?:\\?")?'
            ),
            r"\1<rv>",
        ),
        (r"resource version to be \d+, was ", "resource version to be <rv>, was "),
        (r'("description": ?)"(?:[^"\\]|\\.)*"', r"\1<text>"),
        (r"(X509SHA256=)[0-9a-f]{64}", r"\1<hash>"),
        (r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?: ?(?:Z|UTC|[+-]\d\d:?\d\d))*", "<time>"),
        (rf"\w{{3}}, \d\d (?:{_MONTHS}) \d{{4}} \d\d:\d\d:\d\d (?:GMT|UTC|[+-]\d{{4}})", "<time>"),
        (r"^[IWEF]\d{4} \d\d:\d\d:\d\d\.\d+ +\d+ [\w.]+:\d+\]", "<klog>"),
        (r"(127\.0\.0\.1|localhost):\d+", r"\1:<port>"),
        (r"\b10\.\d+\.\d+\.\d+\b", "<cluster ip>"),
        (r"(?<![\w.-])3(?:[01]\d{3}|2[0-7]\d\d)(?![\w.])", "<node port>"),
        (r"/tmp/scenario[^/\s'\"]*/work", "<work>"),
        (r"/tmp/scenario[^/\s'\"]*/home", "<home>"),
        (r"(LIVE-|MERGED-)\d+", r"\1<n>"),
        (r"[^\s\"']*kubectl-edit-\d+\.\w+", "<edited file>"),
        (rf"(?<=[a-z0-9])-[{_RANDOM}]{{6,10}}-[{_RANDOM}]{{5}}(?![\w-])", "-<hash>-<suffix>"),
        (rf"(pod-template-hash[=:] ?\"?)[{_RANDOM}]{{6,10}}\b", r"\1<hash>"),
        (rf"(?<=[a-z0-9])-[{_RANDOM}]{{6,10}}(?![\w-])", "-<hash>"),
        (rf"(?<=[a-z0-9])-[{_RANDOM}]{{5}}(?![\w-])", "-<suffix>"),
        (rf"(?<=\s)(?=\d){_AGE}(?=\s|$)(?<=[ydhms])", "<age>"),
    )
)
_PEM = re.compile(RULES[0][0].pattern, re.DOTALL)
_BLANKS = re.compile(r"(?<=\S)[ \t]{2,}|(?<=\S)\t(?=\S)")


def normalise(text: str, *, explain: bool = False) -> str:
    """The text with everything replaced that must differ; `explain` drops free descriptions."""
    if explain:
        text = _without_descriptions(text)
    text = _PEM.sub(RULES[0][1], text)
    for pattern, replacement in RULES[1:]:
        text = pattern.sub(replacement, text)
    lines = (_BLANKS.sub("  ", line.rstrip()) for line in text.split("\n"))
    return "\n".join(lines)


def _without_descriptions(text: str) -> str:
    kept: list[str] = []
    in_enum = False
    for line in text.split("\n"):
        if line.strip() == "ENUM:":
            in_enum = True
        elif not line.startswith("    "):
            in_enum = False
        if line.startswith("    ") and "\t<" not in line and not in_enum:
            continue
        kept.append(line)
    return "\n".join(kept)
