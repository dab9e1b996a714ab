//! The header of an rpm package, as the database stores it.
//!
//! Rules: rpm's `lib/header.c` and "RPM V4 Package format": two big-endian counts (index entries, data bytes), the index
//! (tag, type, offset, count, each 4 bytes), the data. In the database the magic of package files is left out.
//!
//! Not supported: everything but the few tags named here.

/// Index entries of one header; packages with very many files have some dozens.
const MAX_ENTRIES: u32 = 4096;

const NAME: u32 = 1000;
const VERSION: u32 = 1001;
const RELEASE: u32 = 1002;
const EPOCH: u32 = 1003;
const VENDOR: u32 = 1011;
const ARCH: u32 = 1022;
const SOURCE_RPM: u32 = 1044;
const MODULARITY: u32 = 5096;

const TYPE_INT32: u32 = 4;
const TYPE_STRING: u32 = 6;
const TYPE_I18N: u32 = 9;

/// What a header says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header<'b> {
    /// Name.
    pub name: &'b str,
    /// Version.
    pub version: &'b str,
    /// Release.
    pub release: &'b str,
    /// Epoch, if there is one.
    pub epoch: Option<u32>,
    /// Architecture.
    pub arch: &'b str,
    /// File name of the source package.
    pub source_rpm: &'b str,
    /// Vendor.
    pub vendor: &'b str,
    /// Module label: `name:stream:version:context`.
    pub modularity: &'b str,
}

impl<'b> Header<'b> {
    /// Reads a header. Linear in the number of index entries.
    ///
    /// # Errors
    /// Names the rule that is broken.
    pub fn read(blob: &'b [u8]) -> Result<Self, &'static str> {
        let entries = word(blob, 0).ok_or("it is cut off")?;
        let bytes = word(blob, 4).ok_or("it is cut off")? as usize;
        if entries > MAX_ENTRIES {
            return Err("it has too many entries");
        }
        let begin = 8 + entries as usize * 16;
        let data = blob.get(begin..).and_then(|data| data.get(..bytes)).ok_or("it is cut off")?;
        let mut header = Header {
            name: "",
            version: "",
            release: "",
            epoch: None,
            arch: "",
            source_rpm: "",
            vendor: "",
            modularity: "",
        };
        for index in 0..entries as usize {
            let at = 8 + index * 16;
            let (Some(tag), Some(kind), Some(offset)) = (word(blob, at), word(blob, at + 4), word(blob, at + 8)) else {
                return Err("it is cut off");
            };
            let place = match tag {
                NAME => &mut header.name,
                VERSION => &mut header.version,
                RELEASE => &mut header.release,
                VENDOR => &mut header.vendor,
                ARCH => &mut header.arch,
                SOURCE_RPM => &mut header.source_rpm,
                MODULARITY => &mut header.modularity,
                EPOCH if kind == TYPE_INT32 => {
                    header.epoch = Some(word(data, offset as usize).ok_or("its epoch lies outside")?);
                    continue;
                }
                _ => continue,
            };
            if kind == TYPE_STRING || kind == TYPE_I18N {
                *place = text(data, offset as usize).ok_or("a text lies outside, or is not UTF-8")?;
            }
        }
        Ok(header)
    }

    /// `[epoch:]version-release`; an epoch of 0 is left out.
    #[must_use]
    pub fn evr(&self) -> String {
        match self.epoch {
            Some(epoch) if epoch > 0 => format!("{epoch}:{}-{}", self.version, self.release),
            _ => format!("{}-{}", self.version, self.release),
        }
    }
}

/// A big-endian word.
fn word(bytes: &[u8], at: usize) -> Option<u32> {
    let four = bytes.get(at..at.checked_add(4)?)?;
    Some(u32::from_be_bytes([four[0], four[1], four[2], four[3]]))
}

/// A text that ends with a zero.
fn text(data: &[u8], at: usize) -> Option<&str> {
    let rest = data.get(at..)?;
    let end = rest.iter().position(|byte| *byte == 0)?;
    std::str::from_utf8(&rest[..end]).ok()
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A header with these texts.
    pub fn blob(name: &str, version: &str, release: &str, source_rpm: &str) -> Vec<u8> {
        let texts = [(NAME, name), (VERSION, version), (RELEASE, release), (ARCH, "x86_64"), (SOURCE_RPM, source_rpm)];
        let mut index = Vec::new();
        let mut data = Vec::new();
        for (tag, text) in texts {
            for word in [tag, TYPE_STRING, u32::try_from(data.len()).unwrap(), 1] {
                index.extend_from_slice(&word.to_be_bytes());
            }
            data.extend_from_slice(text.as_bytes());
            data.push(0);
        }
        let mut blob = Vec::new();
        blob.extend_from_slice(&5_u32.to_be_bytes());
        blob.extend_from_slice(&u32::try_from(data.len()).unwrap().to_be_bytes());
        blob.extend(index);
        blob.extend(data);
        blob
    }

    #[test]
    fn a_header_is_read() {
        let blob = blob("bash", "5.1", "2.el9", "bash-5.1-2.el9.src.rpm");
        let header = Header::read(&blob).unwrap();
        assert_eq!((header.name, header.evr().as_str(), header.arch), ("bash", "5.1-2.el9", "x86_64"));
    }

    proptest! {
        #[test]
        fn damaged_headers_never_panic(at in 0_usize..200, byte in any::<u8>(), cut in 0_usize..200) {
            let mut bytes = blob("bash", "5.1", "2.el9", "bash-5.1-2.el9.src.rpm");
            let at = at % bytes.len();
            bytes[at] = byte;
            let _ = Header::read(&bytes);
            let _ = Header::read(&bytes[..cut.min(bytes.len())]);
        }

        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Header::read(&bytes);
        }
    }
}
