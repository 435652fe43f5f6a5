"""Bytes and values of the MySQL protocol for the raw client: constants, numbers and strings, the packets of a reply.

Written apart from the product's parser on purpose: a mistake that both share would otherwise go unseen.
"""
import dataclasses
import datetime
import decimal
import struct


class Capability:
    LONG_PASSWORD = MYSQL = 1
    FOUND_ROWS = 1 << 1
    LONG_FLAG = 1 << 2
    CONNECT_WITH_DB = 1 << 3
    NO_SCHEMA = 1 << 4
    COMPRESS = 1 << 5
    LOCAL_FILES = 1 << 7
    IGNORE_SPACE = 1 << 8
    PROTOCOL_41 = 1 << 9
    INTERACTIVE = 1 << 10
    SSL = 1 << 11
    TRANSACTIONS = 1 << 13
    SECURE_CONNECTION = 1 << 15
    MULTI_STATEMENTS = 1 << 16
    MULTI_RESULTS = 1 << 17
    PS_MULTI_RESULTS = 1 << 18
    PLUGIN_AUTH = 1 << 19
    CONNECT_ATTRS = 1 << 20
    PLUGIN_AUTH_LENENC = 1 << 21
    EXPIRED_PASSWORDS = 1 << 22
    SESSION_TRACK = 1 << 23
    DEPRECATE_EOF = 1 << 24
    OPTIONAL_METADATA = 1 << 25
    ZSTD = 1 << 26
    QUERY_ATTRIBUTES = 1 << 27
    # MariaDB's own, which travel in the filler when MYSQL is not set; here shifted to the upper half.
    PROGRESS = 1 << 32
    STMT_BULK = 1 << 34
    EXTENDED_METADATA = 1 << 35
    CACHE_METADATA = 1 << 36
    BULK_UNIT_RESULTS = 1 << 37


class Status:
    IN_TRANS = 1
    AUTOCOMMIT = 2
    MORE_RESULTS = 8
    CURSOR_EXISTS = 64
    LAST_ROW_SENT = 128
    DB_DROPPED = 256
    NO_BACKSLASH_ESCAPES = 512
    METADATA_CHANGED = 1024
    PS_OUT_PARAMS = 4096
    IN_TRANS_READONLY = 8192
    STATE_CHANGED = 1 << 14


class Command:
    SLEEP = 0x00
    QUIT = 0x01
    INIT_DB = 0x02
    QUERY = 0x03
    FIELD_LIST = 0x04
    CREATE_DB = 0x05
    DROP_DB = 0x06
    REFRESH = 0x07
    SHUTDOWN = 0x08
    STATISTICS = 0x09
    PROCESS_INFO = 0x0A
    CONNECT = 0x0B
    PROCESS_KILL = 0x0C
    DEBUG = 0x0D
    PING = 0x0E
    CHANGE_USER = 0x11
    BINLOG_DUMP = 0x12
    REGISTER_SLAVE = 0x15
    STMT_PREPARE = 0x16
    STMT_EXECUTE = 0x17
    STMT_SEND_LONG_DATA = 0x18
    STMT_CLOSE = 0x19
    STMT_RESET = 0x1A
    SET_OPTION = 0x1B
    STMT_FETCH = 0x1C
    BINLOG_DUMP_GTID = 0x1E
    RESET_CONNECTION = 0x1F
    CLONE = 0x20


TRACKERS = {0: "variable", 1: "schema", 2: "state", 3: "gtids", 4: "characteristics", 5: "transaction"}


