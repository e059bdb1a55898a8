//! One bottle, compared. Every part of a plan is destructured whole, so that a new field does not compile until it is
//! compared.

use super::environment::environment;
use super::join::{Joined, join};
use super::{Changes, Direction, Topic, broker, bundle, cluster, guards, machine, quoted, reach, scan};
use crate::lower::plan_json::{Made, PlanJson, Supervise};
use crate::plan::{
    PlannedAuthor, PlannedBoot, PlannedEngine, PlannedGit, PlannedLocal, PlannedRepo, PlannedSource,
    PlannedUpstream,
};
use crate::text::{quote, quote_whole};

/// Summarises in one line what a new bottle's agent can reach.
pub(super) fn summary(plan: &PlanJson<'static>) -> String {
    let hosts = plan.egress.allow.iter().map(|entry| entry.host.as_str());
    let credentials = plan.credentials.iter().map(|credential| credential.name.as_str());
    let spends = match quoted(credentials) {
        names if names.is_empty() => names,
        names => format!(", and can spend the credentials {names}"),
    };
    if plan.egress.allow.is_empty() {
        return format!("its agent can reach its bundle, and no host{spends}");
    }
    format!("its agent can reach its bundle, and {}{spends}", quoted(hosts))
}

/// All changes of one bottle.
pub(super) fn compare(old: &PlanJson<'static>, new: &PlanJson<'static>, changes: &mut Changes<'_>) {
    reach::compare(old, new, changes);
    let PlanJson {
        format: _,
        slug: _,
        backend,
        cluster,
        engine,
        // In a cluster it is the cluster's own: it changes where the bundle is.
        bundle_subnet: _,
        bundle_gateway: _,
        bundle_ip,
        // Names of files, which are the same in every stage.
        smolfile_path: _,
        agent_env_path: _,
        boot,
        machine,
        agent,
        sidecars,
        // Both follow from what the sidecars need, and nothing can be reached by them.
        start_order: _,
        stop_order: _,
        agent_env,
        // Follows from what opens HTTPS, from the repositories, and from supervise.
        provision: _,
        egress,
        git,
        credentials,
        supervise,
        accepted,
        lint_allowed,
        lint_denied,
        expectations,
        resources,
        // Follow from all of the above.
        commands: _,
        // A spec may change without a change of meaning, and a file of the stage changes with what it says.
        sources: _,
        files: _,
    } = new;
    if old.bundle_ip != *bundle_ip {
        let text = format!("the bundle is at {bundle_ip} instead of {}", old.bundle_ip);
        changes.neutral(Topic::Address, text);
    }
    let text = |what: &str, before: &str, now: &str| {
        format!("{what}: {} instead of {}", quote_whole(now), quote_whole(before))
    };
    if old.backend != *backend {
        changes.neutral(Topic::Engine, text("the backend", &old.backend, backend));
    }
    cluster::compare(old.cluster.as_deref(), cluster.as_deref(), changes);
    let shown = |engine: &PlannedEngine| format!("{} {}", engine.name, engine.version);
    // No engine of that name runs it in a cluster.
    if old.engine != *engine && cluster.is_none() && old.cluster.is_none() {
        let (before, now) = (shown(&old.engine), shown(engine));
        changes.neutral(Topic::Engine, text("compiled for", &before, &now));
    }
    if let (Made::Host(before), Made::Host(now)) = (&old.resources, resources)
        && before.container_engine != now.container_engine
    {
        let (before, now) = (&before.container_engine, &now.container_engine);
        changes.neutral(Topic::Engine, text("the containers are run by", before, now));
    }
    if let (Made::Cluster(before), Made::Cluster(now)) = (&old.resources, resources) {
        cluster::made(before, now, changes);
    }
    let boots = |boot: &Option<PlannedBoot>| {
        boot.as_ref().map_or_else(
            || String::from("the engine's bare system"),
            |PlannedBoot { kind, source }| format!("{} {source}", kind.as_str()),
        )
    };
    if old.boot != *boot {
        // What is in either, no plan says.
        changes.unclear(Topic::Agent, text("the agent boots", &boots(&old.boot), &boots(boot)));
    }
    machine::machine(&old.machine, machine, changes);
    machine::agent(old.agent.value.as_ref(), agent.value.as_ref(), changes);
    let moved = |value: &str| value.replace(old.bundle_ip.as_str(), bundle_ip);
    environment("the agent", &old.agent_env, agent_env, Direction::Neutral, &moved, changes);
    guards::accepted(&old.accepted, accepted, changes);
    guards::allowed(&old.lint_allowed, lint_allowed, changes);
    guards::denied(&old.lint_denied, lint_denied, changes);
    guards::expectations(&old.expectations, expectations, changes);
    bundle::sidecars(&old.sidecars, sidecars, &moved, changes);
    scan::egress(&old.egress, egress, changes);
    self::git(&old.git, git, changes);
    broker::credentials(&old.credentials, credentials, changes);
    self::supervise(old.supervise.as_ref(), supervise.as_ref(), changes);
}

