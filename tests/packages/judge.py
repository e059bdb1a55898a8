#!/usr/bin/env python3
"""Holds the packages of dist/dist.py against those who install them.

    tests/packages/judge.py target/debug/bottlec [--target TRIPLE]

The program that is given is packed in every format; each package is installed as a person does it, by pip, npm, dpkg,
tar and pre-commit, into a place of its own, and what was installed checks the examples. Where a package asks for others,
a server on loopback plays the release and the registry, and notes each name that it is asked for. It is packed for a
project whose Cargo.toml names no repository, as for one whose does, and once more from another directory.

The readers are the packages of tests/ci/requirements.txt and what Debian has (lintian, buildah). Where one cannot be
had the script says so loudly and goes on.
"""

import argparse
import hashlib
import http.server
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
import tomllib
import venv
import zipfile
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
sys.dont_write_bytecode = True
sys.path[:0] = [str(TESTS / "ci"), str(TESTS.parent / "dist"), str(TESTS)]
import dist
import judge as readers
from judge import tool
from judging import PIP, ROOT, TOOLS, downloaded, importable, run, skipped, verdict
from judging import told as check

# What the repository of hooks is built with.
SETUPTOOLS = "84.2.1"
VERSION = tomllib.loads((ROOT / "Cargo.toml").read_text())["package"]["version"]

EXAMPLES = ROOT / "examples"


def works(what, program, env, cwd):
    """Whether what was installed is the whole program: it checks, finds, and ends as it does."""
    started = time.monotonic()
    done = run(program, "check", EXAMPLES, cwd=cwd, env=env)
    check(f"{what}: it checks the examples", done.returncode == 0 and "nothing found" in done.stderr + done.stdout, (done.stdout, done.stderr))
    broken = cwd / "broken.kdl"
    broken.write_text('bottle "x" {\n    egres { }\n}\n')
    done = run(program, "check", "--format=concise", broken, cwd=cwd, env=env)
    check(f"{what}: it finds a mistake, and ends with 1", (done.returncode, "unknown-node" in done.stdout) == (1, True), (done.stdout, done.stderr))
    done = run(program, "--version", cwd=cwd, env=env)
    check(f"{what}: it is {VERSION}", done.stdout.split()[:2] == ["bottlec", VERSION], (done.stdout, done.stderr))
    return time.monotonic() - started


def took(what, started):
    seconds = time.monotonic() - started
    check(f"{what}: it is installed in {seconds:.1f} s, under a minute", seconds < 60)


# ---------------------------------------------------------------------------------------------------------------------
# The release and npm's registry, played


class Server(http.server.ThreadingHTTPServer):
    """Files of the release below /acme/bottlec/releases/download/v…/, and npm's answers for the names that it has."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked = []
        self.files = None
        self.packages = {}
        self.address = f"http://127.0.0.1:{self.server_port}"
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        from urllib.parse import unquote

        path = unquote(self.path.split("?")[0])
        self.server.asked.append(path)
        prefix = f"/acme/bottlec/releases/download/v{VERSION}/"
        name = path.removeprefix("/")
        if path.startswith(prefix) and (self.server.files / path.removeprefix(prefix)).is_file():
            self.answer((self.server.files / path.removeprefix(prefix)).read_bytes(), "application/octet-stream")
        elif name in self.server.packages:
            file, manifest = self.server.packages[name]
            address = f"{self.server.address}{prefix}{file.name}"
            digest = hashlib.sha1(file.read_bytes()).hexdigest()
            entry = manifest | {"dist": {"tarball": address, "shasum": digest}}
            answer = {"name": name, "dist-tags": {"latest": VERSION}, "versions": {VERSION: entry}}
            self.answer(json.dumps(answer).encode(), "application/json")
        else:
            self.send_error(404)

    def answer(self, data, kind):
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        pass


# ---------------------------------------------------------------------------------------------------------------------
# Packing


def pack(binary, target, out, *arguments, root=ROOT):
    env = os.environ | {"SOURCE_DATE_EPOCH": "1760000000"}
    done = run(sys.executable, root / "dist/dist.py", "--binary", binary, "--target", target, "--out", out, *arguments, cwd=out.parent, env=env)
    check(f"dist.py packs for {' '.join(arguments) or 'no address'}", done.returncode == 0, done.stdout + done.stderr)
    return done.stdout


def contents(out):
    return {it.relative_to(out).as_posix(): it.read_bytes() for it in sorted(out.rglob("*")) if it.is_file()}


def stand_in(binary, target, directory):
    """A small program that becomes the one that is packed: to press a large one once more would show nothing new. A
    release's own is packed in both."""
    if not target.endswith("-gnu"):
        return binary
    program = directory / "stand-in"
    # It names a C library, as a program that is linked against one does.
    program.write_bytes(f"#!/bin/sh\nexec '{binary}' \"$@\"\n".encode() + b"\0GLIBC_2.17\0")
    program.chmod(0o755)
    return program


