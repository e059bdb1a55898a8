//! The same with the real SSH client, and a real server on loopback.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use super::super::{Outcome, needs};
use super::gate::Gate;
use super::scanner::name;

const SSHD: &str = "/usr/sbin/sshd";

struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn keygen(path: &Path) -> Option<String> {
    let made =
        Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-C", "", "-f"]).arg(path).output();
    made.ok().filter(|output| output.status.success())?;
    Some(fs::read_to_string(path.with_extension("pub")).ok()?.trim().to_owned())
}

pub(super) fn a_real_server_is_known_by_its_key_and_knows_the_identity_by_its() -> Outcome {
    let keys = tempfile::tempdir().unwrap();
    let (host, client) = (keys.path().join("host"), keys.path().join("client"));
    let user = Command::new("id")
        .arg("-un")
        .output()
        .map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    let (Some(host_key), Some(client_key), Ok(user), true) =
        (keygen(&host), keygen(&client), user, Path::new(SSHD).is_file())
    else {
        return needs(false, &format!("there is no {SSHD} or no ssh-keygen here"));
    };
    let port = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).unwrap().port();
    let authorized = keys.path().join("authorized");
    fs::write(&authorized, format!("{client_key}\n")).unwrap();
    let config = keys.path().join("config");
    let text = format!(
        "ListenAddress 127.0.0.1\nPort {port}\nHostKey {}\nAuthorizedKeysFile {}\nPidFile none\nStrictModes no\n\
         UsePAM no\nPasswordAuthentication no\nPermitRootLogin yes\n",
        host.display(),
        authorized.display()
    );
    fs::write(&config, text).unwrap();
    // Where the server, started as root, keeps what it does not trust.
    let _ = fs::create_dir("/run/sshd");
    let server = Command::new(SSHD)
        .args(["-D", "-e", "-f"])
        .arg(&config)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(fs::File::create(keys.path().join("log")).unwrap())
        .spawn()
        .unwrap();
    let _server = Server(server);
    for _ in 0..200 {
        if TcpStream::connect(("127.0.0.1", port)).is_ok() {
            break;
        }
        thread::sleep(Duration::from_millis(20));
    }

    let upstreams = tempfile::tempdir().unwrap();
    let bare = upstreams.path().join("api.git");
    let spec = |key: &str| {
        format!(
            "bottle \"demo\" {{ git {{ repo \"api\" {{ url \"ssh://{user}@127.0.0.1:{port}{}\"; identity \"/nowhere\"; \
             host-key \"{key}\"; }}; }}; git-gate scanner=\"betterleaks\"; }}",
            bare.display()
        )
    };
    let mut gate = Gate::prepare(&spec(&host_key));
    gate.host(&["clone", "--quiet", "--bare", gate.at("seed").to_str().unwrap(), bare.to_str().unwrap()])
        .well();
    fs::remove_file(gate.at("bin/ssh")).unwrap();
    // So is the scanner, with nothing that it kept.
    let _ = fs::remove_file(gate.at("bin").join(name()));
    fs::copy(&client, gate.at("identity/api")).unwrap();
    gate.mode("identity/api", 0o600);
    gate.serve();
    let log = || fs::read_to_string(keys.path().join("log")).unwrap_or_default();
    let said = gate.agent(&["clone", "--quiet", &gate.url("api"), "work"]);
    assert!(said.ok, "{}\n{}\n{}", said.text, gate.log(), log());
    let work = gate.at("agent/work");
    gate.commit(&work, "a.py", "x = 1\n", "one");
    gate.git(&work, &["push", "--quiet", "origin", "trunk"]).well();
    let head = gate.git(&work, &["rev-parse", "HEAD"]).well();
    assert!(
        gate.host(&["--git-dir", bare.to_str().unwrap(), "rev-parse", "trunk"]).well().contains(head.trim())
    );

    // Another host key in the spec: nothing is served, and the agent is told why.
    let other = keygen(&keys.path().join("other")).unwrap();
    fs::write(gate.at("stage/git-gate/known_hosts"), format!("[127.0.0.1]:{port} {other}\n")).unwrap();
    let said = gate.git(&work, &["fetch"]).badly();
    assert!(said.contains("shows another host key than the spec has"), "{said}");
    fs::write(gate.at("stage/git-gate/known_hosts"), "").unwrap();
    let said = gate.git(&work, &["fetch"]).badly();
    assert!(said.contains("shows another host key than the spec has"), "{said}");
    // Another identity: the same.
    fs::write(gate.at("stage/git-gate/known_hosts"), format!("[127.0.0.1]:{port} {host_key}\n")).unwrap();
    gate.git(&work, &["fetch"]).well();
    fs::copy(keys.path().join("other"), gate.at("identity/api")).unwrap();
    let said = gate.git(&work, &["fetch"]).badly();
    assert!(said.contains("cannot be reached, or refuses"), "{said}");
    Ok(())
}