fn git(old: &PlannedGit, new: &PlannedGit, changes: &mut Changes<'_>) {
    let PlannedGit {
        user,
        repos,
        scanner,
        // The image of a sidecar.
        image: _,
    } = new;
    let by = |user: &Option<PlannedAuthor>| {
        user.as_ref().map_or_else(
            || String::from("nobody in particular"),
            |PlannedAuthor { name, email }| quote(&format!("{name} <{email}>")),
        )
    };
    if old.user != *user {
        changes
            .neutral(Topic::Repository, format!("commits are by {} instead of {}", by(user), by(&old.user)));
    }
    if let (Some(before), Some(now)) = (&old.scanner.value, &scanner.value)
        && before != now
    {
        let text = format!("what is pushed is scanned by {} instead of {}", quote(now), quote(before));
        changes.unclear(Topic::Scan, text);
    }
    let Joined { come, gone, both } = join(&old.repos, repos, |repo| repo.name.as_str());
    for PlannedRepo { name, writable, source } in come {
        let can = if **writable { "fetch and push" } else { "fetch" };
        let text = format!("the agent can {can} the repository {}: {}", quote(name), place(source));
        changes.wider(Topic::Repository, text);
    }
    for PlannedRepo { name, .. } in gone {
        changes.narrower(Topic::Repository, format!("the repository {} is gone", quote(name)));
    }
    for (before, now) in both {
        repo(before, now, changes);
    }
}

/// Where a repository is, as the end of a sentence.
fn place(source: &PlannedSource) -> String {
    match source {
        PlannedSource::Upstream(upstream) => quote_whole(&upstream.url),
        PlannedSource::Local(local) => format!("{} on the host", quote_whole(&local.path)),
    }
}

fn repo(before: &PlannedRepo, now: &PlannedRepo, changes: &mut Changes<'_>) {
    let PlannedRepo { name, writable, source } = now;
    let name = quote(name);
    match (**writable, *before.writable) {
        (true, false) => {
            changes.wider(Topic::Repository, format!("the agent can push to the repository {name}"));
        }
        (false, true) => {
            changes
                .narrower(Topic::Repository, format!("the agent can push to the repository {name} no more"));
        }
        _ => {}
    }
    let moved = match (&before.source, source) {
        (PlannedSource::Upstream(before), PlannedSource::Upstream(now)) => {
            let PlannedUpstream { url, identity, host_keys } = now;
            if before.identity != *identity {
                let text = format!(
                    "the repository {name} is reached with the key {} instead of {}",
                    quote_whole(identity),
                    quote_whole(&before.identity)
                );
                changes.wider(Topic::Secret, text);
            }
            if before.host_keys != *host_keys {
                changes
                    .unclear(Topic::Repository, format!("the repository {name} is at hosts with other keys"));
            }
            before.url != *url
        }
        (PlannedSource::Local(before), PlannedSource::Local(now)) => {
            // How the launcher is told of it, and where git-gate sees it, follows from the names.
            let PlannedLocal { path, variable: _, mount: _ } = now;
            before.path != *path
        }
        (PlannedSource::Upstream(_), PlannedSource::Local(_))
        | (PlannedSource::Local(_), PlannedSource::Upstream(_)) => true,
    };
    if moved {
        let (now, before) = (place(source), place(&before.source));
        changes.wider(Topic::Repository, format!("the repository {name} is {now} instead of {before}"));
    }
}

fn supervise(old: Option<&Supervise>, new: Option<&Supervise>, changes: &mut Changes<'_>) {
    // That it came or went is told of its sidecar.
    let (Some(before), Some(now)) = (old, new) else { return };
    let Supervise {
        // The image of a sidecar.
        image: _,
        queue,
        // Names of files, and a command that follows from the address.
        config_path: _,
        mcp_config_path: _,
        mcp_add: _,
    } = now;
    if before.queue != *queue {
        let text =
            format!("questions wait in {} instead of {}", quote_whole(queue), quote_whole(&before.queue));
        changes.unclear(Topic::Host, text);
    }
}
