"""Dead letters found by where they lay, so that none is kept twice."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Makes the index."""
    op.execute("CREATE INDEX dead_letters_place ON dead_letters (place)")
