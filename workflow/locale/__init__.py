"""The Vietnamese catalogue and its compiled form. Only the build of the catalogue needs babel."""

from __future__ import annotations

from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

_HERE = Path(__file__).parent
_ANY_TIME = datetime(2026, 1, 1, tzinfo=UTC)
"""The format wants dates of its header; a fixed one keeps the bytes the same."""


def po_path() -> Path:
    """The catalogue people edit."""
    return _HERE / "vi.po"


def mo_path() -> Path:
    """The compiled catalogue, in the folders the standard library looks in."""
    return _HERE / "vi" / "LC_MESSAGES" / "dunghen.mo"


def compiled() -> bytes:
    """The catalogue's compiled bytes; the same source gives the same bytes. Needs babel (development only)."""
    from babel.messages import mofile, pofile  # noqa: PLC0415 - babel is no run-time dependency

    with po_path().open("rb") as source:
        catalog = pofile.read_po(source, locale="vi", domain="dunghen", abort_invalid=True)
    catalog.creation_date = catalog.revision_date = _ANY_TIME
    out = BytesIO()
    mofile.write_mo(out, catalog, use_fuzzy=False)
    return out.getvalue()
