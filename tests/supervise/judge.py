#!/usr/bin/env python3
"""Holds the emitted supervise against a real MCP client, and against what a hostile agent could send.

The example is compiled, the emitted server runs from the emitted configuration on a loopback port with a queue of the
judge's own, and the official Python SDK talks to it over Streamable HTTP, in both of the protocol's kinds; a human
decides with the emitted tool; then raw sockets say what no client would.

    tests/supervise/judge.py target/debug/bottlec

The client is the package `mcp`, by pip into target/mcp/. Where it cannot be had the script says so loudly and goes on
without; a verdict is never skipped. The server runs with each Python of PYTHONS that is here.
"""

import base64
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples/supervised.kdl"
CLIENT = "mcp==2.3.0"
# What the server promises, the oldest first; the running one is always tried.
PYTHONS = ["python3.9", "python3.10", "python3.11", "python3.12", "python3.13"]
LEGACY = ["2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"]
MODERN = "2026-07-28"
META = "io.modelcontextprotocol/"

passed = 0
failed = 0


def check(what, holds, detail=""):
    global passed, failed
    if holds:
        passed += 1
    else:
        failed += 1
        print(f"FAILED: {what}\n    {detail}")


def install():
    """The Python that has the client, or None where the package cannot be had."""
    place = ROOT / "target/mcp/venv"
    python = place / "bin/python"
    wanted = place / CLIENT
    if not wanted.exists():
        shutil.rmtree(place, ignore_errors=True)
        for command in (
            [sys.executable, "-m", "venv", str(place)],
            [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", CLIENT],
        ):
            try:
                if subprocess.run(command, timeout=600).returncode != 0:
                    return None
            except (OSError, subprocess.TimeoutExpired):
                return None
        wanted.touch()
    return python


def as_number(version):
    return tuple(map(int, version.split(".")))


def pythons():
    """Each Python by version, without the shims of a version manager that know no such version."""
    found = {}
    homes = sorted(Path(os.path.expanduser("~/.pyenv/versions")).glob("3.*/bin"))
    path = os.pathsep.join([os.environ["PATH"], *map(str, homes)])
    for name in [*PYTHONS, sys.executable]:
        for directory in path.split(os.pathsep):
            program = shutil.which(name, path=directory)
            if program is None:
                continue
            ask = "import sys; print('%d.%d' % sys.version_info[:2])"
            result = subprocess.run([program, "-c", ask], capture_output=True, text=True)
            version = result.stdout.strip()
            if result.returncode == 0 and as_number(version) >= (3, 9):
                found.setdefault(version, program)
                break
    return {version: found[version] for version in sorted(found, key=as_number)}


def build(bottlec, workspace):
    """The emitted stage and its plan."""
    shutil.copy(EXAMPLE, workspace / EXAMPLE.name)
    subprocess.run([bottlec, "build", EXAMPLE.name], cwd=workspace, check=True, capture_output=True)
    plan = json.loads(next(workspace.glob("stage/*/plan.json")).read_text())
    return workspace / "stage" / plan["slug"], plan


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


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
        self.process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, cwd="/"
        )
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
        return subprocess.run(
            [self.python, "-W", "error", "-I", str(self.server), *words],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, cwd="/", timeout=30,
        )  # fmt: skip

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
        lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items() if value is not None)]
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


# --- A real client ---

DIALOGUE = '''
import asyncio, json, sys
from mcp.client.client import Client

url, mode, ask = sys.argv[1:]

async def main():
    async with Client(url, mode=mode) as client:
        tools = await client.list_tools()
        resources = await client.list_resources()
        texts = {}
        for resource in resources.resources:
            texts[str(resource.uri)] = (await client.read_resource(resource.uri)).contents[0].text
        calls = []
        for name, arguments in json.loads(ask):
            result = await client.call_tool(name, arguments)
            calls.append({"error": result.is_error, "text": result.content[0].text, "value": result.structured_content})
        print(json.dumps({
            "version": client.protocol_version,
            "instructions": client.instructions,
            "tools": {tool.name: tool.description for tool in tools.tools},
            "resources": texts,
            "calls": calls,
        }))

asyncio.run(main())
'''


