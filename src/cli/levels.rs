//! `--allow`, `--warn`, `--deny`: the levels that a run sets.

use std::ffi::OsStr;

use bottlec::Options;
use bottlec::check::levels::{LevelOverride, LintSelector};
use bottlec::rule::{self, InvalidLevel, LevelSource, Setting};
use bottlec::text::quote;
use clap::builder::{PossibleValue, TypedValueParser};
use clap::error::ErrorKind;
use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches};

/// The levels that a run sets.
///
/// Derived arguments would be a list for each of the three, and which of them came later would be lost.
#[derive(Clone, Debug, Default)]
pub(crate) struct Leveling {
    /// In the order in which they were given.
    overrides: Vec<LevelOverride>,
    /// Whether what specs set counts for nothing.
    ignore_lint: bool,
}

impl Leveling {
    /// Converts the arguments to the options of a compile.
    pub(crate) fn options(&self) -> Options {
        Options { overrides: self.overrides.clone(), ignore_lint: self.ignore_lint, ..Options::default() }
    }
}

const SETTINGS: [(Setting, &str); 3] = [
    (
        Setting::Allow,
        "Do not show what breaks a rule, and count it: RULE is the name of a rule, `warnings`, or `all`. What a spec's \
         `lint` says counts before it. Of several levels for a rule, the last one counts",
    ),
    (Setting::Warn, "Make it a warning. What a spec's `lint` says counts before it"),
    (
        Setting::Deny,
        "Make it an error, whatever a spec's `lint` says. `warnings` leaves what a spec accepts, its name or `all` denies \
         that, too",
    ),
];

const IGNORE_LINT: &str = "ignore-lint";

impl Args for Leveling {
    fn augment_args(command: Command) -> Command {
        let flags = SETTINGS.map(|(setting, help)| {
            Arg::new(setting.as_str())
                .long(setting.as_str())
                .value_name("RULE")
                .help(help)
                .action(ArgAction::Append)
                // There are too many to be listed, and a shell that completes them needs them.
                .hide_possible_values(true)
                .value_parser(FlagParser(setting))
        });
        let ignore = Arg::new(IGNORE_LINT)
            .long(IGNORE_LINT)
            .help("Take no level from specs: judge by the rules, and by the levels of this run")
            .action(ArgAction::SetTrue);
        command.args(flags).arg(ignore)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Leveling {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut overrides: Vec<(usize, LevelOverride)> = Vec::new();
        for (setting, _) in SETTINGS {
            let id = setting.as_str();
            let given = matches.get_many::<LevelOverride>(id).into_iter().flatten().copied();
            overrides.extend(matches.indices_of(id).into_iter().flatten().zip(given));
        }
        overrides.sort_by_key(|(index, _)| *index);
        let overrides = overrides.into_iter().map(|(_, given)| given).collect();
        Ok(Self { overrides, ignore_lint: matches.get_flag(IGNORE_LINT) })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

/// Reads what one of the three names.
#[derive(Clone)]
struct FlagParser(Setting);

impl TypedValueParser for FlagParser {
    type Value = LevelOverride;

    fn parse_ref(
        &self,
        command: &Command,
        _: Option<&Arg>,
        value: &OsStr,
    ) -> Result<LevelOverride, clap::Error> {
        let Self(setting) = *self;
        let text = value.to_string_lossy();
        let selector = match &*text {
            "warnings" => LintSelector::Warnings,
            "all" => LintSelector::All,
            id => LintSelector::Rule(setting.rule(id, LevelSource::Run).map_err(|invalid| {
                let InvalidLevel { message, help, meant } = invalid;
                let meant = meant.map(|meant| format!("did you mean {}?", quote(meant)));
                let hint = meant.or(help).map(|hint| format!(": {hint}")).unwrap_or_default();
                command.clone().error(ErrorKind::InvalidValue, format!("{message}{hint}"))
            })?),
        };
        Ok(LevelOverride { setting, selector })
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        let rules = rule::ALL.iter().filter(|rule| self.0.rule(rule.id, LevelSource::Run).is_ok());
        let rules = rules.map(|rule| PossibleValue::new(rule.id).help(rule.summary));
        let groups = [("warnings", "whatever is a warning"), ("all", "everything")];
        let groups = groups.map(|(name, help)| PossibleValue::new(name).help(help));
        Some(Box::new(groups.into_iter().chain(rules)))
    }
}
