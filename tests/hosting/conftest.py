"""The installation, the results and the browser of the page tests."""

from tests.ui.conftest import browser, context, installation, page, profiled

__all__ = ["browser", "context", "installation", "page", "profiled"]
