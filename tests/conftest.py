"""What every test shares: where the repository is, and how properties are searched."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings
from places import ROOT

if TYPE_CHECKING:
    from pathlib import Path

settings.register_profile("full", deadline=None, print_blob=True)
settings.register_profile("quick", settings.get_profile("full"), max_examples=25)
settings.load_profile(os.environ.get("DUNGHEN_TEST_PROFILE", "full"))


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository."""
    return ROOT
