"""The emitted server, running, and what a test says of it."""

import json
import os
import re
import shutil
import socket
import subprocess
import time
from pathlib import Path

from judging import check, free_port, run

# The protocol's revisions: those that begin with `initialize`, and the one where each request stands alone.
LEGACY = ["2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"]
MODERN = "2026-07-28"
META = "io.modelcontextprotocol/"

class Running:
    """The emitted server, with nothing of its configuration changed but paths, port and, if asked for, limits."""

    def __init__(self, python, stage, directory, **limits):
        self.python, self.directory = python, directory
        place = directory / "supervise"
        if not place.exists():
            shutil.copytree(stage / "supervise", place)
        self.server, self.port = place / "server.py", free_port()
        self.queue = directory / "queue"
        config = json.loads((stage / "supervise/supervise.json").read_text())
        config["listen"] = {"address": "127.0.0.1", "port": self.port}
        # As the bundle's, with its address replaced.
        entry = json.loads((stage / "agent/mcp.json").read_text())["mcpServers"]["supervise"]["url"]
        self.url = re.sub(r"//[0-9.]+:9100", f"//127.0.0.1:{self.port}", entry)
        config.update(queue=str(self.queue), queue_on_host="queue", audit_log=str(self.queue / "audit.jsonl"))
        config.update(url=self.url, in_force=str(place / "in-force"))
        config["limits"].update(limits)
        self.config = config
        (place / "supervise.json").write_text(json.dumps(config))

    def __enter__(self):
        self.log = (self.directory / "log").open("ab")
        command = [self.python, "-W", "error", "-I", str(self.server), "serve"]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, cwd="/")
        for _ in range(200):
            if self.tool("health").returncode == 0:
                return self
            if self.process.poll() is not None:
                break
            time.sleep(0.05)
        self.__exit__()
        raise AssertionError((self.directory / "log").read_text())

    def __exit__(self, *_):
        at = time.monotonic()
        self.process.terminate()
        try:
            code = self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            code = self.process.wait()
        self.log.close()
        check("the server ends at once and well when it is told to", code == 0 and time.monotonic() - at < 5, code)
        text = (self.directory / "log").read_text()
        check("the server's log holds no trace of a fault", "Traceback" not in text and "failed:" not in text, text)

    def tool(self, *words):
        """The human's tool, as it lies in the stage."""
        return run(self.python, "-W", "error", "-I", self.server, *words, cwd="/", timeout=30)

    def audit(self):
        return [json.loads(line) for line in (self.queue / "audit.jsonl").read_text().splitlines()]

    def memory(self):
        """Resident memory in MB."""
        return int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{self.process.pid}/status").read_text())[1]) / 1024

    def threads(self):
        return len(os.listdir(f"/proc/{self.process.pid}/task"))

    # Requests without a client.

    def raw(self, data, timeout=15):
        """What comes back until the server closes."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=timeout) as client:
            got = b""
            try:
                client.sendall(data)
            except OSError:
                pass
            try:
                while block := client.recv(1 << 16):
                    got += block
            except OSError:
                pass
            return got

    def head(self, method="POST", target="/", length=None, **headers):
        fields = {"Host": f"127.0.0.1:{self.port}", "Content-Type": "application/json", "Connection": "close"}
        fields.update({"Accept": "application/json, text/event-stream"})
        if length is not None:
            fields["Content-Length"] = length
        fields.update({name.replace("_", "-"): value for name, value in headers.items()})
        lines = [
            f"{method} {target} HTTP/1.1",
            *(f"{name}: {value}" for name, value in fields.items() if value is not None),
        ]
        return "\r\n".join([*lines, "", ""]).encode()

    def post(self, body, **headers):
        """Status and JSON of the answer."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        got = self.raw(self.head(length=len(data), **headers) + data)
        head, _, rest = got.partition(b"\r\n\r\n")
        status = int(head.split()[1]) if head else None
        return status, json.loads(rest) if rest else None

    def call(self, name, /, **arguments):
        """A tool's text and whether it is an error."""
        params = {"name": name, "arguments": arguments}
        status, answer = self.post({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params})
        if status != 200:
            return f"HTTP {status}", True
        return answer["result"]["content"][0]["text"], answer["result"]["isError"]
