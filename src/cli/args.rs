//! Command-line arguments; the help text, the completions and the man page are made from these types.

use std::ffi::OsString;
use std::net::IpAddr;
use std::path::PathBuf;

use super::levels::Leveling;
use super::reports::Reporting;
use bottlec::world::catalogue::{self, Subject};
use clap::builder::PossibleValuesParser;
use clap::{Args, Parser, Subcommand, ValueEnum};

/// A config compiler for sandboxed AI agents: one KDL spec in, a verified microVM stage out.
#[derive(Debug, Parser)]
#[command(name = "bottlec", version, after_help = EXIT_CODES, max_term_width = 100)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What the exit codes mean, for the help and the man page.
pub(crate) const EXIT_CODES: &str = "\
Exit codes:
  0  clean: nothing is wrong
  1  findings: an error in a spec, a stage that differs, a host that is not ready, a change that is
     denied
  2  usage: the arguments make no sense
  3  failure: a file cannot be read or written, or the host does not answer

`-` in place of a spec reads standard input.";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Compile specs and write a stage for each bottle
    Build(Build),
    /// Check specs, and fix them if asked to
    Check(Check),
    /// Lay specs out: one canonical layout, with every comment and every group of lines kept
    Fmt(Fmt),
    /// Show what a spec compiles to: addresses, sidecars, who reaches what, secrets, files
    Plan(Plan),
    /// Draw a spec: sidecars and their order, who reaches what through whom, whose secrets go where
    Graph(Graph),
    /// Ask what the agent can reach, and by which line of the spec: one target, or everything
    Reach(Reach),
    /// Compare two specs or stages by what the agent can reach and hold, and say what became wider
    Diff(Diff),
    /// Trace the lines of a stage's file back to the lines of the specs that made them
    Trace(Trace),
    /// Explain a rule: what it wants, why, and what to write instead. Or print a built-in profile
    Explain(Explain),
    /// List the rules
    Rules(Rules),
    /// Write a starter spec that compiles, for an agent of the catalogue if one is named
    Init(Init),
    /// Write a spec of another tool's configuration: an older manifest of bottles, a Smolfile, a Compose file, Claude
    /// Code's sandbox settings, sandbox-runtime's JSON. It lets through no more than that did; what cannot be carried over is
    /// a comment with its reason
    Import(Import),
    /// Judge stages on disk by themselves: digests, modes, nothing added or missing, one address in the Smolfile
    Verify(Verify),
    /// Ask the host: are the programs there, in the right versions, the secrets, the images, the subnet and the ports
    Preflight(Preflight),
    /// Launch a bottle and run a program in it: compiles, builds, verifies, asks the host, starts the bundle and the
    /// machine, copies and clones what belongs into it. Again is quick, and takes up what changed
    Up(Up),
    /// Run a program in a bottle that is up
    Exec(Exec),
    /// Show what runs of a bottle, of which plan, and whether that is what the spec says
    Status(Bottle),
    /// Show what the bundle's containers said
    Logs(Logs),
    /// List what was refused to a bottle, by pipelock and by the engine, and by which line of the spec, or for want of one
    Denials(Denials),
    /// Propose what to allow of what was refused, with what the rules and a diff say of it; write what is named
    Propose(Propose),
    /// Stop a bottle: the machine and the containers stay, with all that is in them
    Stop(Bottle),
    /// Remove a bottle's machine, its containers and its network; what the bundle keeps in volumes stays
    Down(Down),
    /// Fetch what agents pushed to repositories of this host: to remote-tracking branches, nothing else
    Pull(Pull),
    /// Serve an editor: the language server, on standard input and output
    Lsp,
    /// Print a completion script for a shell
    Completions(Completions),
    /// Print the man page
    Man,
}

/// The spec that a command takes when none is named.
pub(crate) const SPEC: &str = "bottle.kdl";

/// One bottle of a spec, and how it is compiled.
#[derive(Debug, Args)]
pub(crate) struct Bottle {
    /// The spec
    #[arg(value_name = "SPEC", default_value = SPEC)]
    pub(crate) spec: PathBuf,
    #[command(flatten)]
    pub(crate) which: Which,
}

/// Which bottle of a spec is meant, and how it is compiled.
#[derive(Debug, Args)]
pub(crate) struct Which {
    /// This bottle of it, or one that was launched by this name
    #[arg(long, value_name = "SLUG")]
    pub(crate) bottle: Option<String>,
    /// Where the stages go. Without it, `stage` in the spec's workspace
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) leveling: Leveling,
}

