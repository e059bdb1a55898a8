"""What lies beyond the bundle: a name server, a web server that answers for every name, and a forge behind sshd.

All of it on one address in the judge's own network namespace, which containers reach over their bridge, as they reach
the internet from a real host.
"""

import http.server
import socketserver
import struct
import subprocess
import threading
from pathlib import Path

# Of a network that is for documentation.
ADDRESS = "203.0.113.10"
SSH_PORT = 2222


class Names(socketserver.BaseRequestHandler):
    """Every name below `example.com` is that address; no other is there."""

    def handle(self):
        query, server = self.request
        labels, at = [], 12
        while length := query[at]:
            labels.append(query[at + 1 : at + 1 + length].decode("latin-1").lower())
            at += length + 1
        question = query[12 : at + 5]
        (kind,) = struct.unpack("!H", query[at + 1 : at + 3])
        known = labels[-2:] == ["example", "com"]
        address = known and kind == 1
        head = query[:2] + struct.pack("!HHHHH", 0x8180 if known else 0x8183, 1, int(address), 0, 0)
        record = b"\xc0\x0c" + struct.pack("!HHIH", 1, 1, 60, 4) + bytes(map(int, ADDRESS.split(".")))
        server.sendto(head + question + (record if address else b""), self.client_address)


class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = f"the page of {self.headers['Host']}\n".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Web(http.server.ThreadingHTTPServer):
    daemon_threads = True


def serve(server):
    threading.Thread(target=server.serve_forever, daemon=True).start()


def run(*command, **options):
    return subprocess.run(command, check=True, capture_output=True, text=True, **options).stdout


class World:
    def __init__(self):
        run("ip", "link", "set", "lo", "up")
        run("ip", "address", "add", f"{ADDRESS}/32", "dev", "lo")
        Path("/etc/resolv.conf").write_text(f"nameserver {ADDRESS}\n")
        serve(socketserver.ThreadingUDPServer((ADDRESS, 53), Names))
        serve(Web((ADDRESS, 80), Page))
        self.forge()

    def forge(self):
        """A forge that knows one key, and has a repository with one commit."""
        keys = Path("/run/sshd")
        keys.mkdir(mode=0o755)
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(keys / "host"))
        home = Path("/root/.ssh")
        home.mkdir(mode=0o700, parents=True)
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(home / "agent"))
        self.host_key = " ".join((keys / "host.pub").read_text().split()[:2])
        (keys / "known").write_text((home / "agent.pub").read_text())
        settings = f"""
            ListenAddress {ADDRESS}:{SSH_PORT}
            HostKey {keys}/host
            AuthorizedKeysFile {keys}/known
            PasswordAuthentication no
            UsePAM no
            StrictModes no
            PidFile none
        """
        (keys / "config").write_text(settings)
        subprocess.Popen(["/usr/sbin/sshd", "-D", "-e", "-f", str(keys / "config")], stderr=open("/run/sshd.log", "w"))
        self.repository = Path("/home/git/app.git")
        self.repository.mkdir(parents=True)
        work = Path("/run/first")
        git = ["git", "-c", "user.name=Ada", "-c", "user.email=ada@example.com", "-C", str(work)]
        run("git", "init", "-q", "-b", "main", str(work))
        (work / "README").write_text("the first\n")
        run(*git, "add", "README")
        run(*git, "commit", "-q", "-m", "the first")
        run("git", "clone", "-q", "--bare", str(work), str(self.repository))
        run("chown", "-R", "git:git", str(self.repository))

    def branch(self, name):
        """The commit of a branch at the forge."""
        words = ["git", "-c", f"safe.directory={self.repository}", "-C", str(self.repository)]
        return subprocess.run([*words, "rev-parse", "-q", "--verify", name], capture_output=True, text=True).stdout.strip()
