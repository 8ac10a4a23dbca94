//! What ledger and plans say of somebody's insurance, for who was identified today.

use std::sync::Arc;

use benefit::VisitType;
use benefit::source::PlanSource;
use ledger::modules::{coverage, plan};
use primitives::{CivilDate, PersonId, RegionId, SchemeId};

use super::desk::{Care, Message};
use super::field::Record;
use super::refusal::Refusal;

impl Message<'_> {
    /// Somebody whom this hospital identified today, by `psn_no`.
    ///
    /// # Errors
    /// When nobody was identified under it, or on another day.
    pub(super) fn person_of_today(&self, record: &Record) -> Result<PersonId, Refusal> {
        let known = self.known_person(record)?;
        if known.day == self.today() {
            return Ok(known.person);
        }
        let words = "不是当日识别的人员；请请参保人出示凭证，重新做1101";
        Err(Refusal::at(record.path("psn_no"), words))
    }

    /// What the code in `med_type` is here, of whatever care.
    ///
    /// # Errors
    /// When it is not taken, with those that are.
    pub(super) fn any_kind(&self, record: &Record) -> Result<VisitType, Refusal> {
        let kinds = &self.institution.profile.med_types;
        kinds.get(record.text("med_type")).copied().ok_or_else(|| {
            let codes: Vec<&str> = kinds.keys().map(String::as_str).collect();
            let words = format!("本机构未开通该医疗类别；可用：{}", codes.join("、"));
            Refusal::at(record.path("med_type"), words)
        })
    }

    /// What a visit is that is registered without a kind: ordinary outpatient care where that is
    /// taken, else the one other kind, as a purchase at a pharmacy.
    ///
    /// # Errors
    /// When there is none or several.
    pub(super) fn usual_kind(&self, record: &Record) -> Result<VisitType, Refusal> {
        let kinds = self.institution.profile.med_types.values();
        let mut taken: Vec<VisitType> =
            kinds.copied().filter(|kind| Care::of(*kind) == Care::Outpatient).collect();
        taken.sort_by_key(|kind| kind.number());
        taken.dedup();
        match taken.as_slice() {
            [one] => Ok(*one),
            some if some.contains(&VisitType::Outpatient) => Ok(VisitType::Outpatient),
            _ => Err(Refusal::at(record.path("med_type"), "本机构须填写医疗类别；请填写后重发")),
        }
    }

    /// The code in `med_type` is the kind of care as which a visit was opened.
    ///
    /// # Errors
    /// When it is another kind.
    pub(super) fn require_opened_kind(
        &self,
        record: &Record,
        opened: VisitType,
    ) -> Result<(), Refusal> {
        if self.any_kind(record)? == opened {
            return Ok(());
        }
        let words = "与挂号时的医疗类别不一致；请改正，或撤销挂号后按该类别重新挂号（2201）";
        Err(Refusal::at(record.path("med_type"), words))
    }

    /// The schemes that cover or covered somebody in a region, each once.
    pub(super) fn schemes_of(&self, person: PersonId, region: RegionId) -> Vec<SchemeId> {
        let row = coverage::view::coverage(&self.call.view.state, person).unwrap_or_default();
        let here = row.coverages.iter().filter(|one| one.region == region);
        let mut schemes: Vec<SchemeId> = here.map(|one| one.scheme).collect();
        schemes.sort();
        schemes.dedup();
        schemes
    }

    /// The plan in force as people wrote it, where this node keeps it.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(super) fn plan_on(
        &self,
        region: RegionId,
        scheme: SchemeId,
        day: CivilDate,
    ) -> Result<Option<Arc<PlanSource>>, Refusal> {
        let state = &self.call.view.state;
        let Ok(found) = plan::view::plan_in_force(state, region, scheme, day) else {
            return Ok(None);
        };
        let version = plan::view::version(state, region, scheme, found.version);
        let source = version.map(|row| self.call.gateway.port.plan_source(row.source));
        Ok(source.transpose()?.flatten())
    }
}
