//! Secrets at rest: sealed with XChaCha20-Poly1305 under a key that is kept outside the database.
//!
//! A sealed secret says which key it was sealed with, so that a new key can be taken into use while old secrets are
//! still there. It is bound to the place it is stored at: moved to another row, it does not open.
//!
//! A ring is a text of base64 keys, one a line or divided by commas: the first seals, all of them open. It comes from a
//! file, which is read again whenever it changed, or from an environment variable.

use std::fmt;
use std::fs::Metadata;
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chacha20poly1305::aead::{Aead as _, Payload};
use chacha20poly1305::{KeyInit as _, XChaCha20Poly1305, XNonce};
use ring::rand::{SecureRandom as _, SystemRandom};
use secrecy::{ExposeSecret as _, SecretBox, SecretString};
use sha2::{Digest as _, Sha256};

/// Bytes of a key.
const KEY_BYTES: usize = 32;
/// Bytes of a key's id.
const ID_BYTES: usize = 8;
/// Bytes of XChaCha20's nonce: long enough to be drawn at random for every secret.
const NONCE_BYTES: usize = 24;
/// First byte of everything sealed this way.
const VERSION: u8 = 1;
/// Keys of one ring at most.
const MAX_KEYS: usize = 64;

/// A ring that cannot be used, or a secret that cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum KeyRingError {
    /// The text of the keys is damaged.
    #[error("a secret key is base64 of exactly {KEY_BYTES} bytes; 1 to {MAX_KEYS} of them, one a line")]
    Malformed,
    /// The key file cannot be read or written.
    #[error("secret key file {path}: {source}")]
    File {
        /// The file.
        path: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// No key of the ring has sealed it.
    #[error("it was sealed with the key {0}, which is not in the ring")]
    UnknownKey(String),
    /// It was altered, moved to another place, or never was a sealed secret.
    #[error("it cannot be opened: it was altered or belongs to another place")]
    Unopenable,
    /// The system gave no randomness.
    #[error("the system has no source of randomness")]
    NoRandomness,
    /// The keys come from the environment, where the program cannot change them.
    #[error("the keys are not in a file")]
    NotAFile,
}

struct Key {
    id: [u8; ID_BYTES],
    bytes: SecretBox<[u8; KEY_BYTES]>,
}

impl Key {
    fn new(bytes: [u8; KEY_BYTES]) -> Self {
        let mut digest = Sha256::new();
        digest.update(b"bartizan secret key id");
        digest.update(bytes);
        let digest = digest.finalize();
        let mut id = [0; ID_BYTES];
        id.copy_from_slice(&digest[..ID_BYTES]);
        Self { id, bytes: SecretBox::new(Box::new(bytes)) }
    }

    fn random() -> Result<Self, KeyRingError> {
        let mut bytes = [0; KEY_BYTES];
        SystemRandom::new().fill(&mut bytes).map_err(|_| KeyRingError::NoRandomness)?;
        Ok(Self::new(bytes))
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(self.bytes.expose_secret().into())
    }

    fn text(&self) -> String {
        STANDARD.encode(self.bytes.expose_secret())
    }
}

/// When and how long a file was, to see that it changed.
type Stamp = Option<(SystemTime, u64)>;

fn stamp(metadata: &Metadata) -> Stamp {
    Some((metadata.modified().ok()?, metadata.len()))
}

struct Loaded {
    keys: Vec<Key>,
    stamp: Stamp,
}

/// The keys that secrets are sealed with. Cheap to clone; never shown, not even in debug output.
#[derive(Clone)]
pub struct KeyRing {
    file: Option<Arc<PathBuf>>,
    loaded: Arc<Mutex<Loaded>>,
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyRing").field("file", &self.file).finish_non_exhaustive()
    }
}

impl KeyRing {
    /// A ring of one random key, for tests.
    ///
    /// # Errors
    /// If the system has no randomness.
    pub fn random() -> Result<Self, KeyRingError> {
        Ok(Self::of(vec![Key::random()?]))
    }