class Reader:
    """Takes values from the front of a packet; a packet that is too short raises ValueError."""

    def __init__(self, data):
        self.data, self.at = bytes(data), 0

    @property
    def left(self):
        return len(self.data) - self.at

    def take(self, count):
        if count > self.left:
            raise ValueError(f"packet ends early: {count} bytes wanted at {self.at} of {self.data[:80]!r}")
        self.at += count
        return self.data[self.at - count:self.at]

    def number(self, size):
        return int.from_bytes(self.take(size), "little")

    def lenenc(self):
        first = self.number(1)
        if first < 0xFB:
            return first
        if first == 0xFB:
            return None
        return self.number({0xFC: 2, 0xFD: 3, 0xFE: 8}[first])

    def lenenc_bytes(self):
        length = self.lenenc()
        return None if length is None else self.take(length)

    def until_zero(self):
        end = self.data.find(b"\0", self.at)
        value = self.take((len(self.data) if end < 0 else end) - self.at)
        if end >= 0:
            self.at += 1
        return value

    def rest(self):
        return self.take(self.left)


def lenenc(number):
    if number < 0xFB:
        return bytes([number])
    for lead, size in ((0xFC, 2), (0xFD, 3), (0xFE, 8)):
        if number < 1 << (8 * size):
            return bytes([lead]) + number.to_bytes(size, "little")
    raise ValueError(number)


def lenenc_bytes(value):
    return lenenc(len(value)) + value


class ProtocolError(AssertionError):
    """The other side broke the protocol."""


@dataclasses.dataclass
class Ok:
    affected: int = 0
    insert_id: int = 0
    status: int = 0
    warnings: int = 0
    info: str = ""
    trackers: list = dataclasses.field(default_factory=list)


@dataclasses.dataclass
class Err:
    code: int
    state: str
    message: str


@dataclasses.dataclass
class LocalInfile:
    name: str


@dataclasses.dataclass
class Column:
    schema: str
    table: str
    org_table: str
    name: str
    org_name: str
    charset: int
    length: int
    type: int
    flags: int
    decimals: int
    default: bytes | None = None
    extended: dict | None = None  # MariaDB's extended metadata: 0 the type's name, 1 the format's

    @property
    def unsigned(self):
        return bool(self.flags & 32)


@dataclasses.dataclass
class ResultSet:
    columns: list
    rows: list
    end: Ok | Err | None = None  # the last packet, EOF or OK in EOF's clothes; an error may come in the middle

    @property
    def status(self):
        return self.end.status


@dataclasses.dataclass
class Statement:
    id: int
    parameters: list
    columns: list
    warnings: int


def parse_ok(data, session_track):
    reader = Reader(data)
    reader.take(1)
    ok = Ok(reader.lenenc(), reader.lenenc(), reader.number(2), reader.number(2))
    if session_track:
        if reader.left:
            ok.info = reader.lenenc_bytes().decode(errors="replace")
        if ok.status & Status.STATE_CHANGED and reader.left:
            ok.trackers = parse_trackers(reader.lenenc_bytes())
        if reader.left:
            raise ProtocolError(f"bytes behind an OK packet: {reader.rest()!r}")
    else:
        ok.info = reader.rest().decode(errors="replace")
    return ok


def parse_trackers(block):
    """A list of (kind, value) as the server sent them; a variable's value is a (name, value) pair."""
    found, reader = [], Reader(block)
    while reader.left:
        kind = reader.number(1)
        entry = Reader(reader.lenenc_bytes())
        if kind == 0:
            while entry.left:
                found.append(("variable", (entry.lenenc_bytes().decode(), entry.lenenc_bytes().decode())))
        elif kind == 2:
            found.append(("state", entry.rest().decode()))
        else:
            if kind == 3:
                entry.take(1)
            found.append((TRACKERS.get(kind, kind), entry.lenenc_bytes().decode()))
    return found


def parse_eof(data):
    reader = Reader(data)
    reader.take(1)
    warnings = reader.number(2)
    return Ok(status=reader.number(2), warnings=warnings)


def parse_err(data):
    reader = Reader(data)
    reader.take(1)
    code, state = reader.number(2), ""
    if reader.data[reader.at:reader.at + 1] == b"#":
        state = reader.take(6)[1:].decode()
    return Err(code, state, reader.rest().decode(errors="replace"))


