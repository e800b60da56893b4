"""`python -m snnlab` is the command `snnlab`."""

import sys

from snnlab.cli import main

sys.exit(main())
