//! `plan.json`.

use super::cause::{Cause, Causes, all, at, element, itself, nth, or_default, traced, word};
use super::command::Vectors;
use super::compose::Bundle;
use super::service::Part;
use super::{Decisions, cause};
use crate::lower::{agent_env, compose, git_gate, pipelock, plan_json, provision, smolfile, sums, supervise};
use crate::plan::{Origin, PlannedSidecar, Traced};
use crate::world::builtin;

/// Of what each file may be used for.
const MODE: &str = "who may read or run a file of the stage";
/// Of the specs that a bottle is made of.
const SOURCE: &str = "a spec that the bottle is made of, as it was read";

/// The document, and what is looked up in it more than once.
pub(super) struct PlanJsonCauses<'a> {
    decisions: &'a Decisions<'a>,
    bundle: Bundle<'a>,
    vectors: Vectors,
    /// Where the files go that the machine is given, in order.
    provision: Vec<&'static str>,
    /// What each sidecar's container has in sets, in order.
    sidecars: Vec<Sets<'a>>,
}

/// The sets of a container, each in its order.
struct Sets<'a> {
    tmpfs: Vec<&'a str>,
    capabilities: Vec<&'a str>,
}

impl<'a> PlanJsonCauses<'a> {
    pub(super) fn of(decisions: &'a Decisions<'a>) -> Self {
        let bundle = Bundle::of(decisions);
        let sets = |sidecar: &'a PlannedSidecar| {
            let containers = || sidecar.container.iter();
            Sets {
                tmpfs: containers().flat_map(|container| &container.tmpfs).map(String::as_str).collect(),
                capabilities: containers()
                    .flat_map(|container| &container.capabilities)
                    .map(String::as_str)
                    .collect(),
            }
        };
        Self {
            vectors: Vectors::of(decisions, &bundle),
            provision: provision::files(decisions.plan).into_iter().map(|file| file.target).collect(),
            sidecars: decisions.plan.sidecars.iter().map(sets).collect(),
            bundle,
            decisions,
        }
    }

    pub(super) fn causes(&self, path: &[&str]) -> Causes {
        let decisions = self.decisions;
        let plan = decisions.plan;
        match path {
            ["slug"] => decisions.slug(),
            ["backend"] => or_default(decisions.places.backend),
            ["engine", "name"] => decisions.engine(),
            ["engine", "version"] => decisions.version(),
            ["bundle_subnet" | "bundle_gateway" | "bundle_ip"] => decisions.addresses(),
            ["boot", ..] => decisions.boot(),
            ["sidecars", n, rest @ ..] => nth(&plan.sidecars, n)
                .zip(nth(&self.sidecars, n))
                .map(|(sidecar, sets)| self.sidecar(sidecar, sets, rest))
                .unwrap_or_default(),
            ["agent_env", name, ..] => decisions.variable(name),
            ["provision", n, ..] => {
                nth(&self.provision, n).map(|file| self.provided(file)).unwrap_or_default()
            }
            ["egress", rest @ ..] => self.egress(rest),
            ["git", rest @ ..] => self.git(rest),
            ["supervise"] => match decisions.places.supervise {
                Some(_) => decisions.supervise(),
                None => or_default(None),
            },
            ["supervise", "queue"] => decisions.queue(),
            ["supervise", "image"] => decisions.image(builtin::SUPERVISE),
            ["supervise", "mcp_add", ..] => decisions.url(builtin::SUPERVISE),
            ["supervise", ..] => decisions.supervise(),
            ["accepted", n, rest @ ..] => nth(&plan.accepted, n)
                .map(|accepted| self.reasoned(&accepted.origin, rest))
                .unwrap_or_default(),
            ["lint_allowed", n, rest @ ..] => nth(&plan.lint_allowed, n)
                .map(|allowed| self.reasoned(&allowed.origin, rest))
                .unwrap_or_default(),
            ["resources", rest @ ..] => self.resources(rest),
            ["commands", rest @ ..] => self.vectors.causes(rest),
            ["start_order" | "stop_order", ..] => self.order(path),
            ["sources", ..] => vec![Cause::Compiler(SOURCE)],
            ["files", file, ..] => all([self.file(file), vec![Cause::Compiler(MODE)]]),
            []
            | [
                "format" | "smolfile_path" | "agent_env_path" | "engine" | "sidecars" | "agent_env"
                | "provision" | "accepted" | "lint_allowed" | "files",
            ] => itself(),
            _ => Causes::new(),
        }
    }

    /// What a spec answers for.
    fn reasoned(&self, origin: &Origin, path: &[&str]) -> Causes {
        match path {
            ["reason"] => self.decisions.property(origin, "reason"),
            _ => cause::origin(origin),
        }
    }

    fn sidecar(&self, sidecar: &PlannedSidecar, sets: &Sets<'_>, path: &[&str]) -> Causes {
        let decisions = self.decisions;
        let name = sidecar.name.as_str();
        let list = |n: &str, set: &[&str], part: fn(&str) -> Part<'_>| {
            nth(set, n).map(|value| decisions.part(sidecar, part(value))).unwrap_or_default()
        };
        match path {
            ["image"] => decisions.image(name),
            ["address"] => decisions.addresses(),
            ["port"] => decisions.port(name),
            ["url"] => decisions.url(name),
            ["needs", n] => nth(&sidecar.needs, n).map(|need| decisions.need(name, need)).unwrap_or_default(),
            // It starts after what it needs.
            ["wave"] => all([decisions.sidecar(name)]
                .into_iter()
                .chain(sidecar.needs.iter().map(|need| decisions.need(name, need)))),
            ["container", part @ ..] if sidecar.container.is_some() => match part {
                ["image"] => decisions.part(sidecar, Part::Image),
                ["command"] => decisions.part(sidecar, Part::Command(None)),
                ["command", n] => decisions.part(sidecar, Part::Command(Some(n))),
                ["run_as"] => decisions.part(sidecar, Part::RunAs),
                ["health"] | ["health", "command"] => decisions.part(sidecar, Part::Health),
                ["health", "command", n] => decisions.part(sidecar, Part::HealthWord(n)),
                ["health", "interval"] => decisions.part(sidecar, Part::Interval),
                ["health", "timeout"] => decisions.part(sidecar, Part::Timeout),
                ["health", "retries"] => decisions.part(sidecar, Part::Retries),
                ["health", "start"] => decisions.part(sidecar, Part::Start),
                ["env"] => decisions.part(sidecar, Part::Variables),
                ["env", name, ..] => decisions.part(sidecar, Part::Variable(name)),
                ["secrets"] => decisions.part(sidecar, Part::Secrets),
                ["secrets", name] => decisions.part(sidecar, Part::Secret(name)),
                ["volumes"] => decisions.part(sidecar, Part::Volumes),
                ["volumes", n, ..] => decisions.part(sidecar, Part::Volume(n)),
                ["tmpfs"] => decisions.part(sidecar, Part::Tmpfs(None)),
                ["tmpfs", n] => list(n, &sets.tmpfs, |path| Part::Tmpfs(Some(path))),
                ["capabilities"] => decisions.part(sidecar, Part::Capabilities),
                ["capabilities", n] => list(n, &sets.capabilities, |name| Part::Capability(name)),
                [] => decisions.sidecar(name),
                _ => Causes::new(),
            },
            [] | ["name" | "built_in" | "container" | "needs"] => decisions.sidecar(name),
            _ => Causes::new(),
        }
    }

    /// Who starts when: what each needs.
    fn order(&self, path: &[&str]) -> Causes {
        let decisions = self.decisions;
        let ["start_order" | "stop_order", wave, n] = path else { return itself() };
        let (Ok(wave), Ok(n)) = (wave.parse::<usize>(), n.parse::<usize>()) else { return Causes::new() };
        // The agent has a wave of its own, the last one to start.
        let last = decisions.plan.sidecars.last().map_or(0, |sidecar| sidecar.wave + 1);
        let wave = if path[0] == "start_order" { wave } else { last.saturating_sub(wave) };
        // Sidecars are in the order of their waves.
        let first = decisions.plan.sidecars.partition_point(|sidecar| sidecar.wave < wave);
        match decisions.plan.sidecars.get(first + n) {
            Some(sidecar) if sidecar.wave == wave => {
                let needs = sidecar.needs.iter().map(|need| decisions.need(&sidecar.name, need));
                all([decisions.sidecar(&sidecar.name)].into_iter().chain(needs))
            }
            _ => itself(),
        }
    }

    /// A file of the machine's, by where it goes.
    fn provided(&self, target: &str) -> Causes {
        match target {
            builtin::CA => match &self.decisions.plan.egress.tls {
                Some(tls) => traced(&tls.trust),
                None => Causes::new(),
            },
            provision::MCP => self.decisions.supervise(),
            provision::GITCONFIG => self.gitconfig(),
            _ => Causes::new(),
        }
    }

    fn gitconfig(&self) -> Causes {
        let author = self.decisions.places.git_name.map(at).unwrap_or_default();
        let repos = if self.decisions.plan.repos.is_empty() { Causes::new() } else { self.decisions.repos() };
        all([author, repos])
    }

    fn egress(&self, path: &[&str]) -> Causes {
        let egress = &self.decisions.plan.egress;
        match path {
            ["allow", n, ..] => element(&egress.allow, n),
            ["deny", n, ..] => element(&egress.deny, n),
            ["private", n, ..] => element(&egress.private, n),
            ["rate_limit"] => traced(&egress.rate_limit),
            ["data_budget"] => egress.data_budget.as_ref().map_or_else(|| or_default(None), traced),
            ["patterns", n, rest @ ..] => nth(&egress.patterns, n)
                .map(|pattern| match rest {
                    [key @ ("regex" | "severity")] => self.decisions.property(&pattern.origin, key),
                    _ => traced(pattern),
                })
                .unwrap_or_default(),
            ["scan_bodies"] => traced(&egress.scan_bodies),
            ["max_body_bytes"] => traced(&egress.max_body_bytes),
            ["scan_responses"] => traced(&egress.scan_responses),
            ["tls", rest @ ..] => match (&egress.tls, rest) {
                (Some(tls), ["ca_cert"]) => traced(&tls.ca_cert),
                (Some(tls), ["ca_key"]) => traced(&tls.ca_key),
                (Some(tls), ["trust"]) => traced(&tls.trust),
                (Some(tls), ["passthrough", n, ..]) => element(&tls.passthrough, n),
                (Some(_), _) => self.decisions.tls(),
                (None, _) => or_default(None),
            },
            ["tunnel_max_seconds"] => traced(&egress.tunnel_max),
            ["tunnel_idle_seconds"] => match &egress.tunnel_idle {
                // Never longer than the whole life.
                Traced { origin: Origin::Computed, .. } => {
                    all([or_default(None), traced(&egress.tunnel_max)])
                }
                idle => traced(idle),
            },
            ["log"] => traced(&egress.log),
            [] | ["allow" | "deny" | "private" | "patterns"] => itself(),
            _ => Causes::new(),
        }
    }

    fn git(&self, path: &[&str]) -> Causes {
        let decisions = self.decisions;
        let places = decisions.places;
        match path {
            ["user", "email"] => or_default(places.git_email),
            ["user", ..] => or_default(places.git_name),
            ["repos", n, rest @ ..] => {
                let Some(repo) = nth(&decisions.plan.repos, n) else { return Causes::new() };
                match rest {
                    ["url"] => decisions.repo(&repo.name, |repo| Some(repo.url)),
                    ["identity"] => decisions.repo(&repo.name, |repo| Some(repo.identity)),
                    ["host_keys", n] => {
                        places.repos.get(&repo.name).map(|repo| word(&repo.host_keys, n)).unwrap_or_default()
                    }
                    _ => decisions.repo(&repo.name, |repo| Some(repo.name)),
                }
            }
            ["scanner"] => or_default(places.scanner),
            ["image"] => or_default(places.git_gate_image),
            [] | ["repos"] => itself(),
            _ => Causes::new(),
        }
    }

    fn resources(&self, path: &[&str]) -> Causes {
        let decisions = self.decisions;
        match path {
            ["container_engine"] => or_default(decisions.places.container_engine),
            ["machine" | "network" | "project"] => decisions.slug(),
            ["containers", name] => all([decisions.sidecar(name), decisions.slug()]),
            ["volumes", name] => all([self.bundle.volume(name), decisions.slug()]),
            [] | ["containers" | "volumes"] => itself(),
            _ => Causes::new(),
        }
    }

    /// What a file is there for.
    fn file(&self, file: &str) -> Causes {
        let decisions = self.decisions;
        let repo = file.strip_prefix(git_gate::DIRECTORY).and_then(|path| path.strip_prefix("/repos/"));
        match file {
            smolfile::PATH
            | agent_env::PATH
            | pipelock::PATH
            | compose::PATH
            | plan_json::PATH
            | sums::PATH => Causes::new(),
            git_gate::GITCONFIG_PATH => self.gitconfig(),
            supervise::MCP_CONFIG_PATH => decisions.supervise(),
            _ if file.starts_with("supervise/") => decisions.supervise(),
            _ => match repo.and_then(|path| path.strip_suffix("/url")) {
                Some(name) => decisions.repo(name, |repo| Some(repo.name)),
                None => decisions.repos(),
            },
        }
    }
}
