"""The `htpasswd` command: bcrypt, MD5 and SHA-1 records, printed or kept in a file.

Source: Apache HTTP Server 2.4, support/htpasswd.c and passwd_common.c; apr_md5.c for `$apr1$`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

_FILE, _SYNTAX, _MISMATCH, _INTERRUPTED, _OVERFLOW, _BAD_USER, _NO_HTPASSWD = 1, 2, 3, 4, 5, 6, 7
_LONGEST = 255
_COSTS = range(4, 18)
_BCRYPT_BYTES = 72
_ITOA64 = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_APR1 = "$apr1$"
_USAGE = """\
Usage:
\thtpasswd [-cimBdpsDv] [-C cost] passwordfile username
\thtpasswd -b[cmBdpsDv] [-C cost] passwordfile username password

\thtpasswd -n[imBdps] [-C cost] username
\thtpasswd -nb[mBdps] [-C cost] username password
 -c  Create a new file.
 -n  Don't update file; display results on stdout.
 -b  Use the password from the command line rather than prompting for it.
 -i  Read password from stdin without verification (for script usage).
 -m  Force MD5 encryption of the password (default).
 -B  Force bcrypt encryption of the password (very secure).
 -C  Set the computing time used for the bcrypt algorithm
     (higher is more secure but slower, default: 5, valid: 4 to 17).
 -d  Force CRYPT encryption of the password (8 chars max, insecure).
 -s  Force SHA encryption of the password (insecure).
 -p  Do not encrypt the password (plaintext, insecure).
 -D  Delete the specified user.
 -v  Verify password for the specified user.
