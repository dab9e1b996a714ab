//! Every parser on every input: the first byte chooses the format, the rest is the document.
#![no_main]

use bartizan_feeds::Limits;
use bartizan_feeds::formats::{Format, Output, parse};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((choice, document)) = data.split_first() else { return };
    let format = Format::ALL[usize::from(*choice) % Format::ALL.len()];
    let limits = Limits { max_record: 1 << 20, max_records: 10_000, ..Limits::default() };
    let mut sink = |_| Ok(());
    let mut output = Output::new(&mut sink, &limits);
    let mut reader = document;
    let _ = parse(format, "document", &mut reader, &limits, &mut output);
});