def dialogue(client, running, mode, *calls):
    command = [str(client), "-c", DIALOGUE, running.url, mode, json.dumps(calls)]
    env = {"PATH": os.environ["PATH"], "NO_PROXY": "127.0.0.1"}
    result = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, env=env)
    check(f"a real client gets through, {mode}", result.returncode == 0, result.stderr[-2000:])
    return json.loads(result.stdout) if result.returncode == 0 else None


def with_a_client(client, running, mode):
    host = f"{mode}.example.com"
    wish = {"kind": "allow-host", "what": host, "why": "the build fetches its data from there"}
    said = dialogue(client, running, mode, ("propose", wish), ("proposals", {}), ("in_force", {}), ("propose", wish))
    if said is None:
        return
    expected = MODERN if mode == "auto" else LEGACY[0]
    check(f"{mode}: the newest version is agreed on", said["version"] == expected, said["version"])
    check(f"{mode}: four tools", sorted(said["tools"]) == ["in_force", "proposal", "proposals", "propose"], said["tools"])
    for text in (said["tools"]["propose"], said["tools"]["proposal"], said["instructions"]):
        check(f"{mode}: the agent is told that an approval changes nothing", "changes nothing by itself" in text, text)
    proposed, listed, in_force, again = said["calls"]
    id = proposed["value"]["id"]
    check(f"{mode}: a proposal is pending", not proposed["error"] and proposed["value"]["state"] == "pending", proposed)
    check(f"{mode}: text and structure say the same", json.loads(proposed["text"]) == proposed["value"], proposed)
    check(f"{mode}: it is listed", id in [entry["id"] for entry in listed["value"]["proposals"]], listed)
    check(f"{mode}: who asks twice has asked once", again["value"]["id"] == id, again)
    copies = {
        f"supervise://in-force/{path.stem}": json.loads(path.read_text())
        for path in (running.server.parent / "in-force").iterdir()
    }
    resources = {uri: json.loads(text) for uri, text in said["resources"].items()}
    check(f"{mode}: the resources are the copies", resources == copies and len(copies) == 3, resources)
    check(f"{mode}: the tool shows the same", list(in_force["value"].values()) == list(copies[f"supervise://in-force/{n}"] for n in in_force["value"]), in_force)
    everything = json.dumps(said)
    for secret in ("queue", "/root", "identity", "host_key", "OPS_ANTHROPIC_KEY", ".kdl"):
        found = secret in re.sub("the queue is", "", everything)
        check(f"{mode}: the agent is not told of {secret}", not found, everything)

    shown = running.tool("show", id)
    check(f"{mode}: the human sees it", host in shown.stdout and "pending" in shown.stdout, shown)
    decided = running.tool("approve", id, "fine", "by", "me")
    check(f"{mode}: the human approves it", decided.returncode == 0 and f'allow "{host}"' in decided.stdout, decided)
    check(f"{mode}: not twice", running.tool("deny", id).returncode != 0)
    said = dialogue(client, running, mode, ("proposal", {"id": id}), ("in_force", {}))
    value = said["calls"][0]["value"]
    check(f"{mode}: the agent learns of it", (value["state"], value["message"]) == ("approved", "fine by me"), value)
    check(f"{mode}: and nothing has changed", host not in said["calls"][1]["text"], said)
    events = [(event["event"], event.get("decision")) for event in running.audit() if event["id"] == id]
    check(f"{mode}: the audit log has both, once", events == [("proposal", None), ("decision", "approved")], events)


# --- The wire ---


