"""`dunghen worker`: reads streams and judges what comes, until it is told to end."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial, wraps
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import click

from consumers.contract.topics import DOSSIERS
from consumers.decoding import decoded, zones_of
from consumers.files.entries import Messages, files_of, identity_of
from consumers.files.sourcefile import SourceFile, open_source_file
from consumers.filestreams import FileStreams
from consumers.intake import kept_in
from consumers.kafkareader import Reader, checks_are_quick
from consumers.worker import PART, Worker
from workflow import log
from workflow.catalogue import load
from workflow.cli.approvals import log_unlisted
from workflow.cli.brokers import broker_options, health_options
from workflow.cli.options import Command, file_limits, kafka_settings
from workflow.cli.running import running, settled
from workflow.cli.stores import store_options
from workflow.errors import UsageError, Words
from workflow.store.looking import backlog

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from consumers.files.limits import FileLimits
    from consumers.streams import Streams
    from workflow.catalogue import Catalogue
    from workflow.cli.brokers import Broker
    from workflow.cli.stores import Place
    from workflow.store.store import Store

KAFKA: Final = "kafka"
FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


class Reading(NamedTuple):
    """What is read and judged by: where from, told by which source, and the folder of definitions."""

    source: str
    told_by: str | None
    procedures: Path | None

    @contextmanager
    def definitions(self) -> Iterator[tuple[Catalogue, Path]]:
        """The definitions, and the folder with the mappings and forms of sources."""
        with resources.as_file(resources.files("processes")) as ours:
            folder = self.procedures or ours
            yield load(folder), folder / "sources"

    def streams(self, store: Store, catalogue: Catalogue, beside: Path, broker: Broker) -> Streams:
        """What is read. Raises UsageError, InputError, BrokerError."""
        if self.source != KAFKA:
            return FileStreams(files_of(_path(self.source)), self._opener(store, catalogue, beside))
        if not checks_are_quick():
            log.warning(
                "slow", said="crc32c is not installed: reading is six times slower without it", part=PART
            )
        topic = broker.prefix + DOSSIERS.name
        return Reader(
            broker.servers,
            [topic],
            kafka_settings(),
            partial(decoded, zones=zones_of(catalogue.sources.values())),
        )

    def _opener(self, store: Store, catalogue: Catalogue, beside: Path) -> Callable[[Path], SourceFile]:
        limits = file_limits()
        if self.told_by is None:
            return partial(_messages, limits=limits)
        source = catalogue.sources.get(self.told_by)
        if source is None:
            raise UsageError(
                "--told-by: expected one of {known}, found {found}; name one of them",
                known=", ".join(catalogue.sources) or Words("none"),
                found=self.told_by,
                reason="unknown_source",
            )
        return lambda path: open_source_file(path, source, beside, limits, known=kept_in(store))


def reading_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """`--source`, `--told-by` and `--procedures`; the command receives them as `reading`."""

    @wraps(command)
    def read(*, source: str, told_by: str | None, procedures: Path | None, **asked: Any) -> Any:  # noqa: ANN401 - whatever the command takes
        return command(reading=Reading(source, told_by, procedures), **asked)

    for option in (_PROCEDURES, _TOLD_BY, _SOURCE):
        read = option(read)
    return read


_SOURCE: Final = click.option(
    "--source",
    default=KAFKA,
    show_default=True,
    metavar="kafka|FILE|DIR",
    help="Where events come from: the topic of dossiers, or files of messages, which end.",
)
_TOLD_BY: Final = click.option(
    "--told-by", help="The source that wrote the files, by its name, where they are not our own messages."
)
_PROCEDURES: Final = click.option(
    "--procedures", type=FOLDER, help="The folder of definitions; by default those that come with us."
)


@click.command(cls=Command)
@reading_options
@store_options
@broker_options
@health_options
@click.option("--shadow", is_flag=True, help="Judge and store, and never send what is said.")
def worker(
    reading: Reading,
    place: Place,
    broker: Broker,
    health_host: str,
    health_port: int,
    shadow: bool,  # noqa: FBT001 - a flag of the command line
) -> int:
    """Read events and judge them, until SIGTERM or the end of the files.

    Several workers share a topic. A worker may be killed at any moment: nothing is lost, nothing is taken twice. Ends
    with 1 where a stream was stopped because its log is not the one that was read before.
    """
    with (
        running((PART,), port=health_port, host=health_host) as process,
        reading.definitions() as (catalogue, beside),
        place.opened(make=True, shadow=shadow) as store,
    ):
        process.metrics.watch(lambda: backlog(store, datetime.now(UTC)))
        log_unlisted(catalogue, PART)
        streams = reading.streams(store, catalogue, beside, broker)
        settled()
        whole = Worker(
            store, catalogue, streams, process.health, process.metrics, patience=process.patience()
        ).run(process.stop)
    return int(not whole)


def _path(source: str) -> Path:
    path = Path(source)
    if not path.exists():
        raise UsageError(
            "--source: expected kafka, or a file or folder that is there, found {found}; correct it",
            found=source,
            reason="no_source",
        )
    return path


def _messages(path: Path, limits: FileLimits) -> SourceFile:
    return SourceFile(Messages(path, limits), identity_of(path))