This htpasswd leaves out -d, -2 and -5.
"""


class Failure(Exception):
    """The command ends here; an empty text means that the usage is shown."""

    def __init__(self, code: int, text: str = "") -> None:
        super().__init__(text)
        self.code = code


class Options:
    """A command line, read."""

    def __init__(self) -> None:
        self.letters: set[str] = set()
        self.algorithm = "m"
        self.cost = 0
        self.file = ""
        self.user = ""
        self.password: str | None = None

    def mode(self) -> str:
        """What is done: one of `c`, `n`, `v`, `D`, or "" for an update."""
        chosen = self.letters & set("cnvD")
        if len(chosen) > 1:
            raise Failure(_SYNTAX, "only one of -c -n -v -D may be specified")
        return next(iter(chosen), "")


def main(arguments: Sequence[str]) -> int:
    """Run one command line; the result is the exit code."""
    try:
        return _run(_read(arguments))
    except Failure as failure:
        text = str(failure)
        print(f"htpasswd: {text}" if text else _USAGE, end="\n" if text else "", file=sys.stderr)
        return failure.code
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
        return _INTERRUPTED


def _read(arguments: Sequence[str]) -> Options:
    options = Options()
    rest = list(arguments)
    while rest and rest[0].startswith("-") and rest[0] != "-":
        word = rest.pop(0)
        if word == "--":
            break
        _letters(options, word[1:], rest)
    wanted = 2 + ("b" in options.letters) - (options.mode() == "n")
    if len(rest) != wanted:
        raise Failure(_SYNTAX)
    if options.mode() != "n":
        options.file = rest.pop(0)
    options.user = rest.pop(0)
    options.password = rest.pop(0) if rest else None
    if len(options.file) > _LONGEST:
        raise Failure(_OVERFLOW, "filename too long")
    if len(options.user) > _LONGEST:
        raise Failure(_OVERFLOW, f"username too long (>{_LONGEST})")
    if ":" in options.user:
        raise Failure(_BAD_USER, "username contains illegal character ':'")
    return options


def _letters(options: Options, letters: str, rest: list[str]) -> None:
    while letters:
        letter, letters = letters[0], letters[1:]
        if letter == "C":
            value = letters or (rest.pop(0) if rest else None)
            if value is None:
                raise Failure(_SYNTAX)
            if not value.isdigit() or int(value) == 0:
                raise Failure(_SYNTAX, "argument to -C must be a positive integer")
            options.cost, letters = int(value), ""
        elif letter in "d25":
            name = {"d": "CRYPT", "2": "SHA-256", "5": "SHA-512"}[letter]
            raise Failure(_SYNTAX, f"this htpasswd has no {name}: use -B, which is more secure")
        elif letter in "mBsp":
            options.algorithm = letter
        elif letter in "cnbivD":
            options.letters.add(letter)
        else:
            raise Failure(_SYNTAX)


def _run(options: Options) -> int:
    mode = options.mode()
    if options.algorithm == "p":
        print(
            "Warning: storing passwords as plain text might just not work on this platform.",
            file=sys.stderr,
        )
    if mode in ("", "v", "D"):
        _check_file(options.file)
    if mode == "v":
        return _verify(options)
    record = "" if mode == "D" else f"{options.user}:{_hash(options)}"
    if mode == "n":
        # The record ends its line itself, hence the empty line.
        print(f"{record}\n")
        return 0
    lines = [] if mode == "c" else _lines(options.file)
    return _update(options, lines, record)


def _check_file(path: str) -> None:
    if not os.path.isfile(path):
        raise Failure(_FILE, f"cannot modify file {path}; use '-c' to create it")
    if not os.access(path, os.R_OK | os.W_OK):
        raise Failure(_FILE, f"cannot open file {path} for read/write access")


def _lines(path: str) -> list[str]:
    with open(path, encoding="utf-8", errors="surrogateescape") as file:
        lines = file.read().splitlines()
    for line in lines:
        if line.strip() and not line.lstrip().startswith("#") and ":" not in line:
            raise Failure(
                _NO_HTPASSWD, f"The file {path} does not appear to be a valid htpasswd file."
            )
    return lines


def _update(options: Options, lines: list[str], record: str) -> int:
    named = [line.partition(":")[0] == options.user for line in lines]
    if not record and True not in named:
        print(f"User {options.user} not found", file=sys.stderr)
        return 0
    verb = "Deleting" if not record else "Updating" if True in named else "Adding"
    kept = [
        record if mine else line
        for line, mine in zip(lines, named, strict=True)
        if record or not mine
    ]
    if verb == "Adding":
        kept.append(record)
    try:
        with open(options.file, "w", encoding="utf-8", errors="surrogateescape") as file:
            file.write("".join(f"{line}\n" for line in kept))
    except OSError:
        raise Failure(_FILE, f"cannot create file {options.file}") from None
    print(f"{verb} password for user {options.user}", file=sys.stderr)
    return 0


def _verify(options: Options) -> int:
    records = [line.partition(":") for line in _lines(options.file)]
    known = {user: kept for user, _, kept in records}
    if options.user not in known:
        print(f"User {options.user} not found", file=sys.stderr)
        return _BAD_USER
    if not _matches(known[options.user], _password(options, prompt="Enter password: ")):
        print("password verification failed", file=sys.stderr)
        return _MISMATCH
    print(f"Password for user {options.user} correct.", file=sys.stderr)
    return 0


def _matches(kept: str, password: str) -> bool:
    if kept.startswith(("$2a$", "$2b$", "$2y$")):
        import bcrypt

        try:
            return bcrypt.checkpw(_limited(password), kept.encode("utf-8", "surrogateescape"))
        except ValueError:
            return False
    if kept.startswith(_APR1):
        return _md5(password, kept.split("$")[2]) == kept
    return kept in (_sha1(password), password)


def _hash(options: Options) -> str:
    if options.cost and options.algorithm != "B":
        print("Warning: Ignoring -C argument for this algorithm.", file=sys.stderr)
    password = _password(options)
    if options.algorithm == "B":
        return _bcrypt(password, options.cost or 5)
    if options.algorithm == "s":
        return _sha1(password)
    return password if options.algorithm == "p" else _md5(password, _salt())


def _password(options: Options, prompt: str = "") -> str:
    if options.password is not None:
        password = options.password
    elif "i" in options.letters:
        password = sys.stdin.read().removesuffix("\n").removesuffix("\r")
    else:
        password = _ask(prompt or "New password: ")
        if not prompt and _ask("Re-type new password: ") != password:
            raise Failure(_MISMATCH, "password verification error")
    if len(password) > _LONGEST:
        raise Failure(_OVERFLOW, f"password too long (>{_LONGEST})")
    return password


def _ask(prompt: str) -> str:
    """Ask on the terminal; without one the next line of stdin is the answer."""
    try:
        os.close(os.open("/dev/tty", os.O_RDWR))
    except OSError:
        print(prompt, end="", file=sys.stderr, flush=True)
        answer = sys.stdin.readline()
        print(file=sys.stderr)
        return answer.removesuffix("\n")
    import getpass

    return getpass.getpass(prompt)


def _limited(password: str) -> bytes:
    return password.encode("utf-8", "surrogateescape")[:_BCRYPT_BYTES]


def _bcrypt(password: str, cost: int) -> str:
    if cost not in _COSTS:
        raise Failure(_MISMATCH, "Unable to encode with bcrypt: Invalid argument")
    import bcrypt

    # Apache writes 2y where others write 2b; the two are the same.
    made = bcrypt.hashpw(_limited(password), bcrypt.gensalt(cost)).decode("ascii")
    return made.replace("$2b$", "$2y$", 1)


def _sha1(password: str) -> str:
    import binascii
    import hashlib

    digest = hashlib.sha1(password.encode("utf-8", "surrogateescape")).digest()  # noqa: S324  (-s)
    return "{SHA}" + binascii.b2a_base64(digest, newline=False).decode("ascii")


def _salt() -> str:
    return "".join(_ITOA64[byte & 63] for byte in os.urandom(8))


def _md5(password: str, salt: str) -> str:
    """Apache's variant of the MD5 crypt: a thousand rounds over password and salt."""
    import hashlib

    secret, grains = password.encode("utf-8", "surrogateescape"), salt[:8].encode("ascii")

    def digest(*parts: bytes) -> bytes:
        return hashlib.md5(b"".join(parts)).digest()  # noqa: S324  (the default of htpasswd)

    inner = digest(secret, grains, secret)
    stretched = (inner * (len(secret) // 16 + 1))[: len(secret)]
    bits = bytearray()
    length = len(secret)
    while length:
        bits.append(0 if length & 1 else secret[0])
        length >>= 1
    final = digest(secret, _APR1.encode("ascii"), grains, stretched, bytes(bits))
    for turn in range(1000):
        final = digest(
            secret if turn & 1 else final,
            grains if turn % 3 else b"",
            secret if turn % 7 else b"",
            final if turn & 1 else secret,
        )
    order = ((0, 6, 12), (1, 7, 13), (2, 8, 14), (3, 9, 15), (4, 10, 5))
    text = "".join(
        _to64(final[high] << 16 | final[middle] << 8 | final[low], 4) for high, middle, low in order
    )
    return f"{_APR1}{salt[:8]}${text}{_to64(final[11], 2)}"


def _to64(value: int, digits: int) -> str:
    return "".join(_ITOA64[value >> 6 * place & 63] for place in range(digits))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