def versions(running):
    def message(method, id=7, **params):
        return {"jsonrpc": "2.0", "id": id, "method": method, "params": params}

    for version in LEGACY:
        _, answer = running.post(message("initialize", protocolVersion=version, capabilities={}, clientInfo={}))
        check(f"{version} is agreed on", answer["result"]["protocolVersion"] == version, answer)
        status, answer = running.post(message("ping"), MCP_Protocol_Version=version)
        check(f"{version}: ping", (status, answer) == (200, {"jsonrpc": "2.0", "id": 7, "result": {}}), answer)
    _, answer = running.post(message("initialize", protocolVersion="1999-01-01"))
    check("of an unknown version the newest is offered", answer["result"]["protocolVersion"] == LEGACY[0], answer)
    status, answer = running.post(message("tools/list"), MCP_Protocol_Version="1999-01-01")
    check("an unknown version is refused", (status, answer["error"]["code"]) == (400, -32022), answer)
    check("with what is spoken", MODERN in answer["error"]["data"]["supported"], answer)

    meta = {META + "protocolVersion": MODERN, META + "clientCapabilities": {}}

    def modern(method, name=None, meta=meta, **changed):
        params = {"_meta": meta, **({} if name is None else {"name": name, "arguments": {}})}
        headers = {"MCP_Protocol_Version": MODERN, "Mcp_Method": method, "Mcp_Name": name, **changed}
        return running.post(message(method, **params), **headers)

    status, answer = modern("server/discover")
    result = answer["result"]
    check("the newer kind is discovered", status == 200 and result["supportedVersions"] == [MODERN, *LEGACY], answer)
    for key in ("resultType", "ttlMs", "cacheScope", "capabilities", "_meta"):
        check(f"with {key}", key in result, answer)
    check("a tool is called by its name in the header", modern("tools/call", "proposals")[0] == 200)
    wrapped = "=?base64?" + base64.b64encode(b"proposals").decode() + "?="
    check("or in base64", modern("tools/call", "proposals", Mcp_Name=wrapped)[0] == 200)
    for what, changed in {
        "another method": {"Mcp_Method": "tools/list"}, "no method": {"Mcp_Method": None},
        "another name": {"Mcp_Name": "propose"}, "no name": {"Mcp_Name": None},
        "an older version": {"MCP_Protocol_Version": LEGACY[0]}, "no version": {"MCP_Protocol_Version": None},
    }.items():  # fmt: skip
        status, answer = modern("tools/call", "proposals", **changed)
        check(f"a header that names {what} is refused", (status, answer["error"]["code"]) == (400, -32020), answer)
    status, answer = modern("tools/list", meta={})
    check("what names no version in itself is refused", (status, answer["error"]["code"]) == (400, -32602), answer)
    status, answer = modern("ping")
    check("there is no ping in the newer kind", (status, answer["error"]["code"]) == (404, -32601), answer)
    status, answer = running.post(message("nonsense"))
    check("an unknown method", (status, answer["error"]["code"]) == (200, -32601), answer)
    status, answer = running.post({"jsonrpc": "2.0", "method": "notifications/initialized"})
    check("a notification is accepted and not answered", (status, answer) == (202, None), answer)
    status, answer = running.post([message("ping", id=1), message("ping", id="b")])
    check("a batch, as one revision has it", status == 200 and [a["id"] for a in answer] == [1, "b"], answer)
    status, _ = running.post([message("ping")], MCP_Protocol_Version="2025-06-18")
    check("no batch in a later revision", status == 400)


