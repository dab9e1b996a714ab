//! Every file has one role: results are not written over a list that is read, nor over the state of the scan.

use anyhow::Result;

use crate::args::PortsArgs;
use crate::io::{self, Needed};

/// What stands beside the state while it is written, and the services that were found.
const BESIDE_STATE: [&str; 3] = [".new", ".services", ".services.new"];

/// Refuses arguments that name one file twice.
///
/// # Errors
/// The first two of them.
pub fn refuse_second_role(args: &PortsArgs) -> Result<()> {
    let mut read = Needed::lists(&args.targets);
    for file in &args.exclude_file {
        read.push(Needed::new(format!("--exclude-file {}", file.display()), io::input(file), &[]));
    }
    if let Some(file) = &args.resume {
        let state = Needed::new(format!("--resume {}", file.display()), file, &BESIDE_STATE);
        read.iter().try_for_each(|list| state.refuse_as(list))?;
        state.refuse_as_output(&args.output)?;
    }
    read.iter().try_for_each(|list| list.refuse_as_output(&args.output))
}
