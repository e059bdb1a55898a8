//! What a path of keys in each file stands for. A key that is not known here is `None`, which a test makes an error.

#![allow(
    clippy::match_same_arms,
    clippy::unnested_or_patterns,
    reason = "an arm is a part of a file's format, in its order"
)]

use super::Origin;
use super::layers::Layers;
use super::paths::{Path, Step};
use crate::builtin;
use crate::lower::provision;
use crate::plan::{self, Plan, PlannedSidecar, Traced};
use crate::source::Sources;
use crate::spec::VariableValue;

/// What made a value; nothing when every bottle has it.
type Made = Vec<Origin>;

/// Answers for one plan.
#[derive(Debug)]
pub(super) struct Origins<'a> {
    plan: &'a Plan,
    sources: &'a Sources,
    layers: &'a Layers<'a>,
}

impl<'a> Origins<'a> {
    pub(super) fn new(plan: &'a Plan, sources: &'a Sources, layers: &'a Layers<'a>) -> Self {
        Self { plan, sources, layers }
    }

    /// A line of the Smolfile.
    pub(super) fn smolfile(&self, path: &Path) -> Option<Made> {
        match keys(path).as_slice() {
            [] | ["env"] | ["network"] => Some(Made::new()),
            ["env", entry] => Some(self.entry(entry)),
            ["network", "allow_cidrs"] => Some(self.address()),
            ["secrets", name, ..] => Some(self.variable(name)),
            _ => None,
        }
    }

    /// A line of `agent.env`.
    pub(super) fn agent_env(&self, path: &Path) -> Option<Made> {
        match keys(path).as_slice() {
            [] => Some(Made::new()),
            [name] if self.plan.env.contains_key(*name) => Some(self.variable(name)),
            _ => None,
        }
    }

    /// A line of a file that is one program's or one repository's as a whole.
    pub(super) fn file(&self, path: &str) -> Option<Made> {
        match path.split('/').collect::<Vec<_>>().as_slice() {
            ["git-gate", "repos", repo, ..] => {
                Some(self.layers.repo(repo, Some("url")).into_iter().collect())
            }
            ["git-gate", ..] | ["agent", "gitconfig"] => Some(self.git()),
            ["supervise", ..] | ["agent", "mcp.json"] => Some(self.supervise()),
            _ => None,
        }
    }

    /// A line of pipelock's configuration.
    pub(super) fn pipelock(&self, path: &Path) -> Option<Made> {
        let egress = &self.plan.egress;
        match keys(path).as_slice() {
            ["api_allowlist", host] => Some(self.host(&egress.allow, host)),
            ["fetch_proxy", "monitoring", "blocklist", host] => Some(self.host(&egress.deny, host)),
            ["trusted_domains", host] | ["ssrf", "ip_allowlist", host] => {
                Some(self.host(&egress.private, host))
            }
            ["api_allowlist"] => Some(self.part("allow")),
            ["fetch_proxy", "monitoring", "blocklist"] => Some(self.part("deny")),
            ["trusted_domains" | "ssrf", ..] => Some(self.part("private")),
            ["fetch_proxy", "monitoring", "max_requests_per_minute"] => {
                Some(self.planned(&egress.rate_limit))
            }
            ["fetch_proxy", "monitoring", "max_data_per_minute"] => {
                Some(egress.data_budget.iter().flat_map(|it| self.planned(it)).collect())
            }
            ["forward_proxy", "max_tunnel_seconds"] => Some(self.planned(&egress.tunnel_max)),
            ["forward_proxy", "idle_timeout_seconds"] => Some(self.planned(&egress.tunnel_idle)),
            ["request_body_scanning", "action"] => Some(self.planned(&egress.scan_bodies)),
            ["request_body_scanning", "max_body_bytes"] => Some(self.planned(&egress.max_body_bytes)),
            ["response_scanning", "action"] => Some(self.planned(&egress.scan_responses)),
            ["dlp", "patterns", ..] => Some(match index(path) {
                Some(at) => egress.patterns.get(at).into_iter().flat_map(|it| self.planned(it)).collect(),
                None => self.part("dlp"),
            }),
            ["tls_interception", "passthrough_domains", host] => {
                Some(egress.tls.iter().flat_map(|tls| self.host(&tls.passthrough, host)).collect())
            }
            ["tls_interception", ..] => Some(self.part("tls")),
            ["logging", "include_allowed" | "include_blocked"] => Some(self.planned(&egress.log)),
            ["default_agent_identity"] => Some(self.slug()),
            ["version" | "mode" | "enforce" | "sentry" | "metrics_listen", ..]
            | ["fetch_proxy" | "forward_proxy" | "dlp" | "logging", ..]
            | ["request_body_scanning" | "response_scanning", ..]
            | ["bind_default_agent_identity" | "internal"] => Some(Made::new()),
            _ => None,
        }
    }

