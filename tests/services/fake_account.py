"""An exchange's account for checks of keys: what it answers is set by the key, and whether it was closed is known."""

from collections.abc import Mapping
from decimal import Decimal

from autogrid.engine.venue import Balance, ExchangeAway, ExchangeRefused, ExchangeUnclear, Rights
from autogrid.security.secret import Secret

SAFE = Rights(reads=True, trades=True, withdraws=False, bound=True)
UNSAID = Rights(reads=True, trades=True, withdraws=None, bound=None)
ANSWERS: Mapping[str, Rights | Exception] = {
    "good": SAFE,
    "unbound": SAFE._replace(bound=False),
    "unsaid": UNSAID,
    "withdraws": SAFE._replace(withdraws=True),
    "looks-only": SAFE._replace(trades=False),
    "wrong": ExchangeRefused("key", "Invalid API-key wrong, signature of geheim"),
    "blind": ExchangeRefused("right", "no permission"),
    "late": ExchangeRefused("clock", "timestamp outside of recvWindow"),
    "away": ExchangeAway("no answer to GET /account?key=away with geheim"),
    "lost": ExchangeUnclear("the answer was cut off"),
}
"""What the exchange says of a key, by how the key begins."""


class FakeAccount:
    """One account; `living` are those that nobody has closed."""

    living = 0
    opened = 0

    def __init__(self, answer: Rights | Exception) -> None:
        self.answer = answer
        FakeAccount.living += 1
        FakeAccount.opened += 1

    async def rights(self) -> Rights:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    async def balances(self) -> Mapping[str, Balance]:
        return {"USDT": Balance(Decimal(100), Decimal(0))}

    async def aclose(self) -> None:
        FakeAccount.living -= 1


async def account_to_check(exchange: str, api_key: Secret, secret: Secret) -> FakeAccount:
    """As `wiring.credentials` gives it."""
    return FakeAccount(ANSWERS[api_key.reveal().split("_")[0]])
