"""How a strategy declares its configuration, once: from this come its reading, its limits, CLI help and JSON Schema."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from difflib import get_close_matches
from typing import Literal, TypeAlias

from autogrid.trading.candle import TIMEFRAMES
from autogrid.trading.money import UnableToReadFigure, figure, text


class UnableToConfigure(Exception):
    """A configuration cannot be traded. `key` is what to change, the sentence says how; `rule` names the limit."""

    code = "bad-configuration"

    def __init__(self, key: str, sentence: str, rule: str = "") -> None:
        super().__init__(sentence)
        self.key = key
        self.rule = rule or key


Kind = Literal[
    "price", "quantity", "amount", "share", "factor", "count", "choice", "duration", "flag", "timeframe", "timeframes"
]
Value: TypeAlias = str | int | Decimal | bool | tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Field:
    """One key of a configuration."""

    key: str
    kind: Kind
    title: str
    title_pt: str
    help: str
    help_pt: str
    default: str | None = None
    """None: must be given, unless `optional`."""
    optional: bool = False
    """May be left out; then it has no effect."""
    least: Decimal | None = None
    most: Decimal | None = None
    above_zero: bool = False
    below_most: bool = False
    """`most` itself is not allowed."""
    choices: tuple[str, ...] = ()
    group: str = "basic"
    aliases: tuple[str, ...] = ()
    """Other names by which the key may be given."""
    needed_unless: tuple[str, str] | None = None
    """Must be given, though it is `optional`, unless this key has this value; two empty texts: always."""

    def read(self, given: str) -> Value:
        """`given` as the field's type; timeframes as their lengths in ms. Raises `UnableToConfigure`."""
        if self.kind == "flag":
            return self._flag(given)
        if self.kind == "timeframe":
            return self._timeframe(given)
        if self.kind == "timeframes":
            if given.lower() in ("", "none"):
                return ()
            return tuple(sorted({self._timeframe(one.strip()) for one in given.split(",")}))
        if self.kind == "choice":
            if given not in self.choices:
                near = get_close_matches(given, self.choices, 1)
                hint = f"; did you mean {near[0]}?" if near else ""
                raise UnableToConfigure(
                    self.key, f"{self.key} is '{given}'; it is one of {', '.join(self.choices)}{hint}"
                )
            return given
        try:
            number = figure(given)
        except UnableToReadFigure as error:
            raise UnableToConfigure(self.key, f"{self.key}: {error}") from None
        self._bounded(number)
        if self.kind in ("count", "duration"):
            if number != number.to_integral_value():
                raise UnableToConfigure(self.key, f"{self.key} is {text(number)}; it must be a whole number")
            return int(number)
        return number

    def _flag(self, given: str) -> bool:
        word = given.lower()
        if word in ("yes", "true", "on", "1"):
            return True
        if word in ("no", "false", "off", "0"):
            return False
        raise UnableToConfigure(self.key, f"{self.key} is '{given}'; it is yes or no")

    def _timeframe(self, given: str) -> int:
        if given not in TIMEFRAMES:
            raise UnableToConfigure(self.key, f"{self.key} is '{given}'; it is one of {', '.join(TIMEFRAMES)}")
        return TIMEFRAMES[given]

    def _bounded(self, number: Decimal) -> None:
        if self.above_zero and number <= 0:
            raise UnableToConfigure(self.key, f"{self.key} is {text(number)}; it must be above 0")
        if self.least is not None and number < self.least:
            raise UnableToConfigure(self.key, f"{self.key} is {text(number)}; the least is {text(self.least)}")
        if self.most is not None and (number > self.most or (self.below_most and number == self.most)):
            word = "must be below" if self.below_most else "the most is"
            raise UnableToConfigure(self.key, f"{self.key} is {text(number)}; {word} {text(self.most)}")

    @property
    def unit(self) -> str:
        """What a figure of it is in, for a person; empty where its help says it all."""
        return {"duration": "seconds", "share": "share, 0.05 is 5 %", "flag": "yes | no"}.get(self.kind, "")

    def schema(self) -> dict[str, object]:
        """The field as a property of a JSON Schema; figures of money are strings."""
        found: dict[str, object] = {
            "title": self.title,
            "title_pt_BR": self.title_pt,
            "description": self.help,
            "description_pt_BR": self.help_pt,
            "group": self.group,
            "unit": UNITS[self.kind],
            "type": "integer" if self.kind in ("count", "duration") else "string",
        }
        if self.kind == "flag":
            found |= {"type": "string", "enum": ["yes", "no"]}
        if self.kind == "timeframe":
            found["enum"] = list(TIMEFRAMES)
        if self.kind == "timeframes":
            found["pattern"] = f"^(none|({'|'.join(TIMEFRAMES)})(,({'|'.join(TIMEFRAMES)}))*)$"
        if self.aliases:
            found["aliases"] = list(self.aliases)
        if self.choices:
            found["enum"] = list(self.choices)
        if self.default is not None:
            found["default"] = int(self.default) if found["type"] == "integer" else self.default
        if found["type"] == "integer":
            found |= {k: int(v) for k, v in (("minimum", self.least), ("maximum", self.most)) if v is not None}
        else:
            found |= {k: text(v) for k, v in (("least", self.least), ("most", self.most)) if v is not None}
        return found


