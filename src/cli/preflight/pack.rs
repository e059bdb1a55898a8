//! The packed machine that a bottle boots from: the program that it starts by itself gets no secret, and whether it has a
//! graphics processor is for it to say.

use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::Path;

use bottlec::plan::Plan;
use bottlec::text::{quote, quote_path};
use bottlec::world::builtin;
use bottlec::world::engine::{BootKind, SecretRoute};
use serde::Deserialize;

use super::{Finding, on_host, recipe};

/// The part of a pack's manifest that says what is started with the machine, and what that has of the host.
#[derive(Debug, Deserialize)]
struct Manifest {
    #[serde(default)]
    entrypoint: Vec<String>,
    #[serde(default)]
    cmd: Vec<String>,
    gpu: Option<bool>,
}

impl Manifest {
    /// The length of what stands at a pack's end.
    const FOOTER: usize = 64;
    /// How that begins.
    const MAGIC: &[u8] = b"SMOLPACK";
    /// The longest manifest that is read; they have a few KB.
    const LONGEST: u64 = 1024 * 1024;

    /// Reads the manifest of a pack, as every smolvm that is known lays one out (read: format.rs at 1.9.3; run: 1.4.0 to
    /// 1.32.2 take such a file).
    fn read(path: &Path) -> io::Result<Self> {
        // Whoever opens a pipe waits for somebody to write to it.
        if !fs::metadata(path)?.is_file() {
            return Err(io::Error::other("it is no regular file"));
        }
        let no_pack = |_| io::Error::other("it is no packed machine");
        let mut file = File::open(path)?;
        let mut footer = [0; Self::FOOTER];
        let from_end = i64::try_from(Self::FOOTER).map_err(io::Error::other)?;
        file.seek(SeekFrom::End(-from_end)).map_err(no_pack)?;
        file.read_exact(&mut footer)?;
        if !footer.starts_with(Self::MAGIC) {
            return Err(no_pack(io::ErrorKind::InvalidData.into()));
        }
        let number = |at: usize| {
            let bytes = footer.get(at..at + 8).and_then(|bytes| bytes.try_into().ok());
            bytes.map_or(u64::MAX, u64::from_le_bytes)
        };
        let (offset, length) = (number(36), number(44));
        file.seek(SeekFrom::Start(offset)).map_err(no_pack)?;
        let mut manifest = Vec::new();
        file.take(length.min(Self::LONGEST)).read_to_end(&mut manifest)?;
        serde_json::from_slice(&manifest).map_err(|_| no_pack(io::ErrorKind::InvalidData.into()))
    }

    /// The program that is started with the machine.
    fn program(&self) -> Option<&str> {
        self.entrypoint.iter().chain(&self.cmd).next().map(String::as_str)
    }
}

/// Looks at the packed machine of a bottle, where something hangs on it: what its program is started without, and whether
/// it has the host's graphics processor.
pub(super) fn check(plan: &Plan) -> Vec<Finding> {
    let Some(boot) = plan.boot.as_ref().filter(|boot| boot.kind == BootKind::Artifact) else {
        return Vec::new();
    };
    let Some(path) = on_host(&boot.source) else { return Vec::new() };
    let secrets = plan.secret_route() == SecretRoute::Exec
        && plan.secrets().any(|secret| secret.receiver == builtin::AGENT);
    let gpu = *plan.machine.gpu;
    let pack = format!("the packed machine {} of {}", quote_path(&path), quote(&plan.slug));
    match Manifest::read(&path) {
        Ok(manifest) => secrets
            .then(|| starts(&manifest, &pack))
            .into_iter()
            .chain(drives(&manifest, gpu, &pack))
            .collect(),
        // Nothing hangs on it that would not be seen by whoever starts it.
        Err(_) if !secrets && !gpu => Vec::new(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => vec![Finding::missing(
            format!("{pack} is not there"),
            recipe::of(plan, boot).unwrap_or_else(|| String::from("`smolvm pack create` makes one")),
        )],
        Err(error) => vec![Finding::missing(
            format!("{pack} cannot be looked at: {error}"),
            String::from("name the `.smolmachine` file that `smolvm pack create` wrote"),
        )],
    }
}

/// Whoever made the pack knows whether its program needs a secret: it is said, and no reason not to launch.
fn starts(manifest: &Manifest, pack: &str) -> Finding {
    Finding::ready(match manifest.program() {
        Some(program) => format!(
            "{pack} starts {} by itself, without the agent's secrets: `exec` and `attach` give them",
            quote(program)
        ),
        None => format!("{pack} names no program to start by itself"),
    })
}

/// What the pack says of a graphics processor counts, whatever flag is given (run: 1.4.0, 1.8.3 and 1.32.2).
fn drives(manifest: &Manifest, asked: bool, pack: &str) -> Option<Finding> {
    match (manifest.gpu.unwrap_or_default(), asked) {
        (true, false) => Some(Finding::missing(
            format!("{pack} has the host's graphics processor, of which the spec says nothing"),
            String::from("pack it without `gpu`, or write `gpu` into the bottle, which then says why"),
        )),
        (false, true) => Some(Finding::missing(
            format!("{pack} has no graphics processor, and smolvm gives it none"),
            String::from("pack it with `gpu`, or take `gpu` out of the bottle"),
        )),
        _ => None,
    }
}
