#!/usr/bin/env python3
"""Builds bottlec for a target and packs it: the one command behind `just dist`.

    dist/dist.py                                  build for this machine's target, pack, and finish
    dist/dist.py --target TRIPLE --no-finish      one part of a release that is built on several machines
    dist/dist.py --finish-only                    what needs the packages of all targets
    dist/dist.py --binary FILE                    pack a program that is there already

It writes to target/packages: a tarball, a wheel, an npm package, a `.deb` for Linux, a directory to build an image from,
and the bill of materials. `finish` adds SHA256SUMS and, once Cargo.toml names the repository, the npm package that
chooses the platform's and the repository for pre-commit. Nothing is fetched but crates; nothing is published.

The same commit makes the same bytes, wherever it lies: no time but the commit's, no order but the names', no path.
It needs Python 3.11, cargo and git, and no package of theirs.
"""

import argparse
import base64
import gzip
import hashlib
import io
import json
import os
import re
import struct
import subprocess
import sys
import tarfile
import tomllib
import uuid
import zipfile
from datetime import datetime, timezone
from pathlib import Path
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parents[1]
HERE = Path(__file__).resolve().parent

# What a target is called elsewhere: wheels, npm's system and processor, Debian's architecture.
TARGETS = {
    "x86_64-unknown-linux-musl": (["manylinux_2_17_x86_64", "musllinux_1_1_x86_64"], "linux", "x64", "amd64"),
    "aarch64-unknown-linux-musl": (["manylinux_2_17_aarch64", "musllinux_1_1_aarch64"], "linux", "arm64", "arm64"),
    "x86_64-apple-darwin": (["macosx_10_12_x86_64"], "darwin", "x64", None),
    "aarch64-apple-darwin": (["macosx_11_0_arm64"], "darwin", "arm64", None),
    # Not published: it runs where it was built. The tests pack it, which have no other.
    "x86_64-unknown-linux-gnu": (["linux_x86_64"], "linux", "x64", "amd64"),
    "aarch64-unknown-linux-gnu": (["linux_aarch64"], "linux", "arm64", "arm64"),
}
SHELLS = {"bash": "bottlec.bash", "zsh": "_bottlec", "fish": "bottlec.fish", "elvish": "bottlec.elv", "powershell": "_bottlec.ps1"}


def output(*command, **options):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, **options).stdout


class Project:
    """What the packages say of the project, all of it from Cargo.toml and git."""

    def __init__(self, repository):
        package = tomllib.loads((ROOT / "Cargo.toml").read_text())["package"]
        self.name = package["name"]
        self.version = package["version"]
        self.description = package["description"]
        self.license = package["license"]
        self.keywords = package["keywords"]
        given = package.get("repository", "") if repository is None else repository
        self.repository = given.rstrip("/")
        parts = [part for part in urlsplit(self.repository).path.split("/") if part]
        if self.repository and not (urlsplit(self.repository).scheme in ("http", "https") and len(parts) >= 2):
            sys.exit(f"`{self.repository}` is no address of a repository, such as https://git.example.com/owner/bottlec")
        # The scope of npm's names: whoever has the repository has it, so nobody else's package is ever asked for.
        self.scope = f"@{parts[-2].lower()}/" if parts else ""
        # Neither this nor a checkout has a clock that counts: everything is as old as its commit.
        given = os.environ.get("SOURCE_DATE_EPOCH")
        self.time = int(given or output("git", "-C", ROOT, "log", "-1", "--format=%ct"))

    def release(self, file):
        """Where a file of the release is."""
        return f"{self.repository}/releases/download/v{self.version}/{file}"

    def readme(self):
        """The page of the project, for places that know nothing of its other files."""
        text = (ROOT / "README.md").read_text()
        if not self.repository:
            return re.sub(r"(?m)^!\[.*\n\n|!?\[([^]]*)\]\((?!https?://)[^)]*\)", r"\1", text)
        pages, files = f"{self.repository}/blob/v{self.version}/", f"{self.repository}/raw/v{self.version}/"
        text = re.sub(r"(!\[[^]]*\]\()(?!https?://)", rf"\g<1>{files}", text)
        return re.sub(r"((?<!!)\[[^]]*\]\()(?!https?://)", rf"\g<1>{pages}", text)

    def licences(self):
        return {path.name: path.read_bytes() for path in sorted(ROOT.glob("LICENSE*"))}


