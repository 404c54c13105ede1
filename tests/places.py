"""Where the repository is, and what is said where the public logs are not.

No conftest: there are several, and which one `import conftest` finds is chance.
"""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOGS_ABSENT = "the public logs are absent from"
"""How the reason begins for which tests of the public logs are skipped."""
