//! A plan as a person reads it: addresses, the order of things, who reaches what, secrets by name, files, commands.

mod commands;
mod page;

use super::reach::past_policies;
use super::{Style, past_gate, reach};
use crate::lower::{Stage, pipelock, shell};
use crate::plan::{
    Answered, Origins, Plan, PlannedAgent, PlannedCredential, PlannedEgress, PlannedHost, PlannedLocal,
    PlannedLogin, PlannedMachine, PlannedRepo, PlannedRequests, PlannedSidecar, PlannedSource, PlannedTls,
    PlannedUpstream, Purpose, SecretUse, Traced,
};
use crate::reach::DNS_PORT;
use crate::world::broker;
use crate::world::builtin;
use crate::world::engine::BootKind;
use crate::world::engine::SecretRoute;
use crate::world::host::Verdict;
use crate::world::images::without_digest;
use crate::world::network::Addresses;
use page::Page;

/// How much of a plan is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// What is read.
    Usual,
    /// The digests of files and images, too.
    Digests,
}

/// Writes a plan, and the stage that it was lowered to, which goes below the directory `out`. It takes 80 columns, or as
/// many more as there are. What is below the title of commands can be pasted into a POSIX shell.
#[must_use]
pub fn render(plan: &Plan, stage: &Stage, out: &str, detail: Detail, style: &Style) -> String {
    let mut page = Page::new(style);
    page.head(plan);
    page.addresses(*plan.addresses);
    page.order(plan, detail);
    page.machine(plan);
    page.agent(plan);
    page.reach(plan);
    page.lint(plan);
    page.guards(plan);
    page.secrets(plan);
    let directory = format!("{}/{}", out.trim_end_matches('/'), plan.slug.value);
    page.files(plan, stage, &directory, detail);
    page.commands(plan, &directory);
    page.text()
}

impl Page {
    fn head(&mut self, plan: &Plan) {
        let Plan { slug, backend, engine, .. } = plan;
        let rest = match &plan.cluster {
            Some(cluster) => format!("on {backend}, under the RuntimeClass {}", *cluster.runtime_class),
            None => format!("on {backend}, compiled for smolvm {}", engine.version),
        };
        self.heading(&format!("bottle {slug}"), &rest);
    }

    fn addresses(&mut self, addresses: Addresses) {
        self.title("Addresses");
        let row = |name: &str, address: String, what: &str| vec![name.to_owned(), address, what.to_owned()];
        let network = match addresses.gateway() {
            Some(gateway) => vec![
                row("subnet", addresses.subnet().to_string(), "the bottle's own network"),
                row("gateway", gateway.to_string(), "the host's end of it"),
            ],
            None => {
                vec![row("services", addresses.subnet().to_string(), "the range of the cluster's Services")]
            }
        };
        let bundle = row("bundle", addresses.bundle().to_string(), "the one address that the agent may dial");
        self.table(&[network, vec![bundle]].concat());
    }

    fn order(&mut self, plan: &Plan, detail: Detail) {
        let image = |image| if detail == Detail::Digests { image } else { without_digest(image) };
        self.title("Start order (stopped in reverse)");
        let mut rows: Vec<Vec<String>> = Vec::new();
        let mut last = None;
        for sidecar in &plan.sidecars {
            let PlannedSidecar { name, container, url, needs, wave, port: _, mcp: _, limits: _ } =
                &sidecar.value;
            let number = if last == Some(**wave) { String::new() } else { (**wave + 1).to_string() };
            last = Some(**wave);
            let needs = if needs.is_empty() { String::new() } else { format!("needs {}", needs.join(", ")) };
            let what = container.as_ref().map_or("built in", |container| image(&container.image)).to_owned();
            rows.push(vec![
                number,
                name.to_string(),
                url.as_deref().unwrap_or("no port").to_owned(),
                needs,
                what,
            ]);
        }
        let number = last.map_or(1, |wave| wave + 2).to_string();
        let boots = plan.boot.as_ref().map_or_else(
            || String::from("boots the engine's bare system"),
            |boot| match boot.kind {
                BootKind::Image => format!("boots image {}", image(&boot.source)),
                BootKind::Artifact | BootKind::Rootfs => {
                    format!("boots {} {} (seen from the stage)", boot.kind.as_str(), boot.source)
                }
            },
        );
        rows.push(vec![number, builtin::AGENT.to_owned(), boots]);
        self.table(&rows);
    }

