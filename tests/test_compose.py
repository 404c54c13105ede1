"""The compose file and the Dockerfile, as far as they can be held without Docker: names, settings, closed doors.

No Docker engine runs where these tests do: the containers themselves are not started by them.
"""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import Any, Final

import click
import pytest
import yaml

from servers import kafka as servers_kafka
from workflow.cli.main import dunghen
from workflow.cli.options import environment_twins

ROOT: Final = Path(__file__).resolve().parent.parent
COMPOSE: Final[dict[str, Any]] = yaml.safe_load((ROOT / "docker-compose.yml").read_bytes())
SERVICES: Final[dict[str, dict[str, Any]]] = COMPOSE["services"]
OURS: Final = {name: one for name, one in SERVICES.items() if one["image"].startswith("dunghen:")}
DOCKERFILE: Final = (ROOT / "Dockerfile").read_text()
KNOWN_KEYS: Final = {
    "name",
    "services",
    "volumes",
    "secrets",
    "image",
    "build",
    "user",
    "read_only",
    "tmpfs",
    "cap_drop",
    "security_opt",
    "restart",
    "stop_grace_period",
    "environment",
    "healthcheck",
    "ports",
    "depends_on",
    "command",
    "entrypoint",
    "shm_size",
    "profiles",
}


def test_every_key_is_one_that_compose_has() -> None:
    unknown = {key for key in COMPOSE if not key.startswith("x-")} - KNOWN_KEYS
    unknown |= {key for one in SERVICES.values() for key in one} - KNOWN_KEYS
    assert not unknown


def test_kafka_postgresql_worker_ticker_and_relay_are_there() -> None:
    assert set(SERVICES) == {"kafka", "postgres", "topics", "worker", "ticker", "relay", "notify"}
    assert set(OURS) == {"topics", "worker", "ticker", "relay", "notify"}
    assert [name for name, one in SERVICES.items() if "profiles" in one] == ["notify"]


@pytest.mark.parametrize("name", OURS)
def test_each_of_ours_runs_a_command_there_is(name: str) -> None:
    command: click.Command = dunghen
    context = click.Context(dunghen)
    for word in OURS[name]["command"]:
        assert isinstance(command, click.Group)
        found = command.get_command(context, word)
        assert found is not None, f"{name}: dunghen {word}"
        command = found


def test_every_setting_is_one_that_a_command_reads() -> None:
    known = set(environment_twins(dunghen, "DUNGHEN"))
    told = {key for one in OURS.values() for key in one["environment"]}

    assert told
    assert not told - known


def test_images_are_pinned_to_a_version() -> None:
    bases = re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)
    for image in [one["image"] for one in SERVICES.values()] + bases:
        assert re.fullmatch(r"[a-z/]+:\d+\.\d+(\.\d+)?(-[a-z-]+)?", image), image
    assert SERVICES["kafka"]["image"] == f"apache/kafka:{servers_kafka.VERSION}"


def test_the_image_is_built_by_one_service_alone() -> None:
    assert [name for name, one in SERVICES.items() if "build" in one] == ["topics"]


@pytest.mark.parametrize(("status", "ends"), [(0, 0), (1, 0), (2, 1), (3, 1)])
def test_topics_that_differ_hold_up_no_worker(tmp_path: Path, status: int, ends: int) -> None:
    """With a command of that name that ends so, since the real one needs a broker."""
    (tmp_path / "dunghen").write_text(f'#!/bin/sh\n[ "$*" = "topics create" ] && exit {status}\nexit 9\n')
    (tmp_path / "dunghen").chmod(0o755)
    one = SERVICES["topics"]
    words = [str(word).replace("$$", "$") for word in (*one["entrypoint"], *one["command"])]
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    assert subprocess.run(words, env={"PATH": path}, check=False).returncode == ends


def test_the_database_is_asked_where_it_listens_only_once_it_is_made() -> None:
    asked = SERVICES["postgres"]["healthcheck"]["test"]
    assert asked[asked.index("-h") + 1] == "127.0.0.1"