def judge_packing(binary, target, directory, server):
    """The packages of a project without an address, and of one with the stand-in's."""
    bare, named = directory / "bare", directory / "named"
    said = pack(binary, target, bare)
    check("without an address: it says what it leaves out", "names no repository" in said, said)
    check("without an address: no package asks for another, no hook for a wheel", not (bare / f"bottlec-{VERSION}.tgz").exists() and not (bare / "pre-commit").exists())
    pack(stand_in(binary, target, directory), target, named, "--repository", f"{server.address}/acme/bottlec/")
    wrong = run(sys.executable, ROOT / "dist/dist.py", "--finish-only", "--out", directory / "wrong", "--repository", "bottlec", cwd=directory)
    check("an address that is none is refused", wrong.returncode == 1 and "no address" in wrong.stderr, wrong.stderr)

    # Where it is built a second time, this is compared from the source on: the packages of a test are large.
    if target.endswith("-musl"):
        # The scripts alone are in another place: neither the place nor the time counts.
        elsewhere = directory / "else where"
        tracked = run("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", cwd=ROOT).stdout
        for name in filter(None, tracked.split("\0")):
            (elsewhere / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, elsewhere / name)
        again = directory / "again"
        pack(binary, target, again, root=elsewhere)
        first, second = contents(bare), contents(again)
        differs = [name for name in first.keys() | second.keys() if first.get(name) != second.get(name)]
        check("the same program makes the same packages from another directory", not differs, differs)

    for out in (bare, named):
        sum = ["sha256sum", "--strict"] if shutil.which("sha256sum") else ["shasum", "-a", "256"]
        done = run(*sum, "--check", "SHA256SUMS", cwd=out)
        listed = len((out / "SHA256SUMS").read_text().splitlines())
        files = [it for it in out.iterdir() if it.is_file() and it.name != "SHA256SUMS"]
        check("SHA256SUMS has every file, and whoever counts anew agrees", done.returncode == 0 and listed == len(files) >= 4, done.stdout)
    # A name of nobody's is nowhere; what is made has the address of whoever has the repository.
    for file in files_of(bare):
        check(f"without an address: {file[0]} has none", b"/acme/bottlec" not in file[1])
    return bare, named


def files_of(out):
    """The small texts in each package: what it says of itself."""
    found = []
    for wheel in out.glob("*.whl"):
        with zipfile.ZipFile(wheel) as it:
            found += [(name, it.read(name)) for name in it.namelist() if name.endswith(("METADATA", "WHEEL"))]
    for archive in [*out.glob("*.tgz"), *out.glob("*.tar.gz")]:
        with tarfile.open(archive) as it:
            found += [(member.name, it.extractfile(member).read()) for member in it if member.name.endswith((".json", "README.md"))]
    return found


# ---------------------------------------------------------------------------------------------------------------------
# Installing


