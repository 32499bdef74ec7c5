"""Entry of the `pinniped` command, by `-m` or by path."""

import os
import sys

# By path this folder leads the search and the package's root is not on it.
if not __package__:
    sys.path[:] = [entry for entry in sys.path if entry != os.path.dirname(__file__)]
    sys.path.append(os.path.abspath(os.path.join(os.path.dirname(__file__), *[os.pardir] * 4)))

from tutor.sandbox.shims.ending import finish
from tutor.sandbox.shims.pinniped.cli import main

finish(main)
