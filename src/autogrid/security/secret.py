"""A secret that does not show itself: not in a text, a repr, an exception, a log or a copy on disk."""

import hmac
from typing import Final, NoReturn, SupportsIndex

HIDDEN: Final = "<secret>"


class Secret:
    """A text that only `reveal` gives out. Two are equal where their texts are."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself: for the one place that sends or seals it."""
        return self._text

    def __bool__(self) -> bool:
        return bool(self._text)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._text.encode(), other._text.encode())

    def __hash__(self) -> int:
        return hash((Secret, self._text))

    def __repr__(self) -> str:
        return HIDDEN

    __str__ = __repr__

    def __format__(self, _: str) -> str:
        return HIDDEN

    def __reduce_ex__(self, _: SupportsIndex) -> NoReturn:
        raise TypeError("a secret is not copied or pickled")


def scrubbed(words: str, *secrets: Secret) -> str:
    """`words`, such as an exchange's, without any of the secrets in them."""
    for secret in secrets:
        if secret:
            words = words.replace(secret.reveal(), HIDDEN)
    return words
