"""The JSON Schema that is published beside the documentation."""

from __future__ import annotations

import json
from pathlib import Path

from cleanup_icn.contracts import contract_schema

PUBLISHED = Path(__file__).parents[2] / "docs" / "contract.schema.json"


def test_it_is_the_one_that_the_package_gives():
    assert json.loads(PUBLISHED.read_text(encoding="utf-8")) == contract_schema()
