"""What a screen reader or tired eyes would stumble over in a page, as axe-core finds it."""

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

AXE = Axe()
OPTIONS = {"resultTypes": ["violations"]}


def stumbles(page: Page) -> list[str]:
    """Each serious or critical finding: the rule, the element, and what is wrong with it."""
    found = AXE.run(page, options=OPTIONS).response["violations"]
    return [
        f"{rule['id']}: {node['html'][:200]}: {' '.join(node['failureSummary'].split())[:300]}"
        for rule in found
        if rule["impact"] in ("serious", "critical")
        for node in rule["nodes"]
    ]