    /// A line of `compose.yaml`.
    pub(super) fn compose(&self, path: &Path) -> Option<Made> {
        match keys(path).as_slice() {
            [] | ["services" | "volumes" | "secrets"] | ["x-podman", ..] => Some(Made::new()),
            ["services", builtin::BUNDLE, "networks", ..] | ["networks", ..] => Some(self.address()),
            ["services", builtin::BUNDLE, "container_name"] => Some(self.slug()),
            ["services", builtin::BUNDLE, ..] => Some(Made::new()),
            ["services", name, rest @ ..] => {
                let planned = self.plan.sidecars.iter().find(|sidecar| sidecar.name == *name)?;
                Some(self.service(planned, rest, last_index(path)))
            }
            ["volumes" | "secrets", ..] => Some(self.kept(path)),
            _ => None,
        }
    }

    /// A line of a service in `compose.yaml`.
    fn service(&self, sidecar: &PlannedSidecar, keys: &[&str], item: Option<usize>) -> Made {
        let name = sidecar.name.as_str();
        if sidecar.container.is_none() {
            return match keys {
                ["container_name"] => self.slug(),
                ["depends_on", ..] => self.needs(sidecar),
                ["image"] => self.image(sidecar),
                _ => self.builtin(name),
            };
        }
        let found = match keys {
            ["image"] => None,
            ["container_name"] => return self.member(name).into_iter().chain(self.slug()).collect(),
            ["environment", variable] => self.layers.variable_of_sidecar(name, variable),
            ["command", ..] => self.layers.of_sidecar(name, "command", None),
            ["user"] => self.layers.of_sidecar(name, "run-as", None),
            ["healthcheck", ..] => self.layers.of_sidecar(name, "health", None),
            ["tmpfs", text] if *text != "/tmp" => self.layers.of_sidecar(name, "tmpfs", Some(text)),
            ["volumes", ..] => self.layers.item_of_sidecar(name, "volume", item.unwrap_or_default()),
            ["secrets", ..] => self.layers.item_of_sidecar(name, "secret", item.unwrap_or_default()),
            ["cap_add", rest @ ..] => self.layers.of_sidecar(name, "capability", rest.last().copied()),
            ["depends_on", ..] => return self.needs(sidecar),
            // How every container is kept down.
            [
                "read_only" | "cap_drop" | "security_opt" | "pids_limit" | "restart" | "network_mode"
                | "tmpfs",
                ..,
            ] => {
                return Made::new();
            }
            _ => None,
        };
        found.map_or_else(|| self.member(name), |origin| vec![origin])
    }

    /// A volume or a secret of `compose.yaml`, which a sidecar asks for.
    fn kept(&self, path: &Path) -> Made {
        let name = keys(path).get(1).copied().unwrap_or_default().to_owned();
        let asks = self.plan.sidecars.iter().filter(|sidecar| {
            name.starts_with(&format!("{}.", sidecar.name))
                || self.layers.of_sidecar(&sidecar.name, "volume", Some(&name)).is_some()
        });
        asks.flat_map(|sidecar| {
            let volume = self.layers.of_sidecar(&sidecar.name, "volume", Some(&name));
            let secret = name
                .strip_prefix(&format!("{}.", sidecar.name))
                .and_then(|secret| self.layers.of_sidecar(&sidecar.name, "secret", Some(secret)));
            volume.or(secret).map_or_else(|| self.member(&sidecar.name), |origin| vec![origin])
        })
        .collect()
    }

