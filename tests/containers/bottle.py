"""A bottle as a user has one: a project's directory with a spec, and `bottlec`'s commands in it."""

import json
import os
import subprocess
from pathlib import Path

from engines import run, wait

SPACE = Path("/work/space")
SLUG = "tried"
# Of images that nobody published.
DIGEST = "sha256:" + "5be11" * 12 + "cafe"


class Bottle:
    def __init__(self, engine, world):
        self.engine, self.world = engine, world
        self.directory = SPACE / engine.program
        self.directory.mkdir(parents=True)
        (self.directory / "rootfs").mkdir()
        self.octet = 77
        # The project is a repository, as a user's is.
        for words in (("init", "--quiet", "--initial-branch=main"), ("commit", "--quiet", "--allow-empty", "--message=the project")):
            done = self.git(*words)
            if done.returncode != 0:
                raise RuntimeError(done.stderr)
        # With git-gate and supervise: Podman's containers take long to make, and these are the same with both engines.
        self.whole = engine.program == "docker" or "CONTAINERS_WHOLE" in os.environ

    @property
    def built_in(self):
        return ("pipelock", "git-gate", "supervise") if self.whole else ("pipelock",)

    def text(self, allow=("allowed.example.com",), sidecars=("web", "cache"), octet=77, broken=False, slow=False):
        self.octet = octet or self.octet
        hosts = " ".join(f'"{host}"' for host in allow)
        text = f"""
            bottle "{SLUG}" {{
                rootfs "./rootfs"
                container-engine "{self.engine.program}"
                {f"network octet={octet}" if octet else ""}
                egress {{ allow {hosts} }}
                {self.of_git() if self.whole else ""}
        """
        for port, name in enumerate(sidecars, 8080):
            text += f"""
                sidecar "{name}" image="docker.io/library/{name}:1@{DIGEST}" {{
                    port {port} scheme="http"
                    run-as "1000:1000"
                    command "httpd" "-f" "-p" "{port}" "-h" "/srv"
                    health "wget" "-q" "-O" "-" "http://127.0.0.1:{port}/"
                    no-relay reason="it serves one page"
                    volume "{name}-data" "/data" access="read-write"
                    {'needs "pipelock"' if name == "web" else ""}
                }}
            """
        # One that ends at once, and one that is not ready for long.
        odd = {"broken": (broken, '"false"'), "slow": (slow, '"sleep" "1000"')}
        for name, (wanted, command) in odd.items():
            if wanted:
                text += f"""
                    sidecar "{name}" image="docker.io/library/{name}:1@{DIGEST}" {{
                        run-as "1000:1000"
                        command {command}
                        health "false" retries=100
                    }}
                """
        return text + "}\n"

    def of_git(self):
        return f"""
            supervise
            git {{
                user name="Agent" email="agent@example.com"
                repo "app" {{
                    url "ssh://git@git.example.com:2222{self.world.repository}"
                    identity "~/.ssh/agent"
                    host-key "{self.world.host_key}"
                }}
                repo "own" {{ path "."; }}
            }}
        """

    def write(self, **how):
        (self.directory / "bottle.kdl").write_text(self.text(**how))

    def stages_with_every_image(self):
        """Stages that name each image which the judge's bottles ask for."""
        self.write(broken=True, slow=True)
        done = self.bottlec("build", "bottle.kdl")
        if done.returncode != 0:
            raise RuntimeError(done.stderr)
        return self.directory / "stage"

    def bottlec(self, *words):
        return run("bottlec", *words, cwd=self.directory)

    def git(self, *words):
        """Runs git as the human does, in the project."""
        return run("git", "-c", "user.name=Ada", "-c", "user.email=ada@example.com", *words, cwd=self.directory)

    def spawn(self, *words):
        command = ["bottlec", *words]
        return subprocess.Popen(command, cwd=self.directory, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    @property
    def stage(self):
        return self.directory / "stage" / SLUG

    @property
    def address(self):
        return f"192.168.{self.octet}.2"

    def container(self, sidecar):
        return f"bottle-{SLUG}--{sidecar}"

    def ids(self, *sidecars):
        return {name: self.engine.id(self.container(name)) for name in sidecars}

    def left(self):
        """What there is of the bottle: containers, networks and volumes."""
        return {
            kind: {name for name in self.engine.names(kind) if name.startswith("bottle-")}
            for kind in ("container", "network", "volume")
        }

    def machines(self):
        return [machine["name"] for machine in json.loads(run("smolvm", "machine", "ls", "--json").stdout)]

    def inside(self, *words):
        """Runs a program in the machine."""
        return self.bottlec("exec", "bottle.kdl", "--", *words)

    def reaches(self, host):
        """Whether the agent gets a host's page through the proxy."""
        done = self.inside("busybox", "wget", "-T", "10", "-q", "-O", "-", f"http://{host}/")
        return f"the page of {host}\n" in done.stdout

    def fetches_page_of(self, port):
        done = run("busybox", "wget", "-T", "5", "-q", "-O", "-", f"http://{self.address}:{port}/")
        return "a page of a sidecar's" in done.stdout

    def healthy(self, *sidecars, seconds=60):
        def are():
            found = self.engine.inspect(*(self.container(name) for name in sidecars))
            return len(found) == len(sidecars) and all(self.engine.health(self.container(name)) == "healthy" for name in sidecars)

        return wait(are, seconds, 0.3)
