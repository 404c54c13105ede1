"""A campaign of faults: everything is killed, stopped and begun again while a random month flows, and in the end there
must be what a run that nothing disturbed leaves. `make fault KILLS=1000 SEED=7`.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter, deque
from contextlib import closing, suppress
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import psycopg
from comparing import (
    Verdict,
    arrived,
    differences,
    kept,
    known,
    let_time_pass,
    letters_arrived,
    letters_said,
    said,
    verdict,
)
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from nursery import ENDED, Birth, Nursery, Place
from working import undisturbed, until
from workload import workload

from consumers.contract.topics import DOSSIERS, TOPICS
from consumers.kafka import make_topics
from servers.kafka import Kafka
from servers.postgres import Postgres
from workflow.catalogue import load
from workflow.errors import UsageError
from workflow.store.opening import open_store

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from workload import Sent

PREFIX: Final = "fault."
WORKERS: Final = 3
WITHIN_S: Final = 180.0
CHUNK: Final = (2, 12)
"""New messages between two faults, at least and at most; as many old ones are sent again."""
WEIGHTS: Final = {
    "kill worker": 48,
    "kill relay": 16,
    "kill ticker": 8,
    "stall worker": 8,
    "stall relay": 4,
    "rebalance": 10,
    "database restart": 3,
    "broker restart": 2,
    "broker stall": 1,
}
"""How often each fault is drawn."""
SHOWN, LINE_CHARS = 20, 2_000
"""Of what differs."""
AWAY: Final = frozenset({"StoreUnreachable", "BrokerUnreachable"})
"""Why a process may end by itself: at its start nothing answered, so it said so and ended, to be started again."""
SILENT: Final = "silent"
UNSENT: Final = (
    "SELECT (SELECT count(*) FROM outbox WHERE sent_at IS NULL AND NOT withheld)"
    " + (SELECT count(*) FROM dead_letters WHERE sent_at IS NULL)"
)


def plan(kills: int, choose: random.Random) -> list[str]:
    """So many faults in a random order, of each kind at least one where there is room."""
    drawn = choose.choices(list(WEIGHTS), list(WEIGHTS.values()), k=max(0, kills - len(WEIGHTS)))
    found = [*WEIGHTS, *drawn][:kills]
    choose.shuffle(found)
    return found


class Campaign:
    """Servers, processes and a workload under faults. All that is random comes of one seed."""

    def __init__(self, kafka: Kafka, postgres: Postgres, nursery: Nursery, database: str, seed: int) -> None:
        self.choose = random.Random(seed)
        self.database = database
        self.born = 0
        self.alone: list[int] = []  # process ids of those that ended without being told
        self.happened: Counter[str] = Counter()
        self.longest_s = 0.0  # in which nothing was read though something was there
        self._kafka = kafka
        self._postgres = postgres
        self._nursery = nursery
        self._producer = KafkaProducer(
            bootstrap_servers=kafka.bootstrap, linger_ms=5, delivery_timeout_ms=600_000, acks="all"
        )
        self._asking: psycopg.Connection[Any] | None = None
        self._sent: deque[Any] = deque()  # not yet known to be acknowledged
        self._ends: dict[int, int] = {}
        self._wanted = [*(f"worker-{number}" for number in range(WORKERS)), "relay-0", "relay-1", "ticker"]
        self._living: dict[str, int] = {}
        self._stalled: list[int] = []
        self._faults: dict[str, Callable[[], None]] = {
            "kill worker": lambda: self._kill(f"worker-{self.choose.randrange(WORKERS)}"),
            "kill relay": lambda: self._kill(f"relay-{self.choose.randrange(2)}"),
            "kill ticker": lambda: self._kill("ticker"),
            "stall worker": lambda: self._stall(f"worker-{self.choose.randrange(WORKERS)}"),
            "stall relay": lambda: self._stall(f"relay-{self.choose.randrange(2)}"),
            "rebalance": self._rebalance,
            "database restart": self._restart_database,
            "broker restart": self._restart_broker,
            "broker stall": self._stall_broker,
        }

    def heal(self) -> None:
        """Everything lives that should; what ended by itself is kept."""
        for name in self._wanted:
            pid = self._living.get(name)
            if pid is not None and _lives(pid):
                continue
            if pid is not None:
                self.alone.append(pid)
            kind = name.partition("-")[0]
            member = name if kind == "worker" else ""
            self._living[name] = self._bear(Birth(kind, member, self.choose.choice((3, 20, 200))))

    def send(self, messages: Sequence[Sent]) -> None:
        """Puts messages on the topic; acknowledged when the campaign is over."""
        self._sent.extend(
            self._producer.send(PREFIX + DOSSIERS.name, key=one.key, value=one.value) for one in messages
        )

    def hit(self, fault: str) -> None:
        """Lets some of the work be done, a random part of a second more, and then the fault happen."""
        at, began = self._read(), time.monotonic()
        until(lambda: self._read() > at or self._idle(), f"work before {fault}", WITHIN_S)
        self.longest_s = max(self.longest_s, time.monotonic() - began)
        time.sleep(self.choose.uniform(0, 0.08))  # where in the work it hits is left to chance
        self._faults[fault]()
        self.happened[fault] += 1
        if len(self._stalled) > 2:
            self._wake(self._stalled.pop(0))

    def finish(self) -> None:
        """Heals for good, and waits until everything is read and sent."""
        while self._stalled:
            self._wake(self._stalled.pop())
        self._producer.flush()
        for future in self._sent:
            future.get(60)
        self._producer.close()
        end = self._end_of_log()

        def done() -> bool:
            self.heal()
            return self._read() == end

        until(done, "everything read", WITHIN_S)

    def drain(self) -> None:
        """Waits until everything said is sent, and ends all."""

        def done() -> bool:
            self.heal()
            return bool(self._value(UNSENT) == 0)

        until(done, "everything sent", WITHIN_S)
        for pid in self._living.values():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
        until(lambda: not any(map(_lives, self._living.values())), "all ended when told", WITHIN_S)
        if self._asking is not None:
            self._asking.close()

    def end_ticker(self) -> None:
        """No more ticks but ours."""
        self._kill("ticker", heal=False)
        self._wanted.remove("ticker")
        del self._living["ticker"]

    def _bear(self, birth: Birth) -> int:
        self.born += 1
        return self._nursery.bear(birth)

    def _kill(self, name: str, *, heal: bool = True) -> None:
        pid = self._signal(name, signal.SIGKILL)
        until(lambda: not _lives(pid), f"{name} gone")
        if heal:
            del self._living[name]
            self.heal()

    def _stall(self, name: str) -> None:
        """Stopped, a session and more perhaps, while the others of its kind go on."""
        self._stalled.append(self._signal(name, signal.SIGSTOP))

    def _signal(self, name: str, number: signal.Signals) -> int:
        """Sends a signal to one that lives, which it surely gets; its process id."""
        while True:
            self.heal()
            pid = self._living[name]
            with suppress(ProcessLookupError):
                os.kill(pid, number)
                return pid

    def _wake(self, pid: int) -> None:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)

    def _rebalance(self) -> None:
        """One more joins the group and leaves it, politely or not."""
        name = "guest"
        guest = self._living.pop(name, None)
        if guest is None:
            self._living[name] = self._bear(Birth("worker"))
            return
        with suppress(ProcessLookupError):
            os.kill(guest, self.choose.choice((signal.SIGTERM, signal.SIGKILL)))

    def _restart_database(self) -> None:
        self._postgres.kill()
        until(self._begun_again, "the database begun again", WITHIN_S)

    def _begun_again(self) -> bool:
        # The old server's children may hold its memory for a moment.
        try:
            self._postgres.restart()
        except UsageError:
            return False
        return True

    def _restart_broker(self) -> None:
        self._kafka.kill()
        self._kafka.restart()

    def _stall_broker(self) -> None:
        self._kafka.stall()
        try:
            time.sleep(self.choose.uniform(0.5, 2.5))  # the fault is the time it takes
        finally:
            self._kafka.resume()

    def _idle(self) -> bool:
        while self._sent and self._sent[0].is_done:
            record = self._sent.popleft().get(0)
            self._ends[record.partition] = max(self._ends.get(record.partition, 0), record.offset + 1)
        return not self._sent and self._read() >= sum(self._ends.values())

    def _read(self) -> int:
        return int(self._value("SELECT coalesce(sum(position), 0) FROM positions") or 0)

    def _value(self, statement: str) -> Any:
        try:
            if self._asking is None:
                self._asking = psycopg.connect(self.database, autocommit=True)
            row = self._asking.execute(statement).fetchone()
        except psycopg.OperationalError:
            if self._asking is not None:
                self._asking.close()
            self._asking = None
            return None
        return row and row[0]

    def _end_of_log(self) -> int:
        topic = PREFIX + DOSSIERS.name
        with closing(KafkaConsumer(bootstrap_servers=self._kafka.bootstrap)) as consumer:
            partitions = [TopicPartition(topic, one) for one in consumer.partitions_for_topic(topic)]
            return sum(consumer.end_offsets(partitions).values())


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


class Came(NamedTuple):
    """What came of a campaign: how many faults of each kind happened, the longest time in seconds in which nothing was
    read though something was there, and how many processes ended by themselves for which reason."""

    happened: Counter[str]
    longest_s: float
    alone: Counter[str]
    verdict: Verdict


def run(faults: Sequence[str], seed: int, folder: Path, tell: Callable[[str], None]) -> Came:
    """Runs a campaign of these faults, one after the other."""
    tell(f"seed {seed}")
    choose = random.Random(seed)
    messages = workload(folder, len(faults) * sum(CHUNK) // 2, seed)
    with Kafka() as kafka, Postgres() as postgres:
        for name in ("disturbed", "calm"):
            postgres.run(f"CREATE DATABASE {name} TEMPLATE template0")
            open_store(postgres.url(name)).close()
        make_topics(kafka.bootstrap, PREFIX, TOPICS, replicas=1, make=True)
        place = Place(kafka.bootstrap, postgres.url("disturbed"), PREFIX, str(folder / "processes.log"))
        with Nursery(place) as nursery:
            campaign = Campaign(kafka, postgres, nursery, place.database, seed)
            _disturb(campaign, faults, messages, choose, tell)
            with resources.as_file(resources.files("processes")) as definitions:
                catalogue = load(definitions)
            campaign.finish()
            campaign.end_ticker()
            let_time_pass(place.database, catalogue)
            campaign.drain()
        undisturbed(postgres.url("calm"), [one.value for one in messages])
        let_time_pass(postgres.url("calm"), catalogue)
        told = (
            said(place.database, PREFIX),
            arrived(kafka.bootstrap, PREFIX),
            said(postgres.url("calm"), PREFIX),
        )
        wanted = kept(postgres.url("calm"))
        letters = letters_said(place.database), letters_arrived(kafka.bootstrap, PREFIX)
        ours = kept(place.database)
        found = verdict(ours, wanted, told, *letters)
        for line in differences(ours, wanted, told[1], told[2])[:SHOWN]:
            tell(f"differing: {line[:LINE_CHARS]}")
        tell(", ".join(f"{kind}: {count}" for kind, count in sorted(campaign.happened.items())))
        tell(f"longest without progress: {campaign.longest_s:.1f} s")
        tell(
            f"compared: {len(wanted.facts)} facts, {len(wanted.dossiers)} dossiers with their judgments,"
            f" {len(wanted.alerts)} alerts, {len(wanted.letters)} dead letters,"
            f" {len(known(told[2]))} outcomes and alerts a consumer knows"
        )
        alone = reasons(Path(place.log), campaign.alone)
        why = ", ".join(f"{reason}: {count}" for reason, count in sorted(alone.items()))
        tell(
            f"{len(messages)} messages of a month, sent once or more; {campaign.born} processes begun,"
            f" {len(campaign.alone)} ended by themselves{f' ({why})' if why else ''}; {len(told[0])} messages said,"
            f" {len(told[1])} arrived, and {len(letters[1])} of {len(letters[0])} dead letters"
        )
    return Came(campaign.happened, campaign.longest_s, alone, found)


def reasons(logged: Path, pids: Sequence[int]) -> Counter[str]:
    """Why these processes ended, by what they said last; `silent` where one said nothing."""
    said: dict[int, str] = {}
    for line in logged.read_text(encoding="utf-8").splitlines():
        with suppress(ValueError):  # of one that was killed while it wrote
            one = json.loads(line)
            if one["event"] == ENDED:
                said[one["pid"]] = one["reason"]
    return Counter(said.get(pid, SILENT) for pid in pids)


def _disturb(
    campaign: Campaign,
    faults: Sequence[str],
    messages: Sequence[Sent],
    choose: random.Random,
    tell: Callable[[str], None],
) -> None:
    began = time.monotonic()
    at = 0
    campaign.heal()
    for number, fault in enumerate(faults, 1):
        left = len(faults) - number
        size = len(messages) - at if not left else choose.randint(*CHUNK)
        old = choose.sample(messages[:at], min(at, choose.randint(0, CHUNK[1])))
        campaign.send([*messages[at : at + size], *old])
        at = min(at + size, len(messages))
        campaign.hit(fault)
        campaign.heal()
        if number % 100 == 0 or not left:
            a_minute = number / (time.monotonic() - began) * 60
            tell(f"{number} faults, {a_minute:.0f} a minute")


def main() -> int:
    """Exits with 1 where anything is lost, twice or differing."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=None, help="by default another each time")
    asked = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the servers end too
    seed = random.SystemRandom().randrange(10**6) if asked.seed is None else asked.seed
    with tempfile.TemporaryDirectory(prefix="dunghen-fault-") as folder:
        faults = plan(asked.kills, random.Random(seed))
        came = run(faults, seed, Path(folder), lambda line: print(line, flush=True))
    lost, twice, differing = came.verdict
    print(f"kills {came.happened.total()}, lost {lost}, twice {twice}, differing {differing}")
    return int(any(came.verdict))


if __name__ == "__main__":
    sys.exit(main())
