"""The emitted broker, running, and what a test says of it."""

import base64
import json
import re
import signal
import socket
import subprocess
import time
import urllib.parse
from pathlib import Path

from judging import check, free_port

def spellings(secret):
    """A secret as it would be found in bytes: as it is, in base64 at each of its three offsets, in hexadecimal, in codes."""
    raw = secret.encode()
    found = {raw, raw.hex().encode(), raw.hex().upper().encode(), raw[::-1]}
    found.add(urllib.parse.quote(secret, safe="").encode())
    found.add("".join(f"%{byte:02X}" for byte in raw).encode())
    found.add("".join(f"%{byte:02x}" for byte in raw).encode())
    for lead in range(3):
        encoded = base64.b64encode(b"\0" * lead + raw).rstrip(b"=")
        # What depends on the neighbours is left out.
        found.add(encoded[-(-lead * 8 // 6) : -1])
    return found


class Wire:
    """Every byte to and from the agent."""

    def __init__(self):
        self.sent, self.received = bytearray(), bytearray()

    def find(self, spelt):
        return any(spelling in self.received for spelling in spelt)


class Broker:
    """The emitted configuration in the real program. Changed is only what loopback asks for: where it listens and is
    dialled, where each upstream is, and where the files lie. For some tries the caller has time-outs shortened, and
    the log turned up."""

    def __init__(self, caddy, stage, directory, dials, **changes):
        self.caddy, self.directory = caddy, directory
        self.port = free_port()
        plan = json.loads((stage / "plan.json").read_text())
        text = (stage / "broker/caddy.json").read_text()
        self.origin = f"http://127.0.0.1:{self.port}"
        text = text.replace(f"http://{plan['bundle_ip']}:8900", self.origin)
        for place in ("/run/broker/", "/run/secrets/", "/ca/"):
            (directory / place.strip("/")).mkdir(parents=True, exist_ok=True)
            text = text.replace(place, f"{directory}{place}")
        for old, new in changes.items():
            text = re.sub(rf'"{old}": "[^"]*"', f'"{old}": "{new}"', text)
        config = json.loads(text)
        [server] = config["apps"]["http"]["servers"].values()
        assert server["listen"] == [":8900"], server["listen"]
        server["listen"] = [f"127.0.0.1:{self.port}"]
        for proxy in proxies(server):
            for upstream in proxy["upstreams"]:
                upstream["dial"] = f"127.0.0.1:{dials(proxy, upstream['dial'])}"
        self.config = directory / "caddy.json"
        self.config.write_text(json.dumps(config, indent=2))
        self.wire = Wire()

    def __enter__(self):
        self.log_path = self.directory / "log"
        self.log = self.log_path.open("ab")
        # Nothing may be written: what stands for home and data is not there.
        environment = {
            "PATH": "/nowhere",
            "HOME": "/proc/nowhere",
            "SSL_CERT_FILE": str(self.directory / "ca/system.pem"),
        }
        command = [self.caddy, "run", "--config", str(self.config)]
        self.process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, cwd="/", env=environment
        )
        for _ in range(400):
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return self
            except OSError:
                if self.process.poll() is not None:
                    break
                time.sleep(0.02)
        raise AssertionError(self.log_path.read_text())

    def __exit__(self, *_):
        at = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            code = self.process.wait()
        self.log.close()
        check("the broker ends when it is told to", code == 0 and time.monotonic() - at < 10, code)

    def path(self, inside):
        return Path(f"{self.directory}{inside}")

    def logged(self):
        """How long the log is."""
        return self.log_path.stat().st_size

    def access(self, since=0):
        """The whole lines of the access log, from there on."""
        text = self.log_path.read_bytes()[since:].decode()
        lines = [json.loads(line) for line in text.split("\n")[:-1] if line.startswith("{")]
        return [line for line in lines if line.get("logger") == "http.log.access"]

    def memory(self):
        """Resident memory in MB."""
        return int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{self.process.pid}/status").read_text())[1]) / 1024

    def shown(self):
        """What another process of the container sees of this one."""
        return b"".join(Path(f"/proc/{self.process.pid}/{name}").read_bytes() for name in ("environ", "cmdline"))

    # Requests without a client.

    def connect(self, timeout=5):
        return socket.create_connection(("127.0.0.1", self.port), timeout)

    def raw(self, data, timeout=5, answers=1):
        """Sends bytes as they are, and gives back the answers, or less where the connection ends before."""
        with self.connect(timeout) as connection:
            self.wire.sent += data
            try:
                connection.sendall(data)
            except OSError:
                pass
            rest = bytearray()
            return [self.answer(connection, rest, bodiless=data.startswith(b"HEAD ")) for _ in range(answers)]

    def answer(self, connection, rest=None, bodiless=False):
        """The next answer of a connection. `rest` has what came of the one after it."""
        answer = Answer()
        rest = bytearray() if rest is None else rest
        data = bytes(rest)

        def more():
            nonlocal data
            try:
                got = connection.recv(1 << 16)
            except OSError:
                got = b""
            self.wire.received += got
            data += got
            return bool(got)

        while True:
            while b"\r\n\r\n" not in data:
                if not more():
                    return answer
            head, data = data.split(b"\r\n\r\n", 1)
            answer.heads.append(head)
            answer.status = int(head.split(b" ", 2)[1])
            if answer.status >= 200 or answer.status == 101:
                break
        answer.fields = [
            tuple(line.decode("latin-1").split(": ", 1)) for line in head.split(b"\r\n")[1:] if b": " in line
        ]
        if answer.status == 101 or bodiless:
            return answer
        if answer.get("transfer-encoding") == "chunked":
            while b"0\r\n\r\n" not in data:
                if not more():
                    answer.whole = False
                    break
            length = data.find(b"0\r\n\r\n") + 5 if answer.whole else len(data)
        else:
            length = int(answer.get("content-length") or 0)
            while len(data) < length:
                if not more():
                    answer.whole = False
                    break
        answer.body, rest[:] = data[:length], data[length:]
        if answer.whole and answer.get("transfer-encoding") == "chunked":
            answer.body = joined(answer.body)
        return answer


def joined(data):
    """A body without the framing of its chunks."""
    body = b""
    while data:
        size, data = data.split(b"\r\n", 1)
        size = int(size, 16)
        if size == 0:
            break
        body, data = body + data[:size], data[size + 2 :]
    return body


class Answer:
    def __init__(self):
        self.status, self.fields, self.heads, self.body, self.whole = 0, [], [], b"", True

    def get(self, name):
        return ", ".join(value for field, value in self.fields if field.lower() == name.lower())

    def __repr__(self):
        return f"{self.status} {self.fields} {self.body[:300]}"


def proxies(server):
    """Every `reverse_proxy` of the configuration."""

    def walk(value):
        if isinstance(value, dict):
            if value.get("handler") == "reverse_proxy":
                yield value
            for inner in value.values():
                yield from walk(inner)
        elif isinstance(value, list):
            for inner in value:
                yield from walk(inner)

    return list(walk(server))
