"""Keys of exchanges as a person asks for them: added once they are known to be safe, checked, listed, removed.

Nothing is stored before the exchange was asked what the key may do. What is stored is sealed, and opened in two places:
where a check asks the exchange, and where the engine opens an account (`opened`). Each opening is on record.
"""

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Final, NamedTuple, Protocol, TypeAlias

from autogrid.engine.venue import Balance, ExchangeAway, ExchangeRefused, ExchangeUnclear, Rights
from autogrid.security.secret import Secret, scrubbed
from autogrid.security.vault import UnableToFindMasterKey, Vault
from autogrid.services.bots import now_ms
from autogrid.services.key_rights import TITLES, Verdict, judge
from autogrid.services.keys import newest_of, versions_of
from autogrid.storage.bots import PAPER
from autogrid.storage.credentials import (
    LOCAL,
    CredentialRow,
    CredentialState,
    UnableToKeepCredential,
    add_credential,
    bots_using,
    find_credential,
    hold_credential,
    list_credentials,
    new_credential_id,
    note,
    remove_credential,
    set_checked,
)
from autogrid.storage.database import Database

FIELDS: Final = ("api_key", "api_secret")
NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")
NOT_NAMES: Final = frozenset({PAPER, "all"})
LONGEST: Final = 8_192
"""Of a key or a secret; one in the form of a file (PEM) has some thousand."""


class UnableToUseKey(Exception):
    """The key is not one that may be stored. The sentence says why and what would be right; nothing was stored."""

    code = "key-refused"


class UnableToVouchForKey(UnableToUseKey):
    """The exchange does not say what the key may do, and nobody vouches for it."""

    code = "key-unsaid"


class UnableToCheckKey(Exception):
    """The exchange cannot be asked now. Nothing was stored or changed."""

    code = "key-not-checked"


class UnableToRemoveKey(Exception):
    """Bots need the key still. The sentence names them."""

    code = "key-in-use"


class Account(Protocol):
    """What a check needs of an account on an exchange; part of `Venue`."""

    async def rights(self) -> Rights:
        """What the key may do."""
        ...

    async def balances(self) -> Mapping[str, Balance]:
        """By asset."""
        ...

    async def aclose(self) -> None:
        """Give the connections back."""
        ...


OpenAccount: TypeAlias = Callable[[str, Secret, Secret], Awaitable[Account]]
"""An account from the exchange's id, the key and its secret; may raise as `Venue` does."""


class NewKey(NamedTuple):
    """A key as a person hands it in."""

    exchange: str
    name: str
    """What bots call their account."""
    api_key: Secret
    secret: Secret
    vouched: bool = False
    """The person has looked, and says that the key can neither withdraw nor transfer."""


class Checked(NamedTuple):
    """A key after a check."""

    row: CredentialRow
    warnings: tuple[str, ...]


class Opened(NamedTuple):
    """A key, open."""

    exchange: str
    api_key: Secret
    secret: Secret


async def add(database: Database, vault: Vault, open_account: OpenAccount, new: NewKey, by: str) -> Checked:
    """Store a key that the exchange says is safe.

    Raises `UnableToUseKey`, `UnableToVouchForKey`, `UnableToCheckKey`, `UnableToKeepCredential`, and where the vault
    cannot be used `UnableToReadMasterKey` and `UnableToOpenSecret`. Whatever is raised, nothing was stored.
    """
    new = _tidy(new)
    async with database.reading() as connection:
        if any(row.name == new.name for row in await list_credentials(connection)):
            raise UnableToKeepCredential(f"a key named '{new.name}' exists already; choose another --name")
    rights = await _asked(open_account, Opened(new.exchange, new.api_key, new.secret))
    verdict = judge(new.exchange, rights, vouched=new.vouched)
    if verdict.state == "refused":
        raise UnableToUseKey(verdict.reason)
    if verdict.state == "unsaid":
        raise UnableToVouchForKey(verdict.reason)
    now, credential_id = now_ms(), new_credential_id()
    async with database.writing() as connection:
        keys = await newest_of(connection, vault, LOCAL, now)
        fields = dict(zip(FIELDS, (new.api_key, new.secret), strict=True))
        row = CredentialRow(
            id=credential_id,
            tenant=LOCAL,
            name=new.name,
            exchange=new.exchange,
            sealed={name: vault.seal(secret, keys, credential_id, name) for name, secret in fields.items()},
            rights=rights,
            confirmed=new.vouched,
            state="good",
            reason="",
            created_ms=now,
            checked_ms=now,
        )
        await add_credential(connection, row)
        await note(connection, now, by, "sealed", credential_id, f"{new.name} of {new.exchange}")
    return Checked(row, verdict.warnings)


def _tidy(new: NewKey) -> NewKey:
    """The key without what a clipboard leaves around it. Raises `UnableToUseKey`, `UnableToKeepCredential`."""
    exchange = new.exchange.strip().lower()
    if exchange not in TITLES:
        raise UnableToUseKey(f"'{new.exchange}' is no exchange on which bots trade; there are {', '.join(TITLES)}")
    if NAME.fullmatch(new.name) is None or new.name.lower() in NOT_NAMES:
        raise UnableToKeepCredential(
            f"'{new.name}' cannot be the name of a key; take up to 40 letters, digits, dots and dashes, and neither "
            f"{' nor '.join(sorted(NOT_NAMES))}"
        )
    api_key, secret = _typed(new.api_key, "API key"), _typed(new.secret, "secret")
    if api_key == secret:
        raise UnableToUseKey("the API key and the secret are the same text; copy each from its own field")
    return new._replace(exchange=exchange, api_key=api_key, secret=secret)


