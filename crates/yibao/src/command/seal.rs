//! `yibao seal`: make the electronic seal that signs the sheets of vouchers, and look at it.

use std::path::PathBuf;
use std::process::ExitCode;

use adapters::clock::{Clock as _, SystemClock};
use anyhow::Result;
use clap::{Args, Subcommand};
use primitives::UtcOffset;

use super::input::bad;
use super::passphrase::new_passphrase;
use crate::serving::seal::{make_seal, open_seal, seal_status};

#[derive(Args)]
pub struct Seal {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Make a key, a request for a certificate authority, and a certificate to try it out with.
    New {
        /// The folder, such as `DATA/ORGANISATION/seal`, where `yibao serve` finds it.
        folder: PathBuf,
        /// Whose seal it is, as the certificate is to say.
        #[arg(long, value_name = "NAME")]
        organisation: String,
        /// Protect the key with a passphrase, which is asked for.
        #[arg(long)]
        protect: bool,
        /// Read the passphrase from this open file descriptor instead; the file that
        /// YIBAO_NEW_PASSPHRASE_FILE names does as well.
        #[arg(long, value_name = "FD", requires = "protect")]
        new_passphrase_fd: Option<u16>,
    },
    /// Say whose seal it is, who vouches for it and until when.
    Show {
        /// The folder.
        folder: PathBuf,
    },
}

impl Seal {
    pub fn run(self) -> Result<ExitCode> {
        match self.action {
            Action::New { folder, organisation, protect, new_passphrase_fd } => {
                let key = folder.join("seal.key");
                let passphrase =
                    protect.then(|| new_passphrase(new_passphrase_fd, &key)).transpose()?;
                let today = SystemClock.now().day(UtcOffset(0));
                make_seal(&folder, &organisation, today, passphrase.as_ref())?;
                let shown = folder.display();
                println!(
                    "`{shown}` holds a seal that is a sample: nobody vouches for it. Send seal.csr \
                     to a certificate authority, and put its certificates in the place of seal.pem, \
                     the seal's own first"
                );
            }
            Action::Show { folder } => {
                let shown = folder.display();
                let seal = open_seal(&folder)?
                    .ok_or_else(|| bad(format!("there is no folder `{shown}`")))?;
                let status = seal_status(&seal);
                println!("seal of {}", status.name);
                println!("vouched for by {}, until {}", status.issuer, status.expires);
                if status.is_sample {
                    println!("a sample: nobody else vouches for it, and sheets say so");
                }
                if !seal.holds_at(SystemClock.now()) {
                    println!("its certificate does not hold now: sheets are not signed");
                }
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}
