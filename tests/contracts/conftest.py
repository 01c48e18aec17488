"""Lets the tests of contracts import `contract_worlds`, which stands beside this file."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