def judge_tarball(target, out, directory, env):
    name = f"bottlec-{VERSION}-{target}"
    archive = out / f"{name}.tar.gz"
    with tarfile.open(archive) as it:
        members = it.getmembers()
    odd = [it.name for it in members if not it.name.startswith(name + "/") or ".." in it.name or it.uid or not (it.isfile() or it.isdir())]
    check("tarball: everything is below one directory, and root's", not odd, odd)
    place = directory / "tarball"
    place.mkdir()
    started = time.monotonic()
    done = run("tar", "-xzf", archive, cwd=place)
    check("tarball: tar unpacks it", done.returncode == 0, done.stderr)
    took("tarball", started)
    inside = place / name
    works("tarball", inside / "bottlec", env, place)
    wanted = {"bottlec", "man/man1/bottlec.1", "completions/bottlec.bash", "LICENSE", "LICENSE-MIT", "LICENSE-APACHE", "THIRD-PARTY.txt", "README.md"}
    there = {it.relative_to(inside).as_posix() for it in inside.rglob("*") if it.is_file()}
    check("tarball: it has the man page, the completions and the licences", wanted <= there, wanted - there)
    texts = (inside / "THIRD-PARTY.txt").read_text()
    tree = run("cargo", "tree", "--locked", "--edges", "normal", "--prefix", "none", "--format", "{p}", "--target", target, cwd=ROOT).stdout
    if not tree:
        skipped("there is no cargo here to say what is compiled in")
    else:
        listed = sorted({" ".join(line.split()[:2]).replace(" v", " ") for line in tree.splitlines() if line.strip()} - {f"bottlec {VERSION}"})
        missing = [it for it in listed if f"{it} (" not in texts]
        check(f"tarball: the licence of each of {len(listed)} crates is in it", listed and not missing, missing)
        document = json.loads((out / f"{name}.cdx.json").read_text())
        named = sorted(f"{it['name']} {it['version']}" for it in document["components"])
        check("bill of materials: it has what `cargo tree` has, and no more", named == listed, set(named) ^ set(listed))
        built = set(re.findall(rb"/(?:crates|registry/src/[^/\0]+)/([A-Za-z0-9_-]+?)-(\d+\.\d+\.\d+[^/\0]*)/", (inside / "bottlec").read_bytes()))
        built = {f"{name.decode()} {version.decode().split('+')[0]}" for name, version in built}
        listed = {it.split("+")[0] for it in named}
        check(f"bill of materials: the {len(built)} crates that the program names are in it", built and built <= listed, built - listed)
        validate_bill(document)
    # What `cargo binstall` would make of Cargo.toml, for this target.
    package = tomllib.loads((ROOT / "Cargo.toml").read_text())["package"]
    told = package["metadata"]["binstall"]
    for asked in (target, target.replace("-musl", "-gnu")):
        said = told | told.get("overrides", {}).get(asked if target.endswith("-musl") else "", {})
        values = {"repo": "https://git.example.com/acme/bottlec", "name": "bottlec", "version": VERSION, "target": asked, "bin": "bottlec"}
        url, binary = (re.sub(r"\{ (\w+) \}", lambda it: values[it[1]], said[key]) for key in ("pkg-url", "bin-dir"))
        check(f"cargo binstall for {asked}: the address is a file of the release, and the program is in it", url == f"{values['repo']}/releases/download/v{VERSION}/{archive.name}" and (place / binary).is_file(), (url, binary))


def validate_bill(document):
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    validator = JsonStrictValidator(SchemaVersion.V1_5)
    error = validator.validate_str(json.dumps(document))
    check("bill of materials: CycloneDX's schema takes it", error is None, error)
    broken = json.loads(json.dumps(document))
    del broken["components"][0]["name"]
    check("bill of materials: the schema refuses a component without a name", validator.validate_str(json.dumps(broken)) is not None)
    known = {it["bom-ref"] for it in document["components"]} | {document["metadata"]["component"]["bom-ref"]}
    used = {it for row in document["dependencies"] for it in [row["ref"], *row["dependsOn"]]}
    check("bill of materials: what is depended on is in it", used == known, used ^ known)


