"""What no client would send, and files that nobody should have written."""

import json
import os
import shutil
import socket
import time

from judging import check


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
    for kind in (
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "application/jsonp",
        "",
        None,
    ):
        says(f"the type {kind!r}", 415, running.head(length=len(body), Content_Type=kind) + body)
    says(
        "a type with a character set",
        200,
        running.head(length=len(body), Content_Type="application/json; charset=utf-8") + body,
    )
    says("a client that takes HTML only", 406, running.head(length=len(body), Accept="text/html") + body)
    for length in (None, "-1", "+5", "0x10", "1e3", "5, 5", "٣".encode().decode("latin-1")):
        says(f"the length {length!r}", 411, running.head(length=length) + body)
    says("a chunked body", 411, running.head(Transfer_Encoding="chunked") + b"0\r\n\r\n")
    double = running.head(length=len(body)).replace(b"Host:", b"Content-Length: 3\r\nHost:")
    says("two lengths", 400, double + body)
    for name, data in {
        "no HTTP": b"hello\r\n\r\n",
        "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "nothing but NUL": b"\0" * 100 + b"\r\n\r\n",
        "TLS": b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03\r\n\r\n",
        "a folded header": b"POST / HTTP/1.1\r\nA: b\r\n c\r\n\r\n",
        "a bare line feed": b"POST / HTTP/1.1\r\nA: b\nHost: x\r\n\r\n",
        "many headers": b"POST / HTTP/1.1\r\n" + b"".join(b"A%d: b\r\n" % n for n in range(200)) + b"\r\n",
    }.items():
        says(name, 400, data)
    says("a head without end", 431, b"POST / HTTP/1.1\r\nA: " + b"a" * 100_000)
    says("blanks without end", 431, b"POST / HTTP/1.1\r\nA:" + b" " * 100_000)

    at = time.monotonic()
    huge = running.head(length=100 << 20)
    says("a body of 100 MB", 413, huge + b"x" * (100 << 20))
    says("one of more than fits a number", 411, running.head(length="9" * 40))
    check("and neither takes long", time.monotonic() - at < 10, time.monotonic() - at)

    for name, text in {
        "no JSON": b"{",
        "no UTF-8": b'"\xff"',
        "nothing": b"",
        "NaN": b"[NaN]",
        "deep lists": b"[" * 60_000,
        "deep objects": b'{"a":' * 12_000,
        "deeper than a message is": b"[" * 40 + b"]" * 40,
        "deep and whole": b"[" * 30_000 + b"]" * 30_000,
        "quotes in a row": b'"\\' * 30_000,
        "one quote": b'"' + b'\\"' * 30_000,
        "a huge number's digits": b"1" * 60_000 + b"x",
    }.items():
        at = time.monotonic()
        found, answer = running.post(text)
        check(f"{name}: refused as no JSON", (found, answer["error"]["code"]) == (400, -32700), answer)
        check(f"{name}: refused soon", time.monotonic() - at < 2, time.monotonic() - at)
    for name, message in {
        "a number": 5,
        "null": None,
        "an empty batch": [],
        "a large batch": [ping] * 1000,
        "no version": {"id": 1, "method": "ping"},
        "an id that is null": {**ping, "id": None},
        "a true id": {**ping, "id": True},
        "a broken id": {**ping, "id": 1.5},
        "a long id": {**ping, "id": "x" * 1000},
        "no method": {"jsonrpc": "2.0", "id": 1},
        "a method that is a list": {**ping, "method": []},
    }.items():
        found, answer = running.post(message)
        check(f"{name}: refused as no request", (found, answer["error"]["code"]) == (400, -32600), answer)
    found, answer = running.post({**ping, "params": [1]})
    check("params without names", (found, answer["error"]["code"]) == (200, -32602), answer)
    found, answer = running.post({**ping, "method": "resources/read", "params": {"uri": "file:///etc/passwd"}})
    check("a file is no resource", "error" in answer and answer["error"]["code"] == -32602, answer)
    for uri in (
        "supervise://in-force/../supervise",
        "supervise://in-force/%2e%2e/x",
        "",
        None,
        {},
        "supervise://in-force/egress\0",
    ):
        found, answer = running.post({**ping, "method": "resources/read", "params": {"uri": uri}})
        check(f"{uri!r} is no resource", "error" in answer, answer)
    found, answer = running.post({**ping, "method": "tools/call", "params": {"name": "call", "arguments": {}}})
    check("only tools are called", answer["error"]["code"] == -32602, answer)

    for id in (
        "../x",
        "../../supervise/supervise",
        "/etc/passwd",
        "",
        ".",
        "a" * 8,
        "\0" * 8,
        "${HOME}",
        "*",
        "00000000.json",
    ):
        text, wrong = running.call("proposal", id=id)
        check(f"the id {id!r} names nothing", wrong and "there is no proposal" in text, text)
    for arguments in ({}, {"id": 5}, {"id": "x", "more": "y"}, {"id": ["x"]}, {"self": "x"}):
        check(f"the arguments {arguments} are refused", running.call("proposal", **arguments)[1])
    for what in (
        "http://api.example.com",
        "a b",
        "api.example.com:443",
        "api.example.com/x",
        "*",
        "*.com.",
        "a..b",
        "é.example.com",
        "-a.example.com",
        "x",
        "$(id).example.com",
        "a" * 300,
        "fe80::1%eth0",
        "fe80::1%",
        "300.1.1.1",
        "1.2.3",
        "0x7f.1",
        "10.0.0.0/8",
        "[::1]",
        "\u212aeys.example.com",
    ):
        check(f"{what[:40]!r} is no host to ask for", running.call("propose", kind="allow-host", what=what, why="x")[1])
    text, wrong = running.call("propose", kind="allow-host", what="Runbooks.example.com", why="x")
    check("what is allowed need not be asked for", wrong and "already" in text, text)
    for c in "\x1b\x00\r\x9b\u202e\u2066\u200b\ufeff\u2028\ud800\U000e0041\x7f\u3164\u115f\u2800\ufe0f\u034f\U000e0100":
        check(f"U+{ord(c):04X} is refused in a text", running.call("propose", kind="tool", what=f"a{c}b", why="x")[1])
        check(f"U+{ord(c):04X} is refused in a reason", running.call("propose", kind="tool", what="a", why=f"a{c}b")[1])
    check("a line break is refused in a text", running.call("propose", kind="tool", what="a\nb", why="x")[1])
    check("an unknown kind is refused", running.call("propose", kind="run", what="a", why="x")[1])
    check("a long text is refused", running.call("propose", kind="tool", what="a" * 301, why="x")[1])
    check("a long reason is refused", running.call("propose", kind="tool", what="a", why="x" * 2001)[1])
    check("an empty reason is refused", running.call("propose", kind="tool", what="a", why=" ")[1])
    brackets = '[{"' * 100 + "\\"
    text, wrong = running.call("propose", kind="other", what="brackets", why=brackets)
    check("brackets in a text are no depth", not wrong, text)
    os.unlink(running.queue / f"proposals/{json.loads(text)['id']}.json")
    check(
        "nothing of that is in the queue",
        not os.listdir(running.queue / "proposals"),
        os.listdir(running.queue / "proposals"),
    )


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
    evil = {
        "id": "0badc0de",
        "kind": "tool",
        "what": "\x1b[2Jx\u202ey\x07",
        "why": "a\rb\nstate     approved",
        "proposed": "9",
    }
    (running.queue / "proposals/0badc0de.json").write_text(json.dumps(evil))
    (running.queue / "proposals/deadbeef.json").write_text("{")
    (running.queue / "proposals/x.json").write_text("{}")
    os.mkfifo(running.queue / "proposals/feedbeef.json")
    (running.directory / "elsewhere.json").write_text(json.dumps({**evil, "id": "cafecafe"}))
    (running.queue / "proposals/cafecafe.json").symlink_to(running.directory / "elsewhere.json")
    for words in (("list",), ("show", "0badc0de"), ("approve", "0badc0de", "\x1b[31m")):
        result = running.tool(*words)
        harmless = all(c.isprintable() or c == "\n" for c in result.stdout)
        check(f"{words[0]} shows nothing that moves a terminal", result.returncode == 0 and harmless, repr(result))
        check(f"{words[0]} shows what it hides", "\\u{1b}[2J" in result.stdout and "\\u{202e}" in result.stdout, result)
    shown = running.tool("show", "0badc0de").stdout
    check(
        "no line of a reason looks like one of the tool's",
        "\nstate     pending" not in shown and shown.count("\nstate ") == 1,
        shown,
    )
    for words in (
        ("show", "../x"),
        ("approve", "../../etc/passwd"),
        ("deny", "deadbeef"),
        ("show", "cafecafe"),
        ("show", "feedbeef"),
    ):
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
