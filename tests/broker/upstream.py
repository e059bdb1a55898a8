"""The upstream: a TLS server on loopback that writes down each request as it came, and behaves as its path says."""

import base64
import hashlib
import json
import socket
import ssl
import subprocess
import threading
import time
import urllib.parse


class Authority:
    """A certificate authority of the judge's own, and what it signed."""

    def __init__(self, directory, name):
        self.directory, self.name = directory, name
        self.key, self.pem = directory / f"{name}.key", directory / f"{name}.pem"
        openssl(
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-days",
            "2",
            "-subj",
            f"/CN={name}",
            "-keyout",
            self.key,
            "-out",
            self.pem,
        )

    def sign(self, file, *names, days=2):
        """A certificate for the names, with its key, as one file."""
        at = self.directory / file
        key, request, extensions = at.with_suffix(".key"), at.with_suffix(".csr"), at.with_suffix(".ext")
        extensions.write_text("subjectAltName=" + ",".join(f"DNS:{name}" for name in names))
        openssl(
            "req",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-subj",
            f"/CN={names[0]}",
            "-keyout",
            key,
            "-out",
            request,
        )
        openssl(
            "x509",
            "-req",
            "-in",
            request,
            "-CA",
            self.pem,
            "-CAkey",
            self.key,
            "-CAcreateserial",
            "-days",
            days,
            "-extfile",
            extensions,
            "-out",
            at,
        )
        at.write_text(at.read_text() + key.read_text())
        return at


def openssl(*words):
    subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True, timeout=60)


class Request:
    """A request as its bytes say it."""

    def __init__(self, head):
        self.head = head
        lines = head.decode("latin-1").split("\r\n")
        self.line = lines[0]
        self.method, self.target = (lines[0].split(" ") + ["", ""])[:2]
        self.fields = [
            tuple(line.split(": ", 1)) if ": " in line else (line.rstrip(":"), "") for line in lines[1:] if line
        ]
        self.length, self.body, self.trailers = 0, b"", b""

    def all(self, name):
        return [value for field, value in self.fields if field.lower() == name.lower()]

    def get(self, name):
        return ", ".join(self.all(name))


