"""The store a command works on: its options, and what is looked at in it at two times."""

from __future__ import annotations

from collections import deque
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import wraps
from importlib import resources
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import quote, urlsplit, urlunsplit

import click
import msgspec

from workflow import masking
from workflow.audit.archive import Archive
from workflow.catalogue import Catalogue, Definition, from_archive
from workflow.cli.inputs import FILE, moment, not_yet
from workflow.errors import StoreCorrupt, UsageError
from workflow.facts import Linked, begins_dossier
from workflow.fold import fold
from workflow.judge import FAULTS, named
from workflow.links import stories
from workflow.procedure.reader import fingerprint, read_procedures
from workflow.settings import secret_in
from workflow.standing import stand
from workflow.store import looking as counts
from workflow.store.judgments import judged, told_under
from workflow.store.opening import open_store
from workflow.store.rows import EPOCH

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from zoneinfo import ZoneInfo

    from workflow.facts import Fact
    from workflow.model import Dossier
    from workflow.rules import Rules
    from workflow.store.looking import Contents
    from workflow.store.rows import DossierRow
    from workflow.store.store import Reading, Store

DEFAULT: Final = "var/dunghen.db"
LAST: Final = datetime.max.replace(tzinfo=UTC)


class Place(NamedTuple):
    """Where a store is: a path or URL, and the file of its password."""

    where: str
    password: Path | None

    @property
    def there(self) -> bool:
        """Whether there is a store: that of a URL is taken to be."""
        return "://" in self.where or Path(self.where).exists()

    @contextmanager
    def opened(self, *, make: bool = False, shadow: bool = False) -> Iterator[Store]:
        """The store, closed at the end. `make`: an SQLite file that is not there is made. `shadow`: nothing that is
        said is ever sent.

        Raises UsageError where it is not there, StoreError where it cannot be opened.
        """
        if "://" not in self.where:
            _check_file(Path(self.where), make=make)
        store = open_store(self._url(), shadow=shadow)
        try:
            yield store
        finally:
            store.close()

    def _url(self) -> str:
        parts = urlsplit(self.where)
        if parts.password is not None:
            raise UsageError(
                "--store: expected no password in the URL, found one; put it into a file and name that with "
                "--store-password",
                reason="password_in_url",
            )
        if self.password is None:
            return self.where
        secret = quote(secret_in(self.password, "--store-password"), safe="")
        masking.hide(secret)
        user, at, host = parts.netloc.rpartition("@")
        return urlunsplit(parts._replace(netloc=f"{user}:{secret}{at}{host}"))


class Judged(NamedTuple):
    """A dossier of the store, judged. `code`: the procedure its facts name. `blocked`: why its newest
    facts could not be judged. `duplicate`: of another dossier."""

    rules: Rules
    dossier: Dossier
    code: str | None
    blocked: str | None
    duplicate: bool