def hostile(running):
    ping = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
    body = json.dumps(ping).encode()

    def status(data):
        got = running.raw(data)
        return int(got.split()[1]) if got.startswith(b"HTTP/1.1 ") else None

    def says(what, expected, data):
        found = status(data)
        check(f"{what} gets {expected}", found == expected, found)

    for method in ("GET", "DELETE", "PUT", "OPTIONS", "HEAD", "TRACE", "CONNECT", "PROPFIND"):
        says(method, 405, running.head(method))
    for target in ("/x", "/..", "//", "/%2e%2e/etc/passwd", "/?x", "http://127.0.0.1/", "*"):
        says(f"the target {target}", 404, running.head(target=target, length=len(body)) + body)
    for origin in ("http://evil.example.com", "null", "file://", f"http://127.0.0.1:{running.port}.example.com", ""):
        says(f"the origin {origin!r}", 403, running.head(length=len(body), Origin=origin) + body)
    own = f"http://127.0.0.1:{running.port}"
    says("the server's own origin", 200, running.head(length=len(body), Origin=own) + body)
    for host in ("evil.example.com", f"evil.example.com:{running.port}", "127.0.0.1", "", None):
        says(f"the host {host!r}", 421, running.head(length=len(body), Host=host) + body)
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/jsonp", "", None):
        says(f"the type {kind!r}", 415, running.head(length=len(body), Content_Type=kind) + body)
    says("a type with a character set", 200, running.head(length=len(body), Content_Type="application/json; charset=utf-8") + body)
    says("a client that takes HTML only", 406, running.head(length=len(body), Accept="text/html") + body)
    for length in (None, "-1", "+5", "0x10", "1e3", "5, 5", "٣".encode().decode("latin-1")):
        says(f"the length {length!r}", 411, running.head(length=length) + body)
    says("a chunked body", 411, running.head(Transfer_Encoding="chunked") + b"0\r\n\r\n")
    double = running.head(length=len(body)).replace(b"Host:", b"Content-Length: 3\r\nHost:")
    says("two lengths", 400, double + body)
    for name, data in {
        "no HTTP": b"hello\r\n\r\n", "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "nothing but NUL": b"\0" * 100 + b"\r\n\r\n",
        "TLS": b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03\r\n\r\n", "a folded header": b"POST / HTTP/1.1\r\nA: b\r\n c\r\n\r\n",
        "a bare line feed": b"POST / HTTP/1.1\r\nA: b\nHost: x\r\n\r\n", "many headers": b"POST / HTTP/1.1\r\n" + b"A-%d: b\r\n" * 0 + b"".join(b"A%d: b\r\n" % n for n in range(200)) + b"\r\n",
    }.items():  # fmt: skip
        says(name, 400, data)
    says("a head without end", 431, b"POST / HTTP/1.1\r\nA: " + b"a" * 100_000)
    says("blanks without end", 431, b"POST / HTTP/1.1\r\nA:" + b" " * 100_000)

    at = time.monotonic()
    huge = running.head(length=100 << 20)
    says("a body of 100 MB", 413, huge + b"x" * (100 << 20))
    says("one of more than fits a number", 411, running.head(length="9" * 40))
    check("and neither takes long", time.monotonic() - at < 10, time.monotonic() - at)

    for name, text in {
        "no JSON": b"{", "no UTF-8": b'"\xff"', "nothing": b"", "NaN": b"[NaN]", "deep lists": b"[" * 60_000, "deep objects": b'{"a":' * 12_000,
        "deep and whole": b"[" * 30_000 + b"]" * 30_000, "quotes in a row": b'"\\' * 30_000, "one quote": b'"' + b"\\\"" * 30_000,
        "a huge number's digits": b"1" * 60_000 + b"x",
    }.items():  # fmt: skip
        at = time.monotonic()
        found, answer = running.post(text)
        check(f"{name}: refused as no JSON", (found, answer["error"]["code"]) == (400, -32700), answer)
        check(f"{name}: refused soon", time.monotonic() - at < 2, time.monotonic() - at)
    for name, message in {
        "a number": 5, "null": None, "an empty batch": [], "a large batch": [ping] * 1000, "no version": {"id": 1, "method": "ping"},
        "an id that is null": {**ping, "id": None}, "a true id": {**ping, "id": True}, "a broken id": {**ping, "id": 1.5}, "a long id": {**ping, "id": "x" * 1000},
        "no method": {"jsonrpc": "2.0", "id": 1}, "a method that is a list": {**ping, "method": []},
    }.items():  # fmt: skip
        found, answer = running.post(message)
        check(f"{name}: refused as no request", (found, answer["error"]["code"]) == (400, -32600), answer)
    found, answer = running.post({**ping, "params": [1]})
    check("params without names", (found, answer["error"]["code"]) == (200, -32602), answer)
    found, answer = running.post({**ping, "method": "resources/read", "params": {"uri": "file:///etc/passwd"}})
    check("a file is no resource", "error" in answer and answer["error"]["code"] == -32602, answer)
    for uri in ("supervise://in-force/../supervise", "supervise://in-force/%2e%2e/x", "", None, {}, "supervise://in-force/egress\0"):
        found, answer = running.post({**ping, "method": "resources/read", "params": {"uri": uri}})
        check(f"{uri!r} is no resource", "error" in answer, answer)
    found, answer = running.post({**ping, "method": "tools/call", "params": {"name": "call", "arguments": {}}})
    check("only tools are called", answer["error"]["code"] == -32602, answer)

    for id in ("../x", "../../supervise/supervise", "/etc/passwd", "", ".", "a" * 8, "\0" * 8, "${HOME}", "*", "00000000.json"):
        text, wrong = running.call("proposal", id=id)
        check(f"the id {id!r} names nothing", wrong and "there is no proposal" in text, text)
    for arguments in ({}, {"id": 5}, {"id": "x", "more": "y"}, {"id": ["x"]}, {"self": "x"}):
        check(f"the arguments {arguments} are refused", running.call("proposal", **arguments)[1])
    for what in ("http://api.example.com", "a b", "api.example.com:443", "api.example.com/x", "*", "*.com.", "a..b", "é.example.com", "-a.example.com", "x", "$(id).example.com", "a" * 300):
        check(f"{what[:40]!r} is no host to ask for", running.call("propose", kind="allow-host", what=what, why="x")[1])
    text, wrong = running.call("propose", kind="allow-host", what="API.anthropic.com", why="x")
    check("what is allowed need not be asked for", wrong and "already" in text, text)
    for c in "\x1b\x00\r\x9b\u202e\u2066\u200b\ufeff\u2028\ud800\U000e0041\x7f":
        check(f"U+{ord(c):04X} is refused in a text", running.call("propose", kind="tool", what=f"a{c}b", why="x")[1])
        check(f"U+{ord(c):04X} is refused in a reason", running.call("propose", kind="tool", what="a", why=f"a{c}b")[1])
    check("a line break is refused in a text", running.call("propose", kind="tool", what="a\nb", why="x")[1])
    check("an unknown kind is refused", running.call("propose", kind="run", what="a", why="x")[1])
    check("a long text is refused", running.call("propose", kind="tool", what="a" * 301, why="x")[1])
    check("a long reason is refused", running.call("propose", kind="tool", what="a", why="x" * 2001)[1])
    check("an empty reason is refused", running.call("propose", kind="tool", what="a", why=" ")[1])
    check("nothing of that is in the queue", not os.listdir(running.queue / "proposals"), os.listdir(running.queue / "proposals"))


