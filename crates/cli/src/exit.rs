//! How the program ends.

/// The exit codes; they are part of the interface and documented in `docs/formats.md` and `--help`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done, and nothing at or above `--fail-on` was found.
    Done,
    /// Findings at or above `--fail-on`.
    Findings,
    /// Wrong usage, wrong configuration, or a failure of ours.
    Failure,
    /// The scan has gaps: targets not reached, time ran out, resources were missing.
    Incomplete,
    /// There was nothing to scan.
    Nothing,
    /// Stopped by a signal.
    Interrupted,
}

impl Exit {
    /// The number.
    pub const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Findings => 1,
            Self::Failure => 2,
            Self::Incomplete => 3,
            Self::Nothing => 4,
            Self::Interrupted => 130,
        }
    }
}

/// What `--help` says about exit codes.
pub const HELP: &str = "Exit codes:
  0    done, nothing found at or above --fail-on
  1    something found at or above --fail-on
  2    wrong usage or configuration, or an internal error
  3    incomplete: a target was not reached, or time or resources ran out
       (0 with --allow-partial; comes before 1 only with --strict)
  4    nothing to scan
  130  interrupted; what was found is written and marked incomplete";
