//! The databases of the examples, with real servers: the agent's login opens a connection, and makes nothing dial.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use bottlec::model::{VariableValue, VolumeSource};
use bottlec::plan::{Container, Plan};

use super::{ANOTHER_USER, Outcome, needs, needs_another_user};
use crate::support::binary::{Dir, PATIENCE, works};
use crate::support::{compile_file, root};

/// A server, stopped with the test.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        // PostgreSQL takes its children along when it is interrupted, and leaves them behind when it is killed.
        let pid = self.0.id().to_string();
        Command::new("kill").args(["-INT", &pid]).status().unwrap();
        self.0.wait().unwrap();
    }
}

/// The examples with a sidecar of that name.
fn plans(sidecar: &str) -> Vec<(Plan, Container)> {
    let mut found = Vec::new();
    for example in ["api-dev", "database"] {
        for plan in compile_file(&root().join(format!("examples/{example}.kdl"))).1.plans {
            let it = plan.sidecars.iter().find(|it| **it.name == *sidecar);
            if let Some(container) = it.and_then(|it| it.container.as_ref()) {
                let container = container.value.clone();
                found.push((plan, container));
            }
        }
    }
    found
}

/// A port of loopback that nobody listens on.
fn free_port() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// Waits until a program succeeds.
fn until(mut program: impl FnMut() -> Output) {
    let start = Instant::now();
    loop {
        let output = program();
        if output.status.success() {
            return;
        }
        assert!(start.elapsed() < PATIENCE, "{}", said(&output));
        thread::sleep(Duration::from_millis(50));
    }
}

/// Where the programs of `postgres` are: Debian keeps them out of `PATH`.
fn postgres() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    versions.map(|version| version.path().join("bin")).find(|bin| bin.join("initdb").exists())
}

/// As the image's entry point does it: a server on a socket, the scripts of the volume, then the server for all.
pub(crate) fn the_agent_of_an_example_opens_its_database_and_is_no_superuser() -> Outcome {
    let Some(bin) = postgres() else { return needs(false, "there is no PostgreSQL here") };
    needs_another_user()?;
    let plans = plans("db");
    assert_eq!(plans.len(), 2);
    for (plan, container) in plans {
        let dir = Dir::new();
        let (data, port) = (dir.at("data"), free_port());
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o777)).unwrap();
        let of_server = |program: &str| {
            let mut command = Command::new(ANOTHER_USER[0]);
            command.args(&ANOTHER_USER[1..]).arg(bin.join(program)).current_dir(dir.path());
            command
        };
        let made = of_server("initdb")
            .args(["--username=postgres", "--auth-local=trust", "--auth-host=scram-sha-256", "--no-sync"])
            .arg("--pgdata")
            .arg(&data)
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", said(&made));
        let server = of_server("postgres")
            .args(["-F", "-h", "127.0.0.1", "-p", &port, "-k"])
            .arg(dir.path())
            .arg("-D")
            .arg(&data)
            .stderr(Stdio::null())
            .spawn();
        let _server = Server(server.unwrap());
        let admin = |args: &[&str]| {
            let mut command = Command::new(bin.join("psql"));
            command.args(["-X", "-v", "ON_ERROR_STOP=1", "-U", "postgres", "-p", &port, "-h"]);
            command.arg(dir.path()).args(args).env_remove("APP_PASSWORD");
            command
        };
        until(|| admin(&["-c", "select 1"]).output().unwrap());

        let seed = container.volumes.iter().find(|it| it.target == "/docker-entrypoint-initdb.d").unwrap();
        let VolumeSource::Host(seed) = &seed.source else { panic!("a path of the host") };
        let seed = root().join("examples").join(Path::new(seed).file_name().unwrap()).join("role.sql");
        let seed = seed.to_str().unwrap();
        assert!(container.env.contains_key("APP_PASSWORD"));
        // Without its password no role is made, and the image's entry point ends there.
        assert!(!admin(&["-f", seed]).output().unwrap().status.success());
        let done = admin(&["-f", seed]).env("APP_PASSWORD", "it's \"mine\"").output().unwrap();
        assert!(done.status.success(), "{}", said(&done));

        let given = |name: &str| match &plan.env[name].value.value {
            VariableValue::Literal(value) => value.clone(),
            VariableValue::Secret(_) => panic!("{name} is a secret"),
        };
        let (user, url) = (given("PGUSER"), given("DATABASE_URL"));
        let url = url.replace(&format!("{}:5432", plan.addresses.bundle()), &format!("127.0.0.1:{port}"));
        let agent = |password: &str, sql: &str| {
            let mut command = Command::new(bin.join("psql"));
            command.args(["-X", "-A", "-t", "-v", "ON_ERROR_STOP=1", &url, "-c", sql]);
            command.env("PGUSER", &user).env("PGPASSWORD", password).output().unwrap()
        };
        let login = |sql: &str| agent("it's \"mine\"", sql);
        let who = login(
            "select current_user, current_database(), rolsuper from pg_roles where rolname = current_user",
        );
        assert_eq!(said(&who), "app|app|f\n");
        let work = login("create table t (x text); insert into t values ('a'); copy t to stdout");
        assert!(work.status.success(), "{}", said(&work));
        assert!(!agent("another", "select 1").status.success());
        for sql in [
            "copy (select 1) to program 'true'",
            "copy (select 1) to '/tmp/x'",
            "create extension dblink",
            "create subscription s connection 'host=10.0.0.1' publication p",
            "create server s foreign data wrapper postgres_fdw",
            "alter role app superuser",
            "set role postgres",
        ] {
            let refused = login(sql);
            assert!(!refused.status.success(), "{sql}: {}", said(&refused));
        }
    }
    Ok(())
}

/// What makes a Redis dial is taken from everybody.
pub(crate) fn the_cache_of_an_example_dials_for_nobody() -> Outcome {
    needs(works(&["redis-server", "--version"]), "there is no `redis-server` here")?;
    let plans = plans("cache");
    assert_eq!(plans.len(), 1);
    for (_, container) in plans {
        let (dir, port) = (Dir::new(), free_port());
        let mut command = container.command.iter().map(|word| word.as_str());
        let server = Command::new(command.next().unwrap())
            .args(command)
            .args(["--bind", "127.0.0.1", "--port", &port])
            .current_dir(dir.path())
            .stdout(Stdio::null())
            .spawn();
        let _server = Server(server.unwrap());
        let ask =
            |words: &[&str]| Command::new("redis-cli").args(["-p", &port]).args(words).output().unwrap();
        until(|| ask(&["ping"]));
        assert_eq!(said(&ask(&["set", "a", "b"])), "OK\n");
        assert_eq!(said(&ask(&["get", "a"])), "b\n");
        for words in [
            &["replicaof", "127.0.0.1", "1"][..],
            &["slaveof", "127.0.0.1", "1"],
            &["migrate", "127.0.0.1", "1", "a", "0", "10"],
            &["cluster", "meet", "127.0.0.1", "1"],
            &["failover", "to", "127.0.0.1", "1"],
            &["config", "set", "dir", "/tmp"],
            &["acl", "setuser", "default", "+@all"],
        ] {
            let refused = said(&ask(words));
            assert!(refused.starts_with("NOPERM"), "{words:?}: {refused}");
        }
    }
    Ok(())
}