class Upstream:
    """Serves until the judge ends. `requests` has what came, `open` how many connections there are."""

    def __init__(self, certificate=None):
        self.requests, self.connections, self.open = [], 0, 0
        self.context = None
        if certificate is not None:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(certificate)
            self.context.set_alpn_protocols(["http/1.1"])
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        self.open += 1
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.settimeout(300)
            if self.context is not None:
                connection = self.context.wrap_socket(connection, server_side=True)
            else:
                # Whoever speaks TLS to it is answered in clear.
                connection.recv(1 << 16)
                answer(connection, b"plain")
                return
            reader = Reader(connection)
            while self.exchange(connection, reader):
                pass
        except (OSError, ValueError, Gone):
            pass
        finally:
            self.open -= 1
            connection.close()

    def exchange(self, connection, reader):
        head = reader.until(b"\r\n\r\n")
        request = Request(head[:-4])
        self.requests.append(request)
        if request.get("expect").lower() == "100-continue":
            connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        if "/behave/early" in request.target:
            return answer(connection, b"early", "413 Content Too Large", close=True)
        if request.get("transfer-encoding") == "chunked":
            while True:
                size = int(reader.until(b"\r\n"), 16)
                if size == 0:
                    break
                reader.skip(request, size)
                reader.until(b"\r\n")
            while (line := reader.until(b"\r\n")) != b"\r\n":
                request.trailers += line
        else:
            reader.skip(request, int(request.get("content-length") or 0))
        return self.behave(connection, reader, request)

    def behave(self, connection, reader, request):
        parts = urllib.parse.urlsplit(request.target)
        asked = dict(urllib.parse.parse_qsl(parts.query))
        what = parts.path.rsplit("/behave/", 1)[-1] if "/behave/" in parts.path else ""
        send = connection.sendall
        if "/ws/" in parts.path and request.get("upgrade"):
            return websocket(connection, reader, request)
        if what == "redirect":
            return answer(
                connection,
                b"",
                "302 Found",
                Location=asked["to"],
                Content_Location=asked["to"],
                Link=f'<{asked["to"]}>; rel="next", <https://elsewhere.test/x>; rel="last"',
            )
        if what == "fields":
            given = request.get("x-api-key") or request.get("authorization")
            return answer(
                connection, b"ok", Alt_Svc='h3=":443"; ma=60', Set_Cookie="session=1234", X_Echo=given, X_Kept="kept"
            )
        if what == "events":
            send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
            for number in range(3):
                chunk(send, f"event: tick\ndata: {number}\n\n".encode())
                time.sleep(float(asked.get("gap", "0.5")))
            send(b"0\r\n\r\n")
            return True
        if what == "big":
            left = int(asked["mb"]) << 20
            send(
                f"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: {left}\r\n\r\n".encode()
            )
            block = b"x" * (1 << 20)
            for _ in range(left >> 20):
                send(block)
            return True
        if what == "hang":
            connection.settimeout(30)
            reader.until(b"never")
        if what == "half":
            send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n0123456789")
            return False
        if what == "die":
            return False
        if what == "garbage":
            # What is echoed in a broken answer must not come to stand in a log.
            given = (request.get("x-api-key") or request.get("authorization")).encode()
            send(
                {
                    "status": b"HTTP/1.1 banana " + given + b"\r\n\r\n",
                    "version": given + b" 200 OK\r\n\r\n",
                    "field": b"HTTP/1.1 200 OK\r\n" + given + b"\r\n\r\n",
                    "line": b"HTTP/1.1 200 OK\r\n " + given + b": x\r\n\r\n",
                    "length": b"HTTP/1.1 200 OK\r\nContent-Length: " + given + b"\r\n\r\n",
                    "coding": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: " + given + b"\r\n\r\n",
                    "chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + given + b"\r\n",
                }[asked["kind"]]
            )
            return False
        if what == "hints":
            send(
                b"HTTP/1.1 103 Early Hints\r\nLink: <https://elsewhere.test/a.css>; rel=preload\r\n"
                b'Alt-Svc: h3=":443"\r\nSet-Cookie: early=1\r\n\r\n'
            )
            return answer(connection, b"after")
        if what == "switch":
            send(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\nraw bytes")
            return False
        if what == "trailers":
            send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-After\r\n\r\n")
            chunk(send, b"body")
            send(b"0\r\nX-After: 1\r\n\r\n")
            return True
        if self.api(connection, request, parts.path):
            return True
        return answer(
            connection,
            json.dumps({"line": request.line, "received": request.length}).encode(),
            Content_Type="application/json",
        )

    def api(self, connection, request, path):
        """Overridden by a fake API."""
        return False


class Gone(Exception):
    pass


class Reader:
    def __init__(self, connection):
        self.connection, self.buffer = connection, b""

    def more(self):
        data = self.connection.recv(1 << 16)
        if not data:
            raise Gone
        self.buffer += data

    def until(self, end):
        while end not in self.buffer:
            self.more()
        found, self.buffer = self.buffer.split(end, 1)
        return found + end

    def skip(self, request, count):
        """Takes a part of the body; of a long one the beginning is kept."""
        request.length += count
        while count > 0:
            if not self.buffer:
                self.more()
            part, self.buffer = self.buffer[:count], self.buffer[count:]
            count -= len(part)
            if len(request.body) < 1 << 20:
                request.body += part


def answer(connection, body, status="200 OK", close=False, **fields):
    head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n"
    head += "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in fields.items())
    connection.sendall((head + ("Connection: close\r\n" if close else "") + "\r\n").encode() + body)
    return not close


def chunk(send, data):
    send(f"{len(data):x}\r\n".encode() + data + b"\r\n")


def websocket(connection, reader, request):
    """Takes the upgrade, and gives back each frame as it came, unmasked."""
    key = request.get("sec-websocket-key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
    accept = base64.b64encode(hashlib.sha1(key.encode()).digest()).decode()
    connection.sendall(
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        + f"Sec-WebSocket-Accept: {accept}\r\n\r\n".encode()
    )
    while True:
        while len(reader.buffer) < 6:
            reader.more()
        length = reader.buffer[1] & 127
        while len(reader.buffer) < 6 + length:
            reader.more()
        frame, reader.buffer = reader.buffer[: 6 + length], reader.buffer[6 + length :]
        mask, masked = frame[2:6], frame[6:]
        text = bytes(byte ^ mask[at % 4] for at, byte in enumerate(masked))
        connection.sendall(bytes([frame[0], length]) + text)
