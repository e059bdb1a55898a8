"""Sessions of an editor that breaks, lies, or floods, over bare pipes.

Whatever comes, the server ends by itself or goes on, in a bounded time and with bounded memory; what it must not do is
hang, crash, or eat the machine. `judge(bottlec, check)` gives each verdict to `check(what, holds, detail)`.
"""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

TYPO = 'bottle "demo" {\n    egres { allow "api.example.com"; }\n}\n'


def frame(body):
    if not isinstance(body, bytes):
        body = json.dumps(body).encode()
    return b"Content-Length: %d\r\n\r\n%s" % (len(body), body)


def request(id, method, params=None):
    return frame({"jsonrpc": "2.0", "id": id, "method": method, "params": params})


def notify(method, params):
    return frame({"jsonrpc": "2.0", "method": method, "params": params})


def opened(uri, text, version=1):
    item = {"uri": uri, "languageId": "bottlec", "version": version, "text": text}
    return notify("textDocument/didOpen", {"textDocument": item})


def changed(uri, version, changes):
    return notify("textDocument/didChange", {"textDocument": {"uri": uri, "version": version}, "contentChanges": changes})


def hello(process=None):
    return request(0, "initialize", {"processId": process, "capabilities": {}}) + notify("initialized", {})


GOODBYE = request("bye", "shutdown") + notify("exit", None)


