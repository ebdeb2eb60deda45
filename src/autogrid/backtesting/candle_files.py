"""Files of candles, opened: Parquet, Feather, CSV, JSON, and each of them in gzip or zip.

What a file is, its first bytes say; its name is not asked. Text formats keep their text, so that no digit of
a price is lost. Nothing is judged here but whether the file is whole and has the columns.
"""

import gzip
import io
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import feather, parquet

from autogrid.backtesting.candle_columns import RawCandles, find_columns
from autogrid.backtesting.candle_faults import Faults, UnableToReadCandles
from autogrid.backtesting.candle_text import read_csv, read_json

MOST_BYTES = 2**31
"""What a packed file may unpack to."""
DEPTH = 2
"""A zip may hold a gzip, and no more."""
KNOWN_ENDINGS = (".csv", ".txt", ".json", ".parquet", ".feather", ".gz")
READABLE = "candles are read from Parquet, Feather, CSV and JSON, also in gzip or zip"


def open_candles(path: Path, faults: Faults) -> RawCandles:
    """The columns of a file. Rows that are no rows are noted in `faults`.

    Raises UnableToReadCandles where there is no such file, or it is empty, cut off, of another kind, or lacks
    a column.
    """
    name = path.name
    if path.is_dir():
        raise UnableToReadCandles("is_directory", f"{path} is a directory; name a file of candles in it.")
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise UnableToReadCandles("not_found", f"{path} does not exist; {READABLE}.") from None
    except OSError as error:
        raise UnableToReadCandles("not_readable", f"{path} cannot be opened: {error.strerror}.") from error
    raw = _read(content, name, faults, DEPTH)
    if len(raw.rows) == 0 and not faults.count:
        raise UnableToReadCandles("empty", f"{name} has columns but no candles; at least 2 are needed.")
    return raw


def _read(content: bytes, name: str, faults: Faults, depth: int) -> RawCandles:
    if not content.strip():
        raise UnableToReadCandles("empty", f"{name} is empty; {READABLE}.")
    if content[:4] == b"PAR1":
        return _read_parquet(content, name)
    if content[:6] == b"ARROW1" or content[:4] == b"FEA1":
        return _read_feather(content, name)
    if content[:2] == b"\x1f\x8b" and depth:
        return _read(_ungzip(content, name), name, faults, depth - 1)
    if content[:2] == b"PK" and depth:
        return _read(_unzip(content, name), name, faults, depth - 1)
    head = content[:4096].removeprefix(b"\xef\xbb\xbf").lstrip()
    if b"\x00" in head or head[:1] == b"<":
        raise UnableToReadCandles(
            "unknown_format", f"{name} is none of the formats known by its first bytes; {READABLE}."
        )
    if head[:1] in (b"[", b"{"):
        return read_json(content, name, faults)
    return read_csv(content, name, faults)


def _cut_off(name: str, error: Exception | str) -> UnableToReadCandles:
    reason = str(error).splitlines()[0].rstrip(".")[:160] if str(error) else "it ends early"
    return UnableToReadCandles("cut_off", f"{name} is cut off or damaged ({reason}); fetch or export it anew.")


def _read_parquet(content: bytes, name: str) -> RawCandles:
    try:
        file = parquet.ParquetFile(io.BytesIO(content), pre_buffer=False)
        names = file.schema_arrow.names
        wanted = [names[at] for at in find_columns(names, name)]
        return _of_table(file.read(columns=wanted, use_threads=False), wanted, name)
    except (pa.ArrowException, OSError) as error:
        raise _cut_off(name, error) from error


def _read_feather(content: bytes, name: str) -> RawCandles:
    try:
        table = feather.read_table(io.BytesIO(content), use_threads=False)
        names = table.column_names
        return _of_table(table, [names[at] for at in find_columns(names, name)], name)
    except (pa.ArrowException, OSError) as error:
        raise _cut_off(name, error) from error


def _of_table(table: pa.Table, names: list[str], source: str) -> RawCandles:
    return RawCandles(source, tuple(table[name] for name in names), np.arange(1, len(table) + 1))


def _ungzip(content: bytes, name: str) -> bytes:
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(content)) as file:
            return _at_most(file.read(MOST_BYTES + 1), name)
    except (EOFError, zlib.error, OSError) as error:
        raise _cut_off(name, error) from error


def _unzip(content: bytes, name: str) -> bytes:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = [
                member
                for member in archive.namelist()
                if member.lower().endswith(KNOWN_ENDINGS) and not member.startswith("__MACOSX/")
            ]
            if len(members) != 1:
                raise UnableToReadCandles(
                    "unknown_format",
                    f"{name} holds {len(members)} files of candles ({', '.join(members[:5]) or 'none'}); "
                    "a zip must hold one.",
                )
            with archive.open(members[0]) as file:
                return _at_most(file.read(MOST_BYTES + 1), name)
    except (zipfile.BadZipFile, EOFError, zlib.error, NotImplementedError, RuntimeError, OSError) as error:
        raise _cut_off(name, error) from error


def _at_most(content: bytes, name: str) -> bytes:
    if len(content) > MOST_BYTES:
        raise UnableToReadCandles("too_large", f"{name} unpacks to more than 2 GiB; split it by time.")
    return content
