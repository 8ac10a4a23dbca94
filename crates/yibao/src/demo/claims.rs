//! Claims after full cash payment in the made-up region: its rules, and rates for foreign bills.

use anyhow::{Context as _, Result};
use ledger::modules::claim::{ClaimRules, ForeignClaimRules, SetClaimRules};
use ledger::modules::exchange::PublishExchangeRate;
use primitives::{Currency, ExchangePrice, ExchangeRate, Text};

use super::chamber::Chamber;
use super::founding::code;
use super::population::REGION;
use super::region::Stage;

/// Where the made-up region's numbers come from.
const SOURCE: &str = "示例参数：就诊后一年内申请，30日内办结；各统筹区以本地规定为准";

/// Where the rates come from, of which none was ever published.
const RATE_SOURCE: &str = "示例汇率，非真实数据（真实来源：中国外汇交易中心人民币汇率中间价）";
/// Of how many days there are rates.
const RATE_DAYS: i32 = 14;
/// What is priced, for how many units, and a made-up price in millionths.
const RATES: [(Currency, u32, u64); 3] =
    [(Currency::JPY, 100, 4_812_300), (Currency::USD, 1, 7_085_100), (Currency::EUR, 1, 8_226_500)];

impl Stage<'_> {
    /// Sets the rules.
    ///
    /// # Errors
    /// What the demonstration cannot go on with.
    pub(super) fn claim_rules(&self, chamber: &Chamber<'_>) -> Result<()> {
        let rules = ClaimRules {
            proxies_claim: true,
            filing_days_max: 365,
            decision_days_max: 30,
            open_claims_per_person_max: 5,
            foreign: Some(ForeignClaimRules { publisher: code("finance"), rate_days_back_max: 10 }),
            source: Text::new(SOURCE).map_err(anyhow::Error::msg)?,
        };
        chamber.act(&[&self.founders.bureau], &SetClaimRules { region: REGION, rules })?;
        self.rates(chamber)
    }

    /// Publishes rates of the working days before the last day of visits, and of that.
    fn rates(&self, chamber: &Chamber<'_>) -> Result<()> {
        for back in (0..RATE_DAYS).rev() {
            let day = self.last_day.plus_days(-back).context("a day")?;
            if matches!(day.days().rem_euclid(7), 2 | 3) {
                // Saturday and Sunday: nothing is published, and the rate before counts.
                continue;
            }
            for (currency, per, millionths) in RATES {
                let step = u64::try_from(back % 7).unwrap_or(0).saturating_mul(1_300);
                let price = ExchangePrice::from_millionths(millionths.saturating_add(step));
                let rate = PublishExchangeRate {
                    publisher: code("finance"),
                    currency,
                    priced_in: Currency::CNY,
                    day,
                    rate: ExchangeRate { per, price },
                    source: Text::new(RATE_SOURCE).map_err(anyhow::Error::msg)?,
                    correction: None,
                };
                chamber.act(&[&self.founders.finance], &rate)?;
            }
        }
        Ok(())
    }
}
