//! `bottlec preflight`: whether this host is ready to run these bottles.

mod containers;
mod handed;
mod pack;
mod published;
mod recipe;
mod repositories;
mod secrets;

use std::collections::BTreeMap;
use std::env;
use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use bottlec::Options;
use bottlec::backend;
use bottlec::model::VolumeSource;
use bottlec::plan::Plan;
use bottlec::report::Style;
use bottlec::report::cluster::Wanted;
use bottlec::text::{quote, quote_path};
use bottlec::world::backend::DEFAULT;
use bottlec::world::builtin;
use bottlec::world::engine::{BootKind, Capability, Ledger, SMOLVM, Unset, Version};

use super::args::{Preflight, SPEC};
use super::error::{Error, reason};
use super::host::{self, HostNetwork, NetworkError, OverlapKind};
use super::output::{Output, Stream};
use super::workspace::Workspace;
use super::{Outcome, elsewhere, plans};

/// One question to the host and its answer.
#[derive(Debug)]
struct Finding {
    /// Whether the host is ready as far as this goes.
    ready: bool,
    /// The answer in one line.
    text: String,
    /// What to do, when it is not ready.
    help: Option<String>,
}

impl Finding {
    fn ready(text: String) -> Self {
        Self { ready: true, text, help: None }
    }

    fn missing(text: String, help: String) -> Self {
        Self { ready: false, text, help: Some(help) }
    }
}

pub(super) fn run(command: &Preflight, output: &Output) -> Result<Outcome, Error> {
    let reports = command.reporting.reports()?;
    let mut way = String::new();
    let default = [PathBuf::from(SPEC)];
    let specs = match command.specs.as_slice() {
        [] if default[0].is_file() => default.as_slice(),
        specs => specs,
    };
    let plans = if specs.is_empty() {
        Vec::new()
    } else {
        let workspace = Workspace::of(specs, None)?;
        way = workspace.way_from_here()?;
        // The paths of a plan are seen from its stage: for the files that are looked for here, from here.
        let options = Options { stage_to_workspace: way.clone(), ..Options::default() };
        let analysis = plans::load(&workspace, specs, &options, &reports, output)?;
        let Some(plans) = plans::all(&analysis, &reports, output)? else { return Ok(Outcome::Findings) };
        plans
    };
    elsewhere::refuse_any(&plans, Wanted::Check)?;
    let (findings, network) = examine(&plans, Path::new(&way));
    let ready = findings.iter().all(|finding| finding.ready);
    // What is known is worth reading even when the host keeps the rest to itself.
    output.print(&show(&findings, output.stdout))?;
    network.map_err(|error| Error::Host(error.to_string()))?;
    Ok(if ready { Outcome::Clean } else { Outcome::Findings })
}

/// Asks everything for one bottle that is to be launched, and says on standard error what is missing. With `assumed`, what
/// the host is and has is taken for ready, and only what would be handed over is looked at. `way` leads to the workspace.
pub(super) fn is_ready_for_launch(
    plan: &Plan,
    way: &Path,
    assumed: bool,
    output: &Output,
) -> Result<bool, Error> {
    let plans = std::slice::from_ref(plan);
    let (mut findings, network) =
        if assumed { (handed_over(plans, way), Ok(())) } else { examine(plans, way) };
    findings.retain(|finding| !finding.ready);
    output.say(Stream::Stderr, &show(&findings, output.stderr))?;
    network.map_err(|error| Error::Host(error.to_string()))?;
    Ok(findings.is_empty())
}

/// Asks everything.
fn examine(plans: &[Plan], way: &Path) -> (Vec<Finding>, Result<(), NetworkError>) {
    let (mut findings, version) = programs(plans);
    for plan in plans {
        if let Some(version) = version {
            findings.push(engine(plan, version));
        }
    }
    findings.extend(kvm().filter(|_| !plans.is_empty()));
    findings.extend(containers::check(plans));
    let network = if plans.is_empty() { Ok(HostNetwork::default()) } else { host::read() };
    if let Ok(network) = &network {
        findings.extend(plans.iter().flat_map(|plan| subnet(plan, network)));
    }
    findings.extend(variables(plans));
    findings.extend(plans.iter().flat_map(pack::check));
    findings.extend(plans.iter().flat_map(sources));
    findings.extend(plans.iter().flat_map(published::check));
    findings.extend(handed_over(plans, way));
    (findings, network.map(|_| ()))
}

/// What would be handed over to the machine and to the bundle: whether it is there, and may be.
fn handed_over(plans: &[Plan], way: &Path) -> Vec<Finding> {
    let mut findings = secrets::check(plans);
    findings.extend(plans.iter().flat_map(|plan| handed::check(plan, way)));
    findings.extend(plans.iter().flat_map(repositories::check));
    findings
}

