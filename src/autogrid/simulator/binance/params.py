"""The parameters of a request, read as Binance reads them: by name, each checked, none left over."""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from autogrid.simulator.binance.refusals import UnableToAnswer, missing

FIGURE: Final = r"^([0-9]{1,20})(\.[0-9]{1,20})?$"
CLIENT_ID: Final = r"^[a-zA-Z0-9-_]{1,36}$"
WHOLE: Final = r"^[0-9]{1,20}$"
DECIMALS: Final = 8


class Params:
    """What came with one request."""

    def __init__(self, given: Mapping[str, str]) -> None:
        self._given = given
        self._read = {"timestamp", "recvWindow", "signature", "apiKey", "returnRateLimits"}

    def optional(self, name: str) -> str | None:
        """The text, or None where it was not sent. Raises UnableToAnswer where it is empty."""
        self._read.add(name)
        text = self._given.get(name)
        if text == "":
            raise UnableToAnswer(-1105, f"Parameter '{name}' was empty.")
        return text

    def text(self, name: str) -> str:
        """The text. Raises UnableToAnswer where it was not sent."""
        text = self.optional(name)
        if text is None:
            raise missing(name)
        return text

    def figure(self, name: str) -> Decimal | None:
        """An exact figure. Raises UnableToAnswer where it is none, or too fine."""
        text = self.optional(name)
        if text is None:
            return None
        self._fits(name, text, FIGURE)
        if len(text.partition(".")[2]) > DECIMALS:
            raise UnableToAnswer(-1111, f"Parameter '{name}' has too much precision.")
        return Decimal(text)

    def needed_figure(self, name: str) -> Decimal:
        """As `figure`, and it must be there."""
        number = self.figure(name)
        if number is None:
            raise missing(name)
        return number

    def whole(self, name: str) -> int | None:
        """A whole number."""
        text = self.optional(name)
        if text is None:
            return None
        self._fits(name, text, WHOLE)
        return int(text)

    def limit(self, usual: int, most: int) -> int:
        """How many rows are wanted."""
        wanted = self.whole("limit")
        return usual if wanted is None else max(1, min(wanted, most))

    def client_id(self, name: str) -> str:
        """A client's own id; empty where it was not sent."""
        text = self.optional(name)
        if text is None:
            return ""
        self._fits(name, text, CLIENT_ID)
        return text

    def forbid(self, *names: str) -> None:
        """Raises UnableToAnswer where one of these was sent."""
        for name in names:
            if name in self._given:
                raise UnableToAnswer(-1106, f"Parameter '{name}' sent when not required.")

    def ignore(self, *names: str) -> None:
        """Known parameters that change nothing here."""
        self._read.update(names)

    def check_all_read(self) -> None:
        """Raises UnableToAnswer where something was sent that nobody reads."""
        left = [name for name in self._given if name not in self._read]
        if left:
            sent = len(self._given)
            words = f"Not all sent parameters were read; read '{sent - len(left)}' parameter(s) but was sent '{sent}'."
            raise UnableToAnswer(-1104, words)

    def _fits(self, name: str, text: str, form: str) -> None:
        if re.fullmatch(form, text) is None:
            words = f"Illegal characters found in parameter '{name}'; legal range is '{form}'."
            raise UnableToAnswer(-1100, words)