    /// The keys in a text, for instance of an environment variable. The first seals.
    ///
    /// # Errors
    /// [`KeyRingError::Malformed`].
    pub fn from_text(text: &SecretString) -> Result<Self, KeyRingError> {
        Ok(Self::of(parse(text.expose_secret())?))
    }

    /// The keys in a file, which is made with one random key where it is missing, readable by its owner only.
    ///
    /// # Errors
    /// [`KeyRingError::File`] and, for a damaged file, [`KeyRingError::Malformed`].
    pub fn load_or_create(path: &Path) -> Result<Self, KeyRingError> {
        match std::fs::metadata(path) {
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => write(path, &[Key::random()?], Place::Free)?,
            Err(error) => return Err(failed(path, error)),
        }
        Ok(Self { file: Some(Arc::new(path.to_owned())), loaded: Arc::new(Mutex::new(read(path)?)) })
    }

    fn of(keys: Vec<Key>) -> Self {
        Self { file: None, loaded: Arc::new(Mutex::new(Loaded { keys, stamp: None })) }
    }

    /// Id of the key that seals: 16 hexadecimal digits, which say nothing about the key.
    ///
    /// # Errors
    /// If the key file changed and cannot be read.
    pub fn current(&self) -> Result<String, KeyRingError> {
        self.with_first(|key| hex::encode(key.id))
    }

    /// Ids of all keys, the one that seals first.
    ///
    /// # Errors
    /// If the key file changed and cannot be read.
    pub fn ids(&self) -> Result<Vec<String>, KeyRingError> {
        Ok(self.fresh()?.keys.iter().map(|key| hex::encode(key.id)).collect())
    }

    /// Seals a secret for the place it will be stored at (table and key of the row, as text).
    ///
    /// # Errors
    /// If the key file changed and cannot be read, or the system has no randomness.
    pub fn seal(&self, secret: &SecretString, place: &str) -> Result<Vec<u8>, KeyRingError> {
        let mut nonce = [0; NONCE_BYTES];
        SystemRandom::new().fill(&mut nonce).map_err(|_| KeyRingError::NoRandomness)?;
        let payload = Payload { msg: secret.expose_secret().as_bytes(), aad: place.as_bytes() };
        self.with_first(|key| {
            let sealed = key.cipher().encrypt(&XNonce::from(nonce), payload).map_err(|_| KeyRingError::Unopenable)?;
            Ok([&[VERSION][..], &key.id, &nonce, &sealed].concat())
        })?
    }

    /// Opens what was sealed for the same place.
    ///
    /// # Errors
    /// [`KeyRingError::UnknownKey`] or [`KeyRingError::Unopenable`].
    pub fn open(&self, sealed: &[u8], place: &str) -> Result<SecretString, KeyRingError> {
        let id = sealed_with(sealed).ok_or(KeyRingError::Unopenable)?;
        let rest = &sealed[1 + ID_BYTES..];
        let (nonce, text) = rest.split_at_checked(NONCE_BYTES).ok_or(KeyRingError::Unopenable)?;
        let nonce: [u8; NONCE_BYTES] = nonce.try_into().map_err(|_| KeyRingError::Unopenable)?;
        let loaded = self.fresh()?;
        let key = loaded.keys.iter().find(|key| hex::encode(key.id) == id).ok_or(KeyRingError::UnknownKey(id))?;
        let opened = key
            .cipher()
            .decrypt(&XNonce::from(nonce), Payload { msg: text, aad: place.as_bytes() })
            .map_err(|_| KeyRingError::Unopenable)?;
        Ok(String::from_utf8(opened).map_err(|_| KeyRingError::Unopenable)?.into())
    }

