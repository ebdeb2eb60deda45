"""The master key: 32 bytes, under which all other keys are wrapped, and where it comes from.

It stands in a file of the data folder, made at first use, or is given (`AUTOGRID_MASTER_KEY`,
`AUTOGRID_MASTER_KEY_FILE`). Each place may hold several, the newest first: that one wraps, the others only unwrap, so
that a change of the master key has no moment in which something does not open. A file that others can read is refused.
"""

import hashlib
import os
import secrets
import stat
from collections.abc import Collection, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple, Protocol

from autogrid.security.secret import Secret

FILE_NAME: Final = "master.key"
HEX_DIGITS: Final = 64
LEAST_DISTINCT: Final = 16
"""Of its 32 bytes so many differ in any key that chance made."""
MAKE_ONE: Final = "openssl rand -hex 32"


class UnableToReadMasterKey(Exception):
    """There is no master key, or none that may be used. The sentence says the mend and holds nothing of the key."""

    code = "master-key-unusable"


class MasterKey(NamedTuple):
    """One master key."""

    id: str
    """Names it without telling it: the start of a hash."""
    hex: Secret
    """64 hexadecimal digits."""

    @property
    def key(self) -> bytes:
        """The 32 bytes."""
        return bytes.fromhex(self.hex.reveal())


class MasterSource(Protocol):
    """Where master keys come from."""

    @property
    def name(self) -> str:
        """For a person: a path, or the name of a setting."""
        ...

    def read(self) -> Sequence[MasterKey]:
        """All there are, at least one, the newest first. Raises `UnableToReadMasterKey`."""
        ...

    def make(self) -> Sequence[MasterKey]:
        """As `read`; one is made where there is none yet and that can be."""
        ...

    def renew(self) -> Sequence[MasterKey]:
        """As `read`, once a new one stands first where that can be."""
        ...

    def settle(self, used: Collection[str]) -> None:
        """Forget those whose ids are not used any more."""
        ...


def new_master_key() -> MasterKey:
    """One made by chance."""
    return _master_key(secrets.token_hex(HEX_DIGITS // 2))


def parse(text: str, name: str) -> tuple[MasterKey, ...]:
    """The master keys of a text, separated by white space. Raises `UnableToReadMasterKey`."""
    words = text.split()
    if not words:
        raise UnableToReadMasterKey(f"{name} is empty; put there what `{MAKE_ONE}` prints")
    for word in words:
        if len(word) != HEX_DIGITS or not set(word) <= set("0123456789abcdefABCDEF"):
            raise UnableToReadMasterKey(
                f"{name} holds something that is no master key; one is {HEX_DIGITS} digits of 0-9 and a-f, as "
                f"`{MAKE_ONE}` prints them"
            )
        if len(set(bytes.fromhex(word))) < LEAST_DISTINCT:
            raise UnableToReadMasterKey(f"{name} was not made by chance; put there what `{MAKE_ONE}` prints")
    return tuple(_master_key(word.lower()) for word in words)


def _master_key(digits: str) -> MasterKey:
    hashed = hashlib.sha256(b"autogrid master key id" + bytes.fromhex(digits)).hexdigest()
    return MasterKey(hashed[:12], Secret(digits))


class GivenMaster:
    """Master keys that were handed in, such as by the environment; nothing is made or changed here."""

    def __init__(self, text: Secret, name: str) -> None:
        self.name = name
        self._text = text

    def read(self) -> tuple[MasterKey, ...]:
        """Those that were handed in."""
        return parse(self._text.reveal(), self.name)

    make = renew = read

    def settle(self, used: Collection[str]) -> None:
        """Nothing to do."""


class MasterFile:
    """Master keys in a file that only its owner reads, one a line."""

    def __init__(self, path: Path, *, own: bool) -> None:
        """`own`: in the data folder, so it is made and rewritten here; else it is only read."""
        self.name = str(path)
        self._path = path
        self._own = own

    def read(self) -> tuple[MasterKey, ...]:
        """Those in the file."""
        try:
            with self._path.open(encoding="utf-8") as file:
                self._check_mode(os.fstat(file.fileno()).st_mode)
                return parse(file.read(), self.name)
        except FileNotFoundError:
            raise UnableToReadMasterKey(
                f"the master key is missing: there is no {self.name}. Put the line of your recovery kit there, or set "
                "AUTOGRID_MASTER_KEY to it; without it no stored key of an exchange can be opened"
                if self._own
                else f"there is no {self.name}, which AUTOGRID_MASTER_KEY_FILE names; make it with "
                f"(umask 077; {MAKE_ONE} > '{self.name}')"
            ) from None
        except (OSError, UnicodeDecodeError) as fault:
            why = fault.strerror if isinstance(fault, OSError) else "it is no text"
            raise UnableToReadMasterKey(f"{self.name} cannot be read: {why}") from None

    def _check_mode(self, mode: int) -> None:
        if os.name == "posix" and stat.S_IMODE(mode) & 0o077:
            raise UnableToReadMasterKey(
                f"others can read the master key in {self.name} ({stat.S_IMODE(mode):o}); run: chmod 600 "
                f"'{self.name}'. If others use this machine, change it too: autogrid keys rotate"
            )

    def make(self) -> tuple[MasterKey, ...]:
        """Those in the file, which is made where there is none."""
        if self._own and not self._path.exists():
            written = self._written((new_master_key(),))
            try:
                with suppress(FileExistsError):  # another process was quicker: theirs counts
                    os.link(written, self._path)
            except OSError as fault:
                raise UnableToReadMasterKey(f"{self.name} cannot be made: {fault.strerror}") from None
            finally:
                written.unlink()
            self._keep_folder()
        return self.read()

    def renew(self) -> tuple[MasterKey, ...]:
        """Those in the file, with a new one first where the file is ours."""
        present = self.read()
        if self._own:
            self._replace((new_master_key(), *present))
        return self.read()

    def settle(self, used: Collection[str]) -> None:
        """Take out those that are not used."""
        present = self.read()
        kept = tuple(key for key in present if key.id in used)
        if self._own and kept and len(kept) < len(present):
            self._replace(kept)

    def _replace(self, keys: Sequence[MasterKey]) -> None:
        try:
            self._written(keys).replace(self._path)
        except OSError as fault:
            raise UnableToReadMasterKey(f"{self.name} cannot be written: {fault.strerror}") from None
        self._keep_folder()

    def _written(self, keys: Sequence[MasterKey]) -> Path:
        """A file beside the true one that holds `keys`, on the disk."""
        path = self._path.with_name(f"{self._path.name}.{secrets.token_hex(4)}")
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(opened, "w", encoding="utf-8") as file:
                file.writelines(f"{key.hex.reveal()}\n" for key in keys)
                file.flush()
                os.fsync(file.fileno())
        except OSError as fault:
            with suppress(OSError):
                path.unlink()
            raise UnableToReadMasterKey(f"{self.name} cannot be written: {fault.strerror}") from None
        return path

    def _keep_folder(self) -> None:
        """Make the name durable as well."""
        if os.name == "posix":
            folder = os.open(self._path.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
