"""The vault: a chain of keys from the master key to a secret, and how it is made, opened and changed.

The master key wraps a tenant's data key; the data key wraps the tenant's private key; the private key opens what was
sealed with its public key. All but the master key is kept, wrapped, as a `KeyVersion`. The master key is read anew each
time, so that a change of it needs no restart.
"""

import os
from collections.abc import Sequence
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from autogrid.security.envelope import (
    KEY_BYTES,
    Place,
    UnableToOpenSecret,
    packed,
    seal,
    unseal,
    unwrap,
    version_of,
    wrap,
)
from autogrid.security.master import MasterKey, MasterSource
from autogrid.security.secret import Secret


class UnableToFindMasterKey(UnableToOpenSecret):
    """The keys were wrapped by a master key that is not here."""

    code = "master-key-missing"


class KeyVersion(NamedTuple):
    """What a tenant's secrets are sealed with and opened by, as it is kept."""

    tenant: str
    version: int
    """From 1."""
    master_id: str
    """Of the master key that wraps `data_key`."""
    data_key: str
    """Wrapped."""
    public_key: str
    private_key: str
    """Wrapped by the data key."""


class Sealer:
    """Seals, and cannot open."""

    def __init__(self, environment: str) -> None:
        """`environment`: what is sealed in one does not open in another."""
        self.environment = environment

    def seal(self, secret: Secret, key: KeyVersion, credential: str, field: str) -> str:
        """The secret, sealed for its place."""
        return seal(secret, self._place(key.tenant, credential, field), key.version, key.public_key)

    def _place(self, tenant: str, credential: str, field: str) -> Place:
        return Place(tenant, credential, field, self.environment)


class Vault(Sealer):
    """Seals and opens."""

    def __init__(self, master: MasterSource, environment: str) -> None:
        super().__init__(environment)
        self.master = master

    def first(self, tenant: str) -> KeyVersion:
        """The keys of a tenant who has none; the master key is made where there is none."""
        return self._made(tenant, 1, self.master.make()[0])

    def next(self, after: KeyVersion) -> KeyVersion:
        """Newer keys for the tenant, under the newest master key."""
        return self._made(after.tenant, after.version + 1, self.master.read()[0])

    def rewrapped(self, key: KeyVersion) -> KeyVersion:
        """The same keys under the newest master key."""
        newest = self.master.read()[0]
        wrapped = wrap(newest.key, self._data_key(key), *self._data_bound(key.tenant, key.version, newest.id))
        return key._replace(master_id=newest.id, data_key=wrapped)

    def checked(self, key: KeyVersion) -> KeyVersion:
        """`key` once it is known to be ours: nobody has put another public key in its place."""
        self._private_key(key)
        return key

    def open(self, sealed: str, keys: Sequence[KeyVersion], credential: str, field: str) -> Secret:
        """What was sealed. `keys`: all versions of the tenant. Raises `UnableToOpenSecret`, `UnableToReadMasterKey`."""
        version = version_of(sealed)
        fitting = [key for key in keys if key.version == version]
        if not fitting:
            raise UnableToOpenSecret(
                f"credential {credential} was sealed with keys of version {version}, which are not here; restore a "
                "backup, or add the key anew"
            )
        place = self._place(fitting[0].tenant, credential, field)
        return unseal(sealed, place, self._private_key(fitting[0]))

    def _made(self, tenant: str, version: int, master: MasterKey) -> KeyVersion:
        data_key = os.urandom(KEY_BYTES)
        private = X25519PrivateKey.generate()
        public = packed(private.public_key().public_bytes_raw())
        return KeyVersion(
            tenant=tenant,
            version=version,
            master_id=master.id,
            data_key=wrap(master.key, data_key, *self._data_bound(tenant, version, master.id)),
            public_key=public,
            private_key=wrap(data_key, private.private_bytes_raw(), *self._private_bound(tenant, version, public)),
        )

    def _data_key(self, key: KeyVersion) -> bytes:
        masters = self.master.read()
        fitting = [master for master in masters if master.id == key.master_id]
        if not fitting:
            there = ", ".join(master.id for master in masters)
            raise UnableToFindMasterKey(
                f"the stored keys of exchanges need the master key {key.master_id}, and {self.master.name} holds "
                f"{there}; put the line of the recovery kit there that names it"
            )
        return unwrap(fitting[0].key, key.data_key, *self._data_bound(key.tenant, key.version, key.master_id))

    def _private_key(self, key: KeyVersion) -> X25519PrivateKey:
        bound = self._private_bound(key.tenant, key.version, key.public_key)
        return X25519PrivateKey.from_private_bytes(unwrap(self._data_key(key), key.private_key, *bound))

    def _data_bound(self, tenant: str, version: int, master_id: str) -> tuple[str, ...]:
        return ("data key", tenant, str(version), self.environment, master_id)

    def _private_bound(self, tenant: str, version: int, public_key: str) -> tuple[str, ...]:
        return ("private key", tenant, str(version), self.environment, public_key)
