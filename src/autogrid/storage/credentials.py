"""Keys of exchanges as they are kept: sealed, with what they may do; what they are sealed with; and who opened them."""

import json
import secrets
from collections.abc import Mapping
from typing import Any, Final, Literal, NamedTuple, TypeAlias

from sqlalchemy import and_, delete, exists, insert, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from autogrid.engine.venue import Rights
from autogrid.storage import tables
from autogrid.trading.order import OPEN

LOCAL: Final = "local"
"""The tenant of a host for oneself."""
CredentialState: TypeAlias = Literal["good", "refused", "unchecked"]


class UnableToFindCredential(Exception):
    """No key is called so. The sentence says which there are."""

    code = "credential-not-found"


class UnableToKeepCredential(Exception):
    """A key cannot be kept under that name. The sentence says what would work."""

    code = "credential-not-kept"


class CredentialRow(NamedTuple):
    """A key of an exchange, as it is kept."""

    id: str
    tenant: str
    name: str
    """What bots call their account."""
    exchange: str
    sealed: Mapping[str, str]
    """Sealed text by field."""
    rights: Rights
    """As the exchange told at the last check."""
    confirmed: bool
    """The person vouches for what the exchange does not say."""
    state: CredentialState
    reason: str
    """Why it was refused; empty while it is good."""
    created_ms: int
    checked_ms: int


class VaultKeyRow(NamedTuple):
    """One version of a tenant's keys, wrapped."""

    tenant: str
    version: int
    master_id: str
    data_key: str
    public_key: str
    private_key: str
    made_ms: int


class AuditRow(NamedTuple):
    """One sealing or opening."""

    id: int
    at_ms: int
    tenant: str
    by: str
    act: str
    credential_id: str | None
    note: str


def new_credential_id() -> str:
    """An id, given before the row: what is sealed is bound to it."""
    return f"c{secrets.token_hex(6)}"


async def add_credential(connection: AsyncConnection, row: CredentialRow) -> None:
    """Keep a key. Raises `UnableToKeepCredential` where the name is taken."""
    values = {**row._asdict(), "sealed": json.dumps(dict(row.sealed)), "rights": json.dumps(row.rights._asdict())}
    try:
        async with connection.begin_nested():  # so that the transaction can go on where the name is taken
            await connection.execute(insert(tables.credentials).values({**values, "deleted": False}))
    except IntegrityError:  # its text would hold what was to be kept
        raise UnableToKeepCredential(f"a key named '{row.name}' exists already; choose another --name") from None


async def list_credentials(connection: AsyncConnection, tenant: str | None = LOCAL) -> list[CredentialRow]:
    """A tenant's keys, or those of all (None), oldest first."""
    credentials = tables.credentials
    query = select(credentials).where(~credentials.c.deleted)
    if tenant is not None:
        query = query.where(credentials.c.tenant == tenant)
    rows = await connection.execute(query.order_by(credentials.c.created_ms, credentials.c.id))
    return [_credential(row) for row in rows.mappings()]


async def find_credential(connection: AsyncConnection, meant: str, tenant: str = LOCAL) -> CredentialRow:
    """The key with that name or id. Raises `UnableToFindCredential`."""
    rows = await list_credentials(connection, tenant)
    for row in rows:
        if row.name == meant:
            return row
    for row in rows:
        if row.id == meant:
            return row
    there = f"there are {', '.join(row.name for row in rows)}" if rows else "none is stored yet"
    raise UnableToFindCredential(f"no key is called '{meant}'; {there}")


async def hold_credential(connection: AsyncConnection, meant: str) -> CredentialRow:
    """As `find_credential`, and nobody seals its secrets anew until the transaction ends, nor drops the keys that open
    them.
    """
    row = await find_credential(connection, meant)
    credentials = tables.credentials
    await connection.execute(select(credentials.c.id).where(credentials.c.id == row.id).with_for_update(read=True))
    return await find_credential(connection, row.id)


async def set_checked(
    connection: AsyncConnection, row: CredentialRow, state: CredentialState, reason: str, rights: Rights, now_ms: int
) -> None:
    """What a check found."""
    rights_text = json.dumps(rights._asdict())
    await _change(connection, row, state=state, reason=reason, rights=rights_text, checked_ms=now_ms)


