#!/usr/bin/env python3
"""Builds the pages as a site (mkdocs.yml), and reads what came of it.

    tests/site/judge.py

Every page and every rule must be there, found by the search and led to by the navigation; every link must lead
somewhere; nothing may be fetched from anybody else. The packages are those of requirements.txt, in an environment under
target/. Where they cannot be had the script says so loudly and ends well.
"""

import html.parser
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from urllib.parse import unquote, urlsplit

sys.dont_write_bytecode = True
sys.path.append(str(Path(__file__).resolve().parents[1]))

from judging import ROOT, TOOLS, virtual_environment, run, skipped, verdict
from judging import told as check

REQUIREMENTS = Path(__file__).with_name("requirements.txt")


class Page(html.parser.HTMLParser):
    """What a page leads to, what it fetches, and which anchors it has."""

    def __init__(self, text):
        super().__init__()
        self.links, self.fetched, self.anchors = [], [], set()
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.anchors |= {attributes[name] for name in ("id", "name") if attributes.get(name)}
        if tag == "a" and attributes.get("href"):
            self.links.append(attributes["href"])
        if tag in ("script", "img", "iframe", "source") and attributes.get("src"):
            self.fetched.append(attributes["src"])
        if tag == "link" and attributes.get("rel") in ("stylesheet", "icon", "preconnect", "preload"):
            self.fetched.append(attributes["href"])


def build(place, out):
    python = TOOLS / "site/bin/python"
    env = os.environ | {"NO_MKDOCS_2_WARNING": "1", "PYTHONDONTWRITEBYTECODE": "1", "NO_COLOR": "1"}
    words = ["-m", "mkdocs", "build", "--strict", "--config-file", place / "mkdocs.yml", "--site-dir", out]
    return run(python, *words, cwd=place, env=env, stderr=subprocess.STDOUT)


def main():
    if virtual_environment("site", REQUIREMENTS) is None:
        skipped("the packages of tests/site/requirements.txt cannot be had")
        return verdict("site")
    with tempfile.TemporaryDirectory() as directory:
        directory = Path(directory).resolve()
        site = directory / "site"
        done = build(ROOT, site)
        check("mkdocs builds it, and warns of nothing", done.returncode == 0, done.stdout[-1500:])
        pages = {path.relative_to(site).as_posix(): Page(path.read_text()) for path in site.rglob("*.html")}
        rules = {f"rules/{path.stem}.html" for path in (ROOT / "docs/rules").glob("*.md")}
        others = {f"{path.stem}.html" for path in (ROOT / "docs").glob("*.md")} | {"index.html", "SECURITY.html", "CONTRIBUTING.html", "CHANGELOG.html"}
        missing = (rules | others) - pages.keys()
        check(f"all {len(rules)} rules and {len(others)} other pages are there", len(rules) > 100 and not missing, missing)

        found = {entry["location"].split("#")[0] for entry in json.loads((site / "search/search_index.json").read_text())["docs"]}
        check("the search knows each of them", not (rules | others) - found - {"index.html"}, (rules | others) - found)
        led = {(Path("x") / link).name for link in pages["index.html"].links}
        check("the navigation leads to each of them", not {Path(it).name for it in rules | others} - led - {"index.html"}, {Path(it).name for it in rules | others} - led)

        broken, count = [], 0
        for name, page in pages.items():
            if name == "404.html":
                continue
            for link in page.links + page.fetched:
                parts = urlsplit(link)
                if parts.scheme or parts.netloc:
                    continue
                count += 1
                target = (site / name).parent / unquote(parts.path) if parts.path else site / name
                target = target / "index.html" if target.is_dir() else target
                known = pages.get(os.path.relpath(target.resolve(), site))
                if not target.exists() or parts.fragment and known and unquote(parts.fragment) not in known.anchors:
                    broken.append((name, link))
        check(f"each of {count} links leads somewhere", count > 5000 and not broken, broken[:5])
        outside = {(name, it) for name, page in pages.items() for it in page.fetched if urlsplit(it).netloc}
        check("nothing is fetched from anybody else", not outside, outside)
        index = (site / "index.html").read_text()
        check("it follows the system, light and dark", all(f"(prefers-color-scheme: {it})" in index for it in ("light", "dark")))
        pictures = [it for page in pages.values() for it in page.fetched if it.endswith(".svg")]
        dark = [it for it in pictures if "prefers-color-scheme" not in (site / Path(it).name).read_text()]
        check("and so does each picture", pictures and not dark, dark)

        # What cannot be followed stops the build.
        copy = directory / "copy"
        for name in ("docs", "dist", "schemas", "examples", "editors"):
            shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("node_modules"))
        for path in [*ROOT.glob("*.md"), ROOT / "Cargo.toml", ROOT / "mkdocs.yml"]:
            shutil.copyfile(path, copy / path.name)
        tour = copy / "docs/tour.md"
        tour.write_text(tour.read_text() + "\n[nowhere](nowhere.md), [no heading](ci.md#no-such-heading)\n")
        done = build(copy, directory / "other")
        check("a link that leads nowhere stops the build", done.returncode != 0 and "nowhere.md" in done.stdout and "no-such-heading" in done.stdout, done.stdout[-1500:])
    return verdict("site")


if __name__ == "__main__":
    sys.exit(main())