#[derive(Debug, Args)]
#[command(after_help = UP_CODES)]
pub(crate) struct Up {
    #[command(flatten)]
    pub(crate) bottle: Bottle,
    /// Launch it under another name, which has addresses of its own: a second copy beside the first
    #[arg(long, value_name = "SLUG")]
    pub(crate) name: Option<String>,
    /// Remove the machine and make it anew, when the spec needs another one: what is in it is lost
    #[arg(long)]
    pub(crate) recreate: bool,
    /// Overwrite a stage that was edited by hand
    #[arg(long)]
    pub(crate) force: bool,
    /// Do not ask whether the host has what is needed; what would be handed over is looked at all the same
    #[arg(long)]
    pub(crate) assume_ready: bool,
    /// The program to run, and its arguments. Without one, on a terminal the agent's own, as the spec's `agent` says, or a
    /// shell where it says none; nothing elsewhere. `-- sh -l` is a shell
    #[arg(last = true, value_name = "PROGRAM")]
    pub(crate) program: Vec<OsString>,
}

/// What the exit code of `up` and `exec` is.
const UP_CODES: &str = "\
The exit code is that of PROGRAM. A failure before it is started is 125, and what this run made is undone then.";

#[derive(Debug, Args)]
#[command(after_help = UP_CODES)]
pub(crate) struct Exec {
    #[command(flatten)]
    pub(crate) bottle: Bottle,
    /// The program, and its arguments
    #[arg(last = true, required = true, value_name = "PROGRAM")]
    pub(crate) program: Vec<OsString>,
}

#[derive(Debug, Args)]
pub(crate) struct Logs {
    /// The sidecars; all of them when none is named
    #[arg(value_name = "SIDECAR")]
    pub(crate) sidecars: Vec<String>,
    /// The spec
    #[arg(long, value_name = "SPEC", default_value = SPEC)]
    pub(crate) spec: PathBuf,
    #[command(flatten)]
    pub(crate) which: Which,
    /// How many lines of each are shown
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub(crate) tail: u32,
    /// Go on with what it says from now on; for one sidecar
    #[arg(long)]
    pub(crate) follow: bool,
}

/// Where refusals are read.
#[derive(Debug, Args)]
pub(crate) struct Records {
    /// Read this file of records, and ask no bottle that runs: pipelock's log, or what the engine's `egress-events` prints; `-`
    /// is standard input
    #[arg(long = "from", value_name = "FILE")]
    pub(crate) from: Vec<PathBuf>,
}

/// How refusals and proposals are shown.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub(crate) enum RecordsFormat {
    /// For people
    #[default]
    Text,
    /// One JSON object, described by a schema in schemas/
    Json,
}

#[derive(Debug, Args)]
pub(crate) struct Denials {
    #[command(flatten)]
    pub(crate) bottle: Bottle,
    #[command(flatten)]
    pub(crate) records: Records,
    /// How they are shown
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: RecordsFormat,
}

#[derive(Debug, Args)]
pub(crate) struct Propose {
    #[command(flatten)]
    pub(crate) bottle: Bottle,
    #[command(flatten)]
    pub(crate) records: Records,
    /// Take the hosts, too, that the agent asked for and a human approved: from the bottle's own queue, or from this one
    #[arg(long, value_name = "DIR", num_args = 0..=1, require_equals = true)]
    #[allow(clippy::option_option, reason = "the flag, and its value")]
    pub(crate) queue: Option<Option<PathBuf>>,
    /// Write an `allow` of each of these hosts to the spec; a wildcard only over a host that is proposed
    #[arg(long, value_name = "HOST", num_args = 1..)]
    pub(crate) apply: Vec<String>,
    /// How the proposals are shown
    #[arg(long, value_enum, default_value_t, conflicts_with = "apply")]
    pub(crate) format: RecordsFormat,
}

