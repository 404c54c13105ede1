"""Conflicts of identity found by what they say, from whatever place they come again."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Makes the index."""
    op.execute("CREATE INDEX dead_letters_conflicts ON dead_letters (detail) WHERE reason = 'id_conflict'")