def judge_wheel(out, directory, env):
    from packaging.metadata import Metadata
    from packaging.tags import sys_tags
    from packaging.utils import parse_wheel_filename

    [wheel] = out.glob("*.whl")
    with zipfile.ZipFile(wheel) as it:
        [name] = [name for name in it.namelist() if name.endswith("/METADATA")]
        metadata = Metadata.from_email(it.read(name), validate=True)
        files = {name.split("/licenses/")[1] for name in it.namelist() if "/licenses/" in name}
    check("wheel: its metadata is valid, and has every licence", (metadata.license_expression, set(metadata.license_files)) == ("MIT OR Apache-2.0", files), metadata.license_files)
    check("wheel: its name is one that this Python takes", set(parse_wheel_filename(wheel.name)[3]) & set(sys_tags()), wheel.name)
    place = directory / "wheel"
    started = time.monotonic()
    venv.create(place)
    pip = [*PIP, "--python", place / "bin/python"]
    done = run(*pip, "install", "--no-index", wheel, cwd=directory, env=env)
    check("wheel: pip installs it", done.returncode == 0, done.stdout + done.stderr)
    took("wheel", started)
    works("wheel", place / "bin/bottlec", env, place)
    check("wheel: the man page is there", (place / "share/man/man1/bottlec.1").is_file())
    done = run(*pip, "check", cwd=directory, env=env)
    check("wheel: pip finds nothing that it lacks", done.returncode == 0, done.stdout)
    done = run(*pip, "uninstall", "--yes", "bottlec", cwd=directory, env=env)
    left = [it for it in place.rglob("*bottlec*") if it.name != "broken.kdl"]
    check("wheel: pip takes all of it away", done.returncode == 0 and not left, left)


def judge_npm(bare, named, directory, env, server):
    if not shutil.which("npm"):
        skipped("there is no npm here to install the package with")
        return
    system = next(iter(bare.glob("bottlec-*-*-*.tgz"))).name.split("-")[1:3]
    name = f"bottlec-{system[0]}-{system[1]}"
    cache = {"npm_config_cache": str(directory / "npm-cache"), "npm_config_update_notifier": "false"}
    env = env | cache | {"npm_config_registry": f"{server.address}/", "npm_config_fund": "false", "npm_config_audit": "false"}

    place = directory / "npm-bare"
    server.asked.clear()
    started = time.monotonic()
    done = run("npm", "install", "--global", "--prefix", place, bare / f"{name}-{VERSION}.tgz", cwd=directory, env=env)
    check("npm: it installs the package of a platform by itself", done.returncode == 0, done.stdout + done.stderr)
    took("npm, one platform", started)
    check("npm: nobody is asked for a name", not server.asked, server.asked)
    works("npm, one platform", place / "bin/bottlec", env, place)

    manifests = {}
    server.files = named
    for file in named.glob("*.tgz"):
        with tarfile.open(file) as it:
            manifest = json.load(it.extractfile("package/package.json"))
        manifests[manifest["name"]] = manifest
        server.packages[manifest["name"]] = (file, manifest)
    check("npm: every name is in the owner's scope", manifests and all(it.startswith("@acme/bottlec") for it in manifests), list(manifests))
    chooser = manifests["@acme/bottlec"]
    check("npm: the package asks for the platforms of this release, exactly", chooser["optionalDependencies"] == {f"@acme/{name}": VERSION}, chooser)
    check("npm: no package runs anything when it is installed", not any("scripts" in it for it in manifests.values()))
    bare_manifest = json.loads(next(data for path, data in files_of(bare) if path == "package/package.json"))
    check("npm: without an address a package cannot be published", bare_manifest.get("private") is True)
    place = directory / "npm-named"
    server.asked.clear()
    started = time.monotonic()
    done = run("npm", "install", "--global", "--prefix", place, "@acme/bottlec", cwd=directory, env=env)
    check("npm: it installs the package with that of this platform", done.returncode == 0, done.stdout + done.stderr)
    took("npm", started)
    asked = {it for it in server.asked if not it.endswith(".tgz")}
    check("npm: two names are asked for, both the owner's", asked == {"/@acme/bottlec", f"/@acme/{name}"}, server.asked)
    works("npm", place / "bin/bottlec", env, place)
    judge_signal(place / "bin/bottlec", env)
    shutil.rmtree(next(place.glob(f"lib/node_modules/@acme/**/{name}")))
    done = run(place / "bin/bottlec", "--version", cwd=directory, env=env)
    check("npm: without the package of the platform it says which, and why", done.returncode == 1 and f"@acme/{name} is not installed" in done.stderr, done.stderr)


