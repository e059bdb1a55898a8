//! A bottle's place in a cluster, compared: what keeps its agent there, and which ports of its bundle it is given.

use super::{Changes, Topic};
use crate::lower::plan_json::ClusterResources;
use crate::plan::PlannedCluster;
use crate::text::quote;
use crate::world::cluster::PodSecurity;

fn ports(cluster: &PlannedCluster) -> Vec<u16> {
    cluster.ports.iter().map(|port| port.value).collect()
}

fn list(ports: &[u16]) -> String {
    ports.iter().map(u16::to_string).collect::<Vec<_>>().join(", ")
}

/// A bottle that moves is kept to fewer ports, and by something else; its sidecars are kept from more.
pub(super) fn compare(old: Option<&PlannedCluster>, new: Option<&PlannedCluster>, changes: &mut Changes<'_>) {
    match (old, new) {
        (None, None) => {}
        (None, Some(now)) => {
            changes.wider(
                Topic::Engine,
                String::from(
                    "what keeps the agent to its bundle are policies, which hold only where the cluster's network enforces \
                     them, and which who administers it may override",
                ),
            );
            let open = list(&ports(now));
            changes.narrower(Topic::Reach, format!("the agent can dial no port of its bundle but {open}"));
            changes.narrower(
                Topic::Reach,
                String::from("the sidecars can dial no private address that the spec does not open"),
            );
        }
        (Some(_), None) => {
            changes.narrower(
                Topic::Engine,
                String::from("what keeps the agent to its bundle is the engine, and no cluster's network"),
            );
            changes.wider(Topic::Reach, String::from("the agent can dial every port of its bundle"));
            changes.wider(
                Topic::Reach,
                String::from("the sidecars can dial what the host can, private addresses among it"),
            );
        }
        (Some(before), Some(now)) => {
            let PlannedCluster { runtime_class, run_as, ports: _ } = now;
            if before.runtime_class != *runtime_class {
                changes.unclear(
                    Topic::Engine,
                    format!(
                        "the agent runs under the RuntimeClass {} instead of {}",
                        quote(runtime_class),
                        quote(&before.runtime_class)
                    ),
                );
            }
            if before.run_as != *run_as {
                let user = |user: Option<u32>| {
                    user.map_or_else(|| String::from("the image's own user"), |user| format!("user {user}"))
                };
                let (now, before) = (user(**run_as), user(*before.run_as));
                changes.unclear(Topic::Agent, format!("the agent runs as {now} instead of {before}"));
            }
            let (before, now) = (ports(before), ports(now));
            let more: Vec<u16> = now.iter().filter(|port| !before.contains(port)).copied().collect();
            let less: Vec<u16> = before.iter().filter(|port| !now.contains(port)).copied().collect();
            if !more.is_empty() {
                changes.wider(Topic::Reach, format!("the agent can dial port {} of its bundle", list(&more)));
            }
            if !less.is_empty() {
                changes.narrower(
                    Topic::Reach,
                    format!("the agent can no longer dial port {} of its bundle", list(&less)),
                );
            }
        }
    }
}

/// What the namespace admits.
pub(super) fn made(old: &ClusterResources, new: &ClusterResources, changes: &mut Changes<'_>) {
    let ClusterResources {
        // Follows from the bottle's name.
        namespace: _,
        pod_security,
        // Told of who is given them.
        inputs: _,
        volumes: _,
    } = new;
    let level = |text: &str| {
        let all = [PodSecurity::Restricted, PodSecurity::Baseline, PodSecurity::Privileged];
        all.into_iter().find(|level| level.as_str() == text).unwrap_or(PodSecurity::Privileged)
    };
    let (before, now) = (level(&old.pod_security), level(pod_security));
    let text =
        || format!("the namespace admits Pods of the level {} instead of {}", now.as_str(), before.as_str());
    match now.cmp(&before) {
        std::cmp::Ordering::Greater => changes.wider(Topic::Host, text()),
        std::cmp::Ordering::Less => changes.narrower(Topic::Host, text()),
        std::cmp::Ordering::Equal => {}
    }
}
