//! Where the words go: colours, the width of the terminal, a reader that has gone.

use std::io::{self, ErrorKind, IsTerminal, Write};

use anstyle::{AnsiColor, Style};
use raceproof_explore::render::{Line, PLAIN_WIDTH, Page, Role};

/// Wider pages are hard to read across.
const WIDEST: usize = 160;

/// Standard output. Colours reach only a terminal, and never with `NO_COLOR`.
#[derive(Debug)]
pub(crate) struct Output {
    stream: anstream::AutoStream<io::Stdout>,
    /// The columns of the terminal, if it is one.
    terminal: Option<usize>,
    /// The reader is gone (`raceproof check | head`), or the disk is full: nothing more is written.
    closed: bool,
    error: Option<io::Error>,
}

impl Output {
    pub(crate) fn stdout() -> Self {
        let stdout = io::stdout();
        let size = || terminal_size::terminal_size_of(io::stdout());
        let terminal = if stdout.is_terminal() { size().map(|(width, _)| usize::from(width.0)) } else { None };
        Self { stream: anstream::AutoStream::auto(stdout), terminal, closed: false, error: None }
    }

    /// The columns of a terminal; `None` for a file or a pipe, where lines may be as long as they need.
    pub(crate) const fn terminal_columns(&self) -> Option<usize> {
        self.terminal
    }

    /// The columns of a page.
    pub(crate) fn page_columns(&self) -> usize {
        self.terminal.map_or(PLAIN_WIDTH, |columns| columns.min(WIDEST))
    }

    pub(crate) fn page(&mut self, page: &Page) {
        page.lines.iter().for_each(|line| self.line(line));
    }

    pub(crate) fn line(&mut self, line: &Line) {
        let text: String = line.spans.iter().map(|span| painted(span.role, &span.text)).collect();
        self.text(&format!("{text}\n"));
    }

    pub(crate) fn gap(&mut self) {
        self.text("\n");
    }

    pub(crate) fn text(&mut self, text: &str) {
        if self.closed {
            return;
        }
        if let Err(error) = self.stream.write_all(text.as_bytes()).and_then(|()| self.stream.flush()) {
            self.closed = true;
            // Who closes the pipe has seen enough; that is no failure.
            self.error = (error.kind() != ErrorKind::BrokenPipe).then_some(error);
        }
    }

    /// Why not everything could be written, if so.
    pub(crate) fn into_error(self) -> Option<io::Error> {
        self.error
    }
}

/// Says on standard error what is wrong. The text may go on over several lines; they stay as they are.
pub(crate) fn complain(text: &str) {
    let red = AnsiColor::Red.on_default().bold();
    let mut stream = anstream::AutoStream::auto(io::stderr());
    // With standard error gone there is nobody left to tell.
    let _ = writeln!(stream, "{red}error:{red:#} {text}");
}

/// Says something on standard error that is no error.
pub(crate) fn remark(text: &str) {
    let _ = writeln!(anstream::AutoStream::auto(io::stderr()), "\n{text}");
}

fn painted(role: Role, text: &str) -> String {
    let style = match role {
        Role::Plain => return text.to_owned(),
        Role::Bad => AnsiColor::Red.on_default().bold(),
        Role::Good => AnsiColor::Green.on_default(),
        Role::Strong => Style::new().bold(),
        Role::Faint => Style::new().dimmed(),
        Role::Clock => AnsiColor::Yellow.on_default(),
        Role::State => AnsiColor::Cyan.on_default(),
    };
    format!("{style}{text}{style:#}")
}
