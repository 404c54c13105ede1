"""A store in which everything can be done as it would be, and of which nothing stays."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from workflow.store.faults import translated
from workflow.store.reading import Reading
from workflow.store.store import Store, Writing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection


@contextmanager
def tried(store: Store) -> Iterator[Store]:
    """The store inside one transaction, undone at the end: what is written in it is seen in it, and by nobody else.

    On SQLite all other writers wait meanwhile, on PostgreSQL those of the same dossiers. Raises as `Store.writing`.
    """
    with translated(store.name), store.engine.connect() as connection, connection.begin() as whole:
        try:
            yield _Tried(store, connection)
        finally:
            whole.rollback()


class _Tried(Store):
    def __init__(self, store: Store, connection: Connection) -> None:
        super().__init__(store.name, store.engine, shadow=True)
        self._connection = connection

    @contextmanager
    def writing(self, *, keep: bool = True) -> Iterator[Writing]:
        with translated(self.name), self._connection.begin_nested() as point:
            writing = Writing(self._connection, self._sql, self.name, self._archived, shadow=True)
            yield writing
            writing.end()
            if not keep:
                point.rollback()
        if keep:
            self._archived |= writing.fresh

    @contextmanager
    def reading(self) -> Iterator[Reading]:
        with translated(self.name):
            yield Reading(self._connection, self._sql)
