"""What every test shares: where the repository is, and how properties are searched."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import settings
from places import ROOT
from searching import PROFILE, examples

if TYPE_CHECKING:
    from pathlib import Path

settings.register_profile(PROFILE, deadline=None, print_blob=True, max_examples=examples(100))
settings.load_profile(PROFILE)


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository."""
    return ROOT
