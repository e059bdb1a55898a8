"""An agent's machine as the engine leaves it, in namespaces of its own: one address that it can dial, and no resolver.

    unshare --user --map-root-user --net --mount python3 world.py world.json

Outside of the machine are the bundle's address, with a proxy that enforces the emitted list and a sidecar, and a server
that answers for every host that the proxy lets through. Inside, the files that the plan hands over are in their places,
a server of the agent's own listens, and whoever looks a name up is heard. Each program of `runs` is run there; what it
did, what the proxy and the sidecar were asked for and which names were looked up is printed as JSON.
"""

import functools
import http.server
import itertools
import json
import os
import shutil
import socket
import socketserver
import ssl
import subprocess
import sys
import threading
import urllib.parse
from pathlib import Path

MACHINE = "10.0.2.15"
RESOLVER = "127.0.0.53"
SECONDS = 120


def run(*command):
    subprocess.run(command, check=True)


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Files of a directory, under every name."""

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, *_):
        """A client that hangs up is none of its concern."""


def serve(address, handler, context=None, family=socket.AF_INET):
    kind = type("Serving", (Server,), {"address_family": family})
    server = kind(address, handler)
    if context:
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_address[1]


def pump(source, target):
    try:
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass


class Proxy(socketserver.StreamRequestHandler):
    """pipelock as far as the list goes: strict, the block list first, `*.` for the domain and all below it."""

    def listed(self, entries, host):
        for entry in entries:
            domain = entry.removeprefix("*.").lower()
            if host == domain or entry != domain and entry.startswith("*.") and host.endswith("." + domain):
                return True
        return False

    def handle(self):
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            line = self.rfile.readline(65536)
            if not line:
                return
            head += line
        method, target, _ = head.split(b"\r\n", 1)[0].decode("latin-1").split(" ", 2)
        if method == "CONNECT":
            host, _, port = target.rpartition(":")
        else:
            url = urllib.parse.urlsplit(target)
            host, port = url.hostname or "", str(url.port or 80)
        host = host.lower()
        allowed = self.listed(self.server.allow, host) and not self.listed(self.server.deny, host)
        self.server.asked.append({"host": host, "port": port, "allowed": allowed})
        if not allowed:
            body = b"blocked: not in the allow list\n"
            self.wfile.write(b"HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body))
            self.wfile.write(body)
            return
        secure = method == "CONNECT" and port == "443"
        with socket.create_connection(("127.0.0.1", self.server.https if secure else self.server.http)) as upstream:
            if method == "CONNECT":
                self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            else:
                path = urllib.parse.urlunsplit(("", "", url.path or "/", url.query, ""))
                lines = head.split(b"\r\n")[1:-2]
                kept = [it for it in lines if not it.lower().startswith((b"proxy-", b"connection:"))]
                first = f"{method} {path} HTTP/1.0".encode("latin-1")
                upstream.sendall(b"\r\n".join([first, *kept, b"Connection: close", b"", b""]))
            back = threading.Thread(target=pump, args=(upstream, self.connection), daemon=True)
            back.start()
            pump(self.connection, upstream)
            back.join()


def world(path):
    config = json.loads(Path(path).read_text())
    bundle = config["bundle"]
    run("ip", "link", "set", "lo", "up")
    run("ip", "link", "add", "w0", "type", "veth", "peer", "name", "a0")
    machine = subprocess.Popen(
        ["unshare", "--net", "--mount", sys.executable, __file__, "machine", path],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )
    assert machine.stdout.readline() == "here\n"
    run("ip", "link", "set", "a0", "netns", str(machine.pid))
    run("ip", "address", "add", f"{bundle}/32", "dev", "w0")
    run("ip", "link", "set", "w0", "up")
    run("ip", "route", "add", f"{MACHINE}/32", "dev", "w0")

    files = functools.partial(Quiet, directory=config["files"])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(config["cert"], config["key"])
    proxy = type("Listening", (socketserver.ThreadingTCPServer,), {"daemon_threads": True, "allow_reuse_address": True})
    proxy = proxy((bundle, config["port"]), Proxy)
    proxy.allow, proxy.deny, proxy.asked = config["allow"], config["deny"], []
    proxy.http = serve(("127.0.0.1", 0), files)
    proxy.https = serve(("127.0.0.1", 0), files, context)
    threading.Thread(target=proxy.serve_forever, daemon=True).start()
    serve((bundle, config["sidecar"]), files)

    done = []
    for each in config["runs"]:
        proxy.asked.clear()
        machine.stdin.write(json.dumps(each) + "\n")
        machine.stdin.flush()
        done.append({**json.loads(machine.stdout.readline()), "asked": list(proxy.asked)})
    machine.stdin.close()
    machine.wait()
    json.dump(done, sys.stdout)


def name_of(query):
    """The name that a query of DNS asks for."""
    labels, at = [], 12
    while at < len(query) and query[at]:
        labels.append(query[at + 1 : at + 1 + query[at]].decode("latin-1"))
        at += 1 + query[at]
    return ".".join(labels)


def hear(names):
    """Hears every query, and answers that there is no such name."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    listener.bind((RESOLVER, 53))

    def listen():
        while True:
            query, sender = listener.recvfrom(4096)
            names.append(name_of(query))
            listener.sendto(query[:2] + b"\x81\x83" + query[4:6] + bytes(6) + query[12:], sender)

    threading.Thread(target=listen, daemon=True).start()


