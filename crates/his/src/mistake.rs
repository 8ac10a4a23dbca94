//! What a real system does wrong, and how it must end.

use crate::care::Care;

/// A mistake.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mistake {
    /// A wrong secret, and a clock that is ten minutes slow.
    WrongSignature,
    /// A name that does not belong to the number.
    WrongName,
    /// The number of a sign-in that has ended.
    EndedSignIn,
    /// A registration or admission whose answer was lost, reversed.
    OpeningReversed,
    /// A registration or admission undone, and something charged to it afterwards.
    OpeningUndone,
    /// The number of an earlier message for another one.
    NumberUsedAgain,
    /// A line whose amount is not price times quantity.
    WrongLine,
    /// Another line under the number of one that is there.
    LineChanged,
    /// All lines taken back and sent again in another batch.
    LinesUndone,
    /// The list of a day sent again under another number.
    ListSentTwice,
    /// The list of a day whose answer broke off.
    ListLost,
    /// One line of a stay taken back, and the old total asked for.
    LineTakenBack,
    /// A stay settled before its discharge.
    NotDischarged,
    /// A day of discharge before the last line.
    DischargedTooEarly,
    /// A line charged after the discharge.
    ChargedTooLate,
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
    /// A settlement undone at once, because of the wrong person's bill, and made anew.
    SettlementUndone,
    /// The barcode of a pack instead of its trace code.
    BarcodeScanned,
    /// The trace code of another purchase's line.
    CodeOfNoLine,
    /// A sale in a settlement without a trace code.
    SaleWithoutCode,
    /// A pack that is out of date.
    SaleOutOfDate,
    /// The number of an earlier sale.
    SaleNumberUsedAgain,
    /// A sale whose answer broke off.
    SaleLost,
    /// A pack that was never sold here comes back.
    ReturnOfUnsold,
    /// A pack comes back twice.
    ReturnedTwice,
    /// A body sealed by a wrong secret, and a sealed one that is not of mobile payment.
    WrongSeal,
    /// Charges uploaded twice under one order number.
    UploadedTwice,
    /// Other charges under an order number that is there.
    UploadChanged,
    /// An upload whose answer broke off.
    UploadLost,
    /// An upload whose total is a fen too high.
    UploadWrongTotal,
    /// The phone asked twice.
    OrderedTwice,
    /// An order whose answer broke off: it is asked for, then sent again.
    OrderLost,
    /// An order taken back while the person is asked.
    RevokedBeforePaying,
    /// An order taken back once it is paid.
    RevokedAfterPaying,
    /// The person refuses.
    RefusedOnThePhone,
    /// The phone stays silent.
    NeverConfirmed,
    /// What waits on the phone is settled at the counter.
    PaidAtTheCounter,
    /// An order given back before it is paid.
    RefundedBeforePaying,
    /// An order given back twice.
    RefundedTwice,
    /// Other sums given back than were paid.
    RefundOfOtherSums,
    /// A refund whose answer broke off.
    RefundLost,
}

/// Those of a settlement, whatever it is of.
const OF_A_SETTLEMENT: [Mistake; 9] = [
    Mistake::WrongTotal,
    Mistake::AccountAtTheDesk,
    Mistake::ClickedTwice,
    Mistake::SettledTwice,
    Mistake::MessageLost,
    Mistake::AnswerLost,
    Mistake::AnswerLostReversed,
    Mistake::MessageLostReversed,
    Mistake::Restarted,
];

const OF_AN_OUTPATIENT: [Mistake; 9] = [
    Mistake::WrongSignature,
    Mistake::WrongName,
    Mistake::EndedSignIn,
    Mistake::OpeningReversed,
    Mistake::OpeningUndone,
    Mistake::NumberUsedAgain,
    Mistake::WrongLine,
    Mistake::LineChanged,
    Mistake::LinesUndone,
];

const OF_A_STAY: [Mistake; 11] = [
    Mistake::OpeningReversed,
    Mistake::OpeningUndone,
    Mistake::WrongLine,
    Mistake::LineChanged,
    Mistake::ListSentTwice,
    Mistake::ListLost,
    Mistake::LineTakenBack,
    Mistake::NotDischarged,
    Mistake::DischargedTooEarly,
    Mistake::ChargedTooLate,
    Mistake::SettlementUndone,
];

const OF_A_PURCHASE: [Mistake; 9] = [
    Mistake::OpeningUndone,
    Mistake::BarcodeScanned,
    Mistake::CodeOfNoLine,
    Mistake::SaleWithoutCode,
    Mistake::SaleOutOfDate,
    Mistake::SaleNumberUsedAgain,
    Mistake::SaleLost,
    Mistake::ReturnOfUnsold,
    Mistake::ReturnedTwice,
];