class Server:
    """A server, its exit and the most memory that it had."""

    def __init__(self, bottlec, reads=True):
        self.process = subprocess.Popen(
            [bottlec, "lsp"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        self.messages = []
        self.peak = 0
        self.begun = time.monotonic()
        if reads:
            self.reader = threading.Thread(target=self._read, daemon=True)
            self.reader.start()

    def _read(self):
        out = self.process.stdout
        while True:
            length = None
            while (line := out.readline()) not in (b"\r\n", b""):
                if line.lower().startswith(b"content-length:"):
                    length = int(line.split(b":")[1])
            if length is None:
                return
            self.messages.append(json.loads(out.read(length)))

    def send(self, *parts):
        """Sends, as far as the server takes it."""
        try:
            for part in parts:
                self.process.stdin.write(part)
            self.process.stdin.flush()
            return True
        except BrokenPipeError:
            return False

    def close(self):
        try:
            self.process.stdin.close()
        except BrokenPipeError:
            pass

    def memory(self):
        """The most memory that it had so far, in MiB."""
        try:
            with open(f"/proc/{self.process.pid}/status") as status:
                found = [line for line in status if line.startswith("VmHWM")]
            self.peak = max(self.peak, *(int(line.split()[1]) // 1024 for line in found))
        except (OSError, TypeError):
            pass
        return self.peak

    def wait(self, seconds):
        """How it ended, and what it said; None when it does not end in time."""
        deadline = time.monotonic() + seconds
        while self.process.poll() is None:
            self.memory()
            if time.monotonic() > deadline:
                self.process.kill()
                self.process.wait()
                return None
            time.sleep(0.01)
        said = self.process.stderr.read().decode()
        return self.process.returncode, said

    def until(self, holds, seconds=30):
        """Waits for a message."""
        deadline = time.monotonic() + seconds
        while not any(holds(message) for message in list(self.messages)):
            if time.monotonic() > deadline or self.process.poll() is not None:
                return False
            self.memory()
            time.sleep(0.01)
        return True


def answer_to(id):
    return lambda message: message.get("id") == id and "method" not in message


def shown(uri, rules):
    def holds(message):
        if message.get("method") != "textDocument/publishDiagnostics" or message["params"]["uri"] != uri:
            return False
        return [found["code"] for found in message["params"]["diagnostics"]] == rules

    return holds


def ends(check, what, server, code, words, seconds=20):
    """It ends with that code and says why, in one line."""
    end = server.wait(seconds)
    holds = end is not None and end[0] == code and (words in end[1] if words else end[1] == "")
    holds = holds and end[1].count("\n") == (1 if words else 0)
    check(f"{what}: exit {code}" + (f", {words!r}" if words else ", silent"), holds, end or "it hangs")


def endings(bottlec, check):
    server = Server(bottlec)
    server.send(hello(), GOODBYE)
    ends(check, "shutdown, then exit", server, 0, "")

    server = Server(bottlec)
    server.send(hello(), request(1, "shutdown"))
    server.until(answer_to(1))
    server.send(request(2, "textDocument/hover", {}), opened("file:///x.kdl", TYPO), notify("exit", None))
    ends(check, "more requests after shutdown", server, 0, "")
    refused = [message for message in server.messages if message.get("id") == 2]
    check("a request after shutdown is refused", refused and refused[0]["error"]["code"] == -32600, refused)

    server = Server(bottlec)
    server.send(hello(), notify("exit", None))
    ends(check, "exit without shutdown", server, 3, "without `shutdown`")

    server = Server(bottlec)
    server.send(notify("exit", None))
    ends(check, "exit before anything", server, 3, "without `shutdown`")

    server = Server(bottlec)
    server.send(request(7, "textDocument/hover", {}))
    server.until(answer_to(7))
    check("a request before initialize is refused", server.messages[0]["error"]["code"] == -32002, server.messages)
    server.send(hello(), GOODBYE)
    ends(check, "initialize after that", server, 0, "")

    server = Server(bottlec)
    server.send(hello())
    server.until(answer_to(0))
    server.close()
    ends(check, "the input ends", server, 3, "the editor is gone")

    server = Server(bottlec)
    server.close()
    ends(check, "the input ends at once", server, 3, "the editor is gone")

    server = Server(bottlec, reads=False)
    server.send(hello(), opened("file:///x.kdl", TYPO))
    said = b""
    while b"unknown-node" not in said:
        said += os.read(server.process.stdout.fileno(), 65536)
    server.process.stdout.close()
    for number in range(200):
        if not server.send(request(number + 1, "textDocument/hover", {})):
            break
    ends(check, "nobody takes the output", server, 3, "cannot write the output")


def orphans(bottlec, check):
    """The editor is killed while somebody else holds its pipes: the server watches the process."""
    for what, more in [("idle", b""), ("within a message", b"Content-Length: 100\r\n\r\n{")]:
        editor = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        server = Server(bottlec)
        server.send(hello(editor.pid), opened("file:///x.kdl", TYPO), more)
        server.until(shown("file:///x.kdl", ["unknown-node"]))
        time.sleep(0.2)
        check(f"the server goes on while its editor lives, {what}", server.process.poll() is None)
        editor.send_signal(signal.SIGKILL)
        editor.wait()
        ends(check, f"the editor is killed, {what}, and the pipe stays open", server, 3, "the editor is gone", seconds=12)
        server.close()

    # A process that is nobody's business to signal is there all the same.
    server = Server(bottlec)
    server.send(hello(1))
    time.sleep(4)
    check("an editor of another user is alive", server.process.poll() is None)
    server.send(GOODBYE)
    ends(check, "and can say goodbye", server, 0, "")


# What is no message, and a piece of what is said of it.
GARBAGE = [
    ("a greeting", b"hello\r\n\r\n", "Content-Length"),
    ("a web browser", b"GET / HTTP/1.1\r\nHost: example.com\r\n\r\n", "Content-Length"),
    ("zeros", b"\0" * 100_000, "header"),
    ("an endless header", b"X: " + b"a" * 100_000, "header"),
    ("endless headers", b"X: y\r\n" * 100_000, "header"),
    ("a length below nothing", b"Content-Length: -1\r\n\r\n{}", "Content-Length"),
    ("a length that is none", b"Content-Length: ten\r\n\r\n{}", "Content-Length"),
    ("a length beyond numbers", b"Content-Length: 99999999999999999999999\r\n\r\n{}", "Content-Length"),
    ("a length of all memory", b"Content-Length: 18446744073709551615\r\n\r\n{}", "at most"),
    ("no content", b"Content-Length: 0\r\n\r\n", "no message"),
    ("a length too small", frame({"jsonrpc": "2.0", "id": 1, "method": "x"}).replace(b": 4", b": 1"), "no message"),
    ("no JSON", frame(b"{]"), "no message"),
    ("no UTF-8", frame(b'{"jsonrpc":"2.0","method":"\xff"}'), "no message"),
    ("JSON that is no message", frame(b"[1, 2]"), "no message"),
    ("JSON that is deep", frame(b"[" * 1_000_000), "no message"),
    ("JSON that is deep in a message", frame(b'{"jsonrpc":"2.0","method":"x","params":' + b"[" * 1_000_000), "no message"),
]


def garbage(bottlec, check):
    for what, data, words in GARBAGE:
        for before, start in [("", b""), (", in a session", hello())]:
            server = Server(bottlec)
            server.send(start, data)
            ends(check, what + before, server, 3, words)
            check(f"{what}{before}: little memory", server.peak < 64, f"{server.peak} MiB")
    for what, data in [
        ("half a header", b"Content-Le"),
        ("half a message", b"Content-Length: 1000\r\n\r\n{"),
        ("a length of a whole disk and little else", b"Content-Length: 268435456\r\n\r\n{"),
    ]:
        server = Server(bottlec)
        server.send(hello(), data)
        server.until(answer_to(0))
        time.sleep(0.1)
        check(f"{what} is waited for", server.process.poll() is None)
        check(f"{what} takes no memory", server.memory() < 64, f"{server.peak} MiB")
        server.close()
        ends(check, f"{what}, then nothing", server, 3, "it ends within a")
    # All of this is in order, if odd.
    server = Server(bottlec)
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "shutdown"}).encode()
    server.send(hello())
    for part in (b"content-length:%d\n" % len(body), b"Content-Type: application/vscode-jsonrpc; charset=utf-8\r\n\r\n"):
        for byte in part:
            server.send(bytes([byte]))
    for byte in body:
        server.send(bytes([byte]))
    server.send(notify("exit", None))
    ends(check, "byte by byte, with other headers", server, 0, "")
    server = Server(bottlec)
    odd = [frame({"jsonrpc": "2.0", "method": "$/odd", "params": value}) for value in (None, [], {}, [None], {"a": 1})]
    wrong = [notify("textDocument/didChange", value) for value in ({}, {"textDocument": 1}, [], None)]
    server.send(hello(), *odd, *wrong, opened("file:///x.kdl", TYPO))
    check("messages that say nothing are passed over", server.until(shown("file:///x.kdl", ["unknown-node"])))
    server.send(
        changed("file:///x.kdl", 2, [{"range": span(9, 9, 2, 2), "text": "x"}, {"range": span(0, 0, 4294967295, 0), "text": TYPO}]),
        opened("file:///%ff%00/..%2f..%2fx.kdl", TYPO),
        opened("no-scheme", TYPO),
        opened("file://host/share/x.kdl", TYPO),
        opened("", TYPO),
        GOODBYE,
    )
    ends(check, "places and names that are not there", server, 0, "")


def span(start_line, start, end_line, end):
    return {"start": {"line": start_line, "character": start}, "end": {"line": end_line, "character": end}}


def cancellation(bottlec, check):
    server = Server(bottlec)
    uri = "file:///x.kdl"
    # While this is read the rest has come.
    server.send(hello(), opened(uri, TYPO + "// x\n" * 400_000))
    at = {"textDocument": {"uri": uri}, "position": {"line": 1, "character": 5}}
    count = 300
    asks = b"".join(request(number, "textDocument/completion", at) for number in range(1, count + 1))
    takes_back = b"".join(notify("$/cancelRequest", {"id": number}) for number in range(1, count + 1))
    server.send(asks, takes_back, notify("$/cancelRequest", {"id": "never asked"}), notify("$/cancelRequest", 5))
    server.send(request("last", "textDocument/hover", at))
    check("it goes on after what was taken back", server.until(answer_to("last")))
    answers = [message for message in server.messages if isinstance(message.get("id"), int) and 1 <= message["id"] <= count]
    check("each request has one answer", sorted(it["id"] for it in answers) == list(range(1, count + 1)), len(answers))
    taken_back = [it for it in answers if it.get("error", {}).get("code") == -32800]
    check("requests that wait are taken back", taken_back, answers[:2])
    server.send(GOODBYE)
    ends(check, "goodbye after that", server, 0, "")


def large(bottlec, check, report):
    """A document of 100 MB, which is more than a spec may have: it is shown to be too large, and costs little time."""
    uri = "file:///large.kdl"
    line = "// " + "x" * 96 + "\n"
    text = TYPO + line * 1_000_000
    server = Server(bottlec)
    begun = time.monotonic()
    server.send(hello(), opened(uri, text))
    check("100 MB: it is said to be too large", server.until(shown(uri, ["source-too-large"]), 60), server.messages[1:2])
    took = time.monotonic() - begun
    begun = time.monotonic()
    for number in range(8):
        server.send(changed(uri, number + 2, [{"range": span(1, 4, 1, 4), "text": "x"}]))
    server.send(request(1, "textDocument/hover", {"textDocument": {"uri": uri}, "position": {"line": 1, "character": 5}}))
    check("100 MB: eight edits, then an answer", server.until(answer_to(1), 60))
    edits = time.monotonic() - begun
    server.send(changed(uri, 30, [{"text": TYPO}]))
    check("100 MB: what is small again is looked at", server.until(shown(uri, ["unknown-node"]), 60))
    server.send(notify("textDocument/didClose", {"textDocument": {"uri": uri}}))
    check("100 MB: nothing is shown of it once it is closed", server.until(shown(uri, []), 60))
    server.send(GOODBYE)
    ends(check, "100 MB: goodbye", server, 0, "")
    check("100 MB: at most 800 MiB of memory", server.peak <= 800, f"{server.peak} MiB")
    report(f"100 MB: opened in {took:.1f} s, 8 edits in {edits:.1f} s, at most {server.peak} MiB")


def deaf(bottlec, check, report):
    """A million requests of somebody who reads nothing: answers pile up to a bound, then it ends."""
    server = Server(bottlec, reads=False)
    server.send(hello(), opened("file:///x.kdl", TYPO))
    block = b"".join(request(number, "x", {}) for number in range(1, 1001))
    finished = threading.Event()

    def flood():
        for _ in range(1000):
            if not server.send(block):
                break
        finished.set()

    begun = time.monotonic()
    threading.Thread(target=flood, daemon=True).start()
    ends(check, "a million requests, no answer is read", server, 3, "does not read", seconds=60)
    check("a million requests, no answer is read: little memory", server.peak < 160, f"{server.peak} MiB")
    report(f"a million requests unread: ended in {time.monotonic() - begun:.1f} s, at most {server.peak} MiB")


def late(bottlec, check, report):
    """The same of somebody who reads late: nothing is lost."""
    server = Server(bottlec, reads=False)
    count = 200_000
    block = b"".join(request(number, "x", {}) for number in range(1, count + 1))
    writer = threading.Thread(target=lambda: server.send(hello(), block, GOODBYE), daemon=True)
    writer.start()
    time.sleep(3)
    server.reader = threading.Thread(target=server._read, daemon=True)
    server.reader.start()
    ends(check, f"{count} requests, answers read late", server, 0, "", seconds=120)
    # To take them apart costs more than to write them, on a machine that does other things as well.
    server.reader.join(120)
    ids = [message["id"] for message in server.messages if isinstance(message.get("id"), int)]
    check("every one is answered, in order", ids == list(range(count + 1)), len(ids))
    check("answers read late: little memory", server.peak < 160, f"{server.peak} MiB")
    report(f"{count} requests read late: at most {server.peak} MiB")


def chatter(bottlec, check, report):
    """A great many notifications, which need no answer. What each of them left behind would be seen: 150 bytes are."""
    server = Server(bottlec)
    block = notify("$/nothing", {}) * 1000
    server.send(hello())
    begun = time.monotonic()
    for _ in range(250):
        server.send(block)
    server.send(GOODBYE)
    ends(check, "250,000 notifications", server, 0, "", seconds=60)
    check("250,000 notifications: little memory", server.peak < 64, f"{server.peak} MiB")
    report(f"250,000 notifications: {time.monotonic() - begun:.1f} s, at most {server.peak} MiB")


def avalanche(bottlec, check, report):
    """Whole documents faster than they can be looked at: all of them at once would be more than it may have."""
    server = Server(bottlec)
    uri = "file:///x.kdl"
    text = TYPO + "// x\n" * 1_600_000
    server.send(hello(), opened(uri, TYPO))
    begun = time.monotonic()
    body = [changed(uri, number + 2, [{"text": text + "// y\n" * (number % 2)}]) for number in range(2)]
    for number in range(20):
        server.send(body[number % 2])
    server.send(changed(uri, 200, [{"text": TYPO.replace("egres", "egress")}]))
    check("160 MB of changes: the last one counts", server.until(shown(uri, []), 120))
    server.send(GOODBYE)
    ends(check, "160 MB of changes: goodbye", server, 0, "", seconds=60)
    check("160 MB of changes: bounded memory", server.peak < 256, f"{server.peak} MiB")
    report(f"160 MB of changes: {time.monotonic() - begun:.1f} s, at most {server.peak} MiB")


def crowd(bottlec, check, report):
    """Many documents at once, none of which is closed."""
    server = Server(bottlec)
    server.send(hello())
    for number in range(2000):
        server.send(opened(f"file:///many/{number}.kdl", TYPO.replace("demo", f"d{number}")))
    check("2,000 documents: the last one is looked at", server.until(shown("file:///many/1999.kdl", ["unknown-node"]), 120))
    check("2,000 documents: so is the first", server.until(shown("file:///many/0.kdl", ["unknown-node"]), 120))
    server.send(GOODBYE)
    ends(check, "2,000 documents: goodbye", server, 0, "", seconds=60)
    report(f"2,000 documents: at most {server.peak} MiB")


PARTS = [large, avalanche, late, deaf, orphans, chatter, crowd, garbage, endings, cancellation]


def judge(bottlec, check, report=lambda line: print(f"    {line}")):
    """Several at a time: some of them mostly wait."""

    def timed(part):
        begun = time.monotonic()
        part(*[bottlec, check, report][: part.__code__.co_argcount])
        report(f"{part.__name__}: {time.monotonic() - begun:.1f} s")

    with ThreadPoolExecutor(max_workers=4) as pool:
        for done in [pool.submit(timed, part) for part in PARTS]:
            done.result()


if __name__ == "__main__":
    judge(sys.argv[1], lambda what, holds, detail="": print("ok" if holds else "FAILED", what, "" if holds else str(detail)[:500]))