#[derive(Debug, Args)]
pub(crate) struct Down {
    #[command(flatten)]
    pub(crate) bottle: Bottle,
    /// Remove the bundle's volumes, too: databases, and what was pushed to git-gate
    #[arg(long)]
    pub(crate) volumes: bool,
    /// Remove them even if git-gate holds what was not pulled, or cannot be asked
    #[arg(long, requires = "volumes")]
    pub(crate) force: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Build {
    /// The specs; `-` is standard input. All their bottles are compiled together, for one host
    #[arg(value_name = "SPEC", default_value = SPEC)]
    pub(crate) specs: Vec<PathBuf>,
    /// Where the stages go: a directory for each bottle, by its name. Without it, `stage` in the specs' workspace
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Write nothing; fail if a stage on disk differs from what the specs say
    #[arg(long, conflicts_with = "force")]
    pub(crate) check: bool,
    /// Overwrite a stage that was edited by hand
    #[arg(long)]
    pub(crate) force: bool,
    /// Make it an error when a target holds wider than the spec says, such as a port that is not enforced
    #[arg(long)]
    pub(crate) strict: bool,
    #[command(flatten)]
    pub(crate) leveling: Leveling,
    #[command(flatten)]
    pub(crate) reporting: Reporting,
}

#[derive(Debug, Args)]
pub(crate) struct Check {
    /// Specs and directories; `-` is standard input. The specs that are named are compiled together, for one host; each
    /// spec that is found in a directory by itself. Without any, the working directory
    #[arg(value_name = "SPEC")]
    pub(crate) specs: Vec<PathBuf>,
    /// What standard input is called: a path, which need not be there. Without any SPEC, standard input is meant
    #[arg(long, value_name = "FILE")]
    pub(crate) stdin_filename: Option<PathBuf>,
    /// Only specs that are not as they are in a git revision, or include such a file
    #[arg(long, value_name = "REV", num_args = 0..=1, default_missing_value = "HEAD", require_equals = true)]
    pub(crate) changed: Option<String>,
    #[command(flatten)]
    pub(crate) fixes: FixArgs,
    /// Show this many diagnostics, and count the others
    #[arg(long, value_name = "N")]
    pub(crate) max_diagnostics: Option<usize>,
    /// Count how often each rule is broken
    #[arg(long)]
    pub(crate) statistics: bool,
    /// Make it an error when a target holds wider than the spec says, such as a port that is not enforced
    #[arg(long)]
    pub(crate) strict: bool,
    #[command(flatten)]
    pub(crate) leveling: Leveling,
    #[command(flatten)]
    pub(crate) reporting: Reporting,
    /// Check again whenever something changes, until Ctrl-C
    #[arg(long, conflicts_with_all = ["fix", "unsafe_fixes", "diff", "stdin_filename"])]
    pub(crate) watch: bool,
}

/// How specs are laid out.
#[derive(Debug, Args)]
pub(crate) struct Fmt {
    /// Files and directories, laid out in place; `-` is standard input, and goes to standard output. A file that is named
    /// may be any KDL 2; in a directory it is the specs. Without any, the working directory
    #[arg(value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// Name what is not laid out, and write nothing; fail if there is anything
    #[arg(long)]
    pub(crate) check: bool,
    /// Show what would change, and write nothing; fail if there is anything
    #[arg(long, conflicts_with = "check")]
    pub(crate) diff: bool,
    /// What standard input is called: a path, which need not be there. Without any FILE, standard input is meant
    #[arg(long, value_name = "FILE")]
    pub(crate) stdin_filename: Option<PathBuf>,
}

/// Which fixes are applied, and whether they are only shown.
#[derive(Debug, Args)]
pub(crate) struct FixArgs {
    /// Apply safe fixes
    #[arg(long)]
    pub(crate) fix: bool,
    /// Apply fixes that may change what a spec means, too
    #[arg(long)]
    pub(crate) unsafe_fixes: bool,
    /// Show what the fixes would change, and write nothing; fail if there is anything
    #[arg(long)]
    pub(crate) diff: bool,
}

/// How a plan is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum PlanFormat {
    /// For people
    #[default]
    Text,
    /// The `plan.json` that `build` would write; a list of them for several bottles
    Json,
    /// A shell script that does what `up`, `stop` and `down` do, for one bottle
    Sh,
}

#[derive(Debug, Args)]
pub(crate) struct Plan {
    /// The spec; `-` is standard input
    #[arg(value_name = "SPEC", default_value = SPEC)]
    pub(crate) spec: PathBuf,
    /// Only this bottle of it
    #[arg(long, value_name = "SLUG")]
    pub(crate) bottle: Option<String>,
    /// Where the stages would go. Without it, `stage` in the spec's workspace
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) leveling: Leveling,
    /// How the plan is shown
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: PlanFormat,
    /// Show digests in the text, too: those of files, specs and images
    #[arg(long, short)]
    pub(crate) verbose: bool,
}

/// How a picture is written.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub(crate) enum GraphFormat {
    /// A tree, for a terminal
    #[default]
    Text,
    /// An image by itself, for light and dark pages
    Svg,
    /// A flowchart that Markdown pages can hold
    Mermaid,
    /// Input for Graphviz
    Dot,
}

