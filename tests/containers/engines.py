"""The engines: how each is started, given images, asked and stopped."""

import json
import os
import re
import resource
import signal
import subprocess
import threading
import time
from functools import partial
from pathlib import Path

import judging

run = partial(judging.run, timeout=120)


class Broken(Exception):
    """An engine that does not run here."""


def ran(*command):
    done = run(*command)
    if done.returncode != 0:
        raise Broken(f"{' '.join(map(str, command))}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


def wait(condition, seconds, step=0.1):
    """Whether something comes true in time."""
    end = time.monotonic() + seconds
    while not (holds := condition()) and time.monotonic() < end:
        time.sleep(step)
    return holds


# The names by digest that stages hold, and which local image each is.
BY_DIGEST = re.compile(r"(?:image: '|FROM )([^@'\s]+)@(sha256:[0-9a-f]{64})")


def by_digest(stages):
    """Each repository with the digests that the stages ask of it."""
    found = {}
    for file in [*stages.rglob("compose.yaml"), *stages.rglob("Containerfile")]:
        for name, digest in BY_DIGEST.findall(file.read_text()):
            repository = re.sub(r":[^/:]*$", "", name)
            found.setdefault(repository, set()).add(digest)
    return found


class Engine:
    """What both have in common: their command line."""

    def ask(self, *words):
        return run(self.program, *words)

    def list(self):
        """What runs, to be shown."""
        return "\n    " + self.ask("container", "ls", "--all").stdout.replace("\n", "\n    ")

    def clear(self):
        """Removes all that is there."""
        self.ask("container", "rm", "--force", "--volumes", *self.names("container"))
        self.ask("network", "rm", *self.names("network") - {"bridge", "host", "none", "podman"})

    def inspect(self, *names):
        done = self.ask("container", "inspect", *names)
        return json.loads(done.stdout) if done.returncode == 0 else []

    def id(self, name):
        """The id of a container, or None."""
        found = self.inspect(name)
        return found[0]["Id"] if found else None

    def started(self, name):
        return self.inspect(name)[0]["State"]["StartedAt"]

    def health(self, name):
        state = self.inspect(name)[0]["State"]
        return (state.get("Health") or state.get("Healthcheck") or {}).get("Status")

    def names(self, kind, *filters):
        """What there is of a kind: `container`, `network` or `volume`."""
        words = ["--all"] if kind == "container" else []
        words += [word for filter in filters for word in ("--filter", filter)]
        form = "{{.Names}}" if kind == "container" else "{{.Name}}"
        return set(self.ask(kind, "ls", *words, "--format", form).stdout.split())


class Docker(Engine):
    program = "docker"
    # Its packages are of 2024; the one of the wheels is asked for by the plan.
    data = Path("/var/lib/docker")

    def __init__(self, _):
        self.daemon = None

    def start(self):
        overlay = run("sh", "-c", "cd /var/lib/docker && mkdir -p try/a try/b try/c try/d && mount -t overlay overlay -o "
            "lowerdir=try/a,upperdir=try/b,workdir=try/c try/d && umount try/d; s=$?; rm -rf try; exit $s")  # fmt: skip
        driver = "overlay2" if overlay.returncode == 0 else "vfs"
        self.log = open("/run/dockerd.log", "a")
        command = ["dockerd", "--storage-driver", driver]
        self.daemon = subprocess.Popen(command, stdout=self.log, stderr=self.log)
        up = wait(lambda: self.daemon.poll() is not None or self.ask("version").returncode == 0, 60)
        if not up or self.daemon.poll() is not None:
            raise Broken(f"dockerd: {Path('/run/dockerd.log').read_text().strip().splitlines()[-1]}")

    def stop(self):
        if self.daemon and self.daemon.poll() is None:
            self.daemon.send_signal(signal.SIGTERM)
            self.daemon.wait(60)

    def restart(self):
        self.stop()
        self.start()

    def load(self, archive, stages):
        ran("docker", "load", "--input", archive)
        self.stop()
        [file] = self.data.glob("image/*/repositories.json")
        known = json.loads(file.read_text())
        for repository, digests in by_digest(stages).items():
            short = repository.removeprefix("docker.io/library/").removeprefix("docker.io/")
            # Any of its tags: all are of one image.
            source = known["Repositories"].get(short) or known["Repositories"]["shell"]
            image = next(iter(source.values()))
            entry = known["Repositories"].setdefault(short, {})
            entry.update({f"{short}@{digest}": image for digest in digests})
        file.write_text(json.dumps(known))
        self.start()

    def about(self):
        server = ran("docker", "version", "--format", "{{.Server.Version}}").strip()
        return f"Docker {server} with Compose {ran('docker', 'compose', 'version', '--short').strip()}"


class Podman(Engine):
    program = "podman"
    data = Path("/var/lib/containers/storage")

    def __init__(self, place):
        self.place = place / "podman-compose/package"
        self.ended = threading.Event()
        self.timers = threading.Thread(target=self.ask_after_health, daemon=True)

    def start(self):
        # The program of the package, which Debian's Python runs.
        script = "#!/bin/sh\nPYTHONPATH=%s exec python3 -m podman_compose \"$@\"\n" % self.place
        Path("/usr/local/bin/podman-compose").write_text(script)
        Path("/usr/local/bin/podman-compose").chmod(0o755)
        Path("/etc/containers").mkdir(exist_ok=True)
        Path("/etc/containers/policy.json").write_text('{"default": [{"type": "insecureAcceptAnything"}]}')
        Path("/etc/containers/registries.conf").write_text("")
        provider = "/usr/local/bin/podman-compose"
        # As much as this process may have: in a sandbox not even root may raise it.
        limits = {name: resource.getrlimit(getattr(resource, f"RLIMIT_{name.upper()}")) for name in ("nofile", "nproc")}
        limits = ", ".join(f'"{name}={soft}:{hard}"' for name, (soft, hard) in limits.items())
        settings = f"[containers]\ndefault_ulimits = [{limits}]\n"
        settings += f'[engine]\ncgroup_manager = "cgroupfs"\nruntime = "crun"\ncompose_providers = ["{provider}"]\n'
        settings += 'compose_warning_logs = false\nevents_logger = "file"\n'
        Path("/etc/containers/containers.conf").write_text(settings)
        os.environ["PODMAN_IGNORE_CGROUPSV1_WARNING"] = "1"
        ran("podman", "info")
        self.timers.start()

    def stop(self):
        self.ended.set()
        if self.timers.is_alive():
            self.timers.join()

    def ask_after_health(self):
        """What systemd's timers do on a real host: Podman has no daemon that would ask a container after its health."""
        while not self.ended.wait(2):
            for name in self.names("container", "status=running"):
                if name.startswith("bottle-"):
                    self.ask("healthcheck", "run", name)

    def load(self, archive, stages):
        ran("podman", "load", "--input", archive)
        [file] = self.data.glob("*-images/images.json")
        known = json.loads(file.read_text())
        for repository, digests in by_digest(stages).items():
            image = next((it for it in known if any(name.startswith(f"{repository}:") for name in it["names"])), None)
            if image is None:
                image = next(it for it in known if "docker.io/library/shell:local" in it["names"])
                image["names"].append(f"{repository}:local")
            for digest in digests:
                image["big-data-digests"][f"manifest-{digest}"] = digest
        file.write_text(json.dumps(known))

    def about(self):
        [compose] = re.findall(r"podman-compose version:? ([0-9.]+)", ran("podman-compose", "--version"))
        return f"Podman {ran('podman', '--version').split()[2]} with podman-compose {compose}"
