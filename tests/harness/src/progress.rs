//! What long work tells while it goes on: one line per stage, with its time; a spinner where there is a terminal.

use std::fmt::Display;
use std::io::{IsTerminal, stderr};
use std::time::{Duration, Instant};

use anstyle::{AnsiColor, Style};
use anyhow::Result;
use indicatif::{ProgressBar, ProgressStyle};

const GOOD: Style = AnsiColor::Green.on_default().bold();
const BAD: Style = AnsiColor::Red.on_default().bold();

/// Does the work and says on standard error how it ended and how long it took. Colours are for terminals alone.
///
/// # Errors
/// Those of the work.
pub fn stage<T, E>(what: impl Display, work: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
    let started = Instant::now();
    let spinner = if stderr().is_terminal() { ProgressBar::new_spinner() } else { ProgressBar::hidden() };
    if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {elapsed}") {
        spinner.set_style(style);
    }
    spinner.set_message(what.to_string());
    spinner.enable_steady_tick(Duration::from_millis(100));
    let result = work();
    spinner.finish_and_clear();
    let (style, word) = if result.is_ok() { (GOOD, "ok") } else { (BAD, "FAILED") };
    let seconds = started.elapsed().as_secs_f64();
    anstream::eprintln!("{style}{word:<6}{style:#} {what} ({seconds:.1} s)");
    result
}
