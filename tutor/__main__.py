"""`python -m tutor` is the `tutor` command."""

import sys

from tutor.cli.main import main

sys.exit(main())
