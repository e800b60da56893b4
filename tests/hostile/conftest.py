"""The long version has LONG times the cases, and LONG times the time before a test is held to hang."""

import pytest
from cases import LONG


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Called with the tests of all folders; only those of this one take long."""
    for item in items:
        if LONG > 1 and item.path.parent.name == "hostile":
            item.add_marker(pytest.mark.timeout(900 * LONG))
