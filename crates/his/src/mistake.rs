//! What a real system does wrong, and how it must end.

/// A mistake.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mistake {
    /// A wrong secret, and a clock that is ten minutes slow.
    WrongSignature,
    /// A name that does not belong to the number.
    WrongName,
    /// The number of a sign-in that has ended.
    EndedSignIn,
    /// A registration whose answer was lost, reversed.
    RegistrationReversed,
    /// A registration undone, and something charged to it afterwards.
    RegistrationUndone,
    /// The number of an earlier message for another one.
    NumberUsedAgain,
    /// A line whose amount is not price times quantity.
    WrongLine,
    /// Another line under the number of one that is there.
    LineChanged,
    /// All lines taken back and sent again in another batch.
    LinesUndone,
    /// A total that is a fen too high.
    WrongTotal,
    /// The personal account asked for at the desk.
    AccountAtTheDesk,
    /// The same settlement clicked twice at once.
    ClickedTwice,
    /// The same settlement under two numbers at once.
    SettledTwice,
    /// A settlement that broke off on its way there.
    MessageLost,
    /// A settlement whose answer broke off.
    AnswerLost,
    /// A settlement whose answer broke off, reversed and made anew.
    AnswerLostReversed,
    /// A settlement that broke off on its way there, reversed, and sent late after all.
    MessageLostReversed,
    /// The computer switched off between settlement and booking.
    Restarted,
}

impl Mistake {
    /// All of them, in the order of a visit.
    pub const ALL: [Self; 18] = [
        Self::WrongSignature,
        Self::WrongName,
        Self::EndedSignIn,
        Self::RegistrationReversed,
        Self::RegistrationUndone,
        Self::NumberUsedAgain,
        Self::WrongLine,
        Self::LineChanged,
        Self::LinesUndone,
        Self::WrongTotal,
        Self::AccountAtTheDesk,
        Self::ClickedTwice,
        Self::SettledTwice,
        Self::MessageLost,
        Self::AnswerLost,
        Self::AnswerLostReversed,
        Self::MessageLostReversed,
        Self::Restarted,
    ];

    /// What was done, and how it must end.
    #[must_use]
    pub const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::WrongSignature => {
                ("wrong secret, slow clock", "refused; the same message by the right ones is taken")
            }
            Self::WrongName => ("name of somebody else", "refused; identified by the right one"),
            Self::EndedSignIn => ("sign-in that has ended", "refused; signed in, sent anew"),
            Self::RegistrationReversed => {
                ("registration of unknown outcome", "reversed; registered anew")
            }
            Self::RegistrationUndone => ("registration undone", "gone; a charge to it is refused"),
            Self::NumberUsedAgain => {
                ("number of an earlier message", "refused; sent under a new one")
            }
            Self::WrongLine => ("line that does not multiply", "refused, none kept; mended"),
            Self::LineChanged => ("line changed under its number", "refused; the first one stays"),
            Self::LinesUndone => ("lines taken back", "gone; charged in a new batch"),
            Self::WrongTotal => ("total a fen too high", "refused; mended and settled"),
            Self::AccountAtTheDesk => {
                ("personal account at the desk", "refused; settled without it")
            }
            Self::ClickedTwice => ("settlement clicked twice", "one settlement, the same answer"),
            Self::SettledTwice => ("settlement under two numbers", "one settles, one is refused"),
            Self::MessageLost => ("line cut within the message", "sent again; settled once"),
            Self::AnswerLost => ("line cut before the answer", "asked again; settled once"),
            Self::AnswerLostReversed => ("the same, then reversed", "undone; settled anew, once"),
            Self::MessageLostReversed => {
                ("lost, reversed, sent late", "the late one is refused; settled anew, once")
            }
            Self::Restarted => {
                ("switched off before booking", "the journal asks again; booked once")
            }
        }
    }
}
