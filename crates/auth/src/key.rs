//! The key that signs access tokens.

use std::io::{ErrorKind, Write as _};
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::rand::{SecureRandom as _, SystemRandom};
use secrecy::{ExposeSecret as _, SecretBox};
use sha2::{Digest as _, Sha256};

/// Bytes of a key: the block of HMAC-SHA-256's digest, RFC 7518 section 3.2.
const KEY_BYTES: usize = 32;

/// A key that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The text is not base64 or too short.
    #[error("the token key must be base64 of at least {KEY_BYTES} bytes")]
    Malformed,
    /// The key file cannot be read or written.
    #[error("token key file {path}: {source}")]
    File {
        /// The file.
        path: String,
        /// What the system said.
        source: std::io::Error,
    },
}

/// A secret of at least 256 bits.
#[derive(Debug)]
pub struct SigningKey(SecretBox<Vec<u8>>);

impl SigningKey {
    /// A random key, for tests and servers whose sessions need not survive a restart.
    ///
    /// # Panics
    /// If the operating system has no randomness to give.
    #[must_use]
    pub fn random() -> Self {
        let mut bytes = vec![0_u8; KEY_BYTES];
        #[expect(clippy::expect_used, reason = "no secure fallback exists")]
        SystemRandom::new().fill(&mut bytes).expect("the operating system provides randomness");
        Self(SecretBox::new(Box::new(bytes)))
    }

    /// A key given as base64, for instance from an environment variable.
    ///
    /// # Errors
    /// [`KeyError::Malformed`].
    pub fn from_base64(text: &str) -> Result<Self, KeyError> {
        match STANDARD.decode(text.trim()) {
            Ok(bytes) if bytes.len() >= KEY_BYTES => Ok(Self(SecretBox::new(Box::new(bytes)))),
            _ => Err(KeyError::Malformed),
        }
    }

    /// The key in `path`, made on first use and readable by its owner only.
    ///
    /// # Errors
    /// [`KeyError::File`] and, for a damaged file, [`KeyError::Malformed`].
    pub fn load_or_create(path: &Path) -> Result<Self, KeyError> {
        let fail = |source| KeyError::File { path: path.display().to_string(), source };
        match std::fs::read_to_string(path) {
            Ok(text) => return Self::from_base64(&text),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(fail(error)),
        }
        let key = Self::random();
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt as _;
            options.mode(0o600);
        }
        // Written beside and linked into place, so that a process killed in between never leaves half a key and
        // two processes that start together agree on one.
        let staged = path.with_extension(format!("new-{}", std::process::id()));
        let write = || -> std::io::Result<()> {
            let mut file = options.open(&staged)?;
            writeln!(file, "{}", STANDARD.encode(key.expose()))?;
            file.sync_all()?;
            std::fs::hard_link(&staged, path)
        };
        let written = write();
        // Losing the staged file's removal leaves a stray file and nothing worse.
        let _ = std::fs::remove_file(&staged);
        match written {
            Ok(()) => Ok(key),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                Self::from_base64(&std::fs::read_to_string(path).map_err(fail)?)
            }
            Err(error) => Err(fail(error)),
        }
    }

    /// Tells two keys apart, and says nothing about either: 32 hexadecimal digits.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let mut digest = Sha256::new();
        digest.update(b"bartizan signing key\0");
        digest.update(self.expose());
        hex::encode(&digest.finalize()[..16])
    }

    pub(crate) fn expose(&self) -> &[u8] {
        self.0.expose_secret()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_file_is_made_once_private_and_read_back() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("token.key");
        let made = SigningKey::load_or_create(&path).unwrap();
        let read = SigningKey::load_or_create(&path).unwrap();
        assert_eq!(made.expose(), read.expose());
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }

    #[test]
    fn short_and_damaged_keys_are_refused() {
        assert!(SigningKey::from_base64(&STANDARD.encode([7_u8; 31])).is_err());
        assert!(SigningKey::from_base64("not base64!").is_err());
        assert!(SigningKey::from_base64(&STANDARD.encode([7_u8; 32])).is_ok());
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("token.key");
        std::fs::write(&path, "damaged").unwrap();
        assert!(matches!(SigningKey::load_or_create(&path), Err(KeyError::Malformed)));
        assert!(matches!(SigningKey::load_or_create(&dir.path().join("no/such/dir/key")), Err(KeyError::File { .. })));
    }
}