def parse_column(data, extended=False, with_default=False):
    reader = Reader(data)
    reader.lenenc_bytes()  # the catalogue, always "def"
    names = [reader.lenenc_bytes().decode() for _ in range(5)]
    named = Reader(reader.lenenc_bytes()) if extended else None
    reader.lenenc()
    column = Column(*names, reader.number(2), reader.number(4), reader.number(1), reader.number(2), reader.number(1))
    reader.take(2)
    if extended:
        column.extended = {}
        while named.left:
            kind = named.number(1)
            column.extended[kind] = named.lenenc_bytes().decode()
    if with_default:
        column.default = reader.lenenc_bytes()
    return column


def parse_text_row(data, columns):
    reader = Reader(data)
    row = tuple(reader.lenenc_bytes() for _ in columns)
    if reader.left:
        raise ProtocolError(f"bytes behind a row: {reader.rest()!r}")
    return row


def _moment(reader):
    length = reader.number(1)
    if length == 0:
        return "0000-00-00"
    date = struct.unpack("<HBB", reader.take(4))
    if length == 4:
        return "%04d-%02d-%02d" % date
    text = "%04d-%02d-%02d %02d:%02d:%02d" % (date + struct.unpack("<BBB", reader.take(3)))
    return text + (".%06d" % reader.number(4) if length == 11 else "")


def _duration(reader):
    length = reader.number(1)
    if length == 0:
        return "00:00:00"
    negative, days, hours, minutes, seconds = struct.unpack("<BIBBB", reader.take(8))
    text = "%s%02d:%02d:%02d" % ("-" if negative else "", days * 24 + hours, minutes, seconds)
    return text + (".%06d" % reader.number(4) if length == 12 else "")


def parse_binary_row(data, columns):
    """Numbers as numbers, dates and times as text, all else as bytes."""
    reader = Reader(data)
    if reader.number(1) != 0:
        raise ProtocolError(f"no binary row: {data[:20]!r}")
    nulls = reader.take((len(columns) + 9) // 8)
    row = []
    for index, column in enumerate(columns):
        if nulls[(index + 2) // 8] >> ((index + 2) % 8) & 1:
            row.append(None)
        elif column.type in (1, 2, 3, 8, 9, 13):
            size = {1: 1, 2: 2, 3: 4, 8: 8, 9: 4, 13: 2}[column.type]
            row.append(int.from_bytes(reader.take(size), "little", signed=not column.unsigned))
        elif column.type in (4, 5):
            row.append(struct.unpack("<f" if column.type == 4 else "<d", reader.take(4 if column.type == 4 else 8))[0])
        elif column.type in (7, 10, 12):
            row.append(_moment(reader))
        elif column.type == 11:
            row.append(_duration(reader))
        else:
            row.append(reader.lenenc_bytes())
    if reader.left:
        raise ProtocolError(f"bytes behind a row: {reader.rest()!r}")
    return tuple(row)


def bind(value):
    """The type (two bytes) and the binary form of a parameter; None has no form."""
    if value is None:
        return b"\x06\0", b""
    if isinstance(value, bool) or (isinstance(value, int) and -(1 << 63) <= value < 1 << 63):
        return b"\x08\0", struct.pack("<q", value)
    if isinstance(value, int):
        return b"\x08\x80", struct.pack("<Q", value)
    if isinstance(value, float):
        return b"\x05\0", struct.pack("<d", value)
    if isinstance(value, datetime.datetime):
        return b"\x0c\0", struct.pack("<BHBBBBBI", 11, value.year, value.month, value.day, value.hour, value.minute,
                                      value.second, value.microsecond)
    if isinstance(value, datetime.date):
        return b"\x0a\0", struct.pack("<BHBB", 4, value.year, value.month, value.day)
    if isinstance(value, decimal.Decimal):
        return b"\xf6\0", lenenc_bytes(str(value).encode())
    if isinstance(value, str):
        return b"\xfd\0", lenenc_bytes(value.encode())
    return b"\xfc\0", lenenc_bytes(bytes(value))
