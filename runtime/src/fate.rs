//! How a record ended (law 1 of the design).

/// Every record that a role reads has exactly one of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[must_use = "a record without a fate stops the program"]
pub enum Fate {
    /// It went on: what was made from it has been handed to the producer, or acknowledged by the destination.
    Forwarded,
    /// It was understood and nothing comes of it; why, in a closed word.
    Filtered(&'static str),
    /// It was refused and put where it can be looked at and sent again; why, in a closed word.
    Rejected(&'static str),
    /// It was seen before.
    Duplicate,
}

impl Fate {
    /// The value of the label `fate`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Forwarded => "forwarded",
            Self::Filtered(_) => "filtered",
            Self::Rejected(_) => "rejected",
            Self::Duplicate => "duplicate",
        }
    }

    /// The value of the label `reason`; empty where there is none to give.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Filtered(reason) | Self::Rejected(reason) => reason,
            Self::Forwarded | Self::Duplicate => "",
        }
    }
}
