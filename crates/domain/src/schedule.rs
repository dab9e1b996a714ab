//! How a schedule behaves. When it fires is the business of whoever reads its cron expression.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

macro_rules! text_enum {
    ($(#[$doc:meta])* $name:ident, $what:literal, { $($(#[$variant_doc:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        #[serde(rename_all = "snake_case")]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)+
        }

        impl $name {
            /// The wire form.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)+
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = String;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                match text {
                    $($text => Ok(Self::$variant),)+
                    _ => Err(format!(concat!("unknown ", $what, " `{}`"), text)),
                }
            }
        }
    };
}

text_enum!(
    /// What holds when a cron expression restricts both the day of the month and the day of the week.
    DayRule, "day rule", {
        /// Either day is enough, as cron has always had it.
        #[default]
        Or = "or",
        /// Both must hold: `0 0 13 * 5` is Friday the 13th.
        And = "and",
    }
);

text_enum!(
    /// What happens with instants that passed while no server ran.
    CatchUp, "catch-up policy", {
        /// They are left out, and the history says so.
        Skip = "skip",
        /// One run makes up for all of them.
        #[default]
        Once = "once",
    }
);

text_enum!(
    /// What happens at an instant while the scan of the one before still waits or runs.
    Overlap, "overlap policy", {
        /// Nothing, and the history says so.
        #[default]
        Skip = "skip",
        /// One scan waits for the other to end; further instants are left out.
        Queue = "queue",
        /// The scan starts beside the other.
        Allow = "allow",
        /// The other is cancelled, keeping what it found.
        Replace = "replace",
    }
);

text_enum!(
    /// Why a schedule ran.
    RunCause, "cause", {
        /// Its time had come.
        #[default]
        Cron = "cron",
        /// Its time had come while no server ran.
        CatchUp = "catch_up",
        /// Its time had come while the scan before still ran.
        Queued = "queued",
        /// A person asked for it.
        Manual = "manual",
    }
);

text_enum!(
    /// What became of a run.
    RunOutcome, "outcome", {
        /// A scan was launched.
        #[default]
        Started = "started",
        /// The scan before still ran.
        Skipped = "skipped",
        /// No server ran, and the schedule does not catch up.
        Missed = "missed",
        /// No scan could be launched.
        Failed = "failed",
    }
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wire_form_is_read_back() {
        for overlap in [Overlap::Skip, Overlap::Queue, Overlap::Allow, Overlap::Replace] {
            assert_eq!(overlap.as_str().parse(), Ok(overlap));
            assert_eq!(serde_json::to_value(overlap).unwrap(), overlap.as_str());
        }
        assert_eq!("catch_up".parse(), Ok(RunCause::CatchUp));
        assert_eq!("never".parse::<CatchUp>().unwrap_err(), "unknown catch-up policy `never`");
    }
}