def _typed(given: Secret, what: str) -> Secret:
    text = given.reveal().strip()
    if not text:
        raise UnableToUseKey(f"the {what} is empty")
    line = text.replace("\n", "").replace("\r", "").replace(" ", "") if text.startswith("-----BEGIN ") else text
    if len(text) > LONGEST or not line.isascii() or not line.isprintable() or " " in line:
        raise UnableToUseKey(
            f"the {what} holds a space, a strange character or too many; copy it anew, and nothing else"
        )
    return Secret(text)


async def check(database: Database, vault: Vault, open_account: OpenAccount, meant: str, by: str) -> Checked:
    """Ask the exchange anew what a stored key may do, and keep the verdict: its state is `good` or `refused` then.

    Raises `UnableToFindCredential`, `UnableToCheckKey` (nothing is changed then), and as the vault does.
    """
    async with database.reading() as connection:
        row = await find_credential(connection, meant)
    key = await opened(database, vault, row.id, by, "to check it")
    try:
        rights = await _asked(open_account, key)
        verdict = judge(row.exchange, rights, vouched=row.confirmed)
    except UnableToUseKey as refusal:
        rights, verdict = row.rights, Verdict("refused", str(refusal))
    async with database.writing() as connection:
        state: CredentialState = "good" if verdict.state == "good" else "refused"
        await set_checked(connection, row, state, verdict.reason, rights, now_ms())
        return Checked(await find_credential(connection, row.id), verdict.warnings)


async def listed(database: Database) -> list[CredentialRow]:
    """All keys, oldest first."""
    async with database.reading() as connection:
        return await list_credentials(connection)


async def found(database: Database, meant: str) -> CredentialRow:
    """The key with that name or id. Raises `UnableToFindCredential`."""
    async with database.reading() as connection:
        return await find_credential(connection, meant)


async def remove(database: Database, meant: str, by: str) -> CredentialRow:
    """Erase a key. Raises `UnableToFindCredential`, and `UnableToRemoveKey` while a bot needs it."""
    async with database.writing() as connection:
        row = await find_credential(connection, meant)
        bots = await bots_using(connection, row)
        if bots:
            names = ", ".join(bots[:10]) + (", …" if len(bots) > 10 else "")
            raise UnableToRemoveKey(f"{row.name} is used by {names}; end or delete them first")
        await remove_credential(connection, row)
        await note(connection, now_ms(), by, "removed", row.id, f"{row.name} of {row.exchange}")
        return row


async def opened(database: Database, vault: Vault, meant: str, by: str, purpose: str = "") -> Opened:
    """The key with that name or id, open; put on record first.

    Raises `UnableToFindCredential`, `UnableToReadMasterKey`, `UnableToOpenSecret`.
    """
    try:
        return await _opened(database, vault, meant, by, purpose)
    except UnableToFindMasterKey:  # it may have been changed between the reading of the one and of the other
        return await _opened(database, vault, meant, by, purpose)


async def _opened(database: Database, vault: Vault, meant: str, by: str, purpose: str) -> Opened:
    async with database.writing() as connection:
        row = await hold_credential(connection, meant)
        keys = await versions_of(connection, row.tenant)
        api_key, secret = (vault.open(row.sealed.get(field, ""), keys, row.id, field) for field in FIELDS)
        await note(connection, now_ms(), by, "opened", row.id, purpose, tenant=row.tenant)
    return Opened(row.exchange, api_key, secret)


async def _asked(open_account: OpenAccount, key: Opened) -> Rights:
    """What the key may do, once it has shown that it reads the account. Raises `UnableToUseKey`, `UnableToCheckKey`."""
    title = TITLES.get(key.exchange, key.exchange)
    try:
        account = await open_account(*key)
        try:
            rights = await account.rights()
            await account.balances()
        finally:
            await account.aclose()
    except ExchangeRefused as refusal:
        words = scrubbed(str(refusal), key.api_key, key.secret)
        mend = MENDS.get(refusal.why)
        if mend is None:
            raise UnableToCheckKey(f"{title} does not tell what the key may do ({words}); try again later") from None
        raise UnableToUseKey(f"{title} refuses the key ({words}); {mend}") from None
    except (ExchangeAway, ExchangeUnclear) as away:
        words = scrubbed(str(away), key.api_key, key.secret)
        raise UnableToCheckKey(f"{title} could not be asked ({words}); try again later") from None
    return rights


MENDS: Final[Mapping[str, str]] = {
    "key": "it is wrong, has expired, or is bound to another internet address: copy both anew, or make a new one",
    "right": "give it the rights to read and to trade spot, and no other",
}
"""What helps, by what a refusal is about; other refusals say nothing of the key."""


def credential_json(row: CredentialRow, warnings: tuple[str, ...] = ()) -> dict[str, object]:
    """A key as JSON, without anything that is sealed."""
    return {
        "id": row.id,
        "name": row.name,
        "exchange": row.exchange,
        "state": row.state,
        "reason": row.reason,
        "rights": row.rights._asdict(),
        "confirmed": row.confirmed,
        "created_ms": row.created_ms,
        "checked_ms": row.checked_ms,
        "warnings": list(warnings),
    }