impl From<GraphFormat> for bottlec::report::graph::Format {
    fn from(format: GraphFormat) -> Self {
        match format {
            GraphFormat::Text => Self::Text,
            GraphFormat::Svg => Self::Svg,
            GraphFormat::Mermaid => Self::Mermaid,
            GraphFormat::Dot => Self::Dot,
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct Graph {
    /// The spec; `-` is standard input. All its bottles are in one picture
    #[arg(value_name = "SPEC", default_value = SPEC)]
    pub(crate) spec: PathBuf,
    /// Only this bottle of it
    #[arg(long, value_name = "SLUG")]
    pub(crate) bottle: Option<String>,
    /// How the picture is written, to standard output
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: GraphFormat,
}

/// How an answer is shown.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub(crate) enum ReachFormat {
    /// For people
    #[default]
    Text,
    /// One JSON object, described by schemas/reach.schema.json
    Json,
}

#[derive(Debug, Args)]
pub(crate) struct Reach {
    /// The spec, whose name ends in `.kdl`; `-` is standard input. Without one, `bottle.kdl`
    #[arg(value_name = "SPEC")]
    pub(crate) spec: Option<PathBuf>,
    /// Hosts or addresses, perhaps with a port, or requests of an API; without one, everything is shown
    #[arg(value_name = "HOST[:PORT]")]
    pub(crate) targets: Vec<String>,
    /// Ask as if the names resolved to this address
    #[arg(long, value_name = "ADDRESS", requires = "spec")]
    pub(crate) at: Option<IpAddr>,
    /// Only this bottle of it
    #[arg(long, value_name = "SLUG")]
    pub(crate) bottle: Option<String>,
    /// How the answer is shown
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: ReachFormat,
}

/// How a comparison is shown.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub(crate) enum DiffFormat {
    /// For people
    #[default]
    Text,
    /// For a comment on a pull request
    Markdown,
    /// One JSON object, described by schemas/diff.schema.json
    Json,
}

#[derive(Debug, Args)]
pub(crate) struct Diff {
    /// What was: a spec, a stage, a directory of stages, or a spec of a git revision as `REV:path`
    #[arg(value_name = "OLD")]
    pub(crate) old: PathBuf,
    /// What is, likewise
    #[arg(value_name = "NEW")]
    pub(crate) new: PathBuf,
    /// Fail when the agent can reach or hold anything more than before, or nobody can tell
    #[arg(long)]
    pub(crate) deny_widening: bool,
    /// Only this bottle
    #[arg(long, value_name = "SLUG")]
    pub(crate) bottle: Option<String>,
    /// How the changes are shown
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: DiffFormat,
}

/// How lines are traced.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub(crate) enum TraceFormat {
    /// For people
    #[default]
    Text,
    /// One JSON object, described by schemas/trace.schema.json
    Json,
}

#[derive(Debug, Args)]
pub(crate) struct Trace {
    /// A file of a stage, and one line of it; without a line, all lines
    #[arg(value_name = "STAGE-FILE[:LINE]")]
    pub(crate) place: PathBuf,
    /// The specs that the stage was built from; those that its plan names when not given
    #[arg(long = "spec", value_name = "SPEC")]
    pub(crate) specs: Vec<PathBuf>,
    /// How the answer is shown
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: TraceFormat,
}

#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// The rule's id, as it stands in a diagnostic, or a built-in profile's name; without it, all rules are listed
    #[arg(value_name = "RULE")]
    pub(crate) rule: Option<String>,
}

/// How the rules are listed.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub(crate) enum RulesFormat {
    /// A line each
    #[default]
    Text,
    /// A page with a table
    Markdown,
    /// One JSON object with every page, described by schemas/rules.schema.json
    Json,
}

#[derive(Debug, Args)]
pub(crate) struct Rules {
    /// How the rules are listed
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: RulesFormat,
}

#[derive(Debug, Args)]
pub(crate) struct Init {
    /// The directory that the spec, `bottle.kdl`, is written to
    #[arg(value_name = "DIR", default_value = ".")]
    pub(crate) directory: PathBuf,
    /// Write one for this agent: it extends the agent's built-in profile
    #[arg(long, value_name = "NAME", value_parser = PossibleValuesParser::new(catalogue::of_subject(Subject::Agent).map(|it| it.word)))]
    pub(crate) agent: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Import {
    /// The files, told apart by what is in them; `-` is standard input. One spec is made of them all, and goes to standard
    /// output
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// Fail if anything is not carried over
    #[arg(long)]
    pub(crate) strict: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Preflight {
    /// Specs whose bottles are to run on this host; without one `bottle.kdl` if that is there, and only the engine is
    /// looked for if not
    #[arg(value_name = "SPEC")]
    pub(crate) specs: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) reporting: Reporting,
}

#[derive(Debug, Args)]
pub(crate) struct Pull {
    /// The spec
    #[arg(value_name = "SPEC", default_value = SPEC)]
    pub(crate) spec: PathBuf,
    /// Only this bottle of it, or one that was launched by this name
    #[arg(long, value_name = "SLUG")]
    pub(crate) bottle: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// The stages: directories that `build` wrote
    #[arg(required = true, value_name = "STAGE")]
    pub(crate) stages: Vec<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Completions {
    /// The shell
    #[arg(value_enum)]
    pub(crate) shell: clap_complete::Shell,
}
