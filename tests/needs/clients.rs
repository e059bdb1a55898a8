//! What agents' programs do with the environment that they get: in a machine with one route and no resolver, each takes
//! the proxy, reaches what is allowed, is refused the rest, and looks up no name.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use bottlec::lower::pipelock;
use bottlec::lower::plan_json::PlanJson;
use serde_json::{Value, json};

use super::{Outcome, needs};
use crate::support::binary::{Dir, SYSTEM_PATH, works};
use crate::support::pipelock::read;
use crate::support::root;

/// HTTPS is opened, so that everything must trust an authority of the test's own.
const SPEC: &str = r#"
bottle "clients" {
    network octet=42
    egress {
        allow "*.example.com"
        deny "closed.example.com"
        tls { ca-cert "./ca.pem"; ca-key "./ca.key"; trust "./ca.pem"; }
    }
}
"#;

/// In the files of every host.
const FOUND: &str = "the way is open";
/// The port of a sidecar on the bundle's address.
const SIDECAR: u16 = 9100;
/// The port of a server of the agent's own.
const OWN: u16 = 3999;
/// Without these nothing knows of the proxy.
const PROXY: &str = "HTTP_PROXY HTTPS_PROXY http_proxy https_proxy JAVA_TOOL_OPTIONS";

/// A program of an agent's.
struct Client {
    /// Its words; `{}` is where a server is, from its scheme on.
    words: Vec<String>,
    /// What it prints when it reached that server.
    found: &'static str,
    /// Whether it asks without TLS.
    plain: bool,
    /// Whether it asks for whatever it is told to, a sidecar and the machine's own servers among it.
    takes_any: bool,
    /// Whether `NO_PROXY` keeps it from asking the proxy for `[::1]`.
    knows_brackets: bool,
}

/// What is dialled directly: servers of the machine's own, and a sidecar.
const DIRECT: [&str; 4] =
    ["http://localhost:3999", "http://127.0.0.1:3999", "http://0.0.0.0:3999", "http://192.168.42.2:9100"];
const BRACKETS: &str = "http://[::1]:3999";

impl Client {
    /// One that prints what it is asked for.
    fn of_all(of: &[&str]) -> Self {
        Self { words: words(of), found: FOUND, plain: true, takes_any: true, knows_brackets: true }
    }

