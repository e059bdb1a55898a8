//! The formats of diagnostics, as `--format` names them.

use clap::ValueEnum;

/// How diagnostics are shown.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub(crate) enum Format {
    /// For people: with the lines concerned and what to do
    #[default]
    Fancy,
    /// One line each: `path:line:column: error[rule]: message`
    Concise,
    /// One JSON object, described by schemas/diagnostics.schema.json
    Json,
    /// SARIF 2.1.0, for code scanning
    Sarif,
    /// Workflow commands, by which GitHub Actions annotates a pull request
    Github,
    /// A code quality report for GitLab
    Gitlab,
    /// JUnit's XML: a test for each diagnostic
    Junit,
    /// Checkstyle's XML
    Checkstyle,
    /// Reviewdog's diagnostic format
    Rdjson,
}

impl From<Format> for bottlec::report::Format {
    fn from(format: Format) -> Self {
        match format {
            Format::Fancy => Self::Fancy,
            Format::Concise => Self::Concise,
            Format::Json => Self::Json,
            Format::Sarif => Self::Sarif,
            Format::Github => Self::Github,
            Format::Gitlab => Self::Gitlab,
            Format::Junit => Self::Junit,
            Format::Checkstyle => Self::Checkstyle,
            Format::Rdjson => Self::Rdjson,
        }
    }
}
