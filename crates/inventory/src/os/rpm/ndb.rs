//! rpm's own database format, `Packages.db`.
//!
//! Rules: rpm's `lib/backend/ndb/rpmpkg.c`. Little-endian; the first pages hold slots of 16 bytes (magic, package, block,
//! block count), the first two of which are the file's header; a block is 16 bytes, and a package begins with a head
//! (magic, package, generation, length).
//!
//! Not supported: checksums of packages (a damaged header is noticed when it is read).

use crate::component::{MAX_PACKAGES, ReadError};

/// How such a file begins.
pub const MAGIC: &[u8] = b"RpmP";

const SLOT: &[u8; 4] = b"Slot";
const BLOB: &[u8; 4] = b"BlbS";
const PAGE: usize = 4096;
const BLOCK: usize = 16;

/// Calls `take` with the header of every package. Linear in the size of the file.
///
/// # Errors
/// If the file is damaged.
pub fn blobs(bytes: &[u8], take: &mut dyn FnMut(&[u8])) -> Result<(), ReadError> {
    let cut = || ReadError::Syntax("the database is cut off or damaged".to_owned());
    let version = word(bytes, 4).ok_or_else(cut)?;
    if version != 0 {
        return Err(ReadError::Unsupported(format!("version {version} of ndb is not known")));
    }
    let pages = word(bytes, 12).ok_or_else(cut)? as usize;
    let slots = bytes.get(..pages.checked_mul(PAGE).ok_or_else(cut)?).ok_or_else(cut)?;
    let mut taken = 0;
    let mut read = 0_usize;
    for slot in slots.chunks_exact(BLOCK).skip(2) {
        if !slot.starts_with(SLOT) {
            return Err(cut());
        }
        let (package, block) = (word(slot, 4).unwrap_or(0), word(slot, 8).unwrap_or(0));
        // An empty slot.
        if package == 0 {
            continue;
        }
        taken += 1;
        if taken > MAX_PACKAGES {
            return Err(ReadError::TooMany);
        }
        let at = (block as usize).checked_mul(BLOCK).ok_or_else(cut)?;
        let head = bytes.get(at..).ok_or_else(cut)?;
        if !head.starts_with(BLOB) || word(head, 4) != Some(package) {
            return Err(cut());
        }
        let length = word(head, 12).ok_or_else(cut)? as usize;
        let blob = head.get(BLOCK..).and_then(|rest| rest.get(..length)).ok_or_else(cut)?;
        // Packages do not overlap, so together they are not longer than the file.
        read = read.saturating_add(length);
        if read > bytes.len() {
            return Err(cut());
        }
        take(blob);
    }
    Ok(())
}

/// A little-endian word.
fn word(bytes: &[u8], at: usize) -> Option<u32> {
    let four = bytes.get(at..at.checked_add(4)?)?;
    Some(u32::from_le_bytes([four[0], four[1], four[2], four[3]]))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn database() -> Vec<u8> {
        let mut file = vec![0_u8; PAGE];
        file[..4].copy_from_slice(MAGIC);
        file[12..16].copy_from_slice(&1_u32.to_le_bytes());
        for slot in file.chunks_exact_mut(BLOCK).skip(2) {
            slot[..4].copy_from_slice(SLOT);
        }
        file[36..40].copy_from_slice(&1_u32.to_le_bytes());
        file[40..44].copy_from_slice(&256_u32.to_le_bytes());
        file.extend_from_slice(BLOB);
        file.extend_from_slice(&1_u32.to_le_bytes());
        file.extend_from_slice(&[0; 4]);
        file.extend_from_slice(&5_u32.to_le_bytes());
        file.extend_from_slice(b"hello");
        file
    }

    #[test]
    fn packages_are_found() {
        let mut found = Vec::new();
        blobs(&database(), &mut |blob| found.push(blob.to_vec())).unwrap();
        assert_eq!(found, [b"hello".to_vec()]);
        assert!(blobs(&database()[..5000.min(PAGE + 10)], &mut |_| {}).is_err());
    }

    proptest! {
        #[test]
        fn damaged_files_never_panic(at in 0_usize..64, byte in any::<u8>(), tail in PAGE..PAGE + 21) {
            let mut file = database();
            file[at] = byte;
            let _ = blobs(&file, &mut |_| {});
            let _ = blobs(&file[..tail], &mut |_| {});
        }
    }
}