const OF_A_PHONE: [Mistake; 17] = [
    Mistake::WrongSeal,
    Mistake::UploadedTwice,
    Mistake::UploadChanged,
    Mistake::UploadLost,
    Mistake::UploadWrongTotal,
    Mistake::OrderedTwice,
    Mistake::OrderLost,
    Mistake::RevokedBeforePaying,
    Mistake::RevokedAfterPaying,
    Mistake::RefusedOnThePhone,
    Mistake::NeverConfirmed,
    Mistake::PaidAtTheCounter,
    Mistake::RefundedBeforePaying,
    Mistake::RefundedTwice,
    Mistake::RefundOfOtherSums,
    Mistake::RefundLost,
    Mistake::Restarted,
];

impl Mistake {
    /// All that are made with such care, in the order in which they can happen.
    #[must_use]
    pub fn of(care: Care) -> Vec<Self> {
        let own: &[Self] = match care {
            Care::Phone => return OF_A_PHONE.to_vec(),
            Care::Outpatient => &OF_AN_OUTPATIENT,
            Care::Stay => &OF_A_STAY,
            Care::Purchase => &OF_A_PURCHASE,
        };
        [own, &OF_A_SETTLEMENT].concat()
    }

    /// What was done, and how it must end.
    #[must_use]
    pub const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::WrongSignature => {
                ("wrong secret, slow clock", "refused; the same message by the right ones is taken")
            }
            Self::WrongName => ("name of somebody else", "refused; identified by the right one"),
            Self::EndedSignIn => ("sign-in that has ended", "refused; signed in, sent anew"),
            Self::OpeningReversed => ("opening of unknown outcome", "reversed; opened anew"),
            Self::OpeningUndone => ("opening undone", "gone; a charge to it is refused"),
            Self::NumberUsedAgain => {
                ("number of an earlier message", "refused; sent under a new one")
            }
            Self::WrongLine => ("line that does not multiply", "refused, none kept; mended"),
            Self::LineChanged => ("line changed under its number", "refused; the first one stays"),
            Self::LinesUndone => ("lines taken back", "gone; charged in a new batch"),
            Self::ListSentTwice => ("a day's list sent twice", "the same answer, charged once"),
            Self::ListLost => ("a day's list, answer cut", "sent again; charged once"),
            Self::LineTakenBack => ("one line taken back", "the old total is refused; mended"),
            Self::NotDischarged => ("settled before discharge", "refused; discharged and settled"),
            Self::DischargedTooEarly => ("discharged before a line", "refused; mended"),
            Self::ChargedTooLate => {
                ("charged after discharge", "refused; discharge undone, charged, discharged anew")
            }
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
            Self::SettlementUndone => {
                ("settled for the wrong bed", "undone, once; admitted and settled anew")
            }
            Self::BarcodeScanned => ("barcode for a trace code", "refused; scanned again"),
            Self::CodeOfNoLine => ("trace code of no line", "refused; mended and settled"),
            Self::SaleWithoutCode => ("sale without a trace code", "refused; scanned and sold"),
            Self::SaleOutOfDate => ("pack out of date", "refused; another pack is sold"),
            Self::SaleNumberUsedAgain => ("number of an earlier sale", "refused; sold once"),
            Self::SaleLost => ("a sale, answer cut", "sent again; sold once"),
            Self::ReturnOfUnsold => ("return of what was not sold", "refused"),
            Self::ReturnedTwice => ("a pack comes back twice", "back once, then refused; undone"),
            Self::WrongSeal => ("sealed by a wrong secret", "refused; taken by the right one"),
            Self::UploadedTwice => ("order uploaded twice", "the same order, one visit"),
            Self::UploadChanged => ("order uploaded otherwise", "refused; the first one stays"),
            Self::UploadLost => ("an upload, answer cut", "sent again; the same order"),
            Self::UploadWrongTotal => ("upload a fen too high", "refused; mended"),
            Self::OrderedTwice => ("the phone asked twice", "asked once, paid once"),
            Self::OrderLost => ("an order, answer cut", "asked for, sent again; paid once"),
            Self::RevokedBeforePaying => ("revoked while it waits", "never paid; a new order is"),
            Self::RevokedAfterPaying => ("revoked once it is paid", "refused; it stays paid"),
            Self::RefusedOnThePhone => ("refused on the phone", "never paid; a new order is"),
            Self::NeverConfirmed => ("the phone stays silent", "revoked; settled at the counter"),
            Self::PaidAtTheCounter => {
                ("settled at the counter instead", "settled once; the phone is not asked any more")
            }
            Self::RefundedBeforePaying => ("given back before it is paid", "refused; then paid"),
            Self::RefundedTwice => ("given back twice", "back once, then refused"),
            Self::RefundOfOtherSums => ("other sums given back", "refused; it stays paid"),
            Self::RefundLost => ("a refund, answer cut", "sent again; back once"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mistake_of_a_kind_of_care_stands_there_once() {
        for care in Care::ALL {
            let mut all = Mistake::of(care);
            let count = all.len();
            all.sort_unstable();
            all.dedup();
            assert_eq!(all.len(), count, "{care:?}");
        }
    }
}