    /// Puts a new random key before the others of the key file, so that it seals from now on, here and in every other
    /// process that uses the file. Gives its id.
    ///
    /// # Errors
    /// [`KeyRingError::NotAFile`], or if the file cannot be written.
    pub fn add_key(&self) -> Result<String, KeyRingError> {
        let path = self.file.as_deref().ok_or(KeyRingError::NotAFile)?;
        let mut loaded = self.fresh()?;
        // Until the file is read again, the ring counts as stale: a failed write must not leave keys only we know.
        loaded.stamp = None;
        loaded.keys.insert(0, Key::random()?);
        write(path, &loaded.keys, Place::Taken)?;
        *loaded = read(path)?;
        loaded.keys.first().map(|key| hex::encode(key.id)).ok_or(KeyRingError::Malformed)
    }

    /// Removes every key from the key file whose id is not in `kept`; the first key always stays.
    ///
    /// # Errors
    /// [`KeyRingError::NotAFile`], or if the file cannot be written.
    pub fn keep_only(&self, kept: &[String]) -> Result<(), KeyRingError> {
        let path = self.file.as_deref().ok_or(KeyRingError::NotAFile)?;
        let mut loaded = self.fresh()?;
        let mut first = true;
        loaded.stamp = None;
        loaded.keys.retain(|key| std::mem::take(&mut first) || kept.contains(&hex::encode(key.id)));
        write(path, &loaded.keys, Place::Taken)?;
        *loaded = read(path)?;
        Ok(())
    }

    fn with_first<T>(&self, work: impl FnOnce(&Key) -> T) -> Result<T, KeyRingError> {
        Ok(work(self.fresh()?.keys.first().ok_or(KeyRingError::Malformed)?))
    }

    /// The keys, read again if their file changed.
    fn fresh(&self) -> Result<MutexGuard<'_, Loaded>, KeyRingError> {
        // A panic while the lock is held leaves whole keys behind: they are replaced by one assignment.
        let mut loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(path) = self.file.as_deref() {
            let metadata = std::fs::metadata(path).map_err(|error| failed(path, error))?;
            if stamp(&metadata) != loaded.stamp {
                *loaded = read(path)?;
            }
        }
        Ok(loaded)
    }
}

/// Id of the key something was sealed with, if it was sealed by a ring.
#[must_use]
pub fn sealed_with(sealed: &[u8]) -> Option<String> {
    let (version, rest) = sealed.split_first()?;
    if *version != VERSION {
        return None;
    }
    rest.get(..ID_BYTES).map(hex::encode)
}

fn parse(text: &str) -> Result<Vec<Key>, KeyRingError> {
    let mut keys = Vec::new();
    for part in text.split(|c: char| c == ',' || c.is_whitespace()).filter(|part| !part.is_empty()) {
        let bytes = STANDARD.decode(part).map_err(|_| KeyRingError::Malformed)?;
        keys.push(Key::new(bytes.try_into().map_err(|_| KeyRingError::Malformed)?));
    }
    if keys.is_empty() || keys.len() > MAX_KEYS { Err(KeyRingError::Malformed) } else { Ok(keys) }
}

fn read(path: &Path) -> Result<Loaded, KeyRingError> {
    // The stamp is taken first: a change in between is seen at the next look.
    let metadata = std::fs::metadata(path).map_err(|error| failed(path, error))?;
    let text: SecretString = std::fs::read_to_string(path).map_err(|error| failed(path, error))?.into();
    Ok(Loaded { keys: parse(text.expose_secret())?, stamp: stamp(&metadata) })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Free,
    Taken,
}

/// Writes beside and moves into place, so that a process killed in between never leaves half a file. Where the place
/// must be free and is not, the file that is there stays: two processes that start together agree on one.
fn write(path: &Path, keys: &[Key], place: Place) -> Result<(), KeyRingError> {
    let staged = path.with_extension(format!("new-{}", std::process::id()));
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    let put = || -> std::io::Result<()> {
        let mut file = options.open(&staged)?;
        for key in keys {
            writeln!(file, "{}", key.text())?;
        }
        file.sync_all()?;
        match place {
            Place::Free => match std::fs::hard_link(&staged, path) {
                Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
                linked => linked,
            },
            Place::Taken => std::fs::rename(&staged, path),
        }
    };
    let done = put();
    // A stray staged file is all that a failure leaves; after a rename there is none.
    let _ = std::fs::remove_file(&staged);
    done.map_err(|error| failed(path, error))
}

