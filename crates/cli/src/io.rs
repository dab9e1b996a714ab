//! Files and streams: where results go, and that nothing is left half-written.
//!
//! Every destination is opened before the scan begins, so that an unwritable one is an error at once. A file is
//! written under a temporary name in its folder and renamed when it is whole. An evidence file is the exception in
//! name only: it grows as `FILE.partial`, which stays behind and is readable if the program is killed.

use std::fmt;
use std::fs::File;
use std::io::{self, BufWriter, Read as _, Write};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::{Mutex, PoisonError};

use anyhow::{Context as _, Result, bail};
use bartizan_reports::{Format, PortsFormat, ReportError};
use tempfile::NamedTempFile;

use place::Place;

mod place;
mod rights;

/// Temporary names of the files that were begun; `None` when no more may be.
static UNFINISHED: Mutex<Option<Vec<PathBuf>>> = Mutex::new(Some(Vec::new()));

/// What `-o` asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutputSpec<F = OutputFormat> {
    /// The format.
    pub format: F,
    /// The file; `None` is standard output.
    pub file: Option<PathBuf>,
}

/// A set of formats that a command can write.
pub trait Formats: Copy + PartialEq {
    /// What is written when nothing is asked for.
    const DEFAULT: Self;

    /// The format of this name; the error names the value and what is expected.
    fn named(name: &str) -> Result<Self, String>;

    /// The name.
    fn name(self) -> &'static str;

    /// Whether files of the format grow in place, as `FILE.partial`, and cannot go to standard output.
    fn grows(self) -> bool {
        false
    }
}

/// A format of `-o`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutputFormat {
    /// Rendered from the result document.
    Report(Format),
    /// What was gathered, to be judged again later.
    Evidence,
}

impl Formats for OutputFormat {
    const DEFAULT: Self = Self::Report(Format::Table);

    fn named(name: &str) -> Result<Self, String> {
        match name {
            "evidence" => Ok(Self::Evidence),
            other => other.parse().map(Self::Report).map_err(|_| {
                format!("unknown format `{other}`: expected table, json, jsonl, csv, sarif, html or evidence")
            }),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Report(format) => format.as_str(),
            Self::Evidence => "evidence",
        }
    }

    fn grows(self) -> bool {
        self == Self::Evidence
    }
}

impl Formats for PortsFormat {
    const DEFAULT: Self = Self::Table;

    fn named(name: &str) -> Result<Self, String> {
        name.parse()
    }

    fn name(self) -> &'static str {
        self.as_str()
    }
}

impl<F: Formats> FromStr for OutputSpec<F> {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (format, file) = match text.split_once('=') {
            Some((format, "-")) => (format, None),
            Some((format, "")) => return Err(format!("`{format}=` names no file")),
            Some((format, file)) => (format, Some(PathBuf::from(file))),
            None => (text, None),
        };
        let format = F::named(format)?;
        if format.grows() && file.is_none() {
            let name = format.name();
            return Err(format!("{name} is binary: name a file, as in -o {name}=scan.{name}"));
        }
        Ok(Self { format, file })
    }
}

impl<F: Formats> fmt::Display for OutputSpec<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.file {
            Some(file) => write!(f, "{}={}", self.format.name(), file.display()),
            None => f.write_str(self.format.name()),
        }
    }
}

impl<F: Formats> OutputSpec<F> {
    /// Everything that is written.
    fn places(&self) -> Vec<Place> {
        match &self.file {
            None => vec![Place::of_stdout()],
            Some(file) if self.format.grows() => vec![Place::of(file), Place::of(&beside(file, ".partial"))],
            Some(file) => vec![Place::of(file)],
        }
    }
}

