#!/usr/bin/env python3
"""Holds what bottlec says in CI against the readers that it says it for.

A repository of 200 specs, 30 of them broken, is made from the examples and the cases. Every format of `check` then
goes through a reader that is not ours, or through the published grammar written down again here, and all of them must
tell of the same findings. After that come `--fix`, `--changed` and the exit codes, the hooks under the real
pre-commit, the steps of `action.yml` with the runner's part played here, and the snippets of `docs/ci.md`.

    tests/ci/judge.py target/debug/bottlec

The readers are the packages of `requirements.txt`, in an environment under target/. Where they cannot be had the
script says so loudly and ends well; a verdict is never skipped.
"""

import hashlib
import json
import os
import re
import shutil
import sys
import tempfile
import xml.etree.ElementTree as xml
from collections import Counter
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.append(str(Path(__file__).resolve().parents[1]))

from judging import ROOT, TOOLS, virtual_environment, importable, run, skipped, verdict
from judging import told as check

REQUIREMENTS = Path(__file__).with_name("requirements.txt")
FORMATS = ["fancy", "concise", "json", "sarif", "github", "gitlab", "junit", "checkstyle", "rdjson"]
SPECS = 200
BROKEN = 30


def install():
    """The directory of the readers, or None where they cannot be had."""
    return virtual_environment("ci", REQUIREMENTS)


def tool(name, *arguments, cwd=ROOT, env=None):
    return run(TOOLS / "ci/bin" / name, *arguments, cwd=cwd, env=env)


# ---------------------------------------------------------------------------------------------------------------------
# The repository