/// Whether the host can run machines: the engine's processor is the host's own.
fn kvm() -> Option<Finding> {
    const KVM: &str = "/dev/kvm";
    if !cfg!(target_os = "linux") {
        return None;
    }
    let help = |what: &str| Some(Finding::missing(format!("`{KVM}` {what}"), kvm_help(what)));
    match fs::OpenOptions::new().read(true).write(true).open(KVM) {
        Ok(_) => Some(Finding::ready(format!("`{KVM}` can be used"))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => help("is not there"),
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => help("is not yours to use"),
        Err(_) => help("cannot be opened"),
    }
}

fn kvm_help(what: &str) -> String {
    String::from(match what {
        "is not yours to use" => "join its group and log in again: `sudo usermod -aG kvm \"$USER\"`",
        _ => {
            "a machine needs the processor's virtualisation: turn it on in the firmware, or nested virtualisation where \
             this host is a machine itself, then `sudo modprobe kvm_intel` or `kvm_amd`"
        }
    })
}

/// What the machine boots from, and what containers are shown of the host: whether it is there.
fn sources(plan: &Plan) -> Vec<Finding> {
    let slug = quote(&plan.slug);
    // Of a packed machine that is looked into, that says it.
    let is_looked_into = pack::check(plan).into_iter().next().is_some();
    let boot = plan.boot.iter().filter(|boot| match boot.kind {
        BootKind::Image => false,
        BootKind::Artifact => !is_looked_into,
        BootKind::Rootfs => true,
    });
    let boot = boot.map(|boot| {
        let help = recipe::of(plan, boot).unwrap_or_else(|| String::from("make it first"));
        (boot.source.as_str(), format!("what {slug} boots from"), help)
    });
    let volumes = plan.sidecars.iter().flat_map(|sidecar| {
        let volumes = sidecar.container.iter().flat_map(|container| &container.volumes);
        volumes.filter_map(|volume| match &volume.source {
            VolumeSource::Host(path) => Some((
                path.as_str(),
                format!("a volume of {} of {slug}", quote(&sidecar.name)),
                String::from("make it first: the container engine would not, or as root"),
            )),
            VolumeSource::Named(_) => None,
        })
    });
    let found = boot.chain(volumes).filter_map(|(source, what, help)| {
        let path = on_host(source)?;
        let shown = quote_path(&path);
        Some(match fs::metadata(&path) {
            Ok(_) => Finding::ready(format!("{shown}, {what}, is there")),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Finding::missing(format!("{shown}, {what}, is not there"), help)
            }
            Err(error) => {
                let reason = reason(&error);
                Finding::missing(format!("{shown}, {what}, cannot be looked at: {reason}"), help)
            }
        })
    });
    found.collect()
}

/// Variables of the launcher's that the plans' commands are run without. A launcher that heeds the plan does; somebody
/// who types the commands may not.
fn variables(plans: &[Plan]) -> Vec<Finding> {
    let unset = plans
        .iter()
        .flat_map(|plan| Ledger::smolvm().rows(*plan.engine.version).filter_map(|row| row.unset.as_ref()));
    let variables: BTreeMap<&str, &str> =
        unset.map(|Unset { name, because }| (name.as_str(), because.as_str())).collect();
    let set = variables.into_iter().filter(|(name, _)| env::var_os(name).is_some());
    set.map(|(name, because)| {
        Finding::missing(format!("`{name}` is set: {because}"), format!("launch without it: `unset {name}`"))
    })
    .collect()
}

/// The programs that the bottles' backends need, and the version of the engine.
fn programs(plans: &[Plan]) -> (Vec<Finding>, Option<Version>) {
    let mut backends: Vec<&str> = plans.iter().map(|plan| plan.backend.as_str()).collect();
    if backends.is_empty() {
        backends.push(DEFAULT);
    }
    backends.dedup();
    let mut names: Vec<&str> =
        backends.iter().filter_map(|name| backend::find(name)).flat_map(|b| b.programs).copied().collect();
    names.sort_unstable();
    names.dedup();
    let mut findings = Vec::new();
    let mut version = None;
    let path = env::var_os("PATH").unwrap_or_default();
    for name in names {
        match host::find_program(name, &path) {
            None => findings.push(Finding::missing(
                format!("`{name}` is not on PATH"),
                format!("install {name}, or add its directory to PATH"),
            )),
            Some(found) if name == SMOLVM => {
                let (finding, found) = engine_program(&found);
                findings.push(finding);
                version = found;
            }
            Some(found) => findings.push(Finding::ready(format!("`{name}` is {}", quote_path(&found)))),
        }
    }
    (findings, version)
}

fn engine_program(path: &Path) -> (Finding, Option<Version>) {
    match host::program_version(path, host::PATIENCE) {
        Ok(version) => (Finding::ready(format!("smolvm {version} is {}", quote_path(path))), Some(version)),
        Err(error) => {
            let help = format!("run `{SMOLVM} --version` yourself and see what it says");
            (Finding::missing(format!("{} does not tell its version: {error}", quote_path(path)), help), None)
        }
    }
}

