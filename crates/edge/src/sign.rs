//! What the edge signs for its hospital on the ledger, and what it does not: only what a message
//! that is under way asks for, about the visit, the person and the sum of that message.
//!
//! A visit and a person have other names on the ledger than in the interface; which belong together
//! is remembered when they are signed first, and holds from then on.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use adapters::directory::DirectoryError;
use adapters::edge::Change;
use gateway::nhsa::envelope::Envelope;
use gateway::nhsa::field::Record;
use gateway::nhsa::offered_as;
use gateway::nhsa::signer::{Question, Questions, SignedQuestion, SignedQuestions, Unsigned};
use ledger::Content;
use ledger::kernel::registry::Kind;
use ledger::modules::visit::{CancelVisit, CheckIn, RefundVisit, SettleVisit, UpdateRunningBill};
use primitives::{Amount, OrganisationId, Party, PersonId, VisitId, codec};
use proof::header::ChainId;

use crate::house::{House, json_bytes};
use crate::ledger::Ledger;
use crate::line::Cut;

/// The visit that something was signed about, by the number of its message.
const SIGNED: &str = "signed";
/// The visit on the ledger of a visit of the interface.
const VISIT_THERE: &str = "visit-there";
/// The person on the ledger of a person of the interface.
const PERSON_THERE: &str = "person-there";

/// A line that is broken is tried again after this time.
const RETRY: Duration = Duration::from_secs(1);

/// Messages that are on their way to the platform.
#[derive(Default)]
pub struct UnderWay(Mutex<BTreeMap<String, Sent>>);

/// A message that was sent.
#[derive(Clone)]
struct Sent {
    infno: String,
    record: Record,
}

/// That a message is on its way for as long as this lives.
pub struct OnItsWay<'a>(&'a UnderWay, Option<String>);

impl Drop for OnItsWay<'_> {
    fn drop(&mut self) {
        if let Some(msgid) = &self.1 {
            self.0.lock().remove(msgid);
        }
    }
}

impl UnderWay {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Sent>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes a message as it goes to the platform, with the platform's numbers in it.
    #[must_use]
    pub fn note(&self, house: &House, text: &[u8]) -> OnItsWay<'_> {
        let read = || {
            let envelope = Envelope::read(text, &house.profile).ok()?;
            let infno = envelope.fields.text("infno").trim_end_matches('A').to_owned();
            let records = offered_as(&infno).ok()?.read(&envelope.input).ok()?;
            let record = records.into_iter().next()?;
            Some((envelope.msgid().to_owned(), Sent { infno, record }))
        };
        let noted = read().map(|(msgid, sent)| {
            self.lock().insert(msgid.clone(), sent);
            msgid
        });
        OnItsWay(self, noted)
    }
}

/// What something that is to be signed is about.
struct About {
    visit: VisitId,
    person: Option<PersonId>,
    /// What it charges; nothing where it charges nothing new.
    total: Option<Amount>,
    uses_account: bool,
}

impl About {
    /// What a transaction of this number may ask for; nothing where it may not.
    fn read(infno: &str, content: &Content) -> Option<Self> {
        fn body<K: Kind>(content: &Content) -> Option<K> {
            (content.kind == K::NUMBER).then(|| codec::decode(&content.body).ok())?
        }
        let of = |visit| Self { visit, person: None, total: None, uses_account: false };
        let opened = || {
            let body: CheckIn = body(content)?;
            Some(Self { person: Some(body.subject.person), ..of(body.visit) })
        };
        let cancelled = || body::<CancelVisit>(content).map(|body| of(body.visit));
        let noted = || body::<UpdateRunningBill>(content).map(|body| of(body.visit));
        let settled = || {
            let body: SettleVisit = body(content)?;
            let uses_account = body.use_personal_account || body.use_family_account;
            Some(Self { total: Some(body.split.total), uses_account, ..of(body.visit) })
        };
        let returned = || {
            let body: RefundVisit = body(content)?;
            // The interface gives all of a settlement back, or nothing.
            body.remaining.total().is_zero().then(|| of(body.original.visit))
        };
        match infno {
            "2201" | "2401" | "6201" => opened(),
            "2202" | "2404" | "6401" => cancelled(),
            "2204" | "2205" | "2301" | "2302" => noted(),
            "2207" | "2304" | "6202" => settled(),
            "2208" | "2305" | "6203" => returned(),
            "2601" => cancelled().or_else(returned),
            _ => None,
        }
    }
}

/// Signs what is asked for as long as the program runs.
pub fn run(house: &House, ledger: &Ledger) {
    let mut told = SignedQuestions::default();
    loop {
        match house.platform.questions(house.credentials(), &told) {
            Ok(Questions { asked }) => {
                house.asked.note(true);
                let answered = asked.iter().filter_map(|one| answered(house, ledger, one).ok());
                told.signed = answered.collect();
            }
            Err(Cut) => {
                house.asked.note(false);
                // What was signed and did not arrive is asked once more.
                told.signed.clear();
                house.platform.wait(RETRY);
            }
        }
    }
}

