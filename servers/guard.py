"""Encryption and names for a broker of the tests: keys made anew each time, in files as an office would have them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final, NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

USER: Final = "dunghen"
PASSWORD: Final = "said by nobody"  # noqa: S105 - of a broker that lives for a test
MECHANISMS: Final = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")
HOST: Final = "127.0.0.1"
LISTENERS: Final = {"TLS": "SSL", "MUTUAL": "SSL", "NAMED": "SASL_SSL", "OPEN": "SASL_PLAINTEXT"}
"""Beside the plain one: encrypted; with certificates of both sides; with a name and a password; these unencrypted."""
_MODULES: Final = "org.apache.kafka.common.security"
_DAYS: Final = 2


class Keys(NamedTuple):
    """Files: an authority's certificate, and a certificate with its key that it signed for the broker and for us."""

    authority: Path
    broker: Path
    certificate: Path
    key: Path


def made_keys(folder: Path) -> Keys:
    """Makes an authority and what it signs, in a folder that is there."""
    authority_key, broker_key, our_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(3))
    authority = _certificate("authority", authority_key, authority_key)
    broker = _certificate("broker", broker_key, authority_key)
    ours = _certificate("dunghen", our_key, authority_key)
    keys = Keys(*(folder / f"{name}.pem" for name in Keys._fields))
    keys.authority.write_bytes(_text(authority))
    keys.broker.write_bytes(_private(broker_key) + _text(broker))
    keys.certificate.write_bytes(_text(ours))
    keys.key.write_bytes(_private(our_key))
    return keys


def guarded(keys: Keys) -> dict[str, str]:
    """The properties of a broker that listens in each of these ways; {tls} and so on stand for the ports."""
    places = ["PLAINTEXT://127.0.0.1:{broker}"]
    places += [f"{name}://{HOST}:{{{name.lower()}}}" for name in LISTENERS]
    protocols = ["CONTROLLER:PLAINTEXT", "PLAINTEXT:PLAINTEXT"]
    protocols += [f"{name}:{protocol}" for name, protocol in LISTENERS.items()]
    properties = {
        "listeners": ",".join([*places, "CONTROLLER://127.0.0.1:{controller}"]),
        "advertised.listeners": ",".join(places),
        "listener.security.protocol.map": ",".join(protocols),
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": str(keys.broker),
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": str(keys.authority),
        "listener.name.mutual.ssl.client.auth": "required",
        "sasl.enabled.mechanisms": ",".join(MECHANISMS),
    }
    for name in ("named", "open"):
        plain = f'{_MODULES}.plain.PlainLoginModule required user_{USER}="{PASSWORD}";'
        properties[f"listener.name.{name}.plain.sasl.jaas.config"] = plain
        for mechanism in MECHANISMS[1:]:
            scram = f"{_MODULES}.scram.ScramLoginModule required;"
            properties[f"listener.name.{name}.{mechanism.lower()}.sasl.jaas.config"] = scram
    return properties


def scram_users() -> Sequence[str]:
    """What the broker is formatted with, so that it knows us by SCRAM from its start."""
    named = (f"{mechanism}=[name={USER},password={PASSWORD}]" for mechanism in MECHANISMS[1:])
    return [word for one in named for word in ("--add-scram", one)]


def _certificate(
    name: str, key: ec.EllipticCurvePrivateKey, signing: ec.EllipticCurvePrivateKey
) -> x509.Certificate:
    now = datetime.now(UTC)
    itself = key is signing
    return (
        x509.CertificateBuilder()
        .subject_name(_named(name))
        .issuer_name(_named("authority"))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=_DAYS))
        .add_extension(x509.BasicConstraints(ca=itself, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(HOST))]), critical=False)
        .sign(signing, hashes.SHA256())
    )


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"dunghen test {name}")])


def _text(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _private(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