def clean_environment(home):
    """Nothing of who runs this: no configuration of git, no hooks, no CI."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_AUTHOR_NAME": "a",
        "GIT_AUTHOR_EMAIL": "a@example.com",
        "GIT_COMMITTER_NAME": "a",
        "GIT_COMMITTER_EMAIL": "a@example.com",
        "LC_ALL": "C.UTF-8",
        "PRE_COMMIT_HOME": str(home / "pre-commit"),
    }


def commit(directory, env):
    if not (directory / ".git").exists():
        run("git", "init", "--quiet", "--initial-branch=main", ".", cwd=directory, env=env)
    run("git", "add", "--all", cwd=directory, env=env)
    done = run("git", "commit", "--quiet", "--message", "x", cwd=directory, env=env)
    assert done.returncode == 0, done.stderr
    return run("git", "rev-parse", "HEAD", cwd=directory, env=env).stdout.strip()


def insert(text, line):
    """The text with one more line at the top of its bottle."""
    return re.sub(r"(?m)^(bottle .*\{)$", lambda match: f"{match[1]}\n    {line}", text, count=1)


# Each breaks any example that it is done to: three ways that are mended unseen, others that a person must look at.
MUTATIONS = [
    ("comma", lambda text: insert(text, 'accept "dns-open", reason="a comma too many"')),
    ("kdl-1", lambda text: insert(text, "supervise enabled=true")),
    ("number", lambda text: insert(text, "network octet=\"77\"")),
    ("typo", lambda text: insert(text, 'egres { allow "a.example.com"; }')),
    ("brace", lambda text: text.rstrip()[:-1]),
    ("string", lambda text: insert(text, 'artifact "./agent.smolmachine')),
    ("property", lambda text: insert(text, 'engine "smolvm" versoin="1.33.0"')),
    ("bytes", lambda text: insert(text, 'image "\u202e"')),
]
# Cases of one file that has an error by itself.
CASES = """
dependency-cycle duplicate-node egress-never-matches engine-too-old env-owned invalid-regex kdl-v1 missing-node
nesting-too-deep reserved-name syntax-error unclosed-comment unexpected-argument unknown-sidecar wrong-type
""".split()
# What a careless writer of XML, of a workflow command or of a URI trips over.
DIRECTORIES = ["bottles", "two words", "a,b;c", "100%25", "größe/子", "x&y<z>", "t:u=v", "[1]", "it's \"q\"", "::error::"]


def make_repository(place, env):
    """A repository of specs; those that are broken."""
    examples = sorted((ROOT / "examples").glob("*.kdl"))
    cases = [sorted((ROOT / "tests/cases/err" / case).glob("*.kdl"))[0] for case in CASES]
    broken = set()
    for number in range(SPECS):
        directory = place / DIRECTORIES[number % len(DIRECTORIES)]
        directory.mkdir(parents=True, exist_ok=True)
        example = examples[number % len(examples)]
        text = re.sub(r'(?m)^bottle "([^"]*)"', rf'bottle "\1-{number:03}"', example.read_text())
        name = f"{number:03}-{example.stem}"
        # Spread over all directories and all examples.
        if number % 20 in (3, 10, 17):
            way = len(broken)
            if way % 2:
                case = cases[way // 2]
                text, name = case.read_text(), f"{number:03}-{case.parent.name}"
            else:
                kind, mutate = MUTATIONS[way // 2 % len(MUTATIONS)]
                text, name = mutate(text), f"{number:03}-{kind}"
            broken.add((directory / f"{name}.kdl").relative_to(place).as_posix())
        (directory / f"{name}.kdl").write_text(text)
    # Neither is a spec of this repository.
    (place / "ignored").mkdir()
    (place / "ignored/broken.kdl").write_text('bottle "x" {\n')
    (place / ".gitignore").write_text("/ignored\n/reports\n")
    (place / "layout.kdl").write_text('layout {\n    pane command="htop"\n}\n')
    commit(place, env)
    return broken


def digests(place):
    return {path: path.read_bytes() for path in sorted(place.rglob("*.kdl"))}


# ---------------------------------------------------------------------------------------------------------------------
# The formats. Each reader gives its findings as (file, line, rule, level), to be compared with those of the JSON.

def from_json(text, jsonschema):
    document = json.loads(text)
    schema = json.loads((ROOT / "schemas/diagnostics.schema.json").read_text())
    errors = list(jsonschema.validators.validator_for(schema)(schema).iter_errors(document))
    check("json: our schema takes it", not errors, errors[:1])
    document["extra"] = 1
    document["diagnostics"][0].pop("rule")
    check("json: the schema refuses one without a rule", list(jsonschema.validators.validator_for(schema)(schema).iter_errors(document)))
    return [
        (found["place"]["file"], found["place"]["start"]["line"], found["rule"], found["level"])
        for found in json.loads(text)["diagnostics"]
    ]


def published_sarif():
    """The schema of SARIF 2.1.0 as the package `serde-sarif` carries it, or None without a cargo that has fetched it."""
    if not shutil.which("cargo"):
        return None
    # The package is read and not compiled: it is wanted for a platform without a system.
    platform = ["--filter-platform", "x86_64-unknown-none"]
    metadata = run("cargo", "metadata", "--offline", "--locked", "--format-version", "1", *platform, cwd=ROOT)
    if metadata.returncode != 0:
        return None
    packages = json.loads(metadata.stdout)["packages"]
    package = next(package for package in packages if package["name"] == "serde-sarif")
    schema = json.loads((Path(package["manifest_path"]).parent / "src/schema.json").read_text())
    # One expression in it has a bracket too many, which a strict reader does not take. It is about languages.
    for place in ("run", "toolComponent"):
        del schema["definitions"][place]["properties"]["language"]["pattern"]
    return schema


def from_sarif(text, jsonschema, directory):
    from urllib.parse import unquote

    import pysarif

    document = json.loads(text)
    schema = published_sarif()
    if schema is None:
        skipped("there is no published schema of SARIF here")
    else:
        validator = jsonschema.validators.validator_for(schema)(schema)
        errors = list(validator.iter_errors(document))
        check("sarif: the published schema takes it", not errors, errors[:1])
        broken = json.loads(text)
        broken["runs"][0]["results"][0].pop("message")
        check("sarif: the schema refuses a result without a message", list(validator.iter_errors(broken)))
    # What code scanning wants beyond the schema.
    report = document["runs"][0]
    rules = [rule["id"] for rule in report["tool"]["driver"]["rules"]]
    results = report["results"]
    check("sarif: every rule is described once", len(rules) == len(set(rules)))
    check("sarif: each result points at its rule", all(rules[found["ruleIndex"]] == found["ruleId"] for found in results))
    prints = [json.dumps(found.get("partialFingerprints"), sort_keys=True) for found in results]
    check("sarif: each result has a fingerprint of its own", "null" not in prints and len(set(prints)) == len(prints))
    file = directory / "report.sarif"
    file.write_text(text)
    model = pysarif.load_from_file(str(file))
    check("sarif: pysarif reads every result", len(model.runs[0].results) == len(results))
    levels = {"error": "error", "warning": "warning", "note": "advice"}
    found = []
    for result in model.runs[0].results:
        location = result.locations[0].physical_location
        uri = location.artifact_location.uri
        if not re.fullmatch(r"(?:[A-Za-z0-9._~!$&'()*+,;=@/:-]|%[0-9A-F]{2})*", uri) or ":" in uri.split("/")[0]:
            check("sarif: a path is a relative reference by RFC 3986", False, uri)
        found.append((unquote(uri), location.region.start_line, result.rule_id, levels[result.level]))
    return found


# By the runner's own reading of workflow commands: data and properties are escaped, and not alike.
COMMAND = re.compile(r"::(?P<name>[A-Za-z-]+)(?: (?P<properties>.*?))?::(?P<message>.*)")
UNESCAPE = {"%25": "%", "%0D": "\r", "%0A": "\n", "%3A": ":", "%2C": ","}


def from_github(text):
    levels = {"error": "error", "warning": "warning", "notice": "advice"}
    found, wrong = [], []
    for line in text.splitlines():
        match = COMMAND.fullmatch(line)
        if match is None or match["name"] not in levels:
            wrong.append(line)
            continue
        properties = {}
        for part in match["properties"].split(","):
            key, equals, value = part.partition("=")
            if not equals or key in properties or key not in ("file", "line", "endLine", "col", "endColumn", "title"):
                wrong.append(line)
            properties[key] = re.sub("%(?:25|0D|0A|3A|2C)", lambda escape: UNESCAPE[escape[0]], value)
        # A percent sign that stands for itself would be read as an escape one day.
        if re.search("%(?!25|0D|0A|3A|2C)", match["properties"]) or re.search("%(?!25|0D|0A)", match["message"]):
            wrong.append(line)
        numbers = [int(properties[key]) for key in ("line", "endLine", "col", "endColumn") if key in properties]
        if min(numbers) < 1 or not match["message"]:
            wrong.append(line)
        # The runner drops columns where a finding has several lines.
        if properties.get("endLine", properties["line"]) != properties["line"] and "col" in properties:
            wrong.append(line)
        rule = properties["title"].split(": ")[-1]
        found.append((properties["file"], int(properties["line"]), rule, levels[match["name"]]))
    check("github: every line is a command that the runner takes", not wrong, wrong[:2])
    return found


# By the table in GitLab's documentation of code quality reports.
GITLAB = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["description", "check_name", "fingerprint", "location", "severity"],
        "properties": {
            "description": {"type": "string", "minLength": 1},
            "check_name": {"type": "string", "minLength": 1},
            "fingerprint": {"type": "string", "minLength": 1},
            "severity": {"enum": ["info", "minor", "major", "critical", "blocker"]},
            "location": {
                "type": "object",
                "required": ["path", "lines"],
                "properties": {
                    # GitLab takes no path that begins so.
                    "path": {"type": "string", "pattern": r"^(?!\./|/)."},
                    "lines": {
                        "type": "object",
                        "required": ["begin"],
                        "properties": {"begin": {"type": "integer", "minimum": 1}, "end": {"type": "integer", "minimum": 1}},
                    },
                },
            },
        },
    },
}


def from_gitlab(text, jsonschema):
    document = json.loads(text)
    errors = list(jsonschema.Draft202012Validator(GITLAB).iter_errors(document))
    check("gitlab: the documented schema takes it", not errors, errors[:1])
    prints = [found["fingerprint"] for found in document]
    check("gitlab: each finding has a fingerprint of its own", len(set(prints)) == len(prints))
    levels = {"major": "error", "minor": "warning", "info": "advice"}
    return [
        (found["location"]["path"], found["location"]["lines"]["begin"], found["check_name"], levels.get(found["severity"]))
        for found in document
    ]


# What the readers of Jenkins and GitLab have in common.
JUNIT = """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">
  <xs:complexType name="outcome" mixed="true">
    <xs:attribute name="message" type="xs:string"/>
    <xs:attribute name="type" type="xs:string"/>
  </xs:complexType>
  <xs:element name="testsuites"><xs:complexType>
    <xs:sequence><xs:element name="testsuite" minOccurs="0" maxOccurs="unbounded"><xs:complexType>
      <xs:sequence><xs:element name="testcase" minOccurs="0" maxOccurs="unbounded"><xs:complexType>
        <xs:choice minOccurs="0" maxOccurs="unbounded">
          <xs:element name="skipped" type="outcome"/>
          <xs:element name="error" type="outcome"/>
          <xs:element name="failure" type="outcome"/>
          <xs:element name="system-out" type="xs:string"/>
          <xs:element name="system-err" type="xs:string"/>
        </xs:choice>
        <xs:attribute name="name" type="xs:string" use="required"/>
        <xs:attribute name="classname" type="xs:string"/>
        <xs:attribute name="time" type="xs:decimal"/>
      </xs:complexType></xs:element></xs:sequence>
      <xs:attribute name="name" type="xs:string" use="required"/>
      <xs:attribute name="tests" type="xs:nonNegativeInteger" use="required"/>
      <xs:attribute name="failures" type="xs:nonNegativeInteger" use="required"/>
      <xs:attribute name="errors" type="xs:nonNegativeInteger" use="required"/>
      <xs:attribute name="skipped" type="xs:nonNegativeInteger"/>
      <xs:attribute name="time" type="xs:decimal"/>
    </xs:complexType></xs:element></xs:sequence>
    <xs:attribute name="name" type="xs:string"/>
    <xs:attribute name="tests" type="xs:nonNegativeInteger"/>
    <xs:attribute name="failures" type="xs:nonNegativeInteger"/>
    <xs:attribute name="errors" type="xs:nonNegativeInteger"/>
    <xs:attribute name="time" type="xs:decimal"/>
  </xs:complexType></xs:element>