fn failed(path: &Path, source: std::io::Error) -> KeyRingError {
    KeyRingError::File { path: path.display().to_string(), source }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret() -> SecretString {
        "hunter2 åäö".into()
    }

    #[test]
    fn what_is_sealed_opens_at_its_place_and_nowhere_else() {
        let ring = KeyRing::random().unwrap();
        let sealed = ring.seal(&secret(), "secrets/installation/mail.password").unwrap();
        assert_eq!(
            ring.open(&sealed, "secrets/installation/mail.password").unwrap().expose_secret(),
            secret().expose_secret()
        );
        assert!(matches!(ring.open(&sealed, "secrets/installation/other"), Err(KeyRingError::Unopenable)));
        assert_ne!(sealed, ring.seal(&secret(), "secrets/installation/mail.password").unwrap());
        assert!(!String::from_utf8_lossy(&sealed).contains("hunter2"));
        for length in 0..sealed.len() {
            assert!(ring.open(&sealed[..length], "secrets/installation/mail.password").is_err());
        }
        for index in 0..sealed.len() {
            let mut altered = sealed.clone();
            altered[index] ^= 1;
            assert!(ring.open(&altered, "secrets/installation/mail.password").is_err(), "byte {index}");
        }
        let other = KeyRing::random().unwrap();
        assert!(matches!(other.open(&sealed, "x"), Err(KeyRingError::UnknownKey(id)) if id == ring.current().unwrap()));
    }

    #[test]
    fn the_cipher_is_the_one_of_the_draft() {
        // draft-irtf-cfrg-xchacha-03, appendix A.3.1.
        let key: [u8; 32] = std::array::from_fn(|i| 0x80 + u8::try_from(i).unwrap());
        let nonce: [u8; 24] = std::array::from_fn(|i| 0x40 + u8::try_from(i).unwrap());
        let aad = hex::decode("50515253c0c1c2c3c4c5c6c7").unwrap();
        let text = b"Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it.";
        let sealed = Key::new(key).cipher().encrypt(&XNonce::from(nonce), Payload { msg: text, aad: &aad }).unwrap();
        assert_eq!(hex::encode(&sealed[..16]), "bd6d179d3e83d43b9576579493c0e939");
        assert_eq!(hex::encode(&sealed[text.len()..]), "c0875924c1c7987947deafd8780acf49");
    }

    #[test]
    fn a_file_is_made_private_and_a_new_key_is_seen_by_all() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret.key");
        let server = KeyRing::load_or_create(&path).unwrap();
        let admin = KeyRing::load_or_create(&path).unwrap();
        assert_eq!(server.ids().unwrap(), admin.ids().unwrap());
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
        let before = server.seal(&secret(), "here").unwrap();
        let old = server.current().unwrap();
        let new = admin.add_key().unwrap();
        assert_ne!(new, old);
        assert_eq!(sealed_with(&server.seal(&secret(), "here").unwrap()), Some(new.clone()));
        assert!(server.open(&before, "here").is_ok());
        admin.keep_only(&[]).unwrap();
        assert_eq!(server.ids().unwrap(), [new]);
        assert!(matches!(server.open(&before, "here"), Err(KeyRingError::UnknownKey(id)) if id == old));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn damaged_rings_are_refused_and_nothing_shows_a_key() {
        for text in ["", "  \n", "AAAA", "not base64!"] {
            assert!(matches!(KeyRing::from_text(&text.into()), Err(KeyRingError::Malformed)), "{text}");
        }
        let text = STANDARD.encode([7; KEY_BYTES]);
        let ring = KeyRing::from_text(&format!("{text},{}", STANDARD.encode([8; KEY_BYTES])).into()).unwrap();
        assert_eq!(ring.ids().unwrap().len(), 2);
        assert!(!format!("{ring:?}").contains(&text));
        assert!(matches!(ring.add_key(), Err(KeyRingError::NotAFile)));
    }
}
