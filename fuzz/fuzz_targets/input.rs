//! Decompression, archives and recognition on any input, with tight bounds.
#![no_main]

use bartizan_feeds::Limits;
use bartizan_feeds::formats::{PEEK, recognise};
use bartizan_feeds::input::visit_bytes;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let limits = Limits { max_bytes: 4 << 20, ratio_grace: 1 << 16, max_members: 100, ..Limits::default() };
    let _ = visit_bytes("file", data, &limits, &mut |member| {
        let mut head = vec![0; PEEK.min(64 << 10)];
        let read = member.reader.read(&mut head).unwrap_or(0);
        let _ = recognise(&head[..read]);
        Ok(())
    });
});
