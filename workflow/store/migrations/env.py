"""Runs the migrations on the connection the store hands over. Alembic calls this file by its path."""

from alembic import context

context.configure(connection=context.config.attributes["connection"], transactional_ddl=False)
context.run_migrations()
