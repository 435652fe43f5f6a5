"""A raw protocol client, for what no driver can say: chosen capabilities, single packets, garbage.

    client = Client(port, "app", "app-secret", without=Capability.DEPRECATE_EOF)
    client.query("SELECT 1")                -> ResultSet, Ok, Err or LocalInfile
    client.results("SELECT 1; SELECT 2")    -> all of them
    client.command(Command.PING); client.read_reply()

It checks what a driver takes for granted: every packet's sequence number, no bytes left over in a packet, and
(`idle`) that nothing comes unasked.
"""
import hashlib
import select
import socket
import ssl

from .raw_format import (Capability, Command, Err, LocalInfile, Ok, ProtocolError, Reader, ResultSet, Statement, Status,
                         bind, lenenc, lenenc_bytes, parse_binary_row, parse_column, parse_eof, parse_err, parse_ok,
                         parse_text_row)

__all__ = ["Capability", "Client", "Command", "Err", "LocalInfile", "LoginRefused", "Ok", "ProtocolError", "ResultSet",
           "Statement", "Status", "DEFAULT", "MAX_PACKET"]

MAX_PACKET = 0xFFFFFF
DEFAULT = (Capability.LONG_PASSWORD | Capability.LONG_FLAG | Capability.PROTOCOL_41 | Capability.TRANSACTIONS
           | Capability.SECURE_CONNECTION | Capability.MULTI_STATEMENTS | Capability.MULTI_RESULTS
           | Capability.PS_MULTI_RESULTS | Capability.PLUGIN_AUTH | Capability.PLUGIN_AUTH_LENENC
           | Capability.SESSION_TRACK | Capability.DEPRECATE_EOF)


class LoginRefused(Exception):
    """The login ended in an error packet; `error` is that packet."""

    def __init__(self, error):
        super().__init__(f"{error.code} ({error.state}): {error.message}")
        self.error = error


class Greeting:
    """The server's first packet."""

    def __init__(self, data):
        reader = Reader(data)
        self.protocol = reader.number(1)
        if self.protocol == 0xFF:
            raise LoginRefused(parse_err(data))
        self.version = reader.until_zero().decode()
        self.thread_id = reader.number(4)
        self.scramble = reader.take(8)
        reader.take(1)
        self.capabilities = reader.number(2)
        self.charset = reader.number(1)
        self.status = reader.number(2)
        self.capabilities |= reader.number(2) << 16
        length = reader.number(1)
        reader.take(6)
        extended = reader.number(4)
        if not self.capabilities & Capability.MYSQL:
            self.capabilities |= extended << 32
        self.scramble += reader.take(max(13, length - 8))[:12]
        self.plugin = reader.until_zero().decode() if self.capabilities & Capability.PLUGIN_AUTH else ""


