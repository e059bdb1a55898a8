//! What the terminal can show and its user wants.

use bottlec::report::Style;

/// The columns of output that goes to no terminal.
const PIPED_WIDTH: usize = 100;

/// The style of output that goes to a terminal or elsewhere, by the environment variables that `env` looks up and the
/// terminal's own width in columns.
///
/// Graphical on a terminal, plain ASCII elsewhere. `NO_COLOR` beats `CLICOLOR_FORCE` and `FORCE_COLOR`, which beat
/// `CLICOLOR=0`, `TERM=dumb` and the lack of a terminal. `COLUMNS` beats the terminal's width.
pub(crate) fn style_for(
    is_terminal: bool,
    terminal_width: Option<usize>,
    env: impl Fn(&str) -> Option<String>,
) -> Style {
    let set = |name: &str| env(name).filter(|value| !value.is_empty());
    let on = |name: &str| set(name).map(|value| !matches!(value.as_str(), "0" | "false"));
    let capable = is_terminal && set("TERM").as_deref() != Some("dumb");
    let color = if set("NO_COLOR").is_some() {
        false
    } else if let Some(forced) = on("CLICOLOR_FORCE").filter(|forced| *forced).or_else(|| on("FORCE_COLOR")) {
        forced
    } else {
        capable && on("CLICOLOR") != Some(false)
    };
    let width = set("COLUMNS")
        .and_then(|value| value.parse().ok())
        .filter(|columns| *columns > 0)
        .or(terminal_width.filter(|_| is_terminal))
        .unwrap_or(if is_terminal { Style::default().width } else { PIPED_WIDTH });
    Style { color, unicode: capable && shows_unicode(&set), width }
}

/// The width of the terminal that one of the standard streams goes to, in columns.
pub(crate) fn width() -> Option<usize> {
    terminal_size::terminal_size().map(|(columns, _)| usize::from(columns.0))
}

/// Whether a terminal shows more than ASCII: by the locale, and on Windows by the terminal.
fn shows_unicode(set: &impl Fn(&str) -> Option<String>) -> bool {
    if cfg!(windows) {
        return ["WT_SESSION", "TERM_PROGRAM", "ConEmuTask"].into_iter().any(|name| set(name).is_some());
    }
    // The kernel's own console has few of the characters that are drawn with.
    let console = set("TERM").as_deref() == Some("linux");
    let locale = set("LC_ALL").or_else(|| set("LC_CTYPE")).or_else(|| set("LANG")).unwrap_or_default();
    let locale = locale.to_ascii_lowercase();
    !console && (locale.contains("utf-8") || locale.contains("utf8"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn style(is_terminal: bool, env: &[(&str, &str)]) -> Style {
        style_for(is_terminal, Some(120), |name| {
            env.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        })
    }

    const UTF8: (&str, &str) = ("LANG", "en_US.UTF-8");

    #[test]
    fn a_terminal_is_graphical_and_a_pipe_plain() {
        let terminal = style(true, &[("TERM", "xterm-256color"), UTF8]);
        assert_eq!(terminal, Style { color: true, unicode: !cfg!(windows), width: 120 });
        assert_eq!(style(false, &[UTF8]), Style { color: false, unicode: false, width: 100 });
    }

    #[test]
    fn colour_is_asked_for_and_declined() {
        for (is_terminal, env, expected) in [
            (true, &[("NO_COLOR", "1")][..], false),
            (true, &[("NO_COLOR", "")], true),
            (true, &[("NO_COLOR", "1"), ("FORCE_COLOR", "1")], false),
            (false, &[("FORCE_COLOR", "1")], true),
            (false, &[("FORCE_COLOR", "0")], false),
            (true, &[("FORCE_COLOR", "false")], false),
            (false, &[("CLICOLOR_FORCE", "1")], true),
            (false, &[("CLICOLOR_FORCE", "0")], false),
            (true, &[("CLICOLOR_FORCE", "0")], true),
            (true, &[("CLICOLOR", "0")], false),
            (true, &[("TERM", "dumb")], false),
            (true, &[("TERM", "dumb"), ("CLICOLOR_FORCE", "1")], true),
        ] {
            assert_eq!(style(is_terminal, env).color, expected, "{is_terminal} {env:?}");
        }
    }

    #[test]
    #[cfg(not(windows))]
    fn unicode_follows_the_locale() {
        for (env, expected) in [
            (&[("LANG", "C")][..], false),
            (&[], false),
            (&[("LC_ALL", "C"), UTF8], false),
            (&[("LC_CTYPE", "C.utf8"), ("LANG", "C")], true),
            (&[("TERM", "dumb"), UTF8], false),
            (&[("TERM", "linux"), UTF8], false),
        ] {
            assert_eq!(style(true, env).unicode, expected, "{env:?}");
        }
    }

    #[test]
    fn the_width_is_the_users_the_terminals_or_a_guess() {
        assert_eq!(style(true, &[("COLUMNS", "72")]).width, 72);
        assert_eq!(style(false, &[("COLUMNS", "72")]).width, 72);
        assert_eq!(style(true, &[("COLUMNS", "0")]).width, 120);
        assert_eq!(style(true, &[("COLUMNS", "wide")]).width, 120);
        assert_eq!(style_for(true, None, |_| None).width, 80);
    }
}