/// The outputs to write when `asked` were asked for: the table, unless there are others. Only one may go to standard
/// output, and no two to one file.
pub fn settle<F: Formats>(asked: &[OutputSpec<F>]) -> Result<Vec<OutputSpec<F>>> {
    if asked.is_empty() {
        return Ok(vec![OutputSpec { format: F::DEFAULT, file: None }]);
    }
    let mut taken: Vec<(&OutputSpec<F>, Vec<Place>)> = Vec::new();
    for output in asked {
        let places = output.places();
        let is_same =
            |(other, others): &&(&OutputSpec<F>, Vec<Place>)| other.file == output.file || meet(others, &places);
        match taken.iter().find(is_same) {
            Some((other, _)) if other.file.is_none() || output.file.is_none() => bail!(
                "-o {output}: only one format can go to standard output; give the others a file, as in -o {output}=FILE"
            ),
            Some((other, _)) => bail!("-o {output}: two outputs cannot go to one file; -o {other} goes there"),
            None => taken.push((output, places)),
        }
    }
    Ok(asked.to_vec())
}

/// A file that a command needs for something else than a result.
#[derive(Debug)]
pub struct Needed {
    /// What names it, as in `--resume st`.
    named_by: String,
    places: Vec<Place>,
}

impl Needed {
    /// The file that `named_by` names, and those that stand beside it: their names end in `endings`.
    pub fn new(named_by: String, file: &Path, endings: &[&str]) -> Self {
        let mut places = vec![Place::of(file)];
        places.extend(endings.iter().map(|ending| Place::of(&beside(file, ending))));
        Self { named_by, places }
    }

    /// The lists of targets that arguments name, as `@FILE`.
    pub fn lists(arguments: &[String]) -> Vec<Self> {
        let files = arguments.iter().filter_map(|text| Some((text, text.strip_prefix('@')?)));
        files.map(|(text, file)| Self::new(text.clone(), input(Path::new(file)), &[])).collect()
    }

    /// Refuses to use it for what `other` names too.
    pub fn refuse_as(&self, other: &Self) -> Result<()> {
        if meet(&self.places, &other.places) {
            bail!("{} and {} name one file: each needs its own", self.named_by, other.named_by);
        }
        Ok(())
    }

    /// Refuses to write results over it.
    pub fn refuse_as_output<F: Formats>(&self, outputs: &[OutputSpec<F>]) -> Result<()> {
        for output in outputs.iter().filter(|output| output.file.is_some()) {
            if meet(&self.places, &output.places()) {
                bail!("-o {output}: that would write over the file of {}; give the results another", self.named_by);
            }
        }
        Ok(())
    }
}

/// The file that is read when `-` names standard input.
pub fn input(path: &Path) -> &Path {
    if path == Path::new("-") { Path::new("/dev/stdin") } else { path }
}

fn meet(some: &[Place], others: &[Place]) -> bool {
    some.iter().any(|one| others.iter().any(|other| one.is(other)))
}

/// The path of the same name with `ending` after it.
fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut path = path.to_owned().into_os_string();
    path.push(ending);
    PathBuf::from(path)
}

/// An opened destination.
#[derive(Debug)]
pub enum Sink {
    /// Standard output.
    Stdout(BufWriter<io::Stdout>),
    /// A file under a temporary name.
    Replacing { writer: BufWriter<NamedTempFile>, path: PathBuf },
    /// A file that grows as `FILE.partial`.
    Growing { writer: BufWriter<File>, partial: PathBuf, path: PathBuf },
    /// Something that is no regular file, such as `/dev/null` or a named pipe, or is open already, such as `/dev/stdout`:
    /// written as it is.
    Direct { writer: BufWriter<File>, path: PathBuf },
}

