"""How a secret is sealed: for whoever holds a private key, and for one place only.

Sealing needs the public key alone, so what takes a secret in need not be able to open it. A sealed text names the
version of the key that opens it. It is bound to its place: moved to another credential, field, tenant or environment,
it does not open.

A sealed text is `v1:VERSION:BASE64` of an ephemeral X25519 public key (32 bytes), a nonce (12) and what AES-256-GCM
gives under a key that HKDF-SHA256 makes of the agreed secret. A wrapped key is `w1:BASE64` of a nonce and AES-256-GCM.
"""

import base64
import binascii
import os
from typing import Final, NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from autogrid.security.secret import Secret

KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12
SEALED: Final = "v1"
WRAPPED: Final = "w1"


class UnableToOpenSecret(Exception):
    """What was sealed does not open here. The sentence says what would help; it holds nothing of the secret."""

    code = "secret-not-opened"


class Place(NamedTuple):
    """Where a secret belongs; it opens nowhere else."""

    tenant: str
    credential: str
    """Its id."""
    field: str
    environment: str


def seal(secret: Secret, place: Place, version: int, public_key: str) -> str:
    """The secret as only the private key of `version` opens it."""
    recipient = unpacked(public_key)
    ephemeral = X25519PrivateKey.generate()
    public = ephemeral.public_key().public_bytes_raw()
    key = _agreed(ephemeral, X25519PublicKey.from_public_bytes(recipient), public + recipient)
    nonce = os.urandom(NONCE_BYTES)
    closed = AESGCM(key).encrypt(nonce, secret.reveal().encode(), _bound(SEALED, str(version), *place))
    return f"{SEALED}:{version}:{packed(public + nonce + closed)}"


def unseal(sealed: str, place: Place, private_key: X25519PrivateKey) -> Secret:
    """What was sealed for this private key and this place. Raises `UnableToOpenSecret`."""
    version, content = _parts(sealed)
    public, rest = content[:KEY_BYTES], content[KEY_BYTES:]
    try:
        sender = X25519PublicKey.from_public_bytes(public)
        key = _agreed(private_key, sender, public + private_key.public_key().public_bytes_raw())
        nonce, closed = rest[:NONCE_BYTES], rest[NONCE_BYTES:]
        return Secret(AESGCM(key).decrypt(nonce, closed, _bound(SEALED, str(version), *place)).decode())
    except (InvalidTag, ValueError):
        raise UnableToOpenSecret(
            f"the {place.field} of credential {place.credential} was changed, moved from another place, or sealed in "
            f"another environment than '{place.environment}'; restore a backup, or add the key anew"
        ) from None


def version_of(sealed: str) -> int:
    """Of the key that opens it. Raises `UnableToOpenSecret`."""
    return _parts(sealed)[0]


def wrap(key: bytes, content: bytes, *bound: str) -> str:
    """A key under another, bound to what it is for."""
    nonce = os.urandom(NONCE_BYTES)
    return f"{WRAPPED}:{packed(nonce + AESGCM(key).encrypt(nonce, content, _bound(WRAPPED, *bound)))}"


def unwrap(key: bytes, wrapped: str, *bound: str) -> bytes:
    """What `wrap` was given. Raises `UnableToOpenSecret`."""
    form, _, text = wrapped.partition(":")
    try:
        content = unpacked(text)
        nonce, closed = content[:NONCE_BYTES], content[NONCE_BYTES:]
        if form == WRAPPED:
            return AESGCM(key).decrypt(nonce, closed, _bound(WRAPPED, *bound))
    except (InvalidTag, ValueError):
        pass
    raise UnableToOpenSecret(
        "the vault's keys were changed, or made in another environment (AUTOGRID_ENVIRONMENT); restore a backup, or "
        "set the environment in which they were made"
    )


def packed(content: bytes) -> str:
    """Bytes as text."""
    return base64.urlsafe_b64encode(content).decode()


def unpacked(text: str) -> bytes:
    """Bytes from `packed`. Raises ValueError."""
    return base64.b64decode(text, altchars=b"-_", validate=True)


def _parts(sealed: str) -> tuple[int, bytes]:
    try:
        form, version, text = sealed.split(":")
        if form == SEALED:
            return int(version), unpacked(text)
    except (ValueError, binascii.Error):
        pass
    raise UnableToOpenSecret("a sealed secret is damaged, or was written by a newer AutoGrid; update, or add it anew")


def _agreed(own: X25519PrivateKey, other: X25519PublicKey, both: bytes) -> bytes:
    shared = own.exchange(other)  # raises ValueError for a public key that leads nowhere
    return HKDF(SHA256(), KEY_BYTES, salt=both, info=b"autogrid sealed secret v1").derive(shared)


def _bound(*words: str) -> bytes:
    """Words as associated data, each with its length, so that no two lists of words give the same."""
    encoded = [word.encode() for word in words]
    return b"".join(len(word).to_bytes(4, "big") + word for word in encoded)
