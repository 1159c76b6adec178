"""How the numbers of a column are written: with a decimal comma, in groups of thousands, in percent, as dates.

A format rewrites a cell as a plain number. Whoever chose it may save it (`to_config`), so that later tables are read in
the same way.

>>> NumberFormat(decimal=",", currency="€").read("1.234,50 €"), NumberFormat(percent=True).read("12.5 %")
('1234.50', '12.5')
>>> DateFormat("dmy").read("31.12.1970")
'364'
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, ClassVar

from chainrule.errors import SavedFileError

CODES = (
    *("EUR", "USD", "GBP", "CHF", "JPY", "CNY", "INR", "BRL", "CAD", "AUD", "NZD", "SEK", "NOK", "DKK", "PLN", "CZK"),
    *("HUF", "RON", "MXN", "ZAR", "KRW", "TRY", "SGD", "HKD", "ILS", "kr", "zł", "Kč", "Ft", "Fr", "SFr", "lei", "Rs"),
)
"""Currencies that are written with letters; signs such as € are known to Unicode."""

SAME = {"EUR": "€", "USD": "$", "GBP": "£", "JPY": "¥", "INR": "₹"}
"""Codes that mean the same as a sign."""

_SIGNS = "".join([chr(code) for code in range(0x20A0 + 0x30) if unicodedata.category(chr(code)) == "Sc"])
_CURRENCY = rf"(?:[A-Z]{{0,2}}[{re.escape(_SIGNS)}]|(?:{'|'.join(sorted(CODES, key=len, reverse=True))})\.?)"
_MARKED = re.compile(
    rf"(?P<open>\()?\s*(?P<sign>[+-])?\s*(?P<before>{_CURRENCY})?\s*(?P<second>[+-])?"
    rf"\s*(?P<digits>[\d.,](?:[\d.,' ]*[\d.,])?(?:[eE][+-]?\d+)?)"
    rf"\s*(?P<percent>%)?\s*(?P<after>{_CURRENCY})?\s*(?P<last>-)?\s*(?P<close>\))?",
    re.ASCII,
)
_SPELLED = str.maketrans({"\u00a0": " ", "\u202f": " ", "\u2009": " ", "\u2212": "-", "\u2019": "'", "\uff05": "%"})
_DIGITS = {
    mark: re.compile(
        rf"(?:(?P<whole>[1-9]\d{{0,2}}(?P<group>[{group}' ])\d{{3}}(?:(?P=group)\d{{3}})*|"
        rf"[1-9]\d?(?:{re.escape(group)}\d\d)+{re.escape(group)}\d{{3}}|\d+)"
        rf"(?:{re.escape(mark)}(?P<part>\d*))?|{re.escape(mark)}(?P<only>\d+))(?P<power>[eE][+-]?\d+)?",
        re.ASCII,
    )
    for mark, group in ((".", ","), (",", "."))
}
"""For each decimal mark: digits in groups of three (or as in India, 1,23,456), or not in groups."""

EPOCH = datetime(1970, 1, 1)
MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_TIME = (
    r"(?:(?:T|,?\s+)(?P<h>\d{1,2}):(?P<min>\d{2})(?::(?P<s>\d{2})(?:[.,](?P<f>\d{1,9}))?)?"
    r"\s*(?P<half>[aApP]\.?[mM]\.?)?\s*(?P<zone>Z|UTC|[+-]\d{2}(?::?\d{2})?)?)?"
)
_MONTH = r"(?P<month>[A-Za-z]{3,9})"
_DATES = {
    "ymd": rf"(?P<y>\d{{4}})(?P<mark>[-/.])(?P<m>\d{{1,2}})(?P=mark)(?P<d>\d{{1,2}}){_TIME}",
    "dmy": rf"(?P<d>\d{{1,2}})(?P<mark>[-/.])(?P<m>\d{{1,2}})(?P=mark)(?P<y>\d{{4}}|\d{{2}}){_TIME}",
    "mdy": rf"(?P<m>\d{{1,2}})(?P<mark>[-/])(?P<d>\d{{1,2}})(?P=mark)(?P<y>\d{{4}}|\d{{2}}){_TIME}",
    "d month y": rf"(?P<d>\d{{1,2}})\.?[- ]{_MONTH}[-., ]\s*(?P<y>\d{{4}}|\d{{2}}){_TIME}",
    "month d y": rf"{_MONTH}\.?\s+(?P<d>\d{{1,2}}),?\s+(?P<y>\d{{4}}){_TIME}",
}
DATES = {order: re.compile(pattern, re.ASCII) for order, pattern in _DATES.items()}
"""The orders of dates that are known, by the form that each has."""


@dataclass(frozen=True)
class Marked:
    """A number with the signs around it.

    Attributes:
        digits: the digits with their marks, as written.
        sign: "-" or "".
        percent: whether there is a percent sign.
        currency: the sign of a currency, or "".
    """

    digits: str
    sign: str
    percent: bool
    currency: str


def marked(cell: str) -> Marked | None:
    """Takes the signs off a number; None where a cell is no number however it is written.

    A number in brackets is negative, as accountants write it; so is one with a minus behind it.

    >>> marked("(€ 1,234)")
    Marked(digits='1,234', sign='-', percent=False, currency='€')
    """
    found = _MARKED.fullmatch(cell.translate(_SPELLED))
    if not found:
        return None
    part = found.groupdict()
    signs = [part["sign"], part["second"], part["last"], "-" if part["open"] else None]
    given = [sign for sign in signs if sign]
    currencies = [sign for sign in (part["before"], part["after"]) if sign]
    if bool(part["open"]) != bool(part["close"]) or len(given) > 1 or len(currencies) + bool(part["percent"]) > 1:
        return None
    currency = "".join(currencies).removesuffix(".")
    return Marked(part["digits"], "-" if "-" in given else "", bool(part["percent"]), SAME.get(currency, currency))


def plain_digits(digits: str, decimal: str) -> str | None:
    """Digits as Python writes them; None where they cannot be read with this decimal mark.

    >>> plain_digits("1.234,5", ","), plain_digits("1.234", "."), plain_digits("1.5", ",")
    ('1234.5', '1.234', None)
    """
    found = _DIGITS[decimal].fullmatch(digits)
    if not found:
        return None
    whole = re.sub(r"\D", "", found["whole"] or "0")
    part = found["part"] or found["only"]
    return f"{whole}.{part}{found['power'] or ''}" if part else f"{whole}{found['power'] or ''}"


@dataclass(frozen=True)
class NumberFormat:
    """Numbers with marks.

    Attributes:
        decimal: the decimal mark, "." or ","; the other one, a space or an apostrophe may group thousands.
        percent: whether a percent sign stands at each number; 12 % is read as 12.
        currency: the sign that may stand at a number; "" for none.
    """

    decimal: str = "."
    percent: bool = False
    currency: str = ""

    def read(self, cell: str) -> str | None:
        """The cell as a plain number; None if it is written otherwise."""
        number = marked(cell)
        if number is None or number.percent != self.percent or number.currency not in ("", self.currency):
            return None
        digits = plain_digits(number.digits, self.decimal)
        return None if digits is None else number.sign + digits

    @property
    def words(self) -> str:
        """The format in words."""
        unit = " in percent" if self.percent else f" in {self.currency}" if self.currency else ""
        return f"a number{unit}" + (" with a decimal comma" if self.decimal == "," else "")


@dataclass(frozen=True)
class DateFormat:
    """Dates, with or without a time, as days since 1 January 1970.

    Attributes:
        order: "ymd", "dmy", "mdy", "d month y" or "month d y"; English names of months.
        zoned: whether each time has a time zone; days are then those of UTC.
    """

    order: str
    zoned: bool = False
    ORDERS: ClassVar[dict[str, str]] = {"dmy": ", day first", "mdy": ", month first"}

    def read(self, cell: str) -> str | None:
        """The days since 1970, with the time as a fraction; None if the cell is no such date."""
        found = DATES[self.order].fullmatch(cell)
        if not found or bool(found["zone"]) != self.zoned:
            return None
        try:
            moment = _moment(found.groupdict())
        except (ValueError, OverflowError):
            return None
        days = (moment - EPOCH) / timedelta(days=1)
        return str(int(days)) if days.is_integer() else repr(days)

    def write(self, days: float) -> str:
        """The day that a number of days since 1970 falls on; the number itself where there is no such day.

        >>> DateFormat("dmy").write(364.3)
        '1970-12-31'
        """
        try:
            return (EPOCH + timedelta(days=days)).date().isoformat()
        except OverflowError:
            return f"{days:.6g}"

    @property
    def words(self) -> str:
        """The format in words."""
        return f"a date{self.ORDERS.get(self.order, '')}{' with a time zone' if self.zoned else ''}"


Format = NumberFormat | DateFormat


def _moment(part: dict[str, str | None]) -> datetime:
    """The moment that the parts of a date name, in UTC where they name a time zone.

    Raises:
        ValueError: there is no such day or time.
    """
    year, month = int(part["y"] or 0), part.get("m")
    if len(part["y"] or "") == 2:
        year += 1900 if year >= 69 else 2000  # as POSIX has it
    number = int(month) if month else _month(part["month"] or "")
    hour = int(part["h"] or 0)
    if part["half"]:
        if not 1 <= hour <= 12:
            raise ValueError("there is no such hour")
        hour = hour % 12 + 12 * (part["half"][0] in "pP")
    micro = int((part["f"] or "")[:6].ljust(6, "0"))
    moment = datetime(year, number, int(part["d"] or 0), hour, int(part["min"] or 0), int(part["s"] or 0), micro)
    zone = part["zone"]
    if not zone or zone in ("Z", "UTC"):
        return moment
    digits = zone[1:].replace(":", "").ljust(4, "0")
    shift = timedelta(hours=int(digits[:2]), minutes=int(digits[2:])) * (-1 if zone[0] == "-" else 1)
    return moment.replace(tzinfo=timezone(shift)).astimezone(UTC).replace(tzinfo=None)


def _month(name: str) -> int:
    full = ["january", "february", "march", "april", "may", "june", "july", "august", "september", "october"]
    full += ["november", "december"]
    known = {short: i for i, short in enumerate(MONTHS, 1)} | {name: i for i, name in enumerate(full, 1)} | {"sept": 9}
    if name.lower() not in known:
        raise ValueError("there is no such month")
    return known[name.lower()]


def to_config(form: Format) -> dict[str, Any]:
    """The format as a dict for JSON."""
    return asdict(form)


def from_config(config: object, where: str) -> Format:
    """Restores a format from the dict of `to_config`.

    Raises:
        SavedFileError: it is damaged; the message begins with `where`.
    """
    if isinstance(config, dict) and set(config) == {"order", "zoned"}:
        if config["order"] in [*DATES] and isinstance(config["zoned"], bool):
            return DateFormat(config["order"], config["zoned"])
    elif isinstance(config, dict) and set(config) == {"decimal", "percent", "currency"}:
        decimal, percent, currency = config["decimal"], config["percent"], config["currency"]
        if decimal in [*_DIGITS] and isinstance(percent, bool) and isinstance(currency, str):
            return NumberFormat(decimal, percent, currency)
    raise SavedFileError(f"{where} is not a way to write numbers or dates that this chainrule knows")


def looks_written(cell: str) -> bool:
    """Whether a cell is a number in one of these formats, or a date.

    >>> [looks_written(cell) for cell in ("€ 5", "1.234,5", "2024-01-31", "12 %", "red", "A 12")]
    [True, True, True, True, False, False]
    """
    number = marked(cell)
    if number is not None:
        return any(plain_digits(number.digits, mark) is not None for mark in _DIGITS)
    return any(DateFormat(order, zoned).read(cell) is not None for order in DATES for zoned in (False, True))
