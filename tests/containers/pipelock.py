#!/usr/bin/python3 -ISB
"""Stands in for pipelock: a forward proxy that enforces the emitted list and scans nothing.

    pipelock run --config FILE
    pipelock healthcheck [--addr HOST:PORT]
"""

import json
import re
import signal
import socket
import socketserver
import sys
import threading
import time
import urllib.parse
import urllib.request


def entries(text, key):
    """The list under a key, as bottlec writes one: an entry a line, in single quotes."""
    found = re.search(rf"^( *){key}:\n((?:\1 *- '[^']*'\n)*)", text, re.M)
    return re.findall(r"- '([^']*)'", found[2]) if found else []


def listed(entries, host):
    for entry in entries:
        domain = entry.removeprefix("*.").lower()
        if host == domain or entry.startswith("*.") and host.endswith("." + domain):
            return True
    return False


def pump(source, target):
    try:
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass


class Proxy(socketserver.StreamRequestHandler):
    def answer(self, status, body):
        head = f"HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n"
        self.wfile.write(head.encode() + body.encode())

    def handle(self):
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            line = self.rfile.readline(65536)
            if not line:
                return
            head += line
        method, target, _ = head.split(b"\r\n", 1)[0].decode("latin-1").split(" ", 2)
        if target == "/health":
            return self.answer("200 OK", "healthy\n")
        if method == "CONNECT":
            host, _, port = target.rpartition(":")
            path = None
        else:
            url = urllib.parse.urlsplit(target)
            host, port = url.hostname or "", url.port or 80
            path = urllib.parse.urlunsplit(("", "", url.path or "/", url.query, ""))
        host = host.lower()
        allowed = listed(self.server.allow, host) and not listed(self.server.deny, host)
        print(f"{'allowed' if allowed else 'blocked'} {method} {host}", flush=True)
        if not allowed:
            # As 2.3.0 writes it.
            record = {"event": "blocked", "method": method, "scanner": "allowlist", "time": time.strftime("%FT%TZ", time.gmtime())}
            record |= {"target": f"{host}:{port}"} if path is None else {"url": target}
            print(json.dumps(record), flush=True)
        if not allowed:
            return self.answer("403 Forbidden", "blocked: not in the allow list\n")
        try:
            upstream = socket.create_connection((host, int(port)), timeout=10)
        except OSError as error:
            return self.answer("502 Bad Gateway", f"{error}\n")
        with upstream:
            if path is None:
                self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            else:
                kept = [it for it in head.split(b"\r\n")[1:-2] if not it.lower().startswith((b"proxy-", b"connection:"))]
                first = f"{method} {path} HTTP/1.0".encode("latin-1")
                upstream.sendall(b"\r\n".join([first, *kept, b"Connection: close", b"", b""]))
            back = threading.Thread(target=pump, args=(upstream, self.connection), daemon=True)
            back.start()
            pump(self.connection, upstream)
            back.join()


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


def main():
    command, *words = sys.argv[1:]
    options = dict(zip(words[::2], words[1::2]))
    if command == "healthcheck":
        url = f"http://{options.get('--addr', '127.0.0.1:8888')}/health"
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        return 0 if direct.open(url, timeout=3).status == 200 else 1
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with open(options["--config"]) as file:
        text = file.read()
    host, port = re.search(r"^  listen: '([0-9.]+):([0-9]+)'$", text, re.M).groups()
    with Server((host, int(port)), Proxy) as server:
        server.allow, server.deny = entries(text, "api_allowlist"), entries(text, "blocklist")
        print(f"listening, {len(server.allow)} hosts allowed", flush=True)
        server.serve_forever()


if __name__ == "__main__":
    sys.exit(main())
