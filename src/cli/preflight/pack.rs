//! The packed machine that a bottle with secrets boots from: the program that it starts by itself gets none of them.

use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::Path;

use bottlec::plan::Plan;
use bottlec::text::{quote, quote_path};
use bottlec::world::builtin;
use bottlec::world::engine::{BootKind, SecretRoute};
use serde::Deserialize;

use super::{Finding, on_host};

/// The part of a pack's manifest that says what is started with the machine.
#[derive(Debug, Deserialize)]
struct Manifest {
    #[serde(default)]
    entrypoint: Vec<String>,
    #[serde(default)]
    cmd: Vec<String>,
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

/// Whoever made the pack knows whether its program needs a secret: it is said, and no reason not to launch.
pub(super) fn check(plan: &Plan) -> Option<Finding> {
    let boot = plan.boot.as_ref().filter(|boot| boot.kind == BootKind::Artifact)?;
    let secrets = plan.secrets().any(|secret| secret.receiver == builtin::AGENT);
    if plan.secret_route() != SecretRoute::Exec || !secrets {
        return None;
    }
    let path = on_host(&boot.source)?;
    let pack = format!("the packed machine {} of {}", quote_path(&path), quote(&plan.slug));
    Some(match Manifest::read(&path) {
        Ok(manifest) => Finding::ready(match manifest.program() {
            Some(program) => format!(
                "{pack} starts {} by itself, without the agent's secrets: `exec` and `attach` give them",
                quote(program)
            ),
            None => format!("{pack} names no program to start by itself"),
        }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Finding::missing(format!("{pack} is not there"), String::from("`smolvm pack create` makes one"))
        }
        Err(error) => Finding::missing(
            format!("{pack} cannot be looked at: {error}"),
            String::from("name the `.smolmachine` file that `smolvm pack create` wrote"),
        ),
    })
}
