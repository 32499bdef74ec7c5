"""Shows what comes from the keyboard: how many bytes so far, and the last of them in hexadecimal.

    python reading.py PREPARE

PREPARE is written first, with Python's escapes: modes of the terminal. `quit` ends it.
"""

import os
import sys
import tty

SHOWN_BYTES = 16

tty.setraw(0)
os.write(1, sys.argv[1].encode().decode("unicode_escape").encode() + b"reads <0:>")
got = b""
while not got.endswith(b"quit"):
    got += os.read(0, 4096)
    os.write(1, f"\r\x1b[Kreads <{len(got)}:{got[-SHOWN_BYTES:].hex()}>".encode())
os.write(1, b"\x1b[?1l\r\n")
