"""The wiring of keys: the account on a real exchange that a check opens.

Apart from the rest of the wiring because ccxt takes seconds to load.
"""

from autogrid.exchanges.ccxt_exchange import open_account
from autogrid.security.secret import Secret
from autogrid.services.credentials import Account


async def account_to_check(exchange: str, api_key: Secret, secret: Secret) -> Account:
    """The account; nothing is asked of the exchange yet. Raises `ExchangeRefused` where there is no such exchange."""
    return open_account(exchange, api_key.reveal(), secret.reveal())