    /// What the machine has of its host, if the spec says anything of it.
    fn machine(&mut self, plan: &Plan) {
        let PlannedMachine { cpus, memory_mib, storage_gib, gpu, volumes, published } = &plan.machine;
        let row = |what: &str, text: String, origins: &Origins| {
            vec![what.to_owned(), text, origins.first().to_string()]
        };
        let mut rows = Vec::new();
        rows.extend(cpus.given().map(|it| row("processors", it.to_string(), &it.origins)));
        rows.extend(memory_mib.given().map(|it| row("memory", it.to_string(), &it.origins)));
        rows.extend(storage_gib.given().map(|it| row("storage", it.to_string(), &it.origins)));
        if gpu.value {
            rows.push(row("gpu", String::from("the host's, by its own driver"), &gpu.origins));
        }
        for volume in volumes {
            let how = if *volume.writable { "the agent may write to it" } else { "to read" };
            let text = format!("{} at {}, {how}", volume.path, volume.target);
            rows.push(row("volume", text, &volume.origins));
        }
        for port in published {
            let text = format!("{} on localhost:{}", port.guest, port.host);
            rows.push(row("published", text, &port.origins));
        }
        if !rows.is_empty() {
            self.title("The machine, of its host");
            self.table(&rows);
        }
    }

    /// The program that works in the machine, and where it looks for MCP servers, if the spec says either.
    fn agent(&mut self, plan: &Plan) {
        let Some(PlannedAgent { program, mcp, api_key: _, trust: _, requires: _ }) = plan.agent.as_ref()
        else {
            return;
        };
        let row = |what: &str, text: String, origins: &Origins| {
            vec![what.to_owned(), text, origins.first().to_string()]
        };
        let mut rows = Vec::new();
        if let Some(first) = program.first() {
            let words = shell::words(program.iter().map(|word| word.as_str()));
            rows.push(row("program", words, &first.origins));
        }
        if let Some(file) = mcp.given() {
            let text = format!("learns of them from {}, in the form {}", file.path, file.form.as_str());
            rows.push(row("MCP servers", text, &file.origins));
        }
        if !rows.is_empty() {
            self.title("The agent");
            self.table(&rows);
        }
    }

