"""Where the repository is. Not in a conftest: there are several, and which one `import conftest` finds is chance."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