def slow(running):
    """Clients that hold what others need."""
    limit = running.config["limits"]["request_seconds"]

    def slowloris(begin, drop, seconds):
        with socket.create_connection(("127.0.0.1", running.port), timeout=30) as client:
            client.sendall(begin)
            at = time.monotonic()
            try:
                while time.monotonic() - at < seconds:
                    client.sendall(drop)
                    client.settimeout(0.2)
                    try:
                        if not client.recv(1 << 16):
                            break
                    except socket.timeout:
                        pass
            except OSError:
                pass
            return time.monotonic() - at

    for name, begin in {"a head": b"POST / HTTP/1.1\r\n", "a body": running.head(length=60_000)}.items():
        drop = b"A: b\r\n" if name == "a head" else b"x"
        lasted = slowloris(begin, drop, limit + 10)
        check(f"{name} that trickles in is cut off in time", lasted < limit + 3, lasted)

    connections = []
    for _ in range(100):
        try:
            connections.append(socket.create_connection(("127.0.0.1", running.port), timeout=5))
        except OSError:
            break
    time.sleep(0.5)
    bound = running.config["limits"]["connections"] + 4
    check("many connections take few threads", running.threads() <= bound, running.threads())
    # The health check comes from the same address here, so it is turned away; the agent has another one in the bundle.
    refused = running.raw(running.head("GET"))
    check("one too many is turned away", not refused or refused.startswith(b"HTTP/1.1 503"), refused)
    for connection in connections:
        connection.close()
    time.sleep(0.5)
    check("and there is room again", running.tool("health").returncode == 0)
    check("with no thread left behind", running.threads() <= 3, running.threads())

    with socket.create_connection(("127.0.0.1", running.port)) as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/list"}).encode()
        try:
            # A great many answers that nobody reads.
            for _ in range(200):
                client.settimeout(limit + 5)
                client.sendall(running.head(length=len(body), Connection="keep-alive") + body)
        except OSError:
            pass
        at = time.monotonic()
        while running.threads() > 3 and time.monotonic() - at < limit + 5:
            time.sleep(0.2)
        check("who does not read the answers is cut off", running.threads() <= 3, running.threads())