impl Sink {
    /// Opens the destination of `output`.
    pub fn open<F: Formats>(output: &OutputSpec<F>) -> Result<Self> {
        let Some(path) = &output.file else { return Ok(Self::Stdout(BufWriter::new(io::stdout()))) };
        let context = || format!("cannot write `{}` (-o {output})", path.display());
        // The file behind a link is replaced, and the link stays.
        let path = &place::target(path);
        if let Some(open) = place::descriptor(path) {
            let file = already_open(path, open).with_context(context)?;
            return Ok(Self::Direct { writer: BufWriter::new(file), path: path.clone() });
        }
        let existing = std::fs::metadata(path).ok();
        if let Some(existing) = &existing {
            if existing.is_dir() {
                return Err(anyhow::anyhow!("it is a folder")).with_context(context);
            }
            if !existing.is_file() {
                let file = File::options().write(true).open(path).with_context(context)?;
                return Ok(Self::Direct { writer: BufWriter::new(file), path: path.clone() });
            }
            // A file that may not be written to is not replaced either, although its folder would allow it.
            File::options().append(true).open(path).with_context(context)?;
        }
        if output.format.grows() {
            let partial = beside(path, ".partial");
            let file = File::create(&partial).with_context(context)?;
            existing.iter().for_each(|existing| rights::keep(&file, existing));
            return Ok(Self::Growing { writer: BufWriter::new(file), partial, path: path.clone() });
        }
        let mut builder = tempfile::Builder::new();
        builder.prefix(".bartizan-").suffix(".tmp");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            // A new file is as any: the umask takes away. One that is replaced is nobody else's until it has its rights.
            let mode = if existing.is_some() { 0o600 } else { 0o666 };
            builder.permissions(std::fs::Permissions::from_mode(mode));
        }
        let file = builder.tempfile_in(place::folder(path)).map_err(|error| in_folder(&error)).with_context(context)?;
        existing.iter().for_each(|existing| rights::keep(file.as_file(), existing));
        match UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
            Some(unfinished) => unfinished.push(file.path().to_owned()),
            None => return Err(anyhow::anyhow!("the program is ending")).with_context(context),
        }
        Ok(Self::Replacing { writer: BufWriter::new(file), path: path.clone() })
    }

    /// Where to write.
    pub fn writer(&mut self) -> &mut dyn Write {
        match self {
            Self::Stdout(writer) => writer,
            Self::Replacing { writer, .. } => writer,
            Self::Growing { writer, .. } | Self::Direct { writer, .. } => writer,
        }
    }

    /// Completes the output: flushes, and gives a file its name.
    pub fn commit(self) -> Result<()> {
        match self {
            Self::Stdout(mut writer) => writer.flush().context("writing standard output")?,
            Self::Direct { mut writer, path } => {
                writer.flush().with_context(|| format!("writing `{}`", path.display()))?;
            }
            Self::Replacing { writer, path } => {
                let context = || format!("writing `{}`", path.display());
                let file = writer.into_inner().map_err(io::IntoInnerError::into_error).with_context(context)?;
                file.as_file().sync_all().with_context(context)?;
                file.persist(&path).map_err(|error| error.error).with_context(context)?;
            }
            Self::Growing { writer, partial, path } => {
                let context = || format!("writing `{}`", path.display());
                let file = writer.into_inner().map_err(io::IntoInnerError::into_error).with_context(context)?;
                file.sync_all().with_context(context)?;
                std::fs::rename(&partial, &path).with_context(context)?;
            }
        }
        Ok(())
    }

    /// Gives up on a destination nothing was written to.
    pub fn discard(self) {
        if let Self::Growing { partial, .. } = &self {
            // What cannot be removed stays; there is nothing more to do about it.
            let _ = std::fs::remove_file(partial);
        }
    }
}

impl Write for Sink {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.writer().write(buffer)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer().flush()
    }
}

/// Removes the files that have no name of their own yet, and lets none be begun after: for who ends the process at once,
/// so that nothing is dropped.
pub fn remove_unfinished() {
    for path in UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner).take().into_iter().flatten() {
        // Those that are complete have their name, and are not there any more under this one.
        let _ = std::fs::remove_file(path);
    }
}