/// Whether a capability has to do with a bottle.
fn matters(plan: &Plan, capability: Capability) -> bool {
    let boots = |kind| plan.boot.as_ref().is_some_and(|boot| boot.kind == kind);
    let secrets = plan.secrets().any(|secret| secret.receiver == builtin::AGENT);
    match capability {
        Capability::FromFlag | Capability::FromKeepsPolicy => boots(BootKind::Artifact),
        Capability::LocalImage => boots(BootKind::Rootfs),
        Capability::PackByImage | Capability::HostPullsImage => boots(BootKind::Image),
        Capability::ExecSecretFlags | Capability::PackDropsSecrets => {
            secrets && plan.secret_route().with_exec()
        }
        Capability::PublishLoopback => !plan.machine.published.is_empty(),
        Capability::GpuFlag => plan.machine.gpu.value,
        Capability::FromTakesUsual => {
            boots(BootKind::Artifact) && (plan.machine.cpus.is_some() || plan.machine.memory_mib.is_some())
        }
        Capability::SecretsSection => secrets && !boots(BootKind::Artifact),
        _ => true,
    }
}

/// Whether a stage that was compiled for one version does on the host's version what it was compiled to do.
fn engine(plan: &Plan, host: Version) -> Finding {
    let slug = quote(&plan.slug);
    if *plan.engine.version == host {
        return Finding::ready(format!("{slug} is compiled for smolvm {host}"));
    }
    let ledger = Ledger::smolvm();
    let differs = |capability: &&Capability| {
        ledger.has(**capability, *plan.engine.version) != ledger.has(**capability, host)
            && matters(plan, **capability)
    };
    let differences: Vec<_> = Capability::ALL.iter().filter(differs).collect();
    match differences.as_slice() {
        [_, ..] => {
            let mut text = format!(
                "{slug} is compiled for smolvm {}, and {host} is another matter:",
                plan.engine.version
            );
            for capability in differences {
                let row = ledger.row(*capability);
                // Writing to a `String` cannot fail.
                let _ = write!(text, "\n       {}: {}", row.versions(), row.summary);
            }
            let help =
                format!("write `engine \"{SMOLVM}\" version=\"{host}\"` into the bottle and build it again");
            Finding::missing(text, help)
        }
        [] if host > ledger.newest => Finding::ready(format!(
            "{slug} is compiled for smolvm {}; the host's {host} is newer than any version that bottlec knows",
            plan.engine.version
        )),
        [] => Finding::ready(format!(
            "{slug} is compiled for smolvm {}; no difference from the host's {host} is known",
            plan.engine.version
        )),
    }
}

/// Whether the bottle's subnet is free on the host.
fn subnet(plan: &Plan, network: &HostNetwork) -> Vec<Finding> {
    let (slug, subnet) = (quote(&plan.slug), plan.addresses.subnet());
    let overlaps = host::overlaps(network, subnet);
    if overlaps.is_empty() {
        return vec![Finding::ready(format!("{slug} has {subnet} to itself"))];
    }
    let at = |interface: &Option<String>| {
        interface.as_ref().map(|name| format!(" on {}", quote(name))).unwrap_or_default()
    };
    overlaps
        .iter()
        .map(|overlap| {
            let place = at(&overlap.interface);
            if !overlap.is_conflict() {
                return Finding::ready(format!(
                    "{slug} has {subnet}; it is up{place}, most likely as this bottle's own network"
                ));
            }
            let what = match overlap.kind {
                OverlapKind::Route => "a route",
                _ => "an address",
            };
            Finding::missing(
                format!("{slug} needs {subnet}, and the host has {what} in it: {}{place}", overlap.net),
                String::from("pin another subnet with `network octet=…`, or take that network down"),
            )
        })
        .collect()
}

/// A file as these plans have it: from the home of who launches, absolute, or as it is seen from here.
pub(super) fn on_host(file: &str) -> Option<PathBuf> {
    if let Some(rest) = file.strip_prefix("~/") {
        return Some(PathBuf::from(env::var_os("HOME")?).join(rest));
    }
    Some(PathBuf::from(file))
}

fn show(findings: &[Finding], style: Style) -> String {
    let (yes, no) = match (style.color, style.unicode) {
        (true, true) => ("\u{1b}[32m✓\u{1b}[0m", "\u{1b}[31m✗\u{1b}[0m"),
        (false, true) => ("✓", "✗"),
        (true, false) => ("\u{1b}[32mok\u{1b}[0m  ", "\u{1b}[31mfail\u{1b}[0m"),
        (false, false) => ("ok  ", "fail"),
    };
    let indent = if style.unicode { "    " } else { "       " };
    let mut text = String::new();
    for finding in findings {
        let _ = writeln!(text, "{} {}", if finding.ready { yes } else { no }, finding.text);
        if let Some(help) = &finding.help {
            for line in help.lines() {
                let _ = writeln!(text, "{indent}{line}");
            }
        }
    }
    text
}