class Seen:
    """A store as of two moments. `at` is the moment asked about, or now; `asked_at` and `known_at` only what was
    asked for. Nothing asked: the judgments as they are kept; else every dossier is folded at those moments."""

    def __init__(self, store: Store, asked_at: str | None, known_at: str | None, now: datetime) -> None:
        """Raises UsageError for a moment that is none, DefinitionError for archived definitions that do not agree."""
        self.store = store
        with store.reading() as reading:
            archived = reading.definitions()
        self.zone = _catalogue(archived).zone
        self.asked_at = moment(asked_at, self.zone, "--at")
        self.known_at = moment(known_at, self.zone, "--known-at")
        if self.known_at is not None:
            with store.reading() as reading:
                archived = reading.definitions(self.known_at)
        self.catalogue = _catalogue(archived).catalogue
        self.now = now
        self.at = self.asked_at or self.known_at or now
        self._blocked = counts.blocked(store)
        linked = {subject: self._own(subject) for subject in counts.linked(store)}
        self.duplicates = frozenset(self._duplicates(linked))
        found = stories(self.catalogue.orders, linked, known_at=self.known_at, valid_at=self.asked_at)
        self._stories = {code: story for story in found if story.others for code in story.codes}
        self._done, self._all = 0, counts.dossiers(store)

    def progress(self) -> tuple[int, int]:
        """Dossiers looked at so far, and all there are."""
        return self._done, self._all

    def contents(self) -> Contents:
        """What the store holds beside its dossiers, now."""
        return counts.contents(self.store)

    def judged(self) -> Iterator[Judged]:
        """Every dossier by its code, one after the other, one of several codes by its last; those of which nothing was
        known yet are left out."""
        self._done = 0
        with self.store.reading() as reading:
            if self.asked_at is None and self.known_at is None:
                yield from self._kept(reading)
            else:
                yield from self._asked(reading)

    def _kept(self, reading: Reading) -> Iterator[Judged]:
        for row in reading.dossiers():
            self._done += 1
            if told_under(row) == row.subject and (row.facts or row.linked):
                yield self._judged(self._of(row), judged(row), row.code, row.blocked)

    def _asked(self, reading: Reading) -> Iterator[Judged]:
        heads = deque(sorted({story.head for story in self._stories.values()}))
        for subject, found in groupby(reading.facts(), key=lambda fact: fact.subject):
            self._done += 1
            while heads and heads[0] <= subject:
                yield from self._story(heads.popleft())
            if subject not in self._stories and (one := self._folded(subject, found)) is not None:
                yield one
        for head in heads:
            yield from self._story(head)

    def one(self, subject: str) -> Judged:
        """One dossier, folded; one that cannot be, as it was last judged. Raises UsageError where nothing is known of
        it then."""
        if self.asked_at is None and self.known_at is None:
            row = self.row(subject)
            if row.blocked is not None:
                return self._judged(self._of(row), judged(row), row.code, row.blocked)
        found = self._folded(self._head(subject), self.facts(subject))
        if found is None:
            raise not_yet(self.store.name, subject)
        return found

    def facts(self, subject: str) -> list[Fact]:
        """All facts of a dossier, under all its codes. Raises UsageError where there is none of that code: an officer
        or a source is none."""
        story = self._stories.get(subject)
        found = self._own(*(story.codes if story else (subject,)))
        if not begins_dossier(found):
            raise UsageError(
                "{store}: no dossier {subject}; its code must be written exactly as its source writes it",
                store=self.store.name,
                subject=subject,
                reason="no_dossier",
            )
        return found

    def _own(self, *codes: str) -> list[Fact]:
        with self.store.reading() as reading:
            return list(reading.facts(codes))

    def _head(self, subject: str) -> str:
        """The code a dossier goes on under."""
        story = self._stories.get(subject)
        return subject if story is None else story.head

    def _story(self, head: str) -> Iterator[Judged]:
        found = self._folded(head, self.facts(head))
        if found is not None:
            yield found

    def row(self, subject: str) -> DossierRow:
        """What is kept of a dossier. Raises UsageError where there is none of that code, StoreCorrupt where its row is
        gone."""
        with self.store.reading() as reading:
            found = next(iter(reading.dossiers([subject])), None)
        if found is None:
            raise StoreCorrupt(
                "{store}: dossier {subject} has {facts} facts and no row; restore the last backup",
                store=self.store.name,
                subject=subject,
                facts=len(self.facts(subject)),
            )
        return found

    def rules(self, facts: Iterable[Fact]) -> Rules:
        """The rules that judge a dossier of these facts, as far as they were known."""
        return self.catalogue.rules_for(self.known(facts))

    def known(self, facts: Iterable[Fact]) -> list[Fact]:
        """Those of the facts that were recorded by the moment asked about."""
        known_at = self.known_at
        if known_at is None:
            return list(facts)
        return [fact for fact in facts if fact.recorded_at is None or fact.recorded_at <= known_at]

    def _folded(self, subject: str, facts: Iterable[Fact]) -> Judged | None:
        known = self.known(facts)
        if not begins_dossier(known):
            return None
        try:
            judged = fold(self.catalogue.rules_for(known), subject, known, valid_at=self.asked_at)
            if subject in self._blocked:
                judged.rules.clock.deadlines(judged.dossier, at=self.at)
        except FAULTS as fault:
            rules = next(iter(self.catalogue.family(None).values()))
            return self._judged(rules, rules.start(subject), None, str(fault))
        if judged.dossier.last_key is None:
            return None
        return self._judged(judged.rules, judged.dossier, named(judged.facts), None)

    def _judged(self, rules: Rules, dossier: Dossier, code: str | None, blocked: str | None) -> Judged:
        story = self._stories.get(dossier.subject)
        codes = (dossier.subject,) if story is None else story.codes
        return Judged(rules, dossier, code, blocked, not self.duplicates.isdisjoint(codes))

    def _of(self, row: DossierRow) -> Rules:
        found = self.catalogue.rules(row.procedure, row.revision)
        if found is None:
            raise UsageError(
                "{store}: dossier {subject} was judged by {procedure} {revision}, which is not archived there; restore "
                "the store from its last backup",
                store=self.store.name,
                subject=row.subject,
                procedure=row.procedure,
                revision=row.revision,
                reason="not_archived",
            )
        return found

    def _duplicates(self, linked: Mapping[str, Iterable[Fact]]) -> Iterator[str]:
        """The dossiers that say they are the duplicate of another, and were not corrected since."""
        for subject, facts in linked.items():
            standing = stand(self.catalogue.orders, self.known(facts), None, self.asked_at)
            links = [one.fact.body for one in standing.placed if isinstance(one.fact.body, Linked)]
            if any(link.kind == "duplicate_of" for link in links):
                yield subject


