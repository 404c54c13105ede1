"""Wrong settings are one readable line before anything starts, in either language, and never a fault of ours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from commands import dunghen

from consumers.kafkasettings import KafkaSettings
from workflow.cli.main import run
from workflow.cli.options import file_limits, kafka_settings, retry_settings
from workflow.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.mark.parametrize(
    ("read", "key", "most"),
    [
        (kafka_settings, "DUNGHEN_KAFKA_BATCH_RECORDS_MAX", 2**31 - 1),
        (kafka_settings, "DUNGHEN_KAFKA_FETCH_BYTES_MAX", 2**31 - 1),
        (kafka_settings, "DUNGHEN_KAFKA_POLL_TIMEOUT_MS", 60_000),
        (retry_settings, "DUNGHEN_RETRY_WAIT_MOST_MS", 2**31 - 1),
        (file_limits, "DUNGHEN_LIMIT_LINE_BYTES_MAX", 2**63 - 1),
    ],
)
def test_a_number_that_the_machinery_cannot_take_is_refused(
    read: Callable[[dict[str, str]], object], key: str, most: int
) -> None:
    read({key: str(most)})
    with pytest.raises(UsageError, match=rf"{key}={most + 1}: expected a whole number from 1 to {most}"):
        read({key: str(most + 1)})


@pytest.mark.parametrize(
    ("read", "given"),
    [
        (retry_settings, {"DUNGHEN_RETRY_WAIT_LEAST_MS": "20000"}),
        (file_limits, {"DUNGHEN_LIMIT_EARLIEST": "2200-01-01T00:00:00Z"}),
    ],
)
def test_the_least_above_the_most_is_refused(
    read: Callable[[dict[str, str]], object], given: dict[str, str]
) -> None:
    with pytest.raises(UsageError, match=f"expected no less than {next(iter(given))}") as found:
        read(given)
    assert found.value.code == "out_of_order"


@pytest.mark.parametrize("brokers", ["", "foo", "127.0.0.1:x", "kafka:0", "kafka:99999", ":9092", "a:1,,b:2"])
def test_an_address_that_is_none_is_told_before_it_is_looked_for(brokers: str) -> None:
    for words in (("topics", "create"), ("status",), ("source", "check", "dunghen.dossiers")):
        found = dunghen(*words, "--brokers", brokers, status=2)
        assert "expected addresses such as kafka.example:9092" in found.stderr


@pytest.mark.parametrize(
    ("content", "told"), [(b"\xb2\x00", "bytes that are no text"), (b"\n", "an empty file")]
)
def test_a_secret_that_cannot_be_read_is_told_with_its_file(
    content: bytes, told: str, tmp_path: Path
) -> None:
    file = tmp_path / "password"
    file.write_bytes(content)
    found = dunghen("status", "--store", "postgresql://u@127.0.0.1:1/x", "--store-password", file, status=2)
    assert found.stderr.startswith(
        f"{file}: expected a file that holds a password and nothing else, found {told}"
    )
    settings = KafkaSettings(sasl="PLAIN", user="u", password_file=str(file))
    with pytest.raises(
        UsageError, match=f"found {told}; correct it, or the path in DUNGHEN_KAFKA_PASSWORD_FILE"
    ):
        settings.security()


@pytest.mark.parametrize(
    ("settings", "missing"),
    [
        ({"ca_file": "ca.pem"}, "DUNGHEN_KAFKA_TLS=true"),
        ({"password_file": "kafka"}, "DUNGHEN_KAFKA_SASL"),
        ({"user": "dunghen", "tls": True}, "DUNGHEN_KAFKA_SASL"),
    ],
)
def test_what_would_protect_the_connection_is_never_left_unused_in_silence(
    settings: dict[str, Any], missing: str
) -> None:
    with pytest.raises(UsageError, match=f"set {missing} too"):
        KafkaSettings(**settings).security()


def test_a_folder_is_no_store() -> None:
    for folder in ("/", "."):
        assert "found a folder" in dunghen("status", "--store", folder, status=2).stderr


def test_a_wrong_setting_is_told_in_vietnamese(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.setenv("DUNGHEN_KAFKA_TLS", "maybe")
    assert run(["--lang", "vi", "status"]) == 2
    assert "cần true hoặc false; hãy sửa" in capsys.readouterr().err
