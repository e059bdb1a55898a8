"""What mkdocs.yml asks of us: the pages that lie outside of docs/, the rules in the navigation, and links.

The pages are written for a checkout, where a link leads to any file. On the site those to pages and to what is copied
beside them stay; others lead into the repository that Cargo.toml names, or are text where it names none.
"""

import posixpath
import re
import tomllib
from pathlib import Path

from mkdocs.structure.files import File

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = tomllib.loads((ROOT / "Cargo.toml").read_text())["package"]
PAGES = {"README.md": "index.md"} | {name: name for name in ("SECURITY.md", "CONTRIBUTING.md", "CHANGELOG.md")}
FENCE = re.compile(r"(?ms)^( *)```.*?^\1```$")


def copied():
    """What is beside the pages: what they show the whole of."""
    return [*ROOT.glob("schemas/*.json"), *ROOT.glob("examples/*.kdl"), *ROOT.glob("examples/fleet/**/*.kdl"), *ROOT.glob("examples/images/*Containerfile")]


def on_config(config):
    rules = sorted(path.name for path in (ROOT / "docs/rules").glob("*.md"))
    pages = [{name.removesuffix(".md"): f"rules/{name}"} for name in rules]
    at = next(number for number, entry in enumerate(config.nav) if "engine.md" in entry.values())
    config.nav.insert(at, {"Rules": ["rules.md", *pages]})
    if repository := PACKAGE.get("repository"):
        config.repo_url = repository
    return config


def on_files(files, config):
    for source, name in PAGES.items():
        files.append(File.generated(config, name, content=(ROOT / source).read_text()))
    for path in copied():
        files.append(File.generated(config, path.relative_to(ROOT).as_posix(), content=path.read_bytes()))
    files.append(File.generated(config, "icon.png", content=(ROOT / "editors/vscode/icon.png").read_bytes()))
    return files


def on_page_markdown(markdown, page, config, files):
    here = page.file.src_uri
    source = next((source for source, name in PAGES.items() if name == here), f"docs/{here}")
    there = {file.src_uri for file in files}

    def link(match):
        mark, text, target = match.groups()
        if re.match(r"[a-z]+:|#", target):
            return match[0]
        path, hash, anchor = target.partition("#")
        path = posixpath.normpath(posixpath.join(posixpath.dirname(source), path))
        name = PAGES.get(path, path.removeprefix("docs/") if path.startswith("docs/") else path)
        if name in there:
            return f"{mark}[{text}]({posixpath.relpath(name, posixpath.dirname(here) or '.')}{hash}{anchor})"
        if not (ROOT / path).exists():
            # The build fails on it.
            return match[0]
        if repository := PACKAGE.get("repository"):
            return f"{mark}[{text}]({repository.rstrip('/')}/blob/v{PACKAGE['version']}/{path}{hash}{anchor})"
        return text

    def outside(text):
        return re.sub(r"(!?)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^()\s]+)\)", link, text)

    parts, last = [], 0
    for fence in FENCE.finditer(markdown):
        # What is behind the language says what the tests do with it.
        shown = re.sub(r"(?m)^( *```\w+) .*$", r"\1", fence[0], count=1)
        parts += [outside(markdown[last : fence.start()]), shown]
        last = fence.end()
    return "".join([*parts, outside(markdown[last:])])
