//! Reports of reachability, as text.

use std::fmt::Write as _;

use owo_colors::Style as Paint;

use super::{Answer, Cause, Known, Outcome, Overview, Report, Row};
use crate::report::{Style, one_line, wrapping};

/// Writes a report for a terminal or a log.
#[must_use]
pub fn render(report: &Report, style: &Style) -> String {
    let Report { version: _, answers, overviews } = report;
    let mut page = Page { text: String::new(), style };
    for (at, answer) in answers.iter().enumerate() {
        if at > 0 {
            page.text.push('\n');
        }
        page.answer(answer);
    }
    for (at, overview) in overviews.iter().enumerate() {
        if at > 0 {
            page.text.push('\n');
        }
        page.overview(overview);
    }
    page.text
}

struct Page<'a> {
    text: String,
    style: &'a Style,
}

impl Page<'_> {
    /// A line that is wrapped at the width, its later lines below `hang`. Writing to a `String` cannot fail. What comes
    /// from a spec is made harmless for a terminal.
    fn line(&mut self, head: &str, text: &str) {
        let hang = " ".repeat(textwrap::core::display_width(head));
        let options = wrapping(self.style.columns()).initial_indent(head).subsequent_indent(&hang);
        for line in textwrap::wrap(&one_line(text), options) {
            let _ = writeln!(self.text, "{}", line.trim_end());
        }
    }

    fn outcome(&self, outcome: Outcome) -> String {
        let paint = self.style.paint(match outcome {
            Outcome::Allowed => Paint::new().yellow().bold(),
            Outcome::Depends => Paint::new().magenta().bold(),
            Outcome::Refused => Paint::new().green().bold(),
        });
        paint.style(outcome.as_str()).to_string()
    }

    fn title(&mut self, title: &str) {
        let _ = writeln!(self.text, "\n{}", self.style.strong().style(title));
    }

    fn answer(&mut self, answer: &Answer) {
        let Answer { bottle, target, at, verdict, because, path, notes } = answer;
        let at = at.as_ref().map(|at| format!(" at {at}")).unwrap_or_default();
        let _ = writeln!(
            self.text,
            "{}{at} from {}: {}",
            self.style.strong().style(one_line(target)),
            one_line(bottle),
            self.outcome(*verdict)
        );
        if because.first().is_none_or(|cause| cause.kind == "nearest") {
            self.line("  by     ", "no rule: nothing allows it");
        }
        let against = *verdict == Outcome::Refused || because.first().is_some_and(|it| it.kind == "sidecar");
        for (n, cause) in because.iter().enumerate() {
            let Cause { kind, rule, origin } = cause;
            let place = origin.as_ref().map(|origin| format!(", {origin}")).unwrap_or_default();
            let says = match *kind {
                "nearest" => format!("the nearest is allow {rule}{place}"),
                "allow" | "deny" | "private" => format!("{kind} {rule}{place}"),
                _ => format!("{rule}{place}"),
            };
            let head = match (n, *kind) {
                (_, "nearest") => "        ",
                (0, _) => "  by    ",
                _ if against => "  though",
                _ => "  and   ",
            };
            self.line(&format!("{head} "), &says);
        }
        let arrow = if self.style.unicode { " → " } else { " -> " };
        let mut way = path.join(arrow);
        if *verdict == Outcome::Refused {
            way.push_str(", and no further");
        }
        self.line("  path   ", &way);
        for note in notes {
            self.line("  note   ", note);
        }
    }

    fn overview(&mut self, overview: &Overview) {
        let Overview { bottle, engine, promise, gaps, dialled, proxied, brokered, repositories, known } =
            overview;
        self.line("", &format!("bottle {bottle}, compiled for {engine}: {promise}"));
        for Cause { kind: _, rule, origin } in gaps {
            let accepted =
                origin.as_ref().map(|origin| format!(", accepted in {origin}")).unwrap_or_default();
            self.line("  but ", &format!("{rule}{accepted}"));
        }
        self.rows("Dialled by the agent itself", dialled);
        self.rows("Through pipelock, which looks at no port", proxied);
        if !brokered.is_empty() {
            self.rows("Through the broker, which no pipelock scans", brokered);
        }
        if !repositories.is_empty() {
            self.rows("Through git-gate", repositories);
        }
        self.title("How that is known");
        for Known { claim, evidence } in known {
            self.line("  ", claim);
            self.line("      ", evidence);
        }
    }

    fn rows(&mut self, title: &str, rows: &[Row]) {
        self.title(title);
        let width = |text: &str| textwrap::core::display_width(&one_line(text));
        let targets = rows.iter().map(|row| width(&row.target)).max().unwrap_or(0).min(40);
        let origins =
            rows.iter().filter_map(|row| row.origin.as_deref()).map(width).max().unwrap_or(0).min(40);
        let pad = |text: &str, to: usize| " ".repeat(to.saturating_sub(width(text)));
        for Row { target, verdict, origin, note } in rows {
            let mut head = format!("  {}{}  {}", one_line(target), pad(target, targets), verdict.as_str());
            if origins > 0 {
                let origin = origin.as_deref().unwrap_or_default();
                let _ = write!(head, "  {}{}", one_line(origin), pad(origin, origins));
            }
            if width(&head) + width(note) + 2 <= self.style.columns() {
                let _ = writeln!(self.text, "{}", format!("{head}  {}", one_line(note)).trim_end());
            } else {
                let _ = writeln!(self.text, "{}", head.trim_end());
                self.line("      ", note);
            }
        }
    }
}
