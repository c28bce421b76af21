//! `undertone devices`: microphones and serial ports of a box, and what blocks them. The box looks (`undertoned devices`).

use anyhow::Result;

use crate::on_box::OnBox;
use crate::print;

/// List the microphones and serial ports of a box, here or over ssh, what they offer, and what blocks them
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    on_box: OnBox,
}

impl Args {
    pub(crate) fn run(&self) -> Result<()> {
        let (report, _) = self.on_box.ask("devices")?;
        print::report(&report, self.on_box.connection.json)
    }
}
