//! Tells Zed how `bottlec lsp` is started: as `lsp.bottlec.binary` in the settings says, or as `PATH` has it.

use zed_extension_api::settings::LspSettings;
use zed_extension_api::{self as zed, Command, LanguageServerId, Result, Worktree};

struct Bottlec;

impl zed::Extension for Bottlec {
    fn new() -> Self {
        Self
    }

    fn language_server_command(&mut self, id: &LanguageServerId, worktree: &Worktree) -> Result<Command> {
        let binary = LspSettings::for_worktree(id.as_ref(), worktree)?.binary;
        let (path, arguments) = binary.map_or((None, None), |binary| (binary.path, binary.arguments));
        // Nothing is downloaded: which `bottlec` looks at a spec is for its owner to say.
        let command = path.or_else(|| worktree.which("bottlec")).ok_or(
            "there is no `bottlec` in PATH: install it, or set `lsp.bottlec.binary.path`",
        )?;
        let args = arguments.unwrap_or_else(|| vec![String::from("lsp")]);
        Ok(Command { command, args, env: worktree.shell_env() })
    }
}

zed::register_extension!(Bottlec);