class Client:
    def __init__(self, port, user="app", password="app-secret", schema=None, capabilities=DEFAULT, without=0, adding=0,
                 tls=False, ca=None, plugin=None, charset=45, attributes=None, host="127.0.0.1", timeout=30, login=True):
        self.socket = socket.create_connection((host, port), timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sequence = 0
        self.secure = False
        self._buffer = bytearray()
        try:
            self.greeting = Greeting(self.read_packet())
            self.scramble = self.greeting.scramble
            self.capabilities = capabilities & ~without | adding
            if schema is not None:
                self.capabilities |= Capability.CONNECT_WITH_DB
            if attributes:
                self.capabilities |= Capability.CONNECT_ATTRS
            # As drivers do: what the server does not offer is not asked for.
            self.capabilities &= self.greeting.capabilities | Capability.CONNECT_WITH_DB | Capability.MYSQL
            if login:
                self.login(user, password, schema, tls, ca, plugin, charset, attributes)
        except BaseException:
            self.socket.close()
            raise

    def has(self, capability):
        return bool(self.capabilities & capability)

    # Packets.
    def send_bytes(self, data):
        self.socket.sendall(data)

    def send_packet(self, payload, sequence=None):
        """One message, in as many packets as it needs; ends with an empty one when the last is full."""
        if sequence is not None:
            self.sequence = sequence
        data = bytearray()
        for start in range(0, len(payload) + 1, MAX_PACKET):
            part = payload[start:start + MAX_PACKET]
            data += len(part).to_bytes(3, "little") + bytes([self.sequence]) + part
            self.sequence = (self.sequence + 1) & 0xFF
        self.send_bytes(data)

    def _fill(self, count):
        while len(self._buffer) < count:
            data = self.socket.recv(max(65536, min(count - len(self._buffer), 1 << 20)))
            if not data:
                raise EOFError(f"the server closed the connection ({len(self._buffer)} bytes of {count} came)")
            self._buffer += data

    def read_frame(self):
        """One packet as it is on the wire; its sequence number must be the next."""
        self._fill(4)
        length, sequence = int.from_bytes(self._buffer[:3], "little"), self._buffer[3]
        if sequence != self.sequence:
            raise ProtocolError(f"sequence number {sequence}, not {self.sequence}: {bytes(self._buffer[:40])!r}")
        self.sequence = (sequence + 1) & 0xFF
        self._fill(4 + length)
        payload = bytes(self._buffer[4:4 + length])
        del self._buffer[:4 + length]
        return payload

    def read_packet(self):
        """One message: joined when it came in several packets."""
        payload = part = self.read_frame()
        while len(part) == MAX_PACKET:
            part = self.read_frame()
            payload += part
        return payload

    def idle(self, seconds=0.05):
        """True when nothing more comes within the time."""
        if self._buffer or (self.secure and self.socket.pending()):
            return False
        return not select.select([self.socket], [], [], seconds)[0]

    def closed(self, seconds=5.0):
        """True when the other side closes within the time, without a word."""
        self.socket.settimeout(seconds)
        try:
            return not self._buffer and self.socket.recv(1) == b""
        except ConnectionError:
            return True
        except TimeoutError:
            return False

    # Logging in.
    def login(self, user, password, schema=None, tls=False, ca=None, plugin=None, charset=45, attributes=None):
        if tls or ca:
            self.start_tls(ca, charset)
        plugin = plugin or self.greeting.plugin
        answer = self.answer(plugin, password)
        packet = self._fixed_part(charset) + user.encode() + b"\0"
        packet += lenenc_bytes(answer) if self.has(Capability.PLUGIN_AUTH_LENENC) else bytes([len(answer)]) + answer
        if self.has(Capability.CONNECT_WITH_DB):
            packet += (schema if isinstance(schema, bytes) else (schema or "").encode()) + b"\0"
        if self.has(Capability.PLUGIN_AUTH):
            packet += plugin.encode() + b"\0"
        if self.has(Capability.CONNECT_ATTRS):
            packet += self._attributes(attributes or {})
        self.send_packet(packet)
        return self.authenticate(plugin, password)

    @staticmethod
    def _attributes(attributes):
        pairs = b"".join(lenenc_bytes(k.encode()) + lenenc_bytes(v.encode()) for k, v in attributes.items())
        return lenenc_bytes(pairs)

    def _fixed_part(self, charset):
        basic, extended = self.capabilities & 0xFFFFFFFF, self.capabilities >> 32
        filler = bytes(23) if basic & Capability.MYSQL else bytes(19) + extended.to_bytes(4, "little")
        return basic.to_bytes(4, "little") + (1 << 30).to_bytes(4, "little") + bytes([charset]) + filler

    def start_tls(self, ca=None, charset=45):
        if not self.greeting.capabilities & Capability.SSL:
            raise ProtocolError("the server offers no TLS")
        self.capabilities |= Capability.SSL
        self.send_packet(self._fixed_part(charset))
        context = ssl.create_default_context(cafile=ca)
        if ca is None:
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        self.socket = context.wrap_socket(self.socket, server_hostname="127.0.0.1")
        self.secure = True

    def answer(self, plugin, password):
        """The first answer of a plug-in to the scramble."""
        secret = password.encode()
        if plugin == "mysql_clear_password":
            return secret + b"\0"
        if not secret:
            return b""
        if plugin == "mysql_native_password":
            once = hashlib.sha1(secret).digest()
            mask = hashlib.sha1(self.scramble + hashlib.sha1(once).digest()).digest()
        elif plugin == "caching_sha2_password":
            once = hashlib.sha256(secret).digest()
            mask = hashlib.sha256(hashlib.sha256(once).digest() + self.scramble).digest()
        else:
            return b""
        return bytes(a ^ b for a, b in zip(once, mask))

    def authenticate(self, plugin, password):
        """Follows the server through switches and further data until OK; raises LoginRefused."""
        self.steps = []  # what the server asked for, for tests that want to know
        while True:
            packet = self.read_packet()
            if packet[0] == 0x00:
                return parse_ok(packet, self.has(Capability.SESSION_TRACK))
            if packet[0] == 0xFF:
                raise LoginRefused(parse_err(packet))
            if packet[0] == 0xFE:
                reader = Reader(packet[1:])
                plugin, data = reader.until_zero().decode(), reader.rest()
                self.scramble = data[:20]
                self.steps.append(plugin)
                self.send_packet(self.answer(plugin, password))
            elif packet[0] == 0x01 and packet[1:] == b"\x03":
                self.steps.append("fast")
            elif packet[0] == 0x01 and packet[1:] == b"\x04":
                self.steps.append("full")
                self._send_password(password)
            else:
                raise ProtocolError(f"unexpected packet while logging in: {packet!r}")

    def _send_password(self, password):
        secret = password.encode() + b"\0"
        if self.secure:
            return self.send_packet(secret)
        from cryptography.hazmat.primitives import hashes, serialization
        from cryptography.hazmat.primitives.asymmetric import padding
        self.send_packet(b"\x02")
        key = serialization.load_pem_public_key(self.read_packet()[1:])
        masked = bytes(byte ^ self.scramble[at % 20] for at, byte in enumerate(secret))
        oaep = padding.OAEP(mgf=padding.MGF1(algorithm=hashes.SHA1()), algorithm=hashes.SHA1(), label=None)
        self.send_packet(key.encrypt(masked, oaep))

    # Commands.
    def command(self, code, payload=b""):
        """Sends a command; the reply is not read."""
        self.sequence = 0
        self.send_packet(bytes([code]) + payload)

    def ask(self, code, payload=b""):
        """Sends a command and reads one reply."""
        self.command(code, payload)
        return self.read_reply()

    def send_query(self, statement, attributes=()):
        text = statement if isinstance(statement, bytes) else statement.encode()
        head = b""
        if self.has(Capability.QUERY_ATTRIBUTES):
            head = lenenc(len(attributes)) + b"\x01" + self._parameters(attributes, named=True)
        self.command(Command.QUERY, head + text)

    def query(self, statement, attributes=()):
        self.send_query(statement, attributes)
        return self.read_reply()

    def results(self, statement):
        """Every result of a statement (or several), the last one without MORE_RESULTS."""
        self.send_query(statement)
        return self.read_results()

    def rows(self, statement):
        """The rows of one result set; anything else is an error."""
        reply = self.query(statement)
        if not isinstance(reply, ResultSet) or isinstance(reply.end, Err):
            raise AssertionError(f"{statement[:200]!r} gave {str(reply)[:500]}")
        return reply.rows

    def value(self, statement):
        return self.rows(statement)[0][0]

    def ping(self):
        return self.ask(Command.PING)

    def quit(self):
        self.command(Command.QUIT)
        self.socket.close()

    def close(self):
        """Closes the socket without a word."""
        self.socket.close()

    def change_user(self, user, password, schema="", charset=45, plugin=None):
        plugin = plugin or self.greeting.plugin
        answer = self.answer(plugin, password)
        self.command(Command.CHANGE_USER, user.encode() + b"\0" + bytes([len(answer)]) + answer + schema.encode() + b"\0"
                     + charset.to_bytes(2, "little") + plugin.encode() + b"\0"
                     + (b"\0" if self.has(Capability.CONNECT_ATTRS) else b""))
        return self.authenticate(plugin, password)

    def field_list(self, table):
        """COM_FIELD_LIST: the columns, or an Err."""
        self.command(Command.FIELD_LIST, table.encode() + b"\0")
        columns = []
        while True:
            packet = self.read_packet()
            if packet[0] == 0xFF:
                return parse_err(packet)
            if packet[0] == 0xFE and len(packet) < 9:
                return columns
            columns.append(parse_column(packet, self.has(Capability.EXTENDED_METADATA), with_default=True))

    def statistics(self):
        self.command(Command.STATISTICS)
        return self.read_packet().decode()

    # Prepared statements.
    def prepare(self, statement):
        """A Statement, or an Err."""
        self.command(Command.STMT_PREPARE, statement if isinstance(statement, bytes) else statement.encode())
        packet = self.read_packet()
        if packet[0] == 0xFF:
            return parse_err(packet)
        reader = Reader(packet[1:])
        number, columns, parameters = reader.number(4), reader.number(2), reader.number(2)
        reader.take(1)
        warnings = reader.number(2) if reader.left else 0
        follows = reader.number(1) if self.has(Capability.OPTIONAL_METADATA) and reader.left else 1
        definitions = []
        for count in (parameters, columns):
            definitions.append(self._columns(count) if follows else [])
        return Statement(number, *definitions, warnings)

    def _columns(self, count):
        found = [parse_column(self.read_packet(), self.has(Capability.EXTENDED_METADATA)) for _ in range(count)]
        if count and not self.has(Capability.DEPRECATE_EOF):
            self._expect_eof()
        return found

    def _expect_eof(self):
        packet = self.read_packet()
        if packet[0] != 0xFE or len(packet) != 5:
            raise ProtocolError(f"no EOF packet: {packet[:40]!r}")
        return parse_eof(packet)

    @staticmethod
    def _parameters(values, types=True, named=False, skip=()):
        """NULL bitmap, types and values; `values` are (name, value) pairs when named."""
        if not values:
            return b""
        pairs = list(values) if named else [("", value) for value in values]
        nulls = bytearray((len(pairs) + 7) // 8)
        kinds, forms = b"", b""
        for index, (name, value) in enumerate(pairs):
            if index in skip:  # sent as long data before
                kinds += b"\xfc\0" + (lenenc_bytes(name.encode()) if named else b"")
                continue
            kind, form = bind(value)
            kinds += kind + (lenenc_bytes(name.encode()) if named else b"")
            forms += form
            if value is None:
                nulls[index // 8] |= 1 << (index % 8)
        return bytes(nulls) + (b"\x01" + kinds if types else b"\0") + forms

    def send_execute(self, statement, values=(), cursor=0, types=True, long_data=()):
        """Sends COM_STMT_EXECUTE; `types` False leaves the types out, as drivers do from the second time on."""
        number = statement.id if isinstance(statement, Statement) else statement
        payload = number.to_bytes(4, "little") + bytes([cursor]) + (1).to_bytes(4, "little")
        named = self.has(Capability.QUERY_ATTRIBUTES)
        if named and values:
            payload += lenenc(len(values))
        self.command(Command.STMT_EXECUTE,
                     payload + self._parameters([("", v) for v in values] if named else values, types, named, long_data))

    def execute(self, statement, values=(), cursor=0, types=True, long_data=()):
        self.send_execute(statement, values, cursor, types, long_data)
        if not isinstance(statement, Statement):
            return self.read_reply(binary=True)
        reply = self.read_reply(binary=True, known=statement.columns)
        if isinstance(reply, ResultSet):
            statement.columns = reply.columns  # MariaDB sends them only when they have changed
        return reply

    def fetch(self, statement, columns, count):
        """COM_STMT_FETCH: a ResultSet with the rows that came, or an Err."""
        self.command(Command.STMT_FETCH, statement.id.to_bytes(4, "little") + count.to_bytes(4, "little"))
        return self._rows(columns, binary=True)

    def send_long_data(self, statement, parameter, data):
        """Has no reply."""
        self.command(Command.STMT_SEND_LONG_DATA,
                     statement.id.to_bytes(4, "little") + parameter.to_bytes(2, "little") + data)

    def close_statement(self, statement):
        """Has no reply."""
        self.command(Command.STMT_CLOSE, statement.id.to_bytes(4, "little"))

    def reset_statement(self, statement):
        return self.ask(Command.STMT_RESET, statement.id.to_bytes(4, "little"))

    # Replies.
    def read_reply(self, binary=False, known=()):
        """One result: Ok, Err, LocalInfile or ResultSet. `known` are the columns in case none are sent."""
        packet = self.read_packet()
        if packet[0] == 0x00:
            return parse_ok(packet, self.has(Capability.SESSION_TRACK))
        if packet[0] == 0xFF:
            return parse_err(packet)
        if packet[0] == 0xFB:
            return LocalInfile(packet[1:].decode())
        if packet[0] == 0xFE and len(packet) < 9:  # COM_SET_OPTION's reply
            return self._parse_end(packet)
        reader, follows = Reader(packet), 1
        count = reader.lenenc()
        if self.has(Capability.OPTIONAL_METADATA) or self.has(Capability.CACHE_METADATA):
            follows = reader.number(1)
        if reader.left:
            raise ProtocolError(f"bytes behind the number of columns: {packet!r}")
        extended = self.has(Capability.EXTENDED_METADATA)
        if follows:
            columns = [parse_column(self.read_packet(), extended) for _ in range(count)]
        else:
            columns = known or [None] * count
        if not self.has(Capability.DEPRECATE_EOF):
            end = self._expect_eof()
            if end.status & Status.CURSOR_EXISTS:
                return ResultSet(columns, [], end)
        return self._rows(columns, binary)

    def _parse_end(self, packet):
        if self.has(Capability.DEPRECATE_EOF) and len(packet) >= 7:
            return parse_ok(packet, self.has(Capability.SESSION_TRACK))
        return parse_eof(packet)

    def _rows(self, columns, binary):
        rows = []
        parse = parse_binary_row if binary else parse_text_row
        while True:
            packet = self.read_packet()
            if packet[0] == 0xFF:
                return ResultSet(columns, rows, parse_err(packet))
            if packet[0] == 0xFE and len(packet) < (MAX_PACKET if self.has(Capability.DEPRECATE_EOF) else 9):
                return ResultSet(columns, rows, self._parse_end(packet))
            rows.append(parse(packet, columns))

    def read_results(self, binary=False):
        results = [self.read_reply(binary)]
        while True:
            last = results[-1]
            end = last.end if isinstance(last, ResultSet) else last
            if not isinstance(end, Ok) or not end.status & Status.MORE_RESULTS:
                return results
            results.append(self.read_reply(binary))

    def send_local(self, chunks):
        """Answers a LocalInfile with data, and reads the reply."""
        for chunk in chunks:
            self.send_packet(chunk)
        self.send_packet(b"")
        return self.read_reply()
