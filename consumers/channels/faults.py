"""Why a receiver could not be spoken to, in words of ours where the fault is a known one."""

from __future__ import annotations

from socket import gaierror
from ssl import SSLCertVerificationError, SSLError

from workflow.errors import Words


def why(fault: Exception) -> str:
    """What is told of a fault of the network; the system's own words where it is none that is known."""
    given = fault.args[0] if fault.args else None
    if isinstance(given, Words):
        return given
    if isinstance(fault, SSLCertVerificationError):
        return Words("its certificate is not trusted: {said}", said=fault.verify_message)
    if isinstance(fault, SSLError):
        return Words("no encrypted connection: {said}", said=fault.reason or str(fault))
    if isinstance(fault, ConnectionRefusedError):
        return Words("nothing listens at this address")
    if isinstance(fault, ConnectionResetError | BrokenPipeError):
        return Words("it closed the connection")
    if isinstance(fault, gaierror):
        return Words("no host of this name is known")
    if isinstance(fault, TimeoutError):
        return Words("timed out")
    return str(fault) or type(fault).__name__