# ---------------------------------------------------------------------------------------------------------------------
# Building


def build(target):
    """The program of a target, as it is published."""
    subprocess.run(["cargo", "fetch", "--locked", "--target", target], cwd=ROOT, check=True)
    home = Path(os.environ.get("CARGO_HOME", Path.home() / ".cargo"))
    # Where crates lie has the name of whom they were fetched from in it.
    places = {ROOT: "/bottlec"} | {it: "/crates" for it in sorted((home / "registry/src").iterdir())}
    flags = [f"--remap-path-prefix={place}={name}" for place, name in places.items()]
    # A variable of whoever builds changes nothing: neither flags, nor another profile or directory.
    env = {name: value for name, value in os.environ.items() if not re.match(r"CARGO_(PROFILE|BUILD|TARGET)_|RUSTFLAGS", name)}
    env |= {"CARGO_ENCODED_RUSTFLAGS": "\x1f".join(flags), "CARGO_INCREMENTAL": "0"}
    command = ["cargo", "build", "--locked", "--profile", "dist", "--bin", "bottlec", "--target", target]
    subprocess.run(command, cwd=ROOT, env=env, check=True)
    return Path(env.get("CARGO_TARGET_DIR", ROOT / "target")) / target / "dist/bottlec"


def host():
    return re.search(r"(?m)^host: (\S+)$", output("rustc", "-vV", text=True))[1]


def is_static(program):
    """Whether an ELF file asks for no loader."""
    if program[:4] != b"\x7fELF":
        return False
    offset, = struct.unpack_from("<Q", program, 32)
    size, count = struct.unpack_from("<HH", program, 54)
    interpreter = 3
    return all(struct.unpack_from("<I", program, offset + number * size)[0] != interpreter for number in range(count))


def crates(target):
    """The packages that are compiled in, as cargo tells of them, the project's own first; what each depends on."""
    # `metadata` knows where a package lies, and joins the features that tests ask for; `tree` does not.
    command = ["cargo", "tree", "--locked", "--edges", "normal", "--prefix", "depth", "--format", " {p}", "--target", target]
    edges, above = {}, []
    for line in output(*command, cwd=ROOT, text=True).splitlines():
        depth, name, version = line.split()[:3]
        at = (name, version.removeprefix("v"))
        above[int(depth) :] = [at]
        edges.setdefault(at, set())
        if len(above) > 1:
            edges[above[-2]].add(at)
    command = ["cargo", "metadata", "--locked", "--format-version", "1", "--filter-platform", target]
    packages = {(it["name"], it["version"]): it for it in json.loads(output(*command, cwd=ROOT))["packages"]}
    return [packages[at] for at in (above[0], *sorted(edges.keys() - {above[0]}))], edges


def bill_of_materials(project, target, program):
    """CycloneDX 1.5: each crate with its version, licence and digest, and what it is there for."""
    packages, edges = crates(target)
    lock = tomllib.loads((ROOT / "Cargo.lock").read_text())["package"]
    digests = {(it["name"], it["version"]): it.get("checksum") for it in lock}

    def reference(package):
        return f"pkg:cargo/{package['name']}@{package['version']}"

    def component(package):
        found = {
            "type": "library",
            "bom-ref": reference(package),
            "name": package["name"],
            "version": package["version"],
            "purl": reference(package),
        }
        if package["license"]:
            # Some still write the slash of old.
            found["licenses"] = [{"expression": re.sub(r"\s*/\s*", " OR ", package["license"])}]
        if digest := digests.get((package["name"], package["version"])):
            found["hashes"] = [{"alg": "SHA-256", "content": digest}]
        return found

    own, *others = packages
    names = {(package["name"], package["version"]): reference(package) for package in packages}
    itself = component(own) | {"type": "application", "hashes": [{"alg": "SHA-256", "content": hashlib.sha256(program).hexdigest()}]}
    document = {
        "$schema": "http://cyclonedx.org/schema/bom-1.5.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {
            "timestamp": datetime.fromtimestamp(project.time, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "component": itself,
            "properties": [{"name": "bottlec:target", "value": target}],
        },
        "components": [component(package) for package in others],
        "dependencies": [{"ref": names[at], "dependsOn": [names[it] for it in sorted(edges[at])]} for at in names],
    }
    serial = uuid.uuid5(uuid.NAMESPACE_URL, json.dumps(document, sort_keys=True))
    return json.dumps({"serialNumber": f"urn:uuid:{serial}"} | document, indent=1).encode() + b"\n"