    fn reach(&mut self, plan: &Plan) {
        self.title("Who reaches what");
        let bundle = plan.addresses.bundle();
        let arrow = if self.style.unicode { "→" } else { "->" };
        let gaps = plan.gaps();
        let others = if gaps.iter().any(|gap| gap.is_total()) { "" } else { "; no other address" };
        let on = match &plan.cluster {
            Some(cluster) => {
                let ports: Vec<String> = cluster.ports.iter().map(ToString::to_string).collect();
                format!("on TCP {} alone", ports.join(", "))
            }
            None => String::from("on every port of it"),
        };
        self.line(&format!("agent {arrow} {bundle}, the bundle, {on}{others}"));
        for gap in &gaps {
            self.line(&format!("but {}", gap.but()));
        }
        for gap in plan.cluster_gaps() {
            self.line(&format!("but {}", gap.but()));
        }
        if plan.cluster.is_some() {
            self.line("names: the machine's name server is the bundle, where nothing answers");
        } else if gaps.is_empty() {
            let resolver = plan.sidecars.iter().find(|sidecar| *sidecar.port == Some(DNS_PORT));
            self.line(&match resolver {
                Some(sidecar) => {
                    format!("names: the machine's queries go to the bundle, to {}", sidecar.name)
                }
                None => {
                    String::from("names: the machine's queries go to the bundle, where nothing answers them")
                }
            });
        }
        for Answered { rule, reason, origin } in plan.accepted.iter().map(|accepted| &accepted.value) {
            self.line(&format!("{rule} is accepted, {origin}: {reason}"));
        }
        let egress_head = format!("agent {arrow} {} {arrow}", builtin::PIPELOCK);
        self.egress(plan, &egress_head);
        self.brokered(plan, arrow);
        for repo in &plan.git.repos {
            let PlannedRepo { name, writable, source } = &repo.value;
            let place = match source {
                PlannedSource::Upstream(PlannedUpstream { url, identity: _, host_keys: _ }) => {
                    url.to_string()
                }
                PlannedSource::Local(PlannedLocal { path, variable, mount: _ }) => {
                    format!("{path}, on this host, by {variable}")
                }
            };
            let access = if **writable { "" } else { ", read-only" };
            self.line(&format!(
                "agent {arrow} {} {arrow} {place} (repository {name}{access})",
                builtin::GIT_GATE
            ));
        }
        let pushed = || plan.git.repos.iter().filter(|repo| *repo.writable);
        if let Some(scanner) = &plan.git.scanner.value {
            if pushed().any(|repo| repo.upstream().is_some()) {
                self.line(&format!("what is pushed is scanned by {scanner} before it goes upstream"));
            }
            if pushed().any(|repo| repo.local().is_some()) {
                self.line(&format!(
                    "what is pushed to a repository on this host is scanned by {scanner}, and waits for `bottlec pull`"
                ));
            }
        }
        for sentence in past_gate::sentences(plan, &reach::policy(plan)) {
            self.line(&format!("but {sentence}"));
        }
        for sidecar in plan.sidecars.iter().filter(|sidecar| sidecar.container.is_some()) {
            let url = sidecar.url.as_deref().unwrap_or("no port");
            self.line(&format!("agent {arrow} {} at {url}", sidecar.name));
        }
        if !plan.machine.published.is_empty() {
            self.line(&format!("but {}", reach::browser(plan)));
        }
        if let Some(asks) = &plan.supervise.value {
            let supervise = builtin::SUPERVISE;
            self.line(&format!("agent {arrow} {supervise} {arrow} a human (queue {})", asks.queue));
        }
        self.sidecars(plan);
    }

    /// What the sidecars dial, for the agent or not. The engine confines the machine, and no container.
    fn sidecars(&mut self, plan: &Plan) {
        if plan.sidecars.is_empty() {
            return;
        }
        let world = past_policies(plan);
        self.line(&if plan.cluster.is_some() {
            format!("what each sidecar dials, held to {world} by the policy of the bundle, and to less by its own program:")
        } else {
            String::from("what each sidecar dials, held to it by nothing but its own program:")
        });
        let dials = |sidecar: &PlannedSidecar| match (&sidecar.container, sidecar.name.as_str()) {
            (Some(container), _) => match &container.no_relay {
                Some(reason) => {
                    format!("{world}, but nothing for the agent, the spec says: {reason}")
                }
                None if reach::is_relay(plan, sidecar) => {
                    format!("{world}, on no list, and the agent through it")
                }
                None => format!("{world}, on no list; the agent cannot dial it"),
            },
            (None, builtin::PIPELOCK) if !plan.egress.allow.is_empty() => String::from("the hosts above"),
            (None, builtin::BROKER) => String::from("the APIs above"),
            (None, builtin::GIT_GATE) if plan.git.repos.iter().any(|repo| repo.upstream().is_some()) => {
                String::from("the upstreams above")
            }
            (None, _) => String::from("nothing"),
        };
        let rows = plan.sidecars.iter().map(|sidecar| vec![sidecar.name.to_string(), dials(sidecar)]);
        self.table(&rows.collect::<Vec<_>>());
    }

