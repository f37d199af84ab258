"""The installation of the analyses' tests: a planted data set, a store, and no way out."""

from tests.analyses.conftest import _offline, planted, store  # noqa: F401
