"""A broker that encrypts and asks who we are: every way in works, and what is wrong is said once, in words, at once."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any, Final

import pytest
from working import Office

from consumers.contract.outgoing import Record
from consumers.kafka import Publisher
from consumers.kafkasettings import KafkaSettings
from servers.guard import MECHANISMS, PASSWORD, USER, Keys, guarded, made_keys, scram_users
from servers.kafka import Kafka

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.timeout(180)


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    return made_keys(tmp_path_factory.mktemp("keys"))


@pytest.fixture(scope="module")
def broker(keys: Keys) -> Iterator[Kafka]:
    """A broker of this file alone: it listens in every way there is."""
    with Kafka(guarded(keys), users=scram_users()) as found:
        yield found


@pytest.fixture
def inside(broker: Kafka, database: str, name: str, tmp_path: Path) -> Iterator[Office]:
    """A topic on it, made by its plain port."""
    found = Office(broker.bootstrap, database, f"{name}.", tmp_path)
    found.make_topic()
    yield found
    found.close()


@pytest.fixture
def password(tmp_path: Path) -> Path:
    path = tmp_path / "password"
    path.write_text(f"{PASSWORD}\n", encoding="utf-8")
    return path


def ways(broker: Kafka, keys: Keys, password: Path) -> dict[str, dict[str, Any]]:
    """The settings of each way in."""
    tls = {"KAFKA_TLS": "true", "KAFKA_CA_FILE": keys.authority}
    ours = {"KAFKA_CERTIFICATE_FILE": keys.certificate, "KAFKA_KEY_FILE": keys.key}
    named = {"KAFKA_USER": USER, "KAFKA_PASSWORD_FILE": password}
    found: dict[str, dict[str, Any]] = {
        "tls": {"BROKERS": broker.at("tls"), **tls},
        "mutual": {"BROKERS": broker.at("mutual"), **tls, **ours},
    }
    for mechanism in MECHANISMS:
        sasl = {**named, "KAFKA_SASL": mechanism}
        found[f"named {mechanism}"] = {"BROKERS": broker.at("named"), **tls, **sasl}
        found[f"open {mechanism}"] = {"BROKERS": broker.at("open"), **sasl}
    return found


@pytest.mark.parametrize(
    "way", ["tls", "mutual", *(f"named {mechanism}" for mechanism in MECHANISMS), "open SCRAM-SHA-256"]
)
def test_a_worker_reads_by_every_way_in(
    inside: Office, broker: Kafka, keys: Keys, password: Path, messages: list[bytes], way: str
) -> None:
    inside.send(messages[:50])
    worker = inside.worker(**ways(broker, keys, password)[way])
    inside.read_to(50)
    assert worker.end() == 0
    assert inside.count("facts") > 0
    assert PASSWORD not in worker.log.read_text(encoding="utf-8")


def test_every_command_that_asks_the_broker_gets_in(
    inside: Office, broker: Kafka, keys: Keys, password: Path, messages: list[bytes]
) -> None:
    inside.send(messages[:20])
    settings = ways(broker, keys, password)["named SCRAM-SHA-512"]
    worker = inside.worker(**settings)
    inside.read_to(20)
    assert worker.end() == 0
    for words in (
        ("topics", "create", "--dry-run"),
        ("source", "check", inside.topic, "--source", "one-stop"),
    ):
        done = inside.run(*words, **settings)
        assert done.returncode < 2, done.stderr
    done = inside.run("position", "set", inside.topic, "0", "0", **settings)
    assert done.returncode == 0, done.stderr
    told = inside.run("status", "--output", "json", **settings).stdout
    assert '"lag":' in told
    assert '"end":null' not in told.replace(" ", "")


def test_what_is_said_goes_out_by_a_name_and_a_password(
    inside: Office, broker: Kafka, keys: Keys, password: Path
) -> None:
    settings = KafkaSettings(
        tls=True, ca_file=str(keys.authority), sasl="PLAIN", user=USER, password_file=str(password)
    )
    with closing(Publisher(broker.at("named"), **settings.security())) as publish:
        publish([Record(inside.topic, b"key", b"{}", ())])
    inside.worker()
    inside.read_to(1)


WRONG: Final = {
    "password PLAIN": ("named PLAIN", "DUNGHEN_KAFKA_PASSWORD_FILE"),
    "password unencrypted": ("open SCRAM-SHA-512", "DUNGHEN_KAFKA_PASSWORD_FILE"),
    "authority": ("tls", "DUNGHEN_KAFKA_CA_FILE"),
    "no authority in the file": ("tls", "DUNGHEN_KAFKA_CA_FILE"),
    "host": ("tls", "a name its certificate holds"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_setting_ends_the_worker_at_once_with_one_line_that_says_what_to_do(
    broker: Kafka, inside: Office, keys: Keys, password: Path, tmp_path: Path, wrong: str
) -> None:
    way, advice = WRONG[wrong]
    settings = ways(broker, keys, password)[way]
    if wrong.startswith("password"):
        password.write_text("another", encoding="utf-8")
    elif wrong.startswith("authority"):
        settings["KAFKA_CA_FILE"] = made_keys(tmp_path).authority
    elif wrong == "host":
        settings["BROKERS"] = settings["BROKERS"].replace("127.0.0.1", "localhost")
    else:
        settings["KAFKA_CA_FILE"] = keys.key
    worker = inside.worker(**settings)
    assert worker.process.wait(60) == 3
    (said,) = [line for line in worker.log.read_text(encoding="utf-8").splitlines() if line[:1] != "{"]
    assert settings["BROKERS"] in said
    assert "expected" in said, "it was tried again until the time was over"
    assert advice in said
    assert not [one for one in worker.lines("library") if one["library"].startswith("kafka.net")]


def test_a_port_that_does_not_encrypt_is_said_when_the_time_to_connect_is_over(
    broker: Kafka, inside: Office, keys: Keys, password: Path
) -> None:
    """A broker that is starting breaks connections off too, so this alone is waited for."""
    settings = ways(broker, keys, password)["tls"] | {"BROKERS": broker.bootstrap}
    worker = inside.worker(**settings)
    assert worker.process.wait(60) == 3
    said = worker.log.read_text(encoding="utf-8").splitlines()[-1]
    assert "Handshake failed" in said
    assert "DUNGHEN_KAFKA_TLS" in said


def test_a_file_that_is_not_there_is_wrong_use(office: Office, tmp_path: Path) -> None:
    for name in ("CA_FILE", "PASSWORD_FILE"):
        settings = {
            "KAFKA_TLS": "true",
            "KAFKA_SASL": "PLAIN",
            "KAFKA_USER": USER,
            f"KAFKA_{name}": tmp_path / "no",
        }
        done = office.run("topics", "create", "--dry-run", **settings)
        assert done.returncode == 2
        assert str(tmp_path / "no") in done.stderr
