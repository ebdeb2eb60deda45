"""What is sealed opens for its key and in its place, and nowhere else."""

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from autogrid.security.envelope import (
    Place,
    UnableToOpenSecret,
    packed,
    seal,
    unpacked,
    unseal,
    unwrap,
    version_of,
    wrap,
)
from autogrid.security.secret import Secret

HERE = Place("local", "c1", "api_key", "production")
PRIVATE = X25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = packed(PRIVATE.public_key().public_bytes_raw())
CANARY = "kanarienvogel-7f3a"


def sealed(place: Place = HERE, text: str = CANARY) -> str:
    return seal(Secret(text), place, 3, PUBLIC)


@pytest.mark.parametrize("text", [CANARY, "", "ä€😀", "x" * 8_192])
def test_what_is_sealed_comes_out_again(text: str) -> None:
    assert unseal(sealed(text=text), HERE, PRIVATE).reveal() == text
    assert version_of(sealed(text=text)) == 3


@pytest.mark.parametrize(
    "elsewhere",
    [
        HERE._replace(tenant="other"),
        HERE._replace(credential="c2"),
        HERE._replace(field="api_secret"),
        HERE._replace(environment="testing"),
        Place("loca", "lc1", "api_key", "production"),
        Place("localc1", "", "api_key", "production"),
    ],
)
def test_it_does_not_open_in_another_place(elsewhere: Place) -> None:
    with pytest.raises(UnableToOpenSecret) as caught:
        unseal(sealed(), elsewhere, PRIVATE)
    assert CANARY not in str(caught.value)


def test_it_does_not_open_with_another_key_or_under_another_version() -> None:
    with pytest.raises(UnableToOpenSecret):
        unseal(sealed(), HERE, X25519PrivateKey.generate())
    with pytest.raises(UnableToOpenSecret):
        unseal(sealed().replace("v1:3:", "v1:4:"), HERE, PRIVATE)


def test_a_change_of_any_byte_is_seen() -> None:
    form, version, text = sealed(text="abc").split(":")
    content = unpacked(text)
    for at in range(len(content)):
        changed = content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]
        with pytest.raises(UnableToOpenSecret):
            unseal(f"{form}:{version}:{packed(changed)}", HERE, PRIVATE)
    for length in range(len(content)):
        with pytest.raises(UnableToOpenSecret):
            unseal(f"{form}:{version}:{packed(content[:length])}", HERE, PRIVATE)


@pytest.mark.parametrize("damaged", ["", "v1", "v1:3", "v2:3:AAAA", "v1:x:AAAA", "v1:3:A", "v1:3:%%%%", "v1:3:AAAA:"])
def test_what_is_no_sealed_text_is_refused(damaged: str) -> None:
    with pytest.raises(UnableToOpenSecret, match="damaged"):
        unseal(damaged, HERE, PRIVATE)


def test_a_public_key_that_agrees_on_nothing_is_refused() -> None:
    with pytest.raises(UnableToOpenSecret):
        unseal(f"v1:3:{packed(bytes(32 + 12 + 16))}", HERE, PRIVATE)


def test_two_sealings_of_one_secret_have_nothing_in_common() -> None:
    one, other = (unpacked(sealed().split(":")[2]) for _ in range(2))
    assert one[:32] != other[:32]
    assert one[32:44] != other[32:44]
    assert one[44:] != other[44:]
    assert CANARY.encode() not in one


def test_the_form_is_the_one_that_is_written_down_so_that_old_databases_open() -> None:
    """An independent reading of the form in the module's own words."""
    content = base64.urlsafe_b64decode(sealed().split(":")[2])
    ephemeral, nonce, closed = content[:32], content[32:44], content[44:]
    shared = PRIVATE.exchange(X25519PublicKey.from_public_bytes(ephemeral))
    salt = ephemeral + PRIVATE.public_key().public_bytes_raw()
    key = HKDF(SHA256(), 32, salt=salt, info=b"autogrid sealed secret v1").derive(shared)
    words = (b"v1", b"3", b"local", b"c1", b"api_key", b"production")
    bound = b"".join(len(word).to_bytes(4, "big") + word for word in words)
    assert AESGCM(key).decrypt(nonce, closed, bound) == CANARY.encode()


def test_a_text_that_an_earlier_version_sealed_opens() -> None:
    kept = (
        "v1:3:BtG-dvXPLNQVKkbwoQ4FSToS1wJTnCCZ6e7gyAMkODYWegS3o25pvWJtqa8O7Y5Npm8A3YzpjW7OjoGHdSgGZEeRh7xskKaUooxvr4xg"
    )
    assert unseal(kept, HERE, PRIVATE) == Secret(CANARY)


def test_a_wrapped_key_comes_out_under_its_key_and_purpose_only() -> None:
    key, content = bytes(range(32)), bytes(range(32, 64))
    wrapped = wrap(key, content, "data key", "local")
    assert unwrap(key, wrapped, "data key", "local") == content
    for other_key, bound in (
        (bytes(32), ("data key", "local")),
        (key, ("data key", "other")),
        (key, ("data keylocal",)),
    ):
        with pytest.raises(UnableToOpenSecret, match="environment"):
            unwrap(other_key, wrapped, *bound)
    for damaged in ("", "w1", "w1:", "w2" + wrapped[2:], wrapped[:-4]):
        with pytest.raises(UnableToOpenSecret):
            unwrap(key, damaged, "data key", "local")