async def set_sealed(connection: AsyncConnection, row: CredentialRow, sealed: Mapping[str, str]) -> None:
    """The same secrets, sealed anew."""
    await _change(connection, row, sealed=json.dumps(dict(sealed)))


async def remove_credential(connection: AsyncConnection, row: CredentialRow) -> None:
    """Take the key away: its secrets are erased, its row stays for what refers to it."""
    await _change(connection, row, sealed="{}", deleted=True)


async def bots_using(connection: AsyncConnection, row: CredentialRow) -> list[str]:
    """Names of the bots that need the key still: those that have not ended, or have orders out."""
    bots, orders = tables.bots, tables.orders
    its = or_(bots.c.credential_id == row.id, and_(bots.c.credential_id.is_(None), bots.c.account == row.name))
    out = exists().where(orders.c.bot_id == bots.c.id, orders.c.status.in_(sorted(OPEN)))
    query = select(bots.c.name).where(its, ~bots.c.deleted, or_(bots.c.actual != "ended", out))
    return list((await connection.execute(query.order_by(bots.c.created_ms, bots.c.id))).scalars())


async def vault_keys(connection: AsyncConnection, tenant: str) -> list[VaultKeyRow]:
    """All versions of a tenant's keys, oldest first."""
    keys = tables.vault_keys
    rows = await connection.execute(select(keys).where(keys.c.tenant == tenant).order_by(keys.c.version))
    return [VaultKeyRow(**row) for row in rows.mappings()]


async def lock_vault_keys(connection: AsyncConnection) -> list[VaultKeyRow]:
    """All versions of all tenants' keys, oldest first; who else wants to change them waits for this transaction."""
    keys = tables.vault_keys
    rows = await connection.execute(select(keys).order_by(keys.c.tenant, keys.c.version).with_for_update())
    return [VaultKeyRow(**row) for row in rows.mappings()]


async def add_vault_key(connection: AsyncConnection, row: VaultKeyRow) -> None:
    """Keep a version of a tenant's keys. Raises `UnableToKeepCredential` where another process was quicker."""
    try:
        async with connection.begin_nested():
            await connection.execute(insert(tables.vault_keys).values(row._asdict()))
    except IntegrityError:
        raise UnableToKeepCredential("another process made keys in the same moment; try again") from None


async def set_vault_key(connection: AsyncConnection, row: VaultKeyRow) -> None:
    """The same version under another master key."""
    keys = tables.vault_keys
    its = update(keys).where(keys.c.tenant == row.tenant, keys.c.version == row.version)
    await connection.execute(its.values(master_id=row.master_id, data_key=row.data_key))


async def drop_vault_key(connection: AsyncConnection, tenant: str, version: int) -> None:
    """Forget a version; what it sealed never opens again."""
    keys = tables.vault_keys
    await connection.execute(delete(keys).where(keys.c.tenant == tenant, keys.c.version == version))


async def note(
    connection: AsyncConnection,
    now_ms: int,
    by: str,
    act: str,
    credential_id: str | None = None,
    words: str = "",
    *,
    tenant: str = LOCAL,
) -> None:
    """Put into the vault's records who did what."""
    values = {"at_ms": now_ms, "by": by, "act": act, "credential_id": credential_id, "note": words, "tenant": tenant}
    await connection.execute(insert(tables.vault_audit).values(values))


async def list_audit(connection: AsyncConnection, act: str | None = None) -> list[AuditRow]:
    """The vault's records, oldest first; with `act`, those of one kind."""
    audit = tables.vault_audit
    query = select(audit) if act is None else select(audit).where(audit.c.act == act)
    return [AuditRow(**row) for row in (await connection.execute(query.order_by(audit.c.id))).mappings()]


async def _change(connection: AsyncConnection, row: CredentialRow, **values: object) -> None:
    await connection.execute(update(tables.credentials).where(tables.credentials.c.id == row.id).values(**values))


def _credential(row: Mapping[Any, Any]) -> CredentialRow:
    values = {name: row[name] for name in CredentialRow._fields}
    return CredentialRow(
        **{**values, "sealed": json.loads(row["sealed"]), "rights": Rights(**json.loads(row["rights"]))}
    )