def third_party(target):
    """The licences of what is compiled in, each text once. Most of them want to go along with the program."""
    texts = {}
    packages, _ = crates(target)
    for package in packages[1:]:
        name = f"{package['name']} {package['version']} ({package['license'] or 'see below'})"
        place = Path(package["manifest_path"]).parent
        found = [it for it in sorted(place.iterdir()) if re.match(r"(?i)(licen[cs]e|copying|notice|unlicense|copyright)", it.name)]
        for file in (it for it in found if it.is_file()):
            text = file.read_text(errors="replace").replace("\r\n", "\n").strip()
            texts.setdefault(text, []).append(name)
        if not found:
            texts.setdefault("Its package has no licence file; the licence is the one that it names.", []).append(name)
    parts = ["bottlec has these crates in it, under these licences.\n"]
    for text, names in sorted(texts.items(), key=lambda it: (it[1], it[0])):
        parts.append("\n".join(names) + "\n\n" + "".join(f"    {line}".rstrip() + "\n" for line in text.splitlines()))
    return ("\n" + "-" * 80 + "\n\n").join(parts).encode()


# ---------------------------------------------------------------------------------------------------------------------
# Archives


def compress(data, level=6):
    buffer = io.BytesIO()
    with gzip.GzipFile(fileobj=buffer, mode="wb", compresslevel=level, mtime=0, filename="") as it:
        it.write(data)
    return buffer.getvalue()