def judge_signal(program, env):
    """Whoever ends what npm installed by a signal ends the program behind it."""
    if not Path("/proc/self/task").exists():
        skipped("only Linux says what runs behind a program")
        return
    child = subprocess.Popen([program, "lsp"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=env)
    behind = None
    for _ in range(100):
        time.sleep(0.05)
        children = Path(f"/proc/{child.pid}/task/{child.pid}/children").read_text().split()
        if children:
            behind = int(children[0])
            break
    child.send_signal(signal.SIGTERM)
    code = child.wait(timeout=30)
    check("npm: a signal reaches the program, and is its end", behind and not Path(f"/proc/{behind}").exists() and code == 128 + signal.SIGTERM, (behind, code))


def judge_deb(out, directory, env):
    if not shutil.which("dpkg"):
        skipped("there is no dpkg here to install the package with")
        return
    [package] = out.glob("*.deb")
    done = run("dpkg-deb", "--info", package, cwd=directory)
    check("deb: dpkg reads it", done.returncode == 0 and f"Version: {VERSION}" in done.stdout, done.stderr)
    place = directory / "deb"
    for name in ("info", "updates"):
        (place / "var/lib/dpkg" / name).mkdir(parents=True)
    (place / "var/lib/dpkg/status").touch()
    # The C library of the test's own program is not in that root.
    dpkg = ["dpkg", f"--root={place}", "--force-not-root", "--force-script-chrootless", "--log=/dev/null"]
    if os.geteuid() != 0:
        skipped("only root installs a package of Debian's")
        return
    started = time.monotonic()
    done = run(*dpkg, "--force-depends", "--install", package, cwd=directory)
    check("deb: dpkg installs it", done.returncode == 0, done.stdout + done.stderr)
    took("deb", started)
    works("deb", place / "usr/bin/bottlec", env, place)
    done = run(*dpkg, "--verify", "bottlec", cwd=directory)
    check("deb: what is installed is what it says", (done.returncode, done.stdout) == (0, ""), done.stdout)
    done = run("bash", "-c", f"source {place}/usr/share/bash-completion/completions/bottlec && complete -p bottlec", cwd=directory)
    check("deb: bash takes the completions", done.returncode == 0 and "bottlec" in done.stdout, done.stderr)
    for shell, path in (("zsh", "zsh/vendor-completions/_bottlec"), ("fish", "fish/vendor_completions.d/bottlec.fish")):
        file = place / "usr/share" / path
        if shutil.which(shell):
            done = run(shell, "-n", file, cwd=directory)
            check(f"deb: {shell} takes the completions", done.returncode == 0, done.stderr)
        else:
            check(f"deb: the completions of {shell} are there", "bottlec" in file.read_text())
            skipped(f"there is no {shell} here to read them")
    page = subprocess.run(["gzip", "-dc", place / "usr/share/man/man1/bottlec.1.gz"], capture_output=True, check=True).stdout
    check("deb: the man page is there", page.startswith(b".ie"), page[:80])
    done = run(*dpkg, "--purge", "bottlec", cwd=directory)
    left = [it for it in place.rglob("*bottlec*") if "dpkg" not in it.as_posix()]
    check("deb: dpkg takes all of it away", done.returncode == 0 and not left, (done.stderr, left))
    if not shutil.which("lintian"):
        skipped("there is no lintian here to read the package")
        return
    # It closes no bug of Debian's, and its maintainer's host is that of an address that nobody has filled in.
    suppressed = "initial-upload-closes-no-bugs,bogus-mail-host,bogus-mail-host-in-debian-changelog"
    done = run("lintian", "--no-cfg", "--fail-on", "error,warning", "--suppress-tags", suppressed, package, cwd=directory)
    check("deb: lintian finds no error and no warning", done.returncode == 0, done.stdout + done.stderr)


def judge_image(out, target, directory, env):
    """The image, built and run; where there is nothing to build it with, the program in a root of its own."""
    if not target.endswith("-linux-musl"):
        skipped("an image from scratch has no loader, and this program asks for one")
        return
    [place] = out.glob("image-*")
    tracked = sorted(it.name for it in place.iterdir())
    check("image: it is built from the program and nothing else", tracked == ["Containerfile", "bottlec"], tracked)
    steps = [line for line in (place / "Containerfile").read_text().splitlines() if line and not line.startswith("#")]
    check("image: it has nothing but the program, and no user but nobody", steps[:3] == ["FROM scratch", "COPY bottlec /bin/bottlec", "USER 65534:65534"], steps)
    if os.geteuid() != 0:
        skipped("only root runs a program in a root of its own")
        return
    root = directory / "scratch"
    (root / "bin").mkdir(parents=True)
    shutil.copy2(place / "bottlec", root / "bin/bottlec")
    shutil.copytree(EXAMPLES, root / "work", ignore_dangling_symlinks=True)
    done = run("chroot", "--userspec=65534:65534", root, "/bin/bottlec", "check", "/work", cwd=directory, env={"PATH": "/usr/sbin:/usr/bin"})
    check("image: the program alone in a root checks the examples, as nobody", done.returncode == 0, done.stdout + done.stderr)
    if not shutil.which("buildah"):
        skipped("there is no buildah here to build the image with")
        return
    base = ["buildah", "--root", directory / "containers", "--runroot", directory / "containers-run", "--storage-driver", "vfs"]
    done = run(*base, "bud", "--isolation", "chroot", "--tag", "bottlec", place, cwd=directory)
    check("image: buildah builds it", done.returncode == 0, done.stdout + done.stderr)
    if done.returncode != 0:
        return
    done = run(*base, "inspect", "--type", "image", "bottlec", cwd=directory)
    told = json.loads(done.stdout)["OCIv1"]["config"]
    check("image: it says who runs what", (told["User"], told["Entrypoint"], told["WorkingDir"]) == ("65534:65534", ["/bin/bottlec"], "/work"), told)


def judge_mirror(named, directory, env, server):
    """The repository of hooks under the real pre-commit: it fetches the wheel by its address, and asks no index."""
    mirror = directory / "mirror"
    shutil.copytree(named / "pre-commit", mirror)
    told = tomllib.loads((mirror / "pyproject.toml").read_text())["project"]["dependencies"]
    [wheel] = named.glob("*.whl")
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    check("mirror: its one dependency is the wheel, by address and digest", len(told) == 1 and told[0].startswith(f"bottlec @ {server.address}/acme/bottlec/releases/download/v{VERSION}/{wheel.name}#sha256={digest} ;"), told)
    own = (ROOT / ".pre-commit-hooks.yaml").read_text()
    check("mirror: its hooks are the project's but for the language", (mirror / ".pre-commit-hooks.yaml").read_text() == own.replace("language: rust", "language: python") != own)
    done = tool("pre-commit", "validate-manifest", mirror / ".pre-commit-hooks.yaml", env=env)
    check("mirror: pre-commit takes its hooks", done.returncode == 0, done.stdout)
    if sys.platform != "linux":
        skipped("the hooks are run on Linux")
        return
    revision = readers.commit(mirror, env)
    # The builder of its (empty) package is the one thing that comes from where packages come from.
    links = directory / "links"
    if not downloaded(f"setuptools=={SETUPTOOLS}", links):
        skipped("setuptools cannot be had, which the mirror is built with")
        return
    env = env | {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(links), "PIP_CONFIG_FILE": os.devnull}
    user = directory / "mirror-user"
    user.mkdir()
    (user / "bottle.kdl").write_text((EXAMPLES / "egress-only.kdl").read_text())
    (user / ".pre-commit-config.yaml").write_text(
        f"repos:\n  - repo: {mirror}\n    rev: {revision}\n    hooks: [{{id: bottlec-check}}, {{id: bottlec-fmt}}]\n"
    )
    readers.commit(user, env)
    server.files = named
    server.asked.clear()
    started = time.monotonic()
    done = tool("pre-commit", "run", "--all-files", cwd=user, env=env)
    check("mirror: pre-commit installs the wheel, and both hooks pass", done.returncode == 0 and done.stdout.count("Passed") == 2, done.stdout + done.stderr)
    took("mirror", started)
    check("mirror: the wheel is all that was asked for", {Path(it).name for it in server.asked} == {wheel.name}, server.asked)
    (user / "bottle.kdl").write_text('bottle "x" {\n    egres { }\n}\n')
    run("git", "add", "--all", cwd=user, env=env)
    done = tool("pre-commit", "run", "bottlec-check", cwd=user, env=env)
    check("mirror: its hook finds a mistake", done.returncode == 1 and "unknown-node" in done.stdout, done.stdout)
    # Another wheel at that address is refused.
    server.files = directory / "tampered"
    server.files.mkdir()
    (server.files / wheel.name).write_bytes(wheel.read_bytes() + b"\n")
    done = run(*PIP, "download", "--no-deps", "--no-cache-dir", "--dest", directory / "fresh", told[0], cwd=directory, env=env)
    check("mirror: a wheel with other bytes is refused", done.returncode != 0 and "HASH" in (done.stdout + done.stderr).upper(), done.stdout[-500:])


# ---------------------------------------------------------------------------------------------------------------------
# What is said without building


def judge_workflow(directory, env):
    file = ROOT / ".github/workflows/release.yml"
    done = tool("check-jsonschema", "--builtin-schema", "vendor.github-workflows", file)
    check("workflow: the published schema takes it", done.returncode == 0, done.stdout + done.stderr)
    done = tool("zizmor", "--offline", "--no-progress", "--quiet", file, env=env)
    check("workflow: zizmor finds nothing", done.returncode == 0, done.stdout + done.stderr)
    shellcheck = TOOLS / "ci/bin/shellcheck"
    done = tool("actionlint", "-shellcheck", shellcheck, file, env=env)
    check("workflow: actionlint finds nothing", done.returncode == 0, done.stdout + done.stderr)
    broken = directory / "broken.yml"
    broken.write_text(file.read_text().replace("needs: build", "needs: built"))
    done = tool("actionlint", "-shellcheck", shellcheck, broken, env=env)
    check("workflow: actionlint finds a job that is not there", done.returncode == 1 and "built" in done.stdout, done.stdout)
    targets = re.findall(r"target: ([a-z0-9_-]+),", file.read_text())
    published = [it for it in dist.TARGETS if not it.endswith("-gnu")]
    check("workflow: it builds every target that is published", targets == published, targets)


def judge_versions():
    package = tomllib.loads((ROOT / "Cargo.toml").read_text())["package"]
    code = json.loads((ROOT / "editors/vscode/package.json").read_text())
    zed = tomllib.loads((ROOT / "editors/zed/extension.toml").read_text())
    check("the extensions have the version of the program", code["version"] == zed["version"] == VERSION, (code["version"], zed["version"]))
    # Whoever registers a name first would get every CI that asks for it.
    for name in ("action.yml", ".pre-commit-hooks.yaml"):
        text = (ROOT / name).read_text()
        found = re.findall(r"(?:pip|pipx|npm|npx|uvx?|cargo) +(?:install|add|run)? *(?!--)\S*bottlec", text)
        check(f"{name}: no registry is asked for a name", not found, found)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("binary", type=Path)
    parser.add_argument("--target")
    arguments = parser.parse_args()
    binary = arguments.binary.resolve()
    tools = readers.install()
    if tools is None:
        skipped("the packages of tests/ci/requirements.txt cannot be had")
        return verdict("packages")
    importable(tools)
    with tempfile.TemporaryDirectory() as directory:
        directory = Path(directory).resolve()
        (directory / "home").mkdir()
        env = readers.clean_environment(directory / "home")
        judge_versions()
        judge_workflow(directory, env)
        server = Server()
        target = arguments.target
        if target is None:
            target = dist.host()
            if dist.is_static(binary.read_bytes()):
                target = target.replace("-gnu", "-musl")
        if target.endswith("-gnu"):
            # It has what debuggers need, which is most of it.
            run("strip", "-o", directory / "bottlec", binary, cwd=directory)
            binary = directory / "bottlec" if (directory / "bottlec").exists() else binary
        bare, named = judge_packing(binary, target, directory, server)
        judge_tarball(target, bare, directory, env)
        judge_wheel(bare, directory, env)
        judge_npm(bare, named, directory, env, server)
        judge_mirror(named, directory, env, server)
        if "linux" in target:
            judge_deb(bare, directory, env)
            judge_image(bare, target, directory, env)
        sizes = ", ".join(f"{it.name} {it.stat().st_size:,}" for it in sorted(bare.iterdir()) if it.is_file())
        print(f"    bytes: {sizes}")
    return verdict("packages")


if __name__ == "__main__":
    sys.exit(main())