def machine(path):
    config = json.loads(Path(path).read_text())
    print("here", flush=True)
    # The first program comes when the link is there.
    first = sys.stdin.readline()
    run("ip", "link", "set", "lo", "up")
    run("ip", "address", "add", f"{MACHINE}/32", "dev", "a0")
    run("ip", "link", "set", "a0", "up")
    run("ip", "route", "add", f"{config['bundle']}/32", "dev", "a0")
    routes = subprocess.run(["ip", "route"], check=True, capture_output=True, text=True).stdout
    assert routes.split() == [config["bundle"], "dev", "a0", "scope", "link"], routes

    run("mount", "--make-rprivate", "/")
    # No name service of the host's is asked past the resolver.
    run("mount", "-t", "tmpfs", "none", "/run")
    etc = Path(config["home"]) / "etc"
    # Some files of the host are not for everybody.
    subprocess.run(["cp", "-a", "/etc", str(etc)], stderr=subprocess.DEVNULL)
    texts = {
        "resolv.conf": f"nameserver {RESOLVER}\noptions timeout:1 attempts:1\n",
        "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
        # A machine knows its own name.
        "hosts": f"127.0.0.1 localhost {socket.gethostname()}\n::1 localhost\n",
    }
    for name, text in texts.items():
        (etc / name).unlink(missing_ok=True)
        (etc / name).write_text(text)
    for file in config["provision"]:
        target = etc / Path(file["target"]).relative_to("/etc")
        target.parent.mkdir(exist_ok=True)
        shutil.copyfile(Path(config["stage"]) / file["source"], target)
        target.chmod(int(file["mode"], 8))
    run("mount", "--bind", str(etc), "/etc")

    names = []
    hear(names)
    files = functools.partial(Quiet, directory=config["files"])
    serve(("::", config["own"]), files, family=socket.AF_INET6)
    # As a launcher reads the agent's environment.
    words = ["sh", "-c", 'set -a; . "$0"; set +a; for name in $UNSET; do unset "$name"; done; exec "$@"', config["env"]]
    for line in itertools.chain([first], iter(sys.stdin.readline, "")):
        each = json.loads(line)
        names.clear()
        env = {"PATH": config["path"], "HOME": config["home"], "LANG": "C.UTF-8", "UNSET": each["unset"]}
        try:
            done = subprocess.run(
                words + each["words"], env=env, cwd=config["home"], stdin=subprocess.DEVNULL, capture_output=True,
                text=True, errors="replace", timeout=SECONDS,
            )
            ended = {"code": done.returncode, "out": done.stdout, "err": done.stderr}
        except subprocess.TimeoutExpired as late:
            ended = {"code": None, "out": str(late.stdout or ""), "err": f"did not end within {SECONDS} s"}
        print(json.dumps({**ended, "names": list(names)}), flush=True)


if __name__ == "__main__":
    if sys.argv[1] == "machine":
        machine(sys.argv[2])
    else:
        world(sys.argv[1])