fn answered(
    house: &House,
    ledger: &Ledger,
    question: &Question,
) -> Result<SignedQuestion, DirectoryError> {
    let judged = judge(house, (ledger.organisation, ledger.chain.chain_id()), question)?;
    let signature = judged.is_ok().then(|| ledger.key.sign(&question.id));
    Ok(SignedQuestion { id: question.id, signature, refused: judged.err() })
}

/// Whether the hospital signs this; then what it is about is remembered.
fn judge(
    house: &House,
    (organisation, chain): (OrganisationId, ChainId),
    question: &Question,
) -> Result<Result<(), Unsigned>, DirectoryError> {
    let Some(content) = question.content() else { return Ok(Err(Unsigned::NotOurs)) };
    if content.author != Party::Organisation(organisation) || content.chain_id != chain {
        return Ok(Err(Unsigned::NotOurs));
    }
    let sent = house.under_way.lock().get(&question.msgid).cloned();
    let Some(Sent { infno, record }) = sent else { return Ok(Err(Unsigned::NotUnderWay)) };
    let Some(about) = About::read(&infno, &content) else { return Ok(Err(Unsigned::NotAsked)) };
    // Mobile payment names the account in a field of its own, and the person confirms it.
    let is_account_asked = infno.starts_with('6') || record.text("acct_used_flag") == "1";
    if about.uses_account && !is_account_asked {
        return Ok(Err(Unsigned::NotAsked));
    }
    let known = match infno.as_str() {
        "2601" => house.read(SIGNED, record.text("omsgid"))?,
        _ => house.read(VISIT_THERE, record.text("mdtrt_id"))?,
    };
    if known.is_some_and(|visit: VisitId| visit != about.visit) {
        return Ok(Err(Unsigned::OtherVisit));
    }
    let mut change = Change::default();
    if let Some(person) = about.person {
        let psn_no = record.text("psn_no");
        let known: Option<PersonId> = house.read(PERSON_THERE, psn_no)?;
        if known.is_some_and(|known| known != person) {
            return Ok(Err(Unsigned::OtherPerson));
        }
        change.put(PERSON_THERE, psn_no, json_bytes(&person));
    }
    let claimed = record.get("medfee_sumamt").and_then(|_| record.amount("medfee_sumamt").ok());
    if about.total.zip(claimed).is_some_and(|(total, claimed)| total != claimed) {
        return Ok(Err(Unsigned::OtherSum));
    }
    change.put(SIGNED, &question.msgid, json_bytes(&about.visit));
    house.book.apply(&change)?;
    Ok(Ok(()))
}