def tar(files, time, directories=True, prefix=""):
    """A tar archive of (path, bytes, mode), owned by root, with the directories before what is in them."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        seen = set()
        for path, data, mode in sorted(files):
            parts = path.split("/")[:-1]
            for depth in range(1, len(parts) + 1):
                directory = "/".join(parts[:depth])
                if directories and directory not in seen:
                    seen.add(directory)
                    info = tarfile.TarInfo(f"{prefix}{directory}/")
                    info.type, info.mode, info.mtime, info.uname, info.gname = tarfile.DIRTYPE, 0o755, time, "root", "root"
                    archive.addfile(info)
            info = tarfile.TarInfo(prefix + path)
            info.size, info.mode, info.mtime, info.uname, info.gname = len(data), mode, time, "root", "root"
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def ar(members, time):
    """The archive that a `.deb` is."""
    data = b"!<arch>\n"
    for name, content in members:
        data += f"{name:<16}{time:<12}{0:<6}{0:<6}{'100644':<8}{len(content):<10}`\n".encode()
        data += content + b"\n" * (len(content) % 2)
    return data


# ---------------------------------------------------------------------------------------------------------------------
# Packages


class Packer:
    """One program and what goes along with it, into the formats of a target."""

    def __init__(self, project, target, binary, out):
        self.project = project
        self.target = target
        self.out = out
        self.tags, self.system, self.processor, self.debian = TARGETS[target]
        self.program = binary.read_bytes()
        if "-linux-musl" in target and not is_static(self.program):
            sys.exit(f"{binary} asks for a loader, so it is no program of {target}")
        env = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}
        self.man = output(binary, "man", env=env)
        self.completions = {file: output(binary, "completions", shell, env=env) for shell, file in SHELLS.items()}
        version = output(binary, "--version", env=env, text=True).split()
        if version[:2] != [project.name, project.version]:
            sys.exit(f"{binary} says that it is {' '.join(version)}, and Cargo.toml {project.name} {project.version}")
        self.texts = project.licences() | {"THIRD-PARTY.txt": third_party(target)}

    def write(self, name, data):
        file = self.out / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
        print(f"  {name}  {len(data):,} bytes", flush=True)

    def pack(self):
        self.tarball()
        self.wheel()
        self.npm()
        if self.debian:
            self.deb()
            self.image()
        name = f"{self.project.name}-{self.project.version}-{self.target}.cdx.json"
        self.write(name, bill_of_materials(self.project, self.target, self.program))

    def tarball(self):
        name = f"{self.project.name}-{self.project.version}-{self.target}"
        files = [("bottlec", self.program, 0o755), ("man/man1/bottlec.1", self.man, 0o644)]
        files += [(f"completions/{file}", script, 0o644) for file, script in self.completions.items()]
        files += [(file, text, 0o644) for file, text in self.texts.items()]
        files += [("README.md", self.project.readme().encode(), 0o644)]
        self.write(f"{name}.tar.gz", compress(tar(files, self.project.time, prefix=f"{name}/")))

    def wheel(self):
        project = self.project
        stem = f"{project.name}-{project.version}"
        info = f"{stem}.dist-info"
        head = [
            ("Metadata-Version", "2.4"),
            ("Name", project.name),
            ("Version", project.version),
            ("Summary", project.description),
            ("Keywords", ",".join(project.keywords)),
            ("License-Expression", project.license),
            *(("License-File", file) for file in self.texts),
            ("Requires-Python", ">=3.8"),
            ("Description-Content-Type", "text/markdown; charset=UTF-8"),
        ]
        if project.repository:
            head += [("Project-URL", f"Source, {project.repository}")]
        metadata = "".join(f"{name}: {value}\n" for name, value in head) + "\n" + project.readme()
        tags = "".join(f"Tag: py3-none-{tag}\n" for tag in self.tags)
        files = [
            (f"{stem}.data/scripts/bottlec", self.program, 0o755),
            (f"{stem}.data/data/share/man/man1/bottlec.1", self.man, 0o644),
            *((f"{info}/licenses/{file}", text, 0o644) for file, text in self.texts.items()),
            (f"{info}/METADATA", metadata.encode(), 0o644),
            (f"{info}/WHEEL", f"Wheel-Version: 1.0\nGenerator: bottlec\nRoot-Is-Purelib: false\n{tags}".encode(), 0o644),
        ]
        record = ""
        for path, data, _ in files:
            digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
            record += f"{path},sha256={digest},{len(data)}\n"
        files += [(f"{info}/RECORD", f"{record}{info}/RECORD,,\n".encode(), 0o644)]
        buffer = io.BytesIO()
        # A zip file knows local times, and none before 1980.
        date = datetime.fromtimestamp(max(project.time, 315532800), timezone.utc).timetuple()[:6]
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
            for path, data, mode in files:
                entry = zipfile.ZipInfo(path, date)
                entry.external_attr = (0o100000 | mode) << 16
                entry.create_system = 3
                entry.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(entry, data)
        self.write(f"{stem}-py3-none-{'.'.join(self.tags)}.whl", buffer.getvalue())

    def npm(self):
        """The package of one platform. It has the program for a command, so that it can be installed by itself, too."""
        project = self.project
        manifest = npm_manifest(project, f"{project.name}-{self.system}-{self.processor}") | {
            "os": [self.system],
            "cpu": [self.processor],
            "bin": {"bottlec": "bin/bottlec"},
        }
        if self.target.endswith("-gnu"):
            manifest["libc"] = ["glibc"]
        files = [("bin/bottlec", self.program, 0o755)]
        files += [(file, text, 0o644) for file, text in self.texts.items()]
        name = f"{project.name}-{self.system}-{self.processor}-{project.version}.tgz"
        self.write(name, npm_package(project, manifest, files))

    def deb(self):
        project = self.project
        share = "usr/share"
        day = datetime.fromtimestamp(project.time, timezone.utc).strftime("%a, %d %b %Y %H:%M:%S +0000")
        host = urlsplit(project.repository).hostname or "localhost"
        maintainer = f"The authors of bottlec <noreply@{host}>"
        changelog = f"{project.name} ({project.version}) stable; urgency=medium\n\n  * See the changelog of the project.\n\n -- {maintainer}  {day}\n"
        files = [
            ("usr/bin/bottlec", self.program, 0o755),
            (f"{share}/man/man1/bottlec.1.gz", compress(self.man, 9), 0o644),
            (f"{share}/bash-completion/completions/bottlec", self.completions["bottlec.bash"], 0o644),
            (f"{share}/zsh/vendor-completions/_bottlec", self.completions["_bottlec"], 0o644),
            (f"{share}/fish/vendor_completions.d/bottlec.fish", self.completions["bottlec.fish"], 0o644),
            (f"{share}/doc/bottlec/copyright", debian_copyright(project), 0o644),
            (f"{share}/doc/bottlec/THIRD-PARTY.txt.gz", compress(self.texts["THIRD-PARTY.txt"], 9), 0o644),
            (f"{share}/doc/bottlec/changelog.gz", compress(changelog.encode(), 9), 0o644),
        ]
        control = {
            "Package": project.name,
            "Version": project.version,
            "Architecture": self.debian,
            "Maintainer": maintainer,
            "Installed-Size": str(sum((len(data) + 1023) // 1024 for _, data, _ in files)),
            "Section": "devel",
            "Priority": "optional",
            # As `cargo` has it for what is made from source: git and a container engine are for `up` alone.
            "Suggests": "git, docker.io | podman",
        }
        if is_static(self.program):
            # One program for all of Linux is what is published, in every format.
            # Its addresses are chosen anew at each start, by which it looks like a library that needs none.
            tags = ["statically-linked-binary", "shared-library-lacks-prerequisites"]
            override = "# One static program is what is published for all of Linux.\n"
            override += "".join(f"bottlec: {tag} [usr/bin/bottlec]\n" for tag in tags)
            files += [(f"{share}/lintian/overrides/bottlec", override.encode(), 0o644)]
        else:
            versions = {tuple(map(int, it.split(b"."))) for it in re.findall(rb"\0GLIBC_(\d+\.\d+)(?=[\0.])", self.program)}
            least = ".".join(map(str, max(versions)))
            control["Depends"] = f"libc6 (>= {least}), libgcc-s1"
        if project.repository:
            control["Homepage"] = project.repository
        # What a package manager shows: a line, then what it is.
        control["Description"] = (
            "config compiler for sandboxed AI agents\n"
            " One KDL spec of a bottle, a microVM for an AI agent that may dial one address\n"
            " only, is checked and compiled into the configuration of the machine and of\n"
            " the programs beside it, and launched."
        )
        text = "".join(f"{name}: {value}\n" for name, value in control.items())
        sums = "".join(f"{hashlib.md5(data).hexdigest()}  {path}\n" for path, data, _ in sorted(files))
        members = [("control", text.encode(), 0o644), ("md5sums", sums.encode(), 0o644)]
        data = ar(
            [
                ("debian-binary", b"2.0\n"),
                ("control.tar.gz", compress(tar(members, project.time, prefix="./"))),
                ("data.tar.gz", compress(tar(files, project.time, prefix="./"))),
            ],
            project.time,
        )
        self.write(f"{project.name}_{project.version}_{self.debian}.deb", data)

    def image(self):
        """What the Containerfile is built from: the program alone can be in it."""
        place = self.out / f"image-{self.debian}"
        self.write(f"{place.name}/bottlec", self.program)
        (place / "bottlec").chmod(0o755)
        self.write(f"{place.name}/Containerfile", (HERE / "Containerfile").read_bytes())


def debian_copyright(project):
    """By Debian's machine-readable format, with the texts of the licences that Debian does not have."""

    def indented(text):
        return "".join(f" {line}\n" if line.strip() else " .\n" for line in text.strip().splitlines())

    mit = (ROOT / "LICENSE-MIT").read_text()
    holder = re.search(r"(?m)^Copyright (?:\(c\) )?(.+)$", mit)[1]
    source = f"Source: {project.repository}\n" if project.repository else ""
    return (
        "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n"
        f"Upstream-Name: {project.name}\n{source}"
        "Comment: The licences of what is compiled in are in THIRD-PARTY.txt.gz.\n\n"
        f"Files: *\nCopyright: {holder}\nLicense: MIT or Apache-2.0\n\n"
        f"License: MIT\n{indented(mit)}\n"
        "License: Apache-2.0\n On Debian systems the text is in /usr/share/common-licenses/Apache-2.0.\n"
    ).encode()


