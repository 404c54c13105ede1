"""What every test shares: where the repository is, and how properties are searched."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("dunghen", deadline=None, print_blob=True)
settings.load_profile("dunghen")

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository."""
    return ROOT