def flood(running):
    """More than a person could ever read."""
    limits = running.config["limits"]

    def proposals():
        taken, refused = 0, {}
        for number in range(1000):
            text, wrong = running.call("propose", kind="tool", what=f"tool {number}", why="x" * limits["why_chars"])
            taken += not wrong
            if wrong:
                refused[text] = refused.get(text, 0) + 1
        return taken, refused

    taken, refused = proposals()
    check("of 1,000 proposals as many are taken as may be open", taken == limits["open_proposals"], (taken, refused))
    check("and the agent is told why", any("are pending" in text for text in refused), refused)
    check("nothing else is in the queue", len(os.listdir(running.queue / "proposals")) == taken)
    for id in [event["id"] for event in running.audit()]:
        running.tool("deny", id, "no")
    taken, refused = proposals()
    room = min(limits["proposals_per_hour"], limits["kept_proposals"]) - limits["open_proposals"]
    check("nor more in an hour than is allowed, or the queue holds", taken == room, (taken, refused))
    check("the log has no more lines than that", len(running.audit()) == 2 * limits["open_proposals"] + room)
    size = sum(path.stat().st_size for path in running.queue.rglob("*") if path.is_file())
    check("the queue stays small", size < 1 << 20, size)
    check("so does the server", running.memory() < 100, running.memory())
    cleared = running.tool("clear")
    check("the human clears what is decided", str(limits["open_proposals"]) in cleared.stdout, cleared)
    check("the audit log keeps it", len(running.audit()) == 2 * limits["open_proposals"] + room)


def rate(running):
    """The bound that ships."""
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "ping"}).encode()
    statuses = [int(running.raw(running.head(length=len(body)) + body).split()[1]) for _ in range(400)]
    bound = running.config["limits"]["requests_per_minute"]
    check("requests are bounded", 429 in statuses and statuses.count(200) < bound * 1.6, statuses.count(200))
    check("the health check is not", running.tool("health").returncode == 0)


def human(running):
    """The tool, and files that somebody wrote by hand."""
    check("an empty queue", running.tool("list").stdout == "no proposals\n")
    id = json.loads(running.call("propose", kind="other", what="a thing", why="first line\nsecond line\tx")[0])["id"]
    # As if the queue had been written by something else than this server.
    evil = {"id": "0badc0de", "kind": "tool", "what": "\x1b[2Jx\u202ey\x07", "why": "a\rb\nstate     approved", "proposed": "9"}
    (running.queue / "proposals/0badc0de.json").write_text(json.dumps(evil))
    (running.queue / "proposals/deadbeef.json").write_text("{")
    (running.queue / "proposals/x.json").write_text("{}")
    os.mkfifo(running.queue / "proposals/feedbeef.json")
    (running.queue / "proposals/cafecafe.json").symlink_to("/etc/passwd")
    for words in (("list",), ("show", "0badc0de"), ("approve", "0badc0de", "\x1b[31m")):
        result = running.tool(*words)
        harmless = all(c.isprintable() or c == "\n" for c in result.stdout)
        check(f"{words[0]} shows nothing that moves a terminal", result.returncode == 0 and harmless, repr(result))
        check(f"{words[0]} shows what it hides", "\\u{1b}[2J" in result.stdout and "\\u{202e}" in result.stdout, result)
    shown = running.tool("show", "0badc0de").stdout
    check("no line of a reason looks like one of the tool's", "\nstate     pending" not in shown and shown.count("\nstate ") == 1, shown)
    for words in (("show", "../x"), ("approve", "../../etc/passwd"), ("deny", "deadbeef"), ("show", "cafecafe"), ("show", "feedbeef")):
        result = running.tool(*words)
        check(f"{words} names nothing", result.returncode == 1 and "there is no proposal" in result.stderr, result)
    # A decision that is none decides nothing; one by hand counts, and is in the log.
    decision = running.queue / f"decisions/{id}.json"
    for text in ("", "{", "[]", '{"decision": "yes"}', '{"decision": ["approved"]}'):
        decision.write_text(text)
        check(f"{text!r} is no decision", json.loads(running.call("proposal", id=id)[0])["state"] == "pending")
    decision.write_text('{"decision": "denied", "message": "by hand"}')
    value = json.loads(running.call("proposal", id=id)[0])
    check("a decision by hand counts", (value["state"], value["message"]) == ("denied", "by hand"), value)
    events = [event for event in running.audit() if event["id"] == id and event["event"] == "decision"]
    check("and is in the log once", len(events) == 1 and "decisions/" in events[0]["by"], events)
    modes = [oct(path.stat().st_mode & 0o777) for path in (running.queue, running.queue / "audit.jsonl")]
    check("nobody else on the host reads the queue", modes == ["0o700", "0o600"], modes)
    return id