    /// A line of `plan.json`.
    pub(super) fn manifest(&self, path: &Path) -> Option<Made> {
        let egress = &self.plan.egress;
        match keys(path).as_slice() {
            [] | ["format" | "smolfile_path" | "agent_env_path" | "plan_sha256"] => Some(Made::new()),
            ["slug"] => Some(self.slug()),
            ["backend"] => Some(self.setting("backend")),
            ["engine", ..] => Some(self.setting("engine")),
            ["bundle_subnet" | "bundle_gateway" | "bundle_ip"] => Some(self.address()),
            ["boot", ..] => Some(self.boot()),
            ["sidecars", rest @ ..] => Some(match index(path).and_then(|at| self.plan.sidecars.get(at)) {
                Some(sidecar) => self.planned_sidecar(sidecar, rest, last_index(path)),
                None => Made::new(),
            }),
            ["start_order" | "stop_order", rest @ ..] => {
                Some(rest.last().map(|it| self.member(it)).unwrap_or_default())
            }
            ["agent_env"] => Some(Made::new()),
            ["agent_env", name, ..] => Some(self.variable(name)),
            ["provision", ..] => Some(self.provision(path)),
            ["egress", key, ..] => match *key {
                "allow" => Some(self.item(path, &egress.allow)),
                "deny" => Some(self.item(path, &egress.deny)),
                "private" => Some(self.item(path, &egress.private)),
                "patterns" => Some(match index(path).and_then(|at| egress.patterns.get(at)) {
                    Some(pattern) => self.planned(pattern),
                    None => Made::new(),
                }),
                "rate_limit" => Some(self.planned(&egress.rate_limit)),
                "data_budget" => Some(egress.data_budget.iter().flat_map(|it| self.planned(it)).collect()),
                "scan_bodies" => Some(self.planned(&egress.scan_bodies)),
                "max_body_bytes" => Some(self.planned(&egress.max_body_bytes)),
                "scan_responses" => Some(self.planned(&egress.scan_responses)),
                "tunnel_max_seconds" => Some(self.planned(&egress.tunnel_max)),
                "tunnel_idle_seconds" => Some(self.planned(&egress.tunnel_idle)),
                "log" => Some(self.planned(&egress.log)),
                "tls" => Some(self.tls(path)),
                _ => None,
            },
            ["egress"] | ["git"] => Some(Made::new()),
            ["git", "user", ..] => Some(self.below("git", "user")),
            ["git", "repos", rest @ ..] => Some(match index(path).and_then(|at| self.plan.repos.get(at)) {
                Some(repo) => {
                    let part = match rest.first() {
                        Some(&"host_keys") => Some("host-key"),
                        part => part.copied(),
                    };
                    self.layers.repo(&repo.name, part).into_iter().collect()
                }
                None => Made::new(),
            }),
            ["git", key @ ("scanner" | "image")] => {
                Some(self.layers.property("git-gate", key).into_iter().chain(self.git()).take(1).collect())
            }
            ["supervise", ..] => Some(self.supervise()),
            ["accepted", ..] => Some(match index(path).and_then(|at| self.plan.accepted.get(at)) {
                Some(accepted) => self.layers.planned(&accepted.origin, None).into_iter().collect(),
                None => Made::new(),
            }),
            ["lint_allowed", ..] => Some(match index(path).and_then(|at| self.plan.lint_allowed.get(at)) {
                Some(allowed) => self.layers.planned(&allowed.origin, None).into_iter().collect(),
                None => Made::new(),
            }),
            ["resources", "container_engine"] => Some(self.setting("container-engine")),
            ["resources", "containers", name] if *name != builtin::BUNDLE => {
                Some(self.member(name).into_iter().chain(self.slug()).collect())
            }
            ["resources", "volumes", _] => {
                Some(self.kept(&path[1..].to_vec()).into_iter().chain(self.slug()).collect())
            }
            ["resources", ..] => Some(self.slug()),
            ["commands", command, rest @ ..] => Some(self.command(command, rest.last().copied())),
            ["commands"] | ["sources"] | ["files", ..] => Some(Made::new()),
            ["sources", name, ..] => Some(self.source(name)),
            _ => None,
        }
    }