</xs:schema>"""


def from_junit(text, xmlschema):
    from junitparser import Failure, JUnitXml

    schema = xmlschema.XMLSchema10(JUNIT)
    errors = list(schema.iter_errors(text))
    check("junit: the schema takes it", not errors, errors[:1])
    check("junit: the schema refuses a test without a name", list(schema.iter_errors(re.sub(r'(<testcase) name="[^"]*"', r"\1", text, count=1))))
    report = JUnitXml.fromstring(text.encode())
    found, tests, failures = [], 0, 0
    sums = []
    for suite in report:
        count = Counter()
        for case in suite:
            count["tests"] += 1
            for outcome in case.result:
                count["failures"] += isinstance(outcome, Failure)
            if case.is_passed and not re.search(r" at \d+:\d+$", case.name):
                continue
            rule, line = re.fullmatch(r"(\S+) at (\d+):\d+", case.name).groups()
            failure = any(isinstance(outcome, Failure) for outcome in case.result)
            found.append((case.classname, int(line), rule, failure))
        sums.append((suite.tests, suite.failures) == (count["tests"], count["failures"]))
        tests, failures = tests + count["tests"], failures + count["failures"]
    check("junit: junitparser counts what each suite says", all(sums) and sums)
    check("junit: junitparser counts what the report says", (report.tests, report.failures) == (tests, failures))
    check("junit: every file is a suite", len(sums) >= SPECS, len(sums))
    # A test fails or it does not: the level of the rest is the JSON's.
    return found


# The element names and types of Checkstyle's own report.
CHECKSTYLE = """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">
  <xs:simpleType name="severity"><xs:restriction base="xs:string">
    <xs:enumeration value="error"/><xs:enumeration value="warning"/><xs:enumeration value="info"/>
  </xs:restriction></xs:simpleType>
  <xs:element name="checkstyle"><xs:complexType>
    <xs:sequence><xs:element name="file" minOccurs="0" maxOccurs="unbounded"><xs:complexType>
      <xs:sequence><xs:element name="error" minOccurs="0" maxOccurs="unbounded"><xs:complexType>
        <xs:attribute name="line" type="xs:positiveInteger" use="required"/>
        <xs:attribute name="column" type="xs:positiveInteger"/>
        <xs:attribute name="severity" type="severity" use="required"/>
        <xs:attribute name="message" type="xs:string" use="required"/>
        <xs:attribute name="source" type="xs:string" use="required"/>
      </xs:complexType></xs:element></xs:sequence>
      <xs:attribute name="name" type="xs:string" use="required"/>
    </xs:complexType></xs:element></xs:sequence>
    <xs:attribute name="version" type="xs:string"/>
  </xs:complexType></xs:element>