/// What is open already, such as `/dev/stdout`: nothing in it is written over, also if it is a file that others write to.
fn already_open(path: &Path, (number, is_ours): (u32, bool)) -> io::Result<File> {
    let stream = if is_ours { place::standard_stream(number) } else { None };
    stream.unwrap_or_else(|| File::options().append(true).open(path))
}

/// Why no file could be made in a folder, without the temporary name, which is nothing the user gave.
fn in_folder(error: &io::Error) -> anyhow::Error {
    match error.kind() {
        io::ErrorKind::NotFound => anyhow::anyhow!("there is no such folder"),
        kind => anyhow::anyhow!("{kind}"),
    }
}

/// Says an error on standard error, in one line.
pub fn complain(message: &str) {
    // If even this cannot be written, the exit code remains.
    let _ = writeln!(io::stderr(), "error: {message}");
}

/// Says something that is no result on standard error, in one line.
pub fn say(message: &str) {
    // Without a terminal there is nobody to tell.
    let _ = writeln!(io::stderr(), "{message}");
}

/// Writes to standard output and flushes.
pub fn print(text: &str) -> Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()?;
    Ok(())
}

/// The content of a file of at most `limit` bytes; `what` names it in errors, as in `certificate file`.
pub fn read_bounded(path: &Path, what: &str, limit: u64) -> Result<Vec<u8>> {
    let context = || format!("cannot read the {what} `{}`", path.display());
    let file = File::open(path).with_context(context)?;
    let mut bytes = Vec::new();
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes).with_context(context)?;
    if bytes.len() as u64 > limit {
        bail!("the {what} `{}` has more than the {limit} bytes allowed", path.display());
    }
    Ok(bytes)
}

/// The same as text.
pub fn read_text(path: &Path, what: &str, limit: u64) -> Result<String> {
    let bytes = read_bounded(path, what, limit)?;
    String::from_utf8(bytes).map_err(|_| anyhow::anyhow!("the {what} `{}` is not UTF-8 text", path.display()))
}

/// Whether the reader of our output went away, which is its good right.
pub fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        let io = cause.downcast_ref::<io::Error>().map(io::Error::kind);
        let report = match cause.downcast_ref::<ReportError>() {
            Some(ReportError::Io(error)) => Some(error.kind()),
            _ => None,
        };
        io.or(report) == Some(io::ErrorKind::BrokenPipe)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_read_up_to_their_limit() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("f");
        std::fs::write(&file, "1234").unwrap();
        assert_eq!(read_text(&file, "list", 4).unwrap(), "1234");
        let large = read_bounded(&file, "list", 3).unwrap_err().to_string();
        assert!(large.contains("list") && large.contains("3 bytes"), "{large}");
        std::fs::write(&file, [0xff]).unwrap();
        assert!(read_text(&file, "list", 4).unwrap_err().to_string().contains("UTF-8"));
        assert!(read_bounded(&folder.path().join("none"), "list", 4).is_err());
    }

    #[test]
    fn outputs_are_read_and_settled() {
        let spec = |text: &str| text.parse::<OutputSpec>();
        assert_eq!(spec("sarif=out.sarif").unwrap().file.as_deref(), Some(Path::new("out.sarif")));
        assert_eq!(spec("json=-").unwrap(), spec("json").unwrap());
        for bad in ["yaml", "json=", "evidence", "=x"] {
            assert!(spec(bad).is_err(), "{bad}");
        }
        assert_eq!(settle::<OutputFormat>(&[]).unwrap(), [spec("table").unwrap()]);
        assert!("xml=ports.xml".parse::<OutputSpec<PortsFormat>>().is_ok());
        assert!("sarif".parse::<OutputSpec<PortsFormat>>().is_err());
        assert!(settle(&[spec("json").unwrap(), spec("csv").unwrap()]).is_err());
        assert!(settle(&[spec("json=a").unwrap(), spec("csv=a").unwrap()]).is_err());
        assert!(settle(&[spec("json").unwrap(), spec("csv=a").unwrap()]).is_ok());
    }
}