    /// An argument of a command.
    fn command(&self, command: &str, argument: Option<&str>) -> Made {
        let engine = || match command {
            "bundle" => self.setting("container-engine"),
            _ => self.setting("engine"),
        };
        let Some(argument) = argument else { return engine() };
        let name = argument.split_once('=').map(|(name, _)| name);
        if let Some(name) = name.filter(|name| self.plan.env.contains_key(*name)) {
            return self.variable(name);
        }
        let container = self.plan.sidecars.iter().find(|sidecar| {
            argument
                .strip_prefix("bottle-")
                .is_some_and(|rest| rest == format!("{}--{}", self.plan.slug, sidecar.name))
        });
        let is_address = argument.contains(&self.plan.addresses.bundle().to_string());
        match container {
            Some(sidecar) => self.member(&sidecar.name).into_iter().chain(self.slug()).collect(),
            None if is_address => self.address(),
            None if self.plan.boot.as_ref().is_some_and(|boot| boot.source == argument) => self.boot(),
            None if argument == self.plan.slug
                || argument.contains(&format!("bottle-{}", self.plan.slug)) =>
            {
                self.slug()
            }
            None => engine(),
        }
    }

    /// `NAME=value` of the agent's environment.
    fn entry(&self, entry: &str) -> Made {
        let name = entry.split_once('=').map_or(entry, |(name, _)| name);
        self.variable(name)
    }

    /// A variable of the agent: the user's, a sidecar's, or computed.
    fn variable(&self, name: &str) -> Made {
        let Some(Traced { value, origin }) = self.plan.env.get(name) else { return Made::new() };
        if *origin == plan::Origin::Computed {
            let by = builtin::BUILTINS.iter().find(|builtin| builtin.variables.contains(&name));
            return match by {
                Some(builtin) => self.builtin(builtin.name).into_iter().chain(self.address()).collect(),
                None if builtin::CA_VARIABLES.contains(&name) => self.part("tls"),
                None => self.address(),
            };
        }
        if matches!(value, VariableValue::Literal(_))
            && let Some((sidecar, expose)) = self.layers.exposed(name)
        {
            let port = self.layers.of_sidecar(&sidecar, "port", None);
            return [expose].into_iter().chain(port).chain(self.address()).collect();
        }
        let own = self.layers.variable(name).or_else(|| self.layers.planned(origin, None));
        own.into_iter().collect()
    }

    fn planned_sidecar(&self, sidecar: &PlannedSidecar, keys: &[&str], item: Option<usize>) -> Made {
        let name = sidecar.name.as_str();
        let port = || self.layers.of_sidecar(name, "port", None);
        match keys {
            ["address"] => self.address(),
            ["port"] => port().map_or_else(|| self.member(name), |origin| vec![origin]),
            ["url"] => port().into_iter().chain(self.address()).collect(),
            ["needs", ..] | ["wave"] => self.needs(sidecar),
            ["image"] => self.image(sidecar),
            ["container", rest @ ..] if sidecar.container.is_some() => match rest {
                ["env", variable, ..] => self.service(sidecar, &["environment", variable], item),
                ["run_as"] => self.service(sidecar, &["user"], item),
                ["health", ..] => self.service(sidecar, &["healthcheck"], item),
                ["capabilities", capability] => self.service(sidecar, &["cap_add", capability], item),
                ["tmpfs", text] => self.service(sidecar, &["tmpfs", text], item),
                ["volumes", _, ..] => self.service(sidecar, &["volumes"], item),
                ["secrets", secret] => {
                    self.layers.of_sidecar(name, "secret", Some(secret)).into_iter().collect()
                }
                ["command", _, ..] => self.service(sidecar, &["command"], item),
                _ => self.member(name),
            },
            _ => self.member(name),
        }
    }

    /// A sidecar, built-in or the user's.
    fn member(&self, name: &str) -> Made {
        match self.layers.sidecar(name) {
            Some(origin) => vec![origin],
            None => self.builtin(name),
        }
    }

    /// What a built-in sidecar is there for.
    fn builtin(&self, name: &str) -> Made {
        match name {
            builtin::GIT_GATE => self.git(),
            builtin::SUPERVISE => self.supervise(),
            _ => Made::new(),
        }
    }