def restarted(running, id):
    """What was decided stays decided, and is not logged twice."""
    value = json.loads(running.call("proposal", id=id)[0])
    check("a decision outlives the server", value["state"] == "denied", value)
    events = [event for event in running.audit() if event["id"] == id]
    check("and its line is not written twice", len(events) == 2, events)
    # Decided while nobody asks: the log has it all the same.
    other = json.loads(running.call("propose", kind="tool", what="jq", why="to read JSON")[0])["id"]
    (running.queue / f"decisions/{other}.json").write_text('{"decision": "approved"}')
    for _ in range(50):
        if any(event["id"] == other and event["event"] == "decision" for event in running.audit()):
            break
        time.sleep(0.1)
    check("a decision that nobody asks about is logged", event_count(running, other, "decision") == 1)
    # A queue that cannot be written: the agent is told, nothing is half there.
    shutil.rmtree(running.queue / "proposals")
    (running.queue / "proposals").write_text("")
    text, wrong = running.call("propose", kind="tool", what="sed", why="x")
    status, _ = running.post({"jsonrpc": "2.0", "id": 1, "method": "ping"})
    check("a broken queue ends no server", wrong and status == 200, text)


def event_count(running, id, event):
    return sum(1 for line in running.audit() if line["id"] == id and line["event"] == event)


def judge(python, stage, directory, client, thorough):
    def running(name, **limits):
        place = directory / name
        place.mkdir(exist_ok=True)
        return Running(python, stage, place, **limits)

    many = {"requests_per_minute": 1_000_000}
    compiled = subprocess.run([python, "-W", "error", "-m", "py_compile", str(running("compile").server)])
    check("the server compiles without a warning", compiled.returncode == 0)
    with running("client") as server:
        if client is not None:
            for mode in ("auto", "legacy"):
                with_a_client(client, server, mode)
        versions(server)
    if not thorough:
        return
    with running("hostile", **many) as server:
        hostile(server)
    with running("slow", **many, request_seconds=2, idle_seconds=2) as server:
        slow(server)
    with running("flood", **many) as server:
        flood(server)
    with running("full", **many, kept_proposals=25, proposals_per_hour=1000) as server:
        flood(server)
    with running("rate") as server:
        rate(server)
    with running("human", **many) as server:
        id = human(server)
    with running("human", **many) as server:
        restarted(server, id)


def emitted(stage, plan):
    """What the stage says of itself."""
    ip = plan["bundle_ip"]
    entry = json.loads((stage / "agent/mcp.json").read_text())
    url = f"http://{ip}:9100/"
    check("the entry is what MCP clients read", entry == {"mcpServers": {"supervise": {"type": "http", "url": url}}}, entry)
    add = ["claude", "mcp", "add", "--transport", "http", "--scope", "user", "supervise", url]
    check("so is the argument vector", plan["supervise"]["mcp_add"] == add, plan["supervise"])


def main():
    bottlec = str(Path(sys.argv[1]).resolve())
    client = install()
    if client is None:
        print("SKIPPED, NOT JUDGED: the MCP client cannot be had here; what it would say is not known")
    found = pythons()
    print(f"with Python {', '.join(found)}" + (f" and {CLIENT}" if client else ""))
    if "3.9" not in found:
        print("SKIPPED, NOT JUDGED: there is no Python 3.9 here, the oldest that the server promises to run with")
    with tempfile.TemporaryDirectory() as directory:
        directory = Path(directory)
        stage, plan = build(bottlec, directory)
        emitted(stage, plan)
        # The oldest and the newest differ the most; what lies between them is asked whether it starts and talks.
        thorough = {min(found, key=as_number), max(found, key=as_number)}
        for version, python in found.items():
            place = directory / version
            place.mkdir()
            judge(python, stage, place, client, version in thorough)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