    /// What the broker holds in the agent's place, and what it lets through.
    fn brokered(&mut self, plan: &Plan, arrow: &str) {
        for credential in &plan.credentials {
            let PlannedCredential { name, upstream, private, ca, login, secret: _, allow, origin } =
                &credential.value;
            let sent = match &**login {
                PlannedLogin::Header(name) => format!("in {name}"),
                PlannedLogin::Bearer => String::from("as a bearer token"),
                PlannedLogin::Basic(user) => format!("as the password of {user}"),
            };
            let place = if **private { ", privately" } else { "" };
            let signed = ca.as_ref().map(|ca| format!(", signed for by {ca}")).unwrap_or_default();
            self.line(&format!(
                "agent {arrow} {} {arrow} {}{place}{signed} (credential {name}, sent {sent})",
                builtin::BROKER,
                **upstream
            ));
            if allow.is_empty() {
                self.table(&[vec![String::from("every method"), String::from("/**"), origin.clone()]]);
            }
            let mut rows = Vec::new();
            for requests in allow {
                let PlannedRequests { methods, paths, websocket, origin } = &requests.value;
                let methods = methods.iter().map(|method| method.as_str()).collect::<Vec<_>>().join(", ");
                let upgrade = if **websocket { ", also as WebSockets" } else { "" };
                for (at, path) in paths.iter().enumerate() {
                    let head = if at == 0 { format!("{methods}{upgrade}") } else { String::new() };
                    rows.push(vec![head, path.to_string(), origin.clone()]);
                }
            }
            self.table(&rows);
        }
        if !plan.credentials.is_empty() {
            self.line(
                if plan.cluster.is_some() {
                    "but no pipelock scans what goes through the broker, which takes nothing without the launch's token"
                } else {
                    "but no pipelock scans what goes through the broker; another user of this host can go through it only \
                     with the launch's token"
                },
            );
        }
    }

    fn egress(&mut self, plan: &Plan, head: &str) {
        let PlannedEgress {
            pipelock_version,
            allow,
            deny,
            private,
            rate_limit,
            data_budget,
            patterns,
            scan_bodies,
            max_body_bytes: _,
            scan_responses,
            tls,
            tunnel_max,
            tunnel_idle,
            log,
        } = &plan.egress;
        if allow.is_empty() {
            self.line(&format!("{head} no host: the spec allows none"));
        }
        let mut rows = Vec::new();
        let list = |rows: &mut Vec<Vec<String>>, head: &str, entries: &[Traced<PlannedHost>]| {
            for (at, host) in entries.iter().enumerate() {
                let head = if at == 0 { head.to_owned() } else { String::new() };
                rows.push(vec![head, host.host.to_string(), host.origin.clone()]);
            }
        };
        list(&mut rows, head, allow);
        let policy = reach::policy(plan);
        let decided = plan.egress.allow.iter().map(|entry| (entry, policy.entry(&entry.host)));
        for (entry, decision) in decided.filter(|(_, decision)| decision.verdict() != Verdict::Allowed) {
            let verdict = decision.verdict().as_str();
            rows.push(vec![verdict.into(), entry.host.to_string(), reach::note(&decision)]);
        }
        list(&mut rows, "but never", deny);
        list(&mut rows, "privately", private);
        let opened = tls.as_ref().map_or("plain HTTP only", |_| "HTTPS is opened");
        if let Some(PlannedTls { ca_cert, ca_key: _, trust: _, passthrough }) = &tls.value {
            list(&mut rows, "unopened", passthrough);
            rows.push(vec!["authority".into(), ca_cert.value.clone(), ca_cert.origins.first().to_string()]);
        }
        let budget = data_budget.as_ref().map(|bytes| format!(", {bytes} bytes")).unwrap_or_default();
        let by = format!("pipelock {}, {}", **pipelock_version, pipelock::known(plan));
        rows.push(vec!["by".into(), by]);
        rows.push(vec!["at most".into(), format!("{} requests{budget} a minute", rate_limit.value)]);
        let own =
            if patterns.is_empty() { String::new() } else { format!(", own patterns: {}", patterns.len()) };
        let (bodies, responses) = (scan_bodies.value.as_str(), scan_responses.value.as_str());
        let scanned = format!("secrets: {bodies}, injections: {responses}{own}; {opened}");
        rows.push(vec!["scanned".into(), scanned]);
        let (life, idle) = (tunnel_max.value, tunnel_idle.value);
        rows.push(vec!["tunnels".into(), format!("{life} s, {idle} s idle; logged: {}", log.value.as_str())]);
        self.table(&rows);
    }