def npm_manifest(project, name):
    manifest = {
        "name": f"{project.scope}{name}",
        "version": project.version,
        "description": project.description,
        "license": project.license,
        "keywords": project.keywords,
        "engines": {"node": ">=18"},
    }
    if project.repository:
        return manifest | {"repository": {"type": "git", "url": f"git+{project.repository}.git"}, "publishConfig": {"access": "public"}}
    # A name without an owner is nobody's to publish.
    return manifest | {"private": True}


def npm_package(project, manifest, files):
    files = [*files, ("README.md", project.readme().encode(), 0o644)]
    files += [("package.json", json.dumps(manifest, indent=2).encode() + b"\n", 0o644)]
    return compress(tar(files, project.time, directories=False, prefix="package/"))


# ---------------------------------------------------------------------------------------------------------------------
# What needs the packages of all targets


def npm_chooser(project, out):
    """The package that one installs: it asks for those of the platforms, of which npm takes the one that fits."""
    names = {}
    for system, processor in sorted({it[1:3] for it in TARGETS.values()}):
        if list(out.glob(f"{project.name}-{system}-{processor}-{project.version}.tgz")):
            names[f"{system}-{processor}"] = f"{project.scope}{project.name}-{system}-{processor}"
    manifest = npm_manifest(project, project.name) | {
        "bin": {"bottlec": "bin/bottlec.js"},
        "optionalDependencies": {name: project.version for name in names.values()},
    }
    script = (HERE / "npm/bottlec.js").read_bytes()
    files = [("bin/bottlec.js", script, 0o755), *((file, text, 0o644) for file, text in project.licences().items())]
    (out / f"{project.name}-{project.version}.tgz").write_bytes(npm_package(project, manifest, files))