    /// One that asks a registry.
    fn of_packages(of: &[&str], found: &'static str) -> Self {
        Self { words: words(of), found, plain: true, takes_any: false, knows_brackets: true }
    }
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// Runs a client in a machine of a bottle, towards all that there is.
fn judge(client: &Client) -> Outcome {
    needs(works(&["python3", "--version"]), "there is no python3 here")?;
    needs(works(&["openssl", "version"]), "there is no openssl here")?;
    let link = "ip link add w0 type veth peer name a0 && mount -t tmpfs none /run";
    needs(
        works(&["unshare", "--user", "--map-root-user", "--net", "--mount", "sh", "-c", link]),
        "a network and mounts in namespaces of one's own are not permitted here",
    )?;
    let dir = Dir::new();
    dir.write("x.kdl", SPEC);
    authority(&dir);
    files(&dir);
    dir.run(["build", "x.kdl"]).code(0);

    let servers: Vec<(String, &str, bool)> = [
        ("https://open.example.com", "", true),
        ("http://open.example.com", "", true),
        ("https://open.example.org", "", false),
        ("http://open.example.org", "", false),
        ("https://closed.example.com", "", false),
    ]
    .into_iter()
    .filter(|(server, ..)| client.plain || server.starts_with("https"))
    .map(|(server, unset, reached)| (server.to_owned(), unset, reached))
    .chain([(String::from("https://open.example.com"), PROXY, false)])
    .collect();
    let direct = DIRECT.map(|server| (server, true)).into_iter().chain([(BRACKETS, client.knows_brackets)]);
    let direct: Vec<(&str, bool)> = direct.filter(|_| client.takes_any).collect();
    let run = |server: &str, unset: &str| {
        let words: Vec<String> = client.words.iter().map(|word| word.replace("{}", server)).collect();
        json!({ "words": words, "unset": unset })
    };
    let runs = servers.iter().map(|(server, unset, _)| run(server, unset));
    let runs: Vec<Value> = runs.chain(direct.iter().map(|(server, _)| run(server, ""))).collect();
    let done = play(&dir, &runs);
    let found = |done: &Value| done["out"].as_str().expect("text").contains(client.found);

    let (through, past) = done.split_at(servers.len());
    for ((server, unset, reached), done) in servers.iter().zip(through) {
        let host = server.split("://").nth(1).unwrap_or_default();
        assert_eq!(found(done), *reached, "{server}, without {unset:?}: {done:#}");
        let asked = done["asked"].as_array().expect("a list");
        let names = done["names"].as_array().expect("a list");
        if unset.is_empty() {
            assert!(!asked.is_empty(), "{server}: the proxy is not asked: {done:#}");
            for asked in asked.iter().filter(|asked| asked["host"] == host) {
                assert_eq!(asked["allowed"], *reached, "{server}: {done:#}");
            }
            assert!(asked.iter().any(|asked| asked["host"] == host), "{server}: {done:#}");
            assert!(names.is_empty(), "{server}: a name is looked up: {done:#}");
        } else {
            // Whoever knows of no proxy looks names up, and that is heard.
            assert!(asked.is_empty() && names.iter().any(|name| *name == host), "{done:#}");
        }
    }
    for ((server, is_direct), done) in direct.into_iter().zip(past) {
        assert_eq!(found(done), is_direct, "{server}: {done:#}");
        assert_eq!(done["asked"].as_array().expect("a list").is_empty(), is_direct, "{server}: {done:#}");
        assert_eq!(done["names"], json!([]), "{server}: a name is looked up: {done:#}");
    }
    Ok(())
}

/// What each run did, in order.
fn play(dir: &Dir, runs: &[Value]) -> Vec<Value> {
    let stage = dir.at("stage/clients");
    let plan = PlanJson::read(dir.read("stage/clients/plan.json").as_bytes()).expect("a plan");
    let emitted = read(&dir.read(&format!("stage/clients/{}", pipelock::PATH)));
    assert_eq!(emitted["mode"], "strict");
    fs::create_dir_all(dir.at("home")).expect("a directory");
    let path = std::env::var("PATH").unwrap_or_default();
    let config = json!({
        "bundle": plan.bundle_ip.value,
        "port": 8888,
        "sidecar": SIDECAR,
        "own": OWN,
        "allow": emitted["api_allowlist"],
        "deny": emitted["fetch_proxy"]["monitoring"]["blocklist"],
        "provision": plan.provision,
        "stage": stage,
        "env": stage.join(&plan.agent_env_path),
        "path": format!("{path}:{SYSTEM_PATH}"),
        "home": dir.at("home"),
        "files": dir.at("files"),
        "cert": dir.at("server.pem"),
        "key": dir.at("server.key"),
        "runs": runs,
    });
    let config = dir.write("world.json", config.to_string());
    let output = Command::new("timeout")
        .args(["900", "unshare", "--user", "--map-root-user", "--net", "--mount", "python3"])
        .arg(root().join("tests/needs/clients/world.py"))
        .arg(config)
        .output()
        .expect("it runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let done: Vec<Value> = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(done.len(), runs.len());
    done
}

/// An authority, and a server that it knows.
fn authority(dir: &Dir) {
    let script = "
        set -e
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out ca.pem -days 7 \
            -subj /CN=authority -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign
        openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout server.key -out server.csr \
            -subj /CN=server
        printf 'subjectAltName=DNS:*.example.com\nextendedKeyUsage=serverAuth\n' >ext
        openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 7 -extfile ext -out server.pem
        chmod 600 ca.key";
    let output = Command::new("sh").args(["-c", script]).current_dir(dir.path()).output().expect("a shell");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// What every host serves: a text, a package for pip, one for npm, a repository, packages for apt.
fn files(dir: &Dir) {
    dir.write("files/marker", format!("{FOUND}\n"));
    dir.write("files/simple/bottled/index.html", "<a href=\"/bottled-1.0-py3-none-any.whl\">bottled</a>\n");
    let wheel = "
import zipfile
with zipfile.ZipFile('files/bottled-1.0-py3-none-any.whl', 'w') as wheel:
    wheel.writestr('bottled.py', '')
    wheel.writestr('bottled-1.0.dist-info/METADATA', 'Metadata-Version: 2.1\\nName: bottled\\nVersion: 1.0\\n')
    wheel.writestr('bottled-1.0.dist-info/WHEEL', 'Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n')
    wheel.writestr('bottled-1.0.dist-info/RECORD', '')
";
    assert!(
        Command::new("python3").args(["-c", wheel]).current_dir(dir.path()).status().unwrap().success(),
        "a wheel is made"
    );
    let package = json!({
        "name": "bottled",
        "dist-tags": { "latest": "1.0.7" },
        "versions": { "1.0.7": { "name": "bottled", "version": "1.0.7", "dist": { "tarball": "x" } } },
    });
    dir.write("files/npm/bottled", package.to_string());
    let commit = "0123456789abcdef0123456789abcdef01234567";
    dir.write("files/r.git/info/refs", format!("{commit}\trefs/heads/main\n"));
    dir.write("files/r.git/HEAD", "ref: refs/heads/main\n");
    dir.write("files/deb/Packages", "");
}

pub(crate) fn curl() -> Outcome {
    needs(works(&["curl", "--version"]), "there is no curl here")?;
    judge(&Client::of_all(&["curl", "--silent", "--show-error", "{}/marker"]))
}

pub(crate) fn wget() -> Outcome {
    let version = Command::new("wget").arg("--version").output();
    let is_gnu = version.is_ok_and(|output| String::from_utf8_lossy(&output.stdout).contains("GNU Wget"));
    needs(is_gnu, "there is no GNU wget here")?;
    judge(&Client::of_all(&["wget", "--tries=1", "--output-document=-", "{}/marker"]))
}

pub(crate) fn git() -> Outcome {
    super::needs_git()?;
    let client = Client::of_all(&["git", "ls-remote", "{}/r.git"]);
    judge(&Client { found: "refs/heads/main", ..client })
}

pub(crate) fn apt() -> Outcome {
    needs(works(&["apt-get", "--version"]), "there is no apt here")?;
    // It becomes no other user, of whom there is none in the namespace, and writes nowhere else.
    let script = r#"
        rm -rf apt
        mkdir -p apt/lists/partial apt/cache/archives/partial apt/parts
        echo "deb [trusted=yes] $0/deb ./" >apt/sources.list
        echo 'Dir::State "'$PWD'/apt"; Dir::Cache "'$PWD'/apt/cache"; Dir::Etc::sourcelist "'$PWD'/apt/sources.list";' \
            'Dir::Etc::sourceparts "'$PWD'/apt/parts"; APT::Sandbox::User "root"; Acquire::Retries "0";' >apt/own.conf
        apt-get --config-file apt/own.conf update; ls apt/lists"#;
    judge(&Client::of_packages(&["sh", "-c", script, "{}"], "open.example.com_deb_._Packages"))
}

pub(crate) fn pip() -> Outcome {
    needs(works(&["python3", "-m", "pip", "--version"]), "there is no pip here")?;
    let script = r#"rm -rf wheels && exec python3 -m pip --retries=0 --disable-pip-version-check download --no-deps \
        --no-cache-dir --dest=wheels --index-url="$0/simple/" bottled"#;
    let client = Client::of_packages(&["sh", "-c", script, "{}"], "Successfully downloaded bottled");
    // It refuses an index without TLS.
    judge(&Client { plain: false, ..client })
}

pub(crate) fn npm() -> Outcome {
    needs(works(&["npm", "--version"]), "there is no npm here")?;
    let script = r#"rm -rf cache && exec npm view bottled version --fetch-retries=0 --cache=cache --registry="$0/npm/""#;
    judge(&Client::of_packages(&["sh", "-c", script, "{}"], "1.0.7"))
}

pub(crate) fn fetch_of_node() -> Outcome {
    let version = Command::new("node").arg("--version").output();
    let version = version.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    let version = version.unwrap_or_default();
    needs(!version.is_empty(), "there is no Node here")?;
    let major = version.trim_start_matches('v').split('.').next().and_then(|major| major.parse().ok());
    let heeds = major.is_some_and(|major: u32| major >= 24);
    needs(heeds, &format!("Node {version} heeds no proxy: 24 is the first that does"))?;
    let script = "fetch(process.argv[1]).then(it => it.text()).then(console.log)";
    let client = Client::of_all(&["node", "--eval", script, "{}/marker"]);
    // It compares the host as it stands in a URL. `[::1]` in the list, which it wants, makes httpx refuse every request.
    judge(&Client { knows_brackets: false, ..client })
}

pub(crate) fn requests() -> Outcome {
    python("requests", "import requests, sys; print(requests.get(sys.argv[1]).text)")
}

pub(crate) fn httpx() -> Outcome {
    python("httpx", "import httpx, sys; print(httpx.get(sys.argv[1]).text)")
}

/// A library of Python, which prints what a URL holds.
fn python(library: &str, script: &str) -> Outcome {
    let python = libraries().map(|python| python.to_string_lossy().into_owned());
    needs(python.is_some(), &format!("{library} cannot be had here"))?;
    judge(&Client::of_all(&[&python.unwrap_or_default(), "-c", script, "{}/marker"]))
}

/// A Python that has the libraries, in an environment of the tests' own.
fn libraries() -> Option<&'static Path> {
    static PYTHON: OnceLock<Option<PathBuf>> = OnceLock::new();
    let find = || {
        let place = root().join("target/clients");
        fs::create_dir_all(&place).ok()?;
        // Test programs run beside each other; one of them fetches.
        let lock = File::create(place.join("lock")).ok()?;
        lock.lock().ok()?;
        let python = place.join("venv/bin/python");
        let has = |python: &Path| {
            let imports = Command::new(python).args(["-c", "import httpx, requests"]).output();
            imports.is_ok_and(|output| output.status.success())
        };
        let script = "python3 -m venv --without-pip \"$1/venv\" &&
            timeout 300 python3 -m pip --python \"$1/venv\" install --quiet --no-compile httpx==0.28.1 requests==2.32.5";
        if !has(&python) {
            Command::new("sh").args(["-c", script, "sh"]).arg(&place).output().ok()?;
        }
        has(&python).then_some(python)
    };
    PYTHON.get_or_init(find).as_deref()
}

pub(crate) fn java() -> Outcome {
    needs(works(&["javac", "--version"]), "there is no Java compiler here")?;
    needs(works(&["keytool", "-help"]), "there is no keytool here")?;
    // Which authorities a JVM trusts is the image's affair: this one's truststore is made as it is started first.
    let script = r#"
        if ! [ -e trusted ]; then
            cat >Get.java <<'END'
            import java.net.*;
            import java.net.http.*;
            public class Get {
                public static void main(String[] args) throws Exception {
                    try (var body = new URL(args[0]).openStream()) {
                        System.out.print(new String(body.readAllBytes()).replace("open", "open to java.net,"));
                    }
                    var request = HttpRequest.newBuilder(URI.create(args[0])).build();
                    System.out.print(HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString()).body());
                }
            }
END
            JAVA_TOOL_OPTIONS= javac Get.java >&2
            JAVA_TOOL_OPTIONS= keytool -importcert -noprompt -alias authority -file /etc/bottle/ca.pem \
                -keystore trusted -storepass changeit >&2
        fi
        exec java -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Djavax.net.ssl.trustStore=trusted \
            -Djavax.net.ssl.trustStorePassword=changeit Get "$0""#;
    let client = Client::of_all(&["sh", "-c", script, "{}/marker"]);
    judge(&Client { found: "the way is open to java.net,\nthe way is open", ..client })
}