</xs:schema>"""


def from_checkstyle(text, xmlschema):
    errors = list(xmlschema.XMLSchema10(CHECKSTYLE).iter_errors(text))
    check("checkstyle: the schema takes it", not errors, errors[:1])
    levels = {"error": "error", "warning": "warning", "info": "advice"}
    return [
        (file.get("name"), int(error.get("line")), error.get("source").removeprefix("bottlec."), levels[error.get("severity")])
        for file in xml.fromstring(text)
        for error in file
    ]


# By the definition of reviewdog's diagnostic format. It allows what it does not name; we write nothing of that.
POSITION = {
    "type": "object",
    "required": ["line", "column"],
    "properties": {"line": {"type": "integer", "minimum": 1}, "column": {"type": "integer", "minimum": 1}},
    "additionalProperties": False,
}
RANGE = {
    "type": "object",
    "required": ["start", "end"],
    "properties": {"start": POSITION, "end": POSITION},
    "additionalProperties": False,
}
LOCATION = {
    "type": "object",
    "required": ["path", "range"],
    "properties": {"path": {"type": "string"}, "range": RANGE},
    "additionalProperties": False,
}
RDJSON = {
    "type": "object",
    "required": ["source", "diagnostics"],
    "properties": {
        "source": {"type": "object", "required": ["name"]},
        "severity": {"enum": ["ERROR", "WARNING", "INFO"]},
        "diagnostics": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["message", "location", "severity", "code"],
                "properties": {
                    "message": {"type": "string", "minLength": 1},
                    "severity": {"enum": ["ERROR", "WARNING", "INFO"]},
                    "location": LOCATION,
                    "code": {"type": "object", "required": ["value"]},
                    "suggestions": {
                        "type": "array",
                        "items": {
                            "type": "object",
                            "required": ["range", "text"],
                            "properties": {"range": RANGE, "text": {"type": "string"}},
                            "additionalProperties": False,
                        },
                    },
                    # Reviewdog reads it as Protobuf's JSON, which takes this name and `related_locations`.
                    "relatedLocations": {
                        "type": "array",
                        "items": {
                            "type": "object",
                            "required": ["location"],
                            "properties": {"message": {"type": "string"}, "location": LOCATION},
                            "additionalProperties": False,
                        },
                    },
                },
                "additionalProperties": False,
            },
        },
    },
    "additionalProperties": False,
}


def from_rdjson(text, jsonschema, place):
    document = json.loads(text)
    errors = list(jsonschema.Draft202012Validator(RDJSON).iter_errors(document))
    check("rdjson: the documented schema takes it", not errors, errors[:1])
    outside = []
    for found in document["diagnostics"]:
        lines = (place / found["location"]["path"]).read_bytes().split(b"\n")
        ranges = [found["location"]["range"]] + [suggestion["range"] for suggestion in found.get("suggestions", [])]
        for position in (range[end] for range in ranges for end in ("start", "end")):
            # Columns count bytes from one, and the end is behind the last.
            if position["line"] > len(lines) or position["column"] > len(lines[position["line"] - 1]) + 1:
                outside.append((found["location"]["path"], position))
    check("rdjson: every range lies in its file", not outside, outside[:2])
    levels = {"ERROR": "error", "WARNING": "warning", "INFO": "advice"}
    return [
        (found["location"]["path"], found["location"]["range"]["start"]["line"], found["code"]["value"], levels[found["severity"]])
        for found in document["diagnostics"]
    ]


def from_concise(text):
    found = []
    for line in text.splitlines():
        match = re.fullmatch(r"(.+?):(\d+):\d+: (error|warning|advice)\[([a-z0-9-]+)\]: .*", line)
        if match:
            found.append((match[1], int(match[2]), match[4], match[3]))
    return found


def judge_formats(bottlec, place, broken, env):
    import jsonschema
    import xmlschema

    reports = place / "reports"
    reports.mkdir()
    single = {}
    for format in FORMATS:
        done = run(bottlec, "check", "--format", format, ".", cwd=place, env=env)
        check(f"{format}: errors are exit code 1", done.returncode == 1, done.stderr)
        single[format] = done.stdout
    arguments = [f"--format={format}=reports/{format}" for format in FORMATS]
    done = run(bottlec, "check", *arguments, cwd=place, env=env)
    check("all formats in one run: exit code 1 and nothing on standard output", (done.returncode, done.stdout) == (1, ""), done.stderr)
    # A file can hold what a terminal may not be able to show.
    run(bottlec, "check", "--format=fancy=reports/alone", cwd=place, env=env)
    single["fancy"] = (reports / "alone").read_text()
    for format in FORMATS:
        check(f"{format}: in one run with all others it is the same", (reports / format).read_text() == single[format])

    expected = from_json(single["json"], jsonschema)
    check(
        f"the {BROKEN} broken specs have errors, and no other has a finding",
        {file for file, _, _, level in expected if level == "error"} == broken == {file for file, *_ in expected},
        {file for file, *_ in expected} ^ broken,
    )
    with tempfile.TemporaryDirectory() as directory:
        read = {
            "sarif": from_sarif(single["sarif"], jsonschema, Path(directory)),
            "github": from_github(single["github"]),
            "gitlab": from_gitlab(single["gitlab"], jsonschema),
            "checkstyle": from_checkstyle(single["checkstyle"], xmlschema),
            "rdjson": from_rdjson(single["rdjson"], jsonschema, place),
            "concise": from_concise(single["concise"]),
        }
    for format, found in read.items():
        difference = Counter(expected) - Counter(found), Counter(found) - Counter(expected)
        check(f"{format}: it tells of the {len(expected)} findings of the JSON", not any(difference), difference)
    tests = from_junit(single["junit"], xmlschema)
    wanted = Counter((file, line, rule, level == "error") for file, line, rule, level in expected)
    got = Counter(tests)
    check("junit: it tells of the findings of the JSON", {key[:3] for key in got} == {key[:3] for key in wanted}, got - wanted)
    check("junit: errors are the failures", got == wanted, (got - wanted, wanted - got))
    heads = re.findall(r"(?m)^(?:error|warning|advice)\[([a-z0-9-]+)\]", single["fancy"])
    check("fancy: it shows every finding", Counter(heads) == Counter(rule for _, _, rule, _ in expected))


# ---------------------------------------------------------------------------------------------------------------------
# What a pipeline does besides


def judge_exit_codes(bottlec, place, env):
    sound = next(path for path in sorted(place.glob("bottles/*.kdl")) if "api-dev" in path.name)
    for what, code, arguments in [
        ("a sound spec", 0, [sound]),
        ("warnings alone", 0, [ROOT / "tests/cases/err/rate-limit-low"]),
        ("errors", 1, ["."]),
        ("an unknown format", 2, ["--format=tap"]),
        ("two formats on standard output", 2, ["--format=json", "--format=sarif"]),
        ("a spec that is not there", 3, ["no-such.kdl"]),
        ("a report that cannot be written", 3, ["--format=json=no-such/report.json", sound]),
    ]:
        done = run(bottlec, "check", *arguments, cwd=place, env=env)
        check(f"exit code {code}: {what}", done.returncode == code, (done.returncode, done.stderr))


def judge_changed(bottlec, place, env):
    def changed():
        done = run(bottlec, "check", "--changed", "--format=json", cwd=place, env=env)
        found = {found["place"]["file"] for found in json.loads(done.stdout or '{"diagnostics": []}')["diagnostics"]}
        return done.returncode, found, done.stderr

    before = changed()
    check("--changed: nothing is wrong where nothing changed", before[:2] == (0, set()), before)
    sound = next(path for path in sorted(place.glob("*/*.kdl")) if "egress-only" in path.name)
    text = sound.read_text()
    sound.write_text(text.replace("egress {", "egres {"))
    after = changed()
    check("--changed: only the changed spec is told of", after[:2] == (1, {sound.relative_to(place).as_posix()}), after)
    sound.write_text(text)


def judge_fixes(bottlec, place, env):
    def findings(*arguments):
        done = run(bottlec, "check", "--format=json", *arguments, ".", cwd=place, env=env)
        return json.loads(done.stdout)["diagnostics"]

    def mendable(found):
        return (found.get("fix") or {}).get("applicability") == "safe"

    original = digests(place)
    before = findings()
    files = {found["place"]["file"] for found in before if mendable(found)}
    check("--fix: there is something to mend", len(files) >= 5, files)
    done = run(bottlec, "check", "--diff", ".", cwd=place, env=env)
    check("--diff: it fails and writes nothing", done.returncode == 1 and digests(place) == original, done.stderr)
    headed = set(re.findall(r"(?m)^--- (.*)$", done.stdout))
    check("--diff: it shows the files that can be mended", headed == files, headed ^ files)
    findings("--fix")
    mended = digests(place)
    touched = {path.relative_to(place).as_posix() for path in original if original[path] != mended[path]}
    check("--fix: it writes the files that can be mended and no other", touched == files, touched ^ files)
    left = findings()
    check("--fix: what is left has no safe fix", not any(map(mendable, left)), [found["rule"] for found in left if mendable(found)])
    findings("--fix")
    check("--fix: a second time changes nothing", digests(place) == mended)
    done = run(bottlec, "check", "--diff", ".", cwd=place, env=env)
    check("--diff: then it has nothing to show", done.stdout == "", done.stdout)


# ---------------------------------------------------------------------------------------------------------------------
# The files that others read


def judge_hooks(bottlec, directory, place, env):
    import yaml

    manifest = ROOT / ".pre-commit-hooks.yaml"
    done = tool("pre-commit", "validate-manifest", manifest, env=env)
    check("pre-commit: its own validation takes the hooks", done.returncode == 0, done.stdout + done.stderr)

    # The hooks as they are but for the language: the program is the one that is judged, not one that is built anew.
    hooks = yaml.safe_load(manifest.read_text())
    check("pre-commit: the hooks build the program", {hook["language"] for hook in hooks} == {"rust"})
    project = directory / "project"
    project.mkdir()
    (project / ".pre-commit-hooks.yaml").write_text(yaml.safe_dump([hook | {"language": "system"} for hook in hooks]))
    revision = commit(project, env)
    binaries = directory / "bin"
    binaries.mkdir()
    (binaries / "bottlec").symlink_to(bottlec)
    env = env | {"PATH": f"{binaries}:{env['PATH']}"}

    user = directory / "user"
    (user / "bottles").mkdir(parents=True)
    shutil.copytree(ROOT / "examples/fleet", user / "fleet")
    spec = user / "bottles/one two.kdl"
    spec.write_text((ROOT / "examples/egress-only.kdl").read_text())
    config = {"repos": [{"repo": str(project), "rev": revision, "hooks": [{"id": "bottlec-check"}]}]}
    (user / ".pre-commit-config.yaml").write_text(yaml.safe_dump(config))
    commit(user, env)

    def hook(name, *arguments):
        done = tool("pre-commit", "run", name, *arguments, cwd=user, env=env)
        return done.returncode, done.stdout + done.stderr

    code, shown = hook("bottlec-check", "--all-files")
    check("pre-commit: the check passes a sound repository", code == 0 and "Passed" in shown, shown)
    (user / "README.md").write_text("no spec\n")
    run("git", "add", "--all", cwd=user, env=env)
    code, shown = hook("bottlec-check")
    check("pre-commit: without a spec among the changes it is not run", code == 0 and "Skipped" in shown, shown)
    # What every bottle of the fleet includes: the mistake shows in them, and they are not what is committed.
    shared = next(path for path in sorted((user / "fleet").rglob("*.kdl")) if "profile" in path.read_text() and path.name != "fleet.kdl")
    text = shared.read_text()
    shared.write_text(re.sub(r"(?m)^profile .*\{$", r"\g<0>" + "\n    egres { }", text, count=1))
    run("git", "add", "--all", cwd=user, env=env)
    code, shown = hook("bottlec-check")
    check("pre-commit: a mistake in an included file is found", code == 1 and "unknown-node" in shown, shown)
    shared.write_text(text)

    if run(bottlec, "fmt", "--help", cwd=user).returncode != 0:
        skipped("this program has no `fmt`, so the hook bottlec-fmt is not run")
        return
    config["repos"][0]["hooks"].append({"id": "bottlec-fmt"})
    (user / ".pre-commit-config.yaml").write_text(yaml.safe_dump(config))
    spec.write_text('bottle   "x"   {\n\n\n  egress   {\n allow   "a.example.com"\n}\n      }\n')
    run("git", "add", "--all", cwd=user, env=env)
    code, shown = hook("bottlec-fmt")
    check("pre-commit: the formatter rewrites a file, which fails the hook", code == 1 and "files were modified" in shown, shown)
    run("git", "add", "--all", cwd=user, env=env)
    code, shown = hook("bottlec-fmt")
    check("pre-commit: and passes it the second time", code == 0 and "Passed" in shown, shown)


def judge_action(bottlec, directory, place, env):
    import yaml

    file = ROOT / "action.yml"
    action = yaml.safe_load(file.read_text())
    done = tool("check-jsonschema", "--builtin-schema", "vendor.github-actions", file)
    check("action: the published schema takes it", done.returncode == 0, done.stdout + done.stderr)
    done = tool("zizmor", "--offline", "--no-progress", "--quiet", file, env=env)
    check("action: zizmor finds nothing", done.returncode == 0, done.stdout + done.stderr)
    steps = action["runs"]["steps"]
    for step in steps:
        script = directory / "step.sh"
        script.write_text(step["run"])
        done = tool("shellcheck", "--shell=bash", script)
        check(f"action: shellcheck finds nothing in `{step['name']}`", done.returncode == 0, done.stdout)
    check("action: no expression stands in a script", not any("${{" in step["run"] for step in steps))

    # A cargo that notes what it is asked for, and puts the program that is judged where a real one would: a link, since a
    # copy for each use would fill a small disk.
    cargo = directory / "cargo/cargo"
    cargo.parent.mkdir()
    cargo.write_text(
        '#!/bin/bash\nset -eu\nprintf "%s\\n" "$PWD" "$@" >"$NOTES"\n'
        'while [ "$1" != --root ]; do shift; done\nmkdir -p "$2/bin"\nln -s "$PROGRAM" "$2/bin/bottlec"\n'
    )
    cargo.chmod(0o755)

    def use(**given):
        """What a runner does with a composite action: exit code, standard output, outputs, its directory."""
        temporary = Path(tempfile.mkdtemp(dir=directory, prefix="runner "))
        inputs = {name: given.get(name, declared["default"]) for name, declared in action["inputs"].items()}
        output = temporary / "output"
        output.touch()
        outputs = {}
        shown = ""
        for step in steps:
            script = temporary / "script.sh"
            script.write_text(step["run"])
            variables = {
                name: re.sub(r"\$\{\{ inputs\.(\w+) \}\}", lambda match: inputs[match[1]], value)
                for name, value in step.get("env", {}).items()
            }
            done = run(
                *["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", script],
                cwd=place,
                env=env
                | {
                    "PATH": f"{cargo.parent}:{env['PATH']}",
                    "CURL_CA_BUNDLE": str(directory / "ca.pem"),
                    "NOTES": str(temporary / "notes"),
                    "PROGRAM": str(bottlec),
                    "GITHUB_ACTIONS": "true",
                    "GITHUB_ACTION_PATH": str(ROOT),
                    "GITHUB_OUTPUT": str(output),
                    "GITHUB_WORKSPACE": str(place),
                    "RUNNER_TEMP": str(temporary),
                }
                | variables,
            )
            shown += done.stdout + done.stderr
            if done.returncode != 0:
                break
        for line in output.read_text().splitlines():
            name, _, value = line.partition("=")
            outputs[name] = value
        return done.returncode, shown, outputs, temporary

    judge_release(bottlec, directory, use, env)
    code, shown, outputs, temporary = use()
    notes = (temporary / "notes").read_text().splitlines()
    check(
        "action: it installs from its own directory, locked",
        notes == [str(ROOT), "install", "--locked", "--path", str(ROOT), "--root", f"{temporary}/bottlec"],
        notes,
    )
    alone = run(bottlec, "check", "--format=github", "--format=sarif=reports/alone", cwd=place, env=env)
    check("action: errors fail the step, as annotations", (code, shown) == (1, alone.stdout + alone.stderr), shown)
    check("action: what git ignores is counted in the log", alone.stderr == "skipped: 2 directories that git ignores\n", alone.stderr)
    report = Path(outputs.get("sarif", "/nowhere"))
    check(
        "action: the output names the SARIF report all the same",
        report.is_file() and report.read_text() == (place / "reports/alone").read_text(),
        outputs,
    )
    declared = action["outputs"]["sarif"]["value"]
    check("action: and is the step's", declared == "${{ steps.%s.outputs.sarif }}" % steps[-1]["id"], declared)
    sound = sorted(path.relative_to(place).as_posix() for path in place.glob("two words/*.kdl") if "database" in path.name)
    code, shown, outputs, _ = use(paths="\n".join(["", *sound, "  ", ""]), args="--strict\n--statistics\n", sarif="reports/my report.sarif")
    check("action: paths with blanks, arguments, and a report with a name", (code, outputs) == (0, {"sarif": "reports/my report.sarif"}), shown)
    check("action: that report is written", '"results":[]' in (place / "reports/my report.sarif").read_text())
    code, shown, outputs, _ = use(paths="no-such.kdl")
    check("action: a spec that is not there is exit code 3, with the reason", code == 3 and "no-such.kdl" in shown, shown)
    hostile = '$(touch pwned) `touch pwned` "; touch pwned; " --fix\n-x\n*'
    code, shown, outputs, _ = use(paths=hostile)
    check("action: no path is read as a script or an option", code == 3 and not list(place.rglob("pwned")), shown)
    code, shown, outputs, _ = use(args="--format=$(touch pwned)\n; touch pwned")
    check("action: no argument is read as a script", code == 2 and not list(place.rglob("pwned")), shown)
    code, shown, outputs, _ = use(sarif="a\nsarif=b\nother=c")
    check("action: a path of two lines sets no other output", (code, outputs) == (2, {}), (code, outputs, shown))


def judge_release(bottlec, directory, use, env):
    """The action with the tarball of a release, from a server on loopback that its curl trusts."""
    import http.server
    import ssl
    import tarfile
    import threading

    if not shutil.which("openssl") or not shutil.which("curl"):
        skipped("there is no openssl or no curl here to serve and fetch a release with")
        return
    served = directory / "release"
    served.mkdir()
    archive = served / "bottlec-0.1.0-x.tar.gz"
    with tarfile.open(archive, "w:gz", compresslevel=1) as it:
        # A program that says that it was run, and then is the one that is judged.
        wrapper = directory / "wrapper"
        wrapper.write_text(f"#!/bin/bash\nexec {bottlec} \"$@\"\n")
        wrapper.chmod(0o755)
        it.add(wrapper, "bottlec-0.1.0-x/bottlec")
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    done = run(
        *["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"],
        *["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", directory / "key.pem", "-out", directory / "ca.pem"],
        cwd=directory,
    )
    assert done.returncode == 0, done.stderr

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments):
            super().__init__(*arguments, directory=str(served))

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Quiet)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(directory / "ca.pem", directory / "key.pem")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"https://127.0.0.1:{server.server_port}/{archive.name}"

    def compiled(temporary):
        return (temporary / "notes").exists()

    code, shown, outputs, temporary = use(url=url, sha256=digest, paths="no-such.kdl")
    check("action: with a release it is installed from there, and runs", code == 3 and "no-such.kdl" in shown, shown)
    check("action: and nothing is compiled", not compiled(temporary))
    for what, given, code, words in [
        ("a release of other bytes", {"url": url, "sha256": "0" * 64}, 3, "is another one"),
        ("a release without a digest", {"url": url}, 2, "sha256 is 64"),
        ("a digest without a release", {"sha256": digest}, 2, "url is the https"),
        ("a digest in capitals", {"url": url, "sha256": digest.upper()}, 2, "sha256 is 64"),
        ("a release over HTTP", {"url": url.replace("https", "http"), "sha256": digest}, 2, "url is the https"),
        ("a release that is not there", {"url": url.replace("-x.", "-y."), "sha256": digest}, 3, "could not be fetched"),
        ("an address with a script in it", {"url": f"{url};$(touch pwned)`touch pwned`.tar.gz", "sha256": digest}, 2, "url is the https"),
        ("an address that is an option", {"url": "--config=x.tar.gz", "sha256": digest}, 2, "url is the https"),
    ]:
        ended, shown, outputs, temporary = use(**given)
        check(f"action: {what} is refused, and nothing is run or compiled in its place", ended == code and words in shown and not compiled(temporary) and not (temporary / "bottlec/bin/bottlec").exists(), (ended, shown))
    check("action: no address is read as a script", not list(directory.rglob("pwned")))
    # Without trust in the server nothing is taken, whatever its bytes are.
    trusted = directory / "ca.pem"
    kept = trusted.read_bytes()
    trusted.write_bytes(b"")
    ended, shown, outputs, temporary = use(url=url, sha256=digest)
    check("action: a server that nobody vouches for is refused", ended == 3 and "could not be fetched" in shown and not compiled(temporary), shown)
    trusted.write_bytes(kept)
    server.shutdown()


def judge_page(directory, env):
    """Each YAML block of the page says in its first line which file it is."""
    text = (ROOT / "docs/ci.md").read_text()
    blocks = re.findall(r"(?ms)^```yaml\n# (\S+)\n(.*?)^```$", text)
    check("docs/ci.md: every YAML block names its file", len(blocks) == text.count("```yaml") > 2, blocks)
    for number, (name, block) in enumerate(blocks):
        file = directory / f"{number}.yml"
        file.write_text(block)
        if name.startswith(".github/"):
            commands = [("check-jsonschema", "--builtin-schema", "vendor.github-workflows", file)]
            # The page says that a commit is to be named, and cannot know which.
            config = directory / "zizmor.yml"
            config.write_text("rules:\n  unpinned-uses:\n    disable: true\n")
            workflow = directory / f"page-{number}/.github/workflows/specs.yml"
            workflow.parent.mkdir(parents=True)
            workflow.write_text(block)
            commands.append(("zizmor", "--offline", "--no-progress", "--quiet", "--config", config, workflow))
        elif name == ".gitlab-ci.yml":
            commands = [("check-jsonschema", "--builtin-schema", "vendor.gitlab-ci", file)]
        else:
            commands = [("pre-commit", "validate-config", file)]
        for command in commands:
            done = tool(*command, env=env)
            check(f"docs/ci.md: {command[0]} takes {name}, block {number + 1}", done.returncode == 0, done.stdout + done.stderr)


def main():
    bottlec = Path(sys.argv[1]).resolve()
    readers = install()
    if readers is None:
        skipped("the packages of tests/ci/requirements.txt cannot be had")
        return verdict("ci")
    importable(readers)
    with tempfile.TemporaryDirectory() as directory:
        directory = Path(directory).resolve()
        env = clean_environment(directory / "home")
        (directory / "home").mkdir()
        place = directory / "repository"
        place.mkdir()
        broken = make_repository(place, env)
        count = len(list(place.rglob("*.kdl"))) - 2
        check(f"the repository has {SPECS} specs, {BROKEN} broken", (count, len(broken)) == (SPECS, BROKEN), (count, len(broken)))
        judge_formats(bottlec, place, broken, env)
        judge_exit_codes(bottlec, place, env)
        judge_changed(bottlec, place, env)
        judge_action(bottlec, directory, place, env)
        judge_fixes(bottlec, place, env)
        judge_hooks(bottlec, directory, place, env)
        judge_page(directory, env)
    return verdict("ci")


if __name__ == "__main__":
    sys.exit(main())