class Looking(NamedTuple):
    """What a command was asked to look at: a store, and as of when."""

    place: Place
    at: str | None
    known_at: str | None

    @contextmanager
    def opened(self) -> Iterator[Seen]:
        """The store as of those moments. Raises what `Place.opened` and `Seen` raise."""
        with self.place.opened() as store:
            yield Seen(store, self.at, self.known_at, datetime.now(UTC))


def store_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """`--store` and `--store-password`; the command receives them as `place`."""

    @wraps(command)
    def placed(*, store: str, store_password: Path | None, **asked: Any) -> Any:  # noqa: ANN401 - whatever the command takes
        return command(place=Place(store, store_password), **asked)

    for option in (_PASSWORD, _STORE):
        placed = option(placed)
    return placed


def looking_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The store, `--at` and `--known-at`; the command receives them as `looking`."""
    return _looking(command, _AT)


def log_or_store_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The same for a command that may be given a log in place of a store."""
    return _looking(command, _AT_OF_LOG)


def _looking(command: Callable[..., Any], at_option: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(command)
    def looked(*, place: Place, at: str | None, known_at: str | None, **asked: Any) -> Any:  # noqa: ANN401 - as above
        return command(looking=Looking(place, at, known_at), **asked)

    return store_options(at_option(_KNOWN_AT(looked)))


_STORE: Final = click.option(
    "--store",
    "--database",
    "store",
    default=DEFAULT,
    show_default=True,
    envvar="DUNGHEN_STORE",
    help="The store: a SQLite file, or a URL such as postgresql://user@host/name.",
)
_PASSWORD: Final = click.option(
    "--store-password",
    type=FILE,
    envvar="DUNGHEN_STORE_PASSWORD",
    help="The file that holds the store's password.",
)
_AT: Final = click.option("--at", help="As it was at this date or time; by default now.")
_AT_OF_LOG: Final = click.option(
    "--at", help="As it was at this date or time; by default now, in a file at the dossier's last event."
)
_KNOWN_AT: Final = click.option(
    "--known-at", help="As it was known at this date or time; by default all that is known."
)


def archive_of(reading: Reading) -> Archive:
    """The definitions a store has kept, at each instant it kept some."""
    return Archive(reading.definitions_between(EPOCH, LAST), _generic())


class _Known(NamedTuple):
    catalogue: Catalogue
    zone: ZoneInfo


def _catalogue(archived: list[Definition]) -> _Known:
    """The archived definitions, and our generic procedure where no dossier needed one yet."""
    generic = _generic()
    if not any(one.kind == "procedure" and one.name == generic.name for one in archived):
        archived = [generic, *archived]
    found = from_archive(archived)
    return _Known(found, next(iter(found.family(None).values())).zone)


def _generic() -> Definition:
    with resources.as_file(resources.files("processes") / "generic.yaml") as path:
        (revision,) = read_procedures(path)
    # Without its calendar: where it judges nothing yet, that need not be archived.
    plain = msgspec.structs.replace(revision, calendar=None)
    return Definition(
        "procedure", revision.procedure, revision.revision, fingerprint(plain), msgspec.json.encode(plain)
    )


def _check_file(path: Path, *, make: bool) -> None:
    if path.is_dir():
        raise UsageError(
            "{store}: expected the file of a store, found a folder; name the file in it with --store",
            store=str(path),
            reason="folder",
        )
    if path.exists() or (make and path.parent.is_dir()):
        return
    if make and str(path) == DEFAULT:
        path.parent.mkdir(exist_ok=True)
        return
    if make:
        raise UsageError(
            "{store}: there is no folder {folder} to make it in; make the folder, or name another with --store",
            store=str(path),
            folder=str(path.parent),
            reason="no_folder",
        )
    raise UsageError(
        "{store}: there is no such store; name another with --store, or fill one with: dunghen import FILE",
        store=str(path),
        reason="no_store",
    )