    fn image(&self, sidecar: &PlannedSidecar) -> Made {
        if sidecar.container.is_some() {
            return self.member(&sidecar.name);
        }
        let own = self.layers.property(&sidecar.name, "image");
        own.map_or_else(|| self.builtin(&sidecar.name), |origin| vec![origin])
    }

    fn needs(&self, sidecar: &PlannedSidecar) -> Made {
        let name = sidecar.name.as_str();
        let needs = match sidecar.container {
            Some(_) => self.layers.of_sidecar(name, "needs", None),
            None => self.layers.below(name, "needs"),
        };
        needs.map_or_else(|| self.member(name), |origin| vec![origin])
    }

    fn provision(&self, path: &Path) -> Made {
        let files = provision::files(self.plan);
        match index(path).and_then(|at| files.get(at)).map(|file| file.target) {
            Some(provision::GITCONFIG) => self.git(),
            Some(provision::MCP) => self.supervise(),
            Some(_) => self.tls(&vec![
                Step::Key("egress".into()),
                Step::Key("tls".into()),
                Step::Key("trust".into()),
            ]),
            None => Made::new(),
        }
    }

    fn tls(&self, path: &Path) -> Made {
        let Some(tls) = &self.plan.egress.tls else { return Made::new() };
        match keys(path).get(2) {
            Some(&"ca_cert") => self.planned(&tls.ca_cert),
            Some(&"ca_key") => self.planned(&tls.ca_key),
            Some(&"trust") => self.planned(&tls.trust),
            Some(&"passthrough") => self.item(path, &tls.passthrough),
            _ => self.part("tls"),
        }
    }

    /// An item of a list of hosts, by its index.
    fn item(&self, path: &Path, hosts: &[Traced<String>]) -> Made {
        let host = index(path).and_then(|at| hosts.get(at));
        host.into_iter().filter_map(|host| self.layers.planned(&host.origin, Some(&host.value))).collect()
    }

    /// An item of a list of hosts, by itself.
    fn host(&self, hosts: &[Traced<String>], text: &str) -> Made {
        let host = hosts.iter().find(|host| host.value == text);
        host.into_iter().filter_map(|host| self.layers.planned(&host.origin, Some(&host.value))).collect()
    }

    fn planned<T>(&self, value: &Traced<T>) -> Made {
        self.layers.planned(&value.origin, None).into_iter().collect()
    }

    fn source(&self, name: &str) -> Made {
        let Some(id) = self.sources.by_name(name) else { return Made::new() };
        let place = crate::source::Span::at(id, 0);
        vec![Origin { place: Some(place), what: String::from("the spec itself") }]
    }

    fn boot(&self) -> Made {
        self.layers.one_of(&["artifact", "image", "rootfs"]).into_iter().collect()
    }

    fn slug(&self) -> Made {
        self.layers.slug().into_iter().collect()
    }

    fn address(&self) -> Made {
        self.layers.address().into_iter().collect()
    }

    fn setting(&self, name: &str) -> Made {
        self.layers.setting(name).into_iter().collect()
    }

    fn below(&self, parent: &str, name: &str) -> Made {
        self.layers.below(parent, name).into_iter().collect()
    }

    /// A part of `egress`.
    fn part(&self, name: &str) -> Made {
        self.below("egress", name)
    }

    fn git(&self) -> Made {
        self.setting("git")
    }

    fn supervise(&self) -> Made {
        self.setting("supervise")
    }
}

/// The keys of a path, and the text at its end, without indices.
fn keys(path: &[Step]) -> Vec<&str> {
    path.iter()
        .filter_map(|step| match step {
            Step::Key(text) | Step::Text(text) => Some(text.as_str()),
            Step::Index(_) => None,
        })
        .collect()
}

/// The first index of a path.
fn index(path: &[Step]) -> Option<usize> {
    path.iter().find_map(|step| match step {
        Step::Index(at) => Some(*at),
        _ => None,
    })
}

/// The last index of a path.
fn last_index(path: &[Step]) -> Option<usize> {
    index(&path.iter().rev().cloned().collect::<Path>())
}