    /// What the spec does not want shown: whoever reviews the plan sees it here.
    fn lint(&mut self, plan: &Plan) {
        if plan.lint_allowed.is_empty() {
            return;
        }
        self.title("Findings that the spec allows");
        for Answered { rule, reason, origin } in plan.lint_allowed.iter().map(|allowed| &allowed.value) {
            self.line(&format!("{rule} is allowed, {origin}: {reason}"));
        }
    }

    /// What the spec demands of itself.
    fn guards(&mut self, plan: &Plan) {
        let expected = plan
            .expectations
            .iter()
            .map(|it| vec![it.target.clone(), format!("must be {}", it.verdict.as_str()), it.origin.clone()]);
        let denied = plan
            .lint_denied
            .iter()
            .map(|it| vec![it.rule.clone(), String::from("is an error"), it.origin.clone()]);
        let rows: Vec<Vec<String>> = expected.chain(denied).collect();
        if !rows.is_empty() {
            self.title("Guards");
            self.table(&rows);
        }
    }

    fn secrets(&mut self, plan: &Plan) {
        self.title("Secrets (references; no file holds a value)");
        let rows: Vec<Vec<String>> = plan
            .secrets()
            .map(|SecretUse { receiver, purpose, variable, file, origins }| {
                let name = match purpose {
                    Purpose::Variable(name) => name.to_owned(),
                    Purpose::File(name) => format!("/run/secrets/{name}"),
                    Purpose::Identity(repo) => format!("key of {repo}"),
                    Purpose::Authority => String::from("key of the authority"),
                    Purpose::Credential(name) => format!("credential {name}"),
                };
                let place = match (variable, file) {
                    (Some(broker::TOKEN), _) => String::from("the launch's token, for the broker alone"),
                    (Some(variable), _) => format!("the host's variable {variable}"),
                    (None, file) => format!("the host's file {}", file.unwrap_or_default()),
                };
                vec![receiver.to_owned(), name, place, origins.first().to_string()]
            })
            .collect();
        if rows.is_empty() {
            self.line("none");
        }
        self.table(&rows);
        if plan.cluster.is_none() && plan.secrets().any(|secret| secret.receiver == builtin::AGENT) {
            match plan.secret_route() {
                SecretRoute::Machine => {}
                SecretRoute::Exec => self.line(
                    "the agent's are given to what exec and attach run; what the packed machine starts by itself gets none",
                ),
                SecretRoute::Both => self.line(
                    "the agent's are given to what exec and attach run; what the image starts by itself gets none if it is a packed machine",
                ),
            }
        }
    }

    fn files(&mut self, plan: &Plan, stage: &Stage, directory: &str, detail: Detail) {
        let digest = |sha256: &str| (detail == Detail::Digests).then(|| format!("sha256 {sha256}"));
        self.title(&format!("Files in {directory}"));
        let files = stage.files.iter().map(|(path, file)| {
            let row = [file.mode.octal().to_owned(), path.clone()];
            row.into_iter().chain(digest(&file.bytes.sha256())).collect()
        });
        self.table(&files.collect::<Vec<_>>());
        self.title("Made from");
        let sources = plan
            .sources
            .iter()
            .map(|(name, source)| std::iter::once(name.clone()).chain(digest(&source.sha256)).collect());
        self.table(&sources.collect::<Vec<_>>());
    }
}