/// Remembers which visit on the ledger it is that a message opened under this number.
///
/// # Errors
/// When the book fails.
pub fn opened(
    house: &House,
    (msgid, mdtrt_id): (&str, &str),
    change: &mut Change,
) -> Result<(), DirectoryError> {
    if let Some(visit) = house.read::<VisitId>(SIGNED, msgid)? {
        change.put(VISIT_THERE, mdtrt_id, json_bytes(&visit));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use benefit::{CategorySums, VisitType};
    use ledger::IdempotencyKey;
    use ledger::modules::visit::{Consent, Identification, Split, VisitSubject};
    use primitives::{Hash, RegionId, SchemeId, Timestamp};
    use serde_json::{Value, json};

    use super::*;
    use crate::house::tests::open;

    fn chain() -> ChainId {
        "test".parse().unwrap()
    }

    fn message(serial: u16, infno: &str, data: &Value) -> (String, String) {
        let msgid = format!("H6201000000120260110083000{serial:04}");
        let message = json!({
            "infno": infno, "msgid": msgid, "mdtrtarea_admvs": "620100",
            "insuplc_admdvs": "620100", "recer_sys_code": "YBXT", "infver": "V1.0",
            "opter_type": "1", "opter": "1", "opter_name": "n", "inf_time": "2026-01-10 08:30:00",
            "fixmedins_code": "H62010000001", "fixmedins_name": "n", "input": { "data": data }
        });
        (msgid, message.to_string())
    }

    fn visit_of(psn_no: &str, mdtrt_id: &str) -> Value {
        json!({
            "psn_no": psn_no, "mdtrt_id": mdtrt_id, "mdtrt_cert_type": "02",
            "mdtrt_cert_no": "620105194912310038", "med_type": "11", "insutype": "310",
            "medfee_sumamt": "100.00", "psn_setlway": "01", "chrg_bchno": "B1",
            "acct_used_flag": "0", "begntime": "2026-01-10 08:30:00", "ipt_otp_no": "1"
        })
    }

    fn question<K: Kind>(msgid: &str, author: &str, body: &K) -> Question {
        let content = Content {
            version: ledger::kernel::transaction::TRANSACTION_VERSION,
            chain_id: chain(),
            author: Party::Organisation(author.parse().unwrap()),
            idempotency_key: IdempotencyKey([1; 16]),
            valid_until: Timestamp::from_millis(9),
            kind: K::NUMBER,
            body: codec::encode(body),
        };
        let bytes = hex::encode(codec::encode(&content));
        Question { id: content.id(), msgid: msgid.to_owned(), content: bytes }
    }

    fn check_in(visit: u8, person: u8) -> CheckIn {
        let subject = VisitSubject {
            person: PersonId([person; 16]),
            provider: "hospital-1".parse().unwrap(),
            region: RegionId(620_100),
            scheme: SchemeId(310),
            visit_type: VisitType::Outpatient,
            diagnosis_group: 0,
            admitted: "2026-01-10".parse().unwrap(),
        };
        CheckIn {
            visit: VisitId([visit; 16]),
            subject,
            identification: Identification::IdentityDocument,
            evidence: Hash([3; 32]),
        }
    }

    fn settlement(visit: u8, fen: u64, use_personal_account: bool) -> SettleVisit {
        let split = Split { total: Amount::from_minor(fen), ..Split::default() };
        SettleVisit {
            visit: VisitId([visit; 16]),
            bill: Hash([4; 32]),
            sums: CategorySums::new(Vec::new()).unwrap(),
            use_personal_account,
            use_family_account: false,
            split,
            cash: None,
            consent: Consent::IdentityCard,
        }
    }

    #[test]
    fn only_what_a_message_under_way_asks_for_is_signed() {
        let folder = tempfile::tempdir().unwrap();
        let house = open(folder.path(), 1).unwrap();
        let own: OrganisationId = "hospital-1".parse().unwrap();
        let judged = |question: &Question| judge(&house, (own, chain()), question).unwrap();

        let (opening, text) = message(1, "2201", &visit_of("p1", ""));
        let ask = question(&opening, "hospital-1", &check_in(1, 1));
        assert_eq!(judged(&ask), Err(Unsigned::NotUnderWay));
        let on_its_way = house.under_way.note(&house, text.as_bytes());
        let foreign = question(&opening, "hospital-2", &check_in(1, 1));
        assert_eq!(judged(&foreign), Err(Unsigned::NotOurs));
        let mut changed = ask.clone();
        changed.id = Hash([9; 32]);
        assert_eq!(judged(&changed), Err(Unsigned::NotOurs), "the id is another content's");
        let settle = question(&opening, "hospital-1", &settlement(1, 10_000, false));
        assert_eq!(judged(&settle), Err(Unsigned::NotAsked), "a registration settles nothing");
        assert_eq!(judged(&ask), Ok(()));
        drop(on_its_way);
        assert_eq!(judged(&ask), Err(Unsigned::NotUnderWay), "it is over");
        let mut change = Change::default();
        opened(&house, (&opening, "m1"), &mut change).unwrap();
        house.book.apply(&change).unwrap();

        // Somebody known is nobody else on the ledger the next time.
        let (second, text) = message(2, "2201", &visit_of("p1", ""));
        let on_its_way = house.under_way.note(&house, text.as_bytes());
        let other = question(&second, "hospital-1", &check_in(2, 2));
        assert_eq!(judged(&other), Err(Unsigned::OtherPerson));
        assert_eq!(judged(&question(&second, "hospital-1", &check_in(2, 1))), Ok(()));
        drop(on_its_way);

        let (settling, text) = message(3, "2207A", &visit_of("p1", "m1"));
        let _on_its_way = house.under_way.note(&house, text.as_bytes());
        let asked = |body: &SettleVisit| judged(&question(&settling, "hospital-1", body));
        assert_eq!(asked(&settlement(2, 10_000, false)), Err(Unsigned::OtherVisit));
        assert_eq!(asked(&settlement(1, 10_001, false)), Err(Unsigned::OtherSum));
        assert_eq!(asked(&settlement(1, 10_000, true)), Err(Unsigned::NotAsked));
        assert_eq!(asked(&settlement(1, 10_000, false)), Ok(()));

        // What is reversed is what that message did.
        let reversed = json!({ "psn_no": "p1", "omsgid": opening, "oinfno": "2201" });
        let (reversal, text) = message(4, "2601", &reversed);
        let _on_its_way = house.under_way.note(&house, text.as_bytes());
        let cancel = |visit| {
            let body = CancelVisit { visit: VisitId([visit; 16]) };
            judged(&question(&reversal, "hospital-1", &body))
        };
        assert_eq!(cancel(2), Err(Unsigned::OtherVisit));
        assert_eq!(cancel(1), Ok(()));
    }
}
