"""Lets the tests of solvers import `plain_cleanup`, which stands beside this file."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