def test_every_port_is_bound_to_this_machine_alone() -> None:
    ports = [port for one in SERVICES.values() for port in one.get("ports", [])]

    assert len(ports) == len(set(ports)) == 6
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_nobody_is_root_and_nobody_may_become_it() -> None:
    for name, one in SERVICES.items():
        assert int(one["user"].partition(":")[0]) > 0, name
        assert one["cap_drop"] == ["ALL"], name
        assert one["security_opt"] == ["no-new-privileges:true"], name
        assert one.get("read_only", False) or name == "kafka", name
    assert re.search(r"^USER 10001:10001$", DOCKERFILE, re.MULTILINE)


def test_the_only_password_is_in_a_file_that_the_user_makes() -> None:
    assert COMPOSE["secrets"] == {"postgres-password": {"file": "./secrets/postgres-password"}}
    assert not (ROOT / "secrets").exists() or "/secrets/" in (ROOT / ".gitignore").read_text().splitlines()
    said = [
        (name, key)
        for name, one in SERVICES.items()
        for key in one["environment"]
        if "PASSWORD" in key and not str(one["environment"][key]).startswith("/run/secrets/")
    ]
    assert not said
    assert "@postgres" in OURS["worker"]["environment"]["DUNGHEN_STORE"]
    assert SERVICES["postgres"]["environment"]["POSTGRES_PASSWORD_FILE"].startswith("/run/secrets/")
    assert "trust" not in SERVICES["postgres"]["environment"]["POSTGRES_INITDB_ARGS"]


def test_whatever_keeps_running_is_watched_and_what_it_needs_is_waited_for() -> None:
    for name, one in SERVICES.items():
        if name == "topics":
            continue
        assert one["healthcheck"]["test"][0] == "CMD", name
    for one in OURS.values():
        for other, how in one["depends_on"].items():
            assert other in SERVICES
            assert how["condition"] in {"service_healthy", "service_completed_successfully"}


def test_data_lies_in_named_volumes() -> None:
    mounted = [volume for one in SERVICES.values() for volume in one.get("volumes", [])]
    ours = {volume for volume in mounted if volume.startswith("./")}

    assert ours == {"./channels:/etc/dunghen:ro"}
    names = [volume.partition(":")[0] for volume in mounted if volume not in ours]
    assert sorted(names) == sorted(COMPOSE["volumes"]) == ["kafka", "postgres"]


def test_kafka_advertises_what_it_listens_to_and_what_others_are_told() -> None:
    told = SERVICES["kafka"]["environment"]
    listening = dict(one.split("://") for one in told["KAFKA_LISTENERS"].split(","))
    advertised = dict(one.split("://") for one in told["KAFKA_ADVERTISED_LISTENERS"].split(","))
    protocols = dict(one.split(":") for one in told["KAFKA_LISTENER_SECURITY_PROTOCOL_MAP"].split(","))

    assert set(listening) == set(protocols) == {*advertised, "CONTROLLER"}
    assert all(listening[name].split(":")[1] == advertised[name].split(":")[1] for name in advertised)
    assert advertised["INSIDE"] == OURS["worker"]["environment"]["DUNGHEN_BROKERS"]
    assert SERVICES["kafka"]["ports"] == [f"{advertised['HOST']}:19092"]
    assert told["KAFKA_INTER_BROKER_LISTENER_NAME"] in advertised


def test_the_image_is_of_this_version_and_built_from_what_it_needs() -> None:
    version = re.search(r'^version = "(.+)"', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert version
    assert {one["image"] for one in OURS.values()} == {f"dunghen:{version[1]}"}
    let_in = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    copied = set(re.findall(r"^COPY (\S+) ", DOCKERFILE, re.MULTILINE)) - {".", "--from=build"}
    assert copied <= let_in
    assert {"workflow", "consumers", "processes", "pyproject.toml", "README.md", "LICENSE"} <= let_in
    assert all((ROOT / name).exists() for name in let_in)
