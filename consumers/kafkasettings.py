"""How Kafka is reached and read: one structure, each field under `DUNGHEN_KAFKA_` and its name in the environment."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Final, Literal

from msgspec import Meta, Struct

from workflow.errors import UsageError
from workflow.settings import Whole32, secret_in

PREFIX: Final = "DUNGHEN_KAFKA_"


class KafkaSettings(Struct, frozen=True, kw_only=True):
    """Times in milliseconds, sizes in bytes; files by their paths, empty where there is none.

    `group`: workers of one group share the partitions. `member`: the name of this worker for static membership: one
    that comes back within the session gets its partitions again without a rebalance. `tls`: encrypts, checking the
    broker by `ca_file` or the system's authorities; `certificate_file` and `key_file` say who we are. `sasl`: a name
    and the password in a file instead. `session_timeout_ms`: how long a silent worker keeps its partitions.
    `poll_interval_max_ms`: how long one batch may take before the worker counts as stuck. `batch_records_max`: records
    of one transaction. `fetch_bytes_max`: what a broker answers at once, at most half of it of one partition; with the
    number of partitions it bounds what is fetched ahead.
    `poll_timeout_ms`: how long a poll waits for the first record; a signal to stop is seen within it.
    `log_check_ms`: how often the log is looked at: whether it is still the same, and reaches as far as we have read.
    """

    group: Annotated[str, Meta(min_length=1)] = "dunghen"
    member: str = ""
    tls: bool = False
    ca_file: str = ""
    certificate_file: str = ""
    key_file: str = ""
    sasl: Literal["", "PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = ""
    user: str = ""
    password_file: str = ""
    session_timeout_ms: Whole32 = 15_000
    poll_interval_max_ms: Whole32 = 300_000
    batch_records_max: Whole32 = 1_000
    fetch_bytes_max: Whole32 = 8 << 20
    poll_timeout_ms: Annotated[int, Meta(ge=1, le=60_000)] = 200
    log_check_ms: Whole32 = 5_000

    def security(self) -> dict[str, Any]:
        """The library's settings of encryption and identity.

        Raises UsageError where a file or a name is missing, or is named and would not be used.
        """
        self._refuse_unused()
        found: dict[str, Any] = {"security_protocol": _protocol(tls=self.tls, sasl=bool(self.sasl))}
        if self.tls:
            found["ssl_check_hostname"] = True
            files = {
                "ssl_cafile": self.ca_file,
                "ssl_certfile": self.certificate_file,
                "ssl_keyfile": self.key_file,
            }
            found.update({name: str(_readable(path)) for name, path in files.items() if path})
            # Without it a key that is locked would be asked for at the terminal; as it is, it is refused.
            found["ssl_password"] = ""
        if self.sasl:
            found["sasl_mechanism"] = self.sasl
            found["sasl_plain_username"] = self.user
            found["sasl_plain_password"] = self._password()
        return found

    def _refuse_unused(self) -> None:
        """Who names an authority or a password takes the connection for encrypted, or for one that asks who comes."""
        unused = {
            "TLS=true": (not self.tls, ("ca_file", "certificate_file", "key_file")),
            "SASL": (not self.sasl, ("user", "password_file")),
        }
        for wanted, (without, names) in unused.items():
            for name in names:
                if without and getattr(self, name):
                    raise UsageError(
                        "{key} is set and nothing would use it: set {wanted} too, or unset it",
                        key=PREFIX + name.upper(),
                        wanted=PREFIX + wanted,
                        reason="unused_setting",
                    )

    def _password(self) -> str:
        if not self.user or not self.password_file:
            raise UsageError(
                "{sasl} needs a name and a password: set {prefix}USER and {prefix}PASSWORD_FILE",
                sasl=self.sasl,
                prefix=PREFIX,
                reason="no_password",
            )
        return secret_in(Path(self.password_file), f"{PREFIX}PASSWORD_FILE")


def _readable(file: str) -> Path:
    path = Path(file)
    try:
        path.open("rb").close()
    except OSError as fault:
        raise UsageError(
            "{file}: expected a file that can be read, found none ({found}); correct the path in {prefix}*_FILE",
            file=file,
            found=fault.strerror or type(fault).__name__,
            prefix=PREFIX,
            reason="no_file",
        ) from fault
    return path


def _protocol(*, tls: bool, sasl: bool) -> str:
    return {(False, False): "PLAINTEXT", (True, False): "SSL", (False, True): "SASL_PLAINTEXT"}.get(
        (tls, sasl), "SASL_SSL"
    )


DEFAULT: Final = KafkaSettings()