def pre_commit_mirror(project, out):
    """A repository whose hooks install a wheel of this release: by address and digest, so no index is asked for a name."""
    place = out / "pre-commit"
    place.mkdir(exist_ok=True)
    requirements = []
    systems = {"linux": "linux", "darwin": "darwin"}
    machines = {("linux", "x64"): "x86_64", ("linux", "arm64"): "aarch64", ("darwin", "x64"): "x86_64", ("darwin", "arm64"): "arm64"}
    for tags, system, processor, _ in TARGETS.values():
        for wheel in out.glob(f"*-py3-none-{'.'.join(tags)}.whl"):
            digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
            marker = f"sys_platform == '{systems[system]}' and platform_machine == '{machines[system, processor]}'"
            requirements.append(f"{project.name} @ {project.release(wheel.name)}#sha256={digest} ; {marker}")
    listed = "".join(f"  {json.dumps(it)},\n" for it in requirements)
    (place / "pyproject.toml").write_text(
        '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n\n'
        f'[project]\nname = "{project.name}-pre-commit"\nversion = "{project.version}"\n'
        f'description = "Hooks that install a published {project.name}"\nlicense = "{project.license}"\nrequires-python = ">=3.8"\n'
        f"dependencies = [\n{listed}]\n\n[tool.setuptools]\npy-modules = []\n"
    )
    hooks = (ROOT / ".pre-commit-hooks.yaml").read_text().replace("language: rust\n", "language: python\n")
    (place / ".pre-commit-hooks.yaml").write_text(hooks)
    for file, text in project.licences().items():
        (place / file).write_bytes(text)
    (place / "README.md").write_text(
        f"# Hooks of {project.name} for pre-commit\n\n{project.repository}/blob/v{project.version}/docs/ci.md says how to use them. "
        f"This repository holds no program: it installs that of release {project.version}, by address and SHA-256.\n"
    )


def finish(project, out):
    if project.repository:
        npm_chooser(project, out)
        pre_commit_mirror(project, out)
    else:
        print("Cargo.toml names no repository: no npm package that asks for others, no hooks that install a wheel")
    sums = out / "SHA256SUMS"
    files = sorted(it for it in out.iterdir() if it.is_file() and it != sums)
    sums.write_text("".join(f"{hashlib.sha256(it.read_bytes()).hexdigest()}  {it.name}\n" for it in files))
    print(f"{out}: {len(files)} files, and SHA256SUMS")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--target", help="a target of rustc; that of this machine, with musl on Linux, when not given")
    parser.add_argument("--binary", type=Path, help="pack this program, and build none")
    parser.add_argument("--out", type=Path, default=ROOT / "target/packages")
    parser.add_argument("--repository", help="instead of what Cargo.toml says")
    parser.add_argument("--no-finish", action="store_true", help="other targets are to be added")
    parser.add_argument("--finish-only", action="store_true", help="the packages of all targets are there")
    arguments = parser.parse_args()
    project = Project(arguments.repository)
    arguments.out.mkdir(parents=True, exist_ok=True)
    if not arguments.finish_only:
        target = arguments.target or host().replace("-linux-gnu", "-linux-musl")
        if target not in TARGETS:
            sys.exit(f"`{target}` is none of {', '.join(TARGETS)}")
        binary = (arguments.binary or build(target)).resolve()
        print(f"{binary} as {target}:")
        Packer(project, target, binary, arguments.out).pack()
    if not arguments.no_finish:
        finish(project, arguments.out)


if __name__ == "__main__":
    main()