UNITS: Mapping[Kind, str] = {
    "price": "quote per base",
    "quantity": "base",
    "amount": "quote",
    "share": "fraction, 0.05 is 5 %",
    "factor": "number",
    "count": "count",
    "choice": "choice",
    "duration": "seconds",
    "flag": "yes or no",
    "timeframe": "length of a candle",
    "timeframes": "lengths of candles, with commas between",
}


def named(fields: tuple[Field, ...], given: Mapping[str, str]) -> dict[str, str]:
    """`given` with every key by its proper name. Raises `UnableToConfigure` where one stands there twice."""
    proper = {alias: field.key for field in fields for alias in field.aliases}
    found: dict[str, str] = {}
    for key, value in given.items():
        name = proper.get(key, key)
        if name in found:
            raise UnableToConfigure(name, f"{key} and {name} are the same; give one of them")
        found[name] = value
    return found


def read_all(fields: tuple[Field, ...], given: Mapping[str, str]) -> dict[str, Value | None]:
    """Every field's value from the texts `given`, defaults filled in. Raises `UnableToConfigure`."""
    by_key = {field.key: field for field in fields}
    given = named(fields, given)
    for key in given:
        if key not in by_key:
            near = get_close_matches(key, by_key, 1)
            hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(by_key)}"
            raise UnableToConfigure(key, f"unknown key '{key}'; {hint}")
    values: dict[str, Value | None] = {}
    for key, field in by_key.items():
        raw = given.get(key, field.default)
        if raw is None or (field.optional and raw.lower() in ("", "none")):
            if not field.optional:
                raise UnableToConfigure(key, f"{key} is missing; give it with --set {key}=… ({field.help})")
            values[key] = None
        else:
            values[key] = field.read(raw)
    return values


def json_schema(name: str, title: str, fields: tuple[Field, ...]) -> dict[str, object]:
    """The JSON Schema of a strategy's configuration."""
    needed = [field for field in fields if field.needed_unless is not None]
    always = [field.key for field in fields if field.default is None and not field.optional]
    always += [field.key for field in needed if field.needed_unless == ("", "")]
    rules = [
        {"if": {"properties": {key: {"const": value}}}, "else": {"required": [field.key]}}
        for field in needed
        for key, value in [field.needed_unless or ("", "")]
        if key
    ]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": title,
        "name": name,
        "type": "object",
        "additionalProperties": False,
        "properties": {field.key: field.schema() for field in fields},
        "required": always,
        **({"allOf": rules} if rules else {}),
    }
