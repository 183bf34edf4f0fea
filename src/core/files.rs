//! Reading and writing files that somebody else may have prepared.
//!
//! What is read is a plain file of a bounded size: a device never ends and a pipe never begins. What one file names in
//! another lies below its folder, links included. What is written is a file of one's own: a link in its place is never
//! followed, and nothing is removed that is not known to be of the program's making.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::path::{Component, Path, PathBuf};

use thiserror::Error;

/// Why a file is not read.
#[derive(Debug, Error)]
pub enum Unreadable {
    /// The operating system refused.
    #[error("{}", in_words(.0))]
    Io(#[from] io::Error),
    /// It is a folder, a device, a pipe or a socket.
    #[error("this is {0}, not a plain file")]
    NotPlain(&'static str),
    /// It is longer than any such file needs to be.
    #[error("has more than {0} MiB, which no such file has")]
    TooLong(u64),
    /// It does not lie where it may be read.
    #[error(
        "this is not read, for it lies outside the folder `{}`: put a copy of it there",
        if .0.as_os_str().is_empty() { Path::new(".") } else { .0 }.display()
    )]
    Outside(PathBuf),
}

/// An error of the operating system without its number.
fn in_words(error: &io::Error) -> String {
    if error.kind() == io::ErrorKind::NotFound {
        return "there is no such file".to_owned();
    }
    let text = error.to_string();
    match text.find(" (os error") {
        Some(end) => text[..end].to_lowercase(),
        None => text,
    }
}

/// Reads all of a plain file of at most so many bytes.
///
/// # Errors
/// When it is not there, cannot be read, is not a plain file or too long.
pub fn read_plain(path: &Path, most: u64) -> Result<Vec<u8>, Unreadable> {
    read_open(open_plain(path)?, most)
}

/// Reads a plain file of at most so many bytes that is named relative to a folder and lies in it or below, whatever
/// links lead there.
///
/// # Errors
/// When it lies elsewhere, is not there, cannot be read, is not a plain file or too long.
pub fn read_below(folder: &Path, name: &Path, most: u64) -> Result<Vec<u8>, Unreadable> {
    let inside = |part: Component| matches!(part, Component::Normal(_) | Component::CurDir);
    let outside = || Unreadable::Outside(folder.to_owned());
    if !name.components().all(inside) {
        return Err(outside());
    }
    let here = if folder.as_os_str().is_empty() {
        Path::new(".")
    } else {
        folder
    };
    let root = here.canonicalize()?;
    let file = here.join(name).canonicalize()?;
    if !file.starts_with(&root) {
        return Err(outside());
    }
    // What was resolved is opened: a link that comes in between is not followed.
    let mut options = OpenOptions::new();
    options.read(true);
    not_following(&mut options);
    read_open(only_plain(options.open(file)?)?, most)
}

fn read_open(file: File, most: u64) -> Result<Vec<u8>, Unreadable> {
    let mut bytes = Vec::new();
    file.take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        return Err(Unreadable::TooLong(most >> 20));
    }
    Ok(bytes)
}

/// Opens a plain file for reading. Does not wait for the other end of a pipe.
fn open_plain(path: &Path) -> Result<File, Unreadable> {
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, libc::O_NONBLOCK);
    only_plain(options.open(path)?)
}

fn only_plain(file: File) -> Result<File, Unreadable> {
    let kind = file.metadata()?.file_type();
    if kind.is_file() {
        return Ok(file);
    }
    if kind.is_dir() {
        return Err(Unreadable::NotPlain("a folder"));
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt;
        if kind.is_fifo() {
            return Err(Unreadable::NotPlain("a pipe"));
        }
        if kind.is_socket() {
            return Err(Unreadable::NotPlain("a socket"));
        }
    }
    Err(Unreadable::NotPlain("a device"))
}

/// Makes whoever opens a file fail where its name is a link, and not wait for the other end of a pipe.
fn not_following(options: &mut OpenOptions) {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(options, libc::O_NOFOLLOW | libc::O_NONBLOCK);
    #[cfg(not(unix))]
    let _ = options;
}

/// Whether anything has this name, be it a link that leads nowhere.
pub fn is_taken(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}

/// Whether this name is that of a link.
pub fn is_link(path: &Path) -> bool {
    let found = path.symlink_metadata();
    found.is_ok_and(|found| found.file_type().is_symlink())
}

/// Opens a file of one's own again, to read it and to go on writing.
///
/// # Errors
/// When it is not there, is a link, has a second name elsewhere (a hard link) or is not a plain file.
pub fn reopen_own(path: &Path) -> io::Result<File> {
    if is_link(path) {
        return Err(io::Error::other(
            "it is a link to another file, which is not written to",
        ));
    }
    let mut options = OpenOptions::new();
    options.read(true).write(true);
    not_following(&mut options);
    let file = only_plain(options.open(path)?).map_err(|error| match error {
        Unreadable::Io(error) => error,
        other => io::Error::other(other.to_string()),
    })?;
    #[cfg(unix)]
    if std::os::unix::fs::MetadataExt::nlink(&file.metadata()?) > 1 {
        let message = "the same file has another name as well (a hard link), under which it would change, too";
        return Err(io::Error::other(message));
    }
    Ok(file)
}

/// Puts a text under a name, in one piece. A file of that name is replaced; a link or a folder is not.
///
/// # Errors
/// When it cannot be written, or the name is that of anything but a plain file.
pub fn write_whole(path: &Path, text: &[u8]) -> io::Result<()> {
    use std::io::Write;
    if path.symlink_metadata().is_ok_and(|found| !found.is_file()) {
        return Err(io::Error::other(
            "it is not a plain file, and is not replaced",
        ));
    }
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let mut builder = tempfile::Builder::new();
    // Temporary files are private by default; this one is as readable as any other file.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut file = builder.prefix(".").suffix(".part").tempfile_in(folder)?;
    file.as_file_mut().write_all(text)?;
    file.persist(path).map(drop).map_err(|error| error.error)
}

/// The first of `NAME.END`, `NAME-2.END`, `NAME-3.END`... that nothing is called.
pub fn free_name(plain: &Path) -> PathBuf {
    numbered_names(plain)
        .find(|path| !is_taken(path))
        .unwrap_or_else(|| plain.to_owned())
}

/// `NAME.END`, `NAME-2.END`, `NAME-3.END` and so on.
pub fn numbered_names(plain: &Path) -> impl Iterator<Item = PathBuf> {
    let stem = plain.file_stem().unwrap_or_default().to_owned();
    let end = plain.extension().map(std::ffi::OsStr::to_owned);
    let plain = plain.to_owned();
    (1_u32..).map(move |number| {
        if number == 1 {
            return plain.clone();
        }
        let mut name = stem.clone();
        name.push(format!("-{number}"));
        if let Some(end) = &end {
            name.push(".");
            name.push(end);
        }
        plain.with_file_name(name)
    })
}

/// Removes a plain file that the program has made, if it is there.
///
/// # Errors
/// When it cannot be removed, or its name is that of a link or anything else.
pub fn remove_own(path: &Path) -> io::Result<()> {
    match path.symlink_metadata() {
        Ok(found) if !found.is_file() => Err(io::Error::other(
            "it is not a plain file, so this program has not made it and does not remove it",
        )),
        Ok(_) => fs::remove_file(path),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_named_in_a_file_lies_below_its_folder() {
        let outer = tempfile::tempdir().expect("a temporary folder");
        let folder = outer.path().join("scene");
        fs::create_dir_all(folder.join("data")).expect("writable");
        fs::write(outer.path().join("secret"), "x").expect("writable");
        fs::write(folder.join("data/cells.csv"), "x,y,z").expect("writable");
        let read = |name: &str| read_below(&folder, Path::new(name), 100);
        assert_eq!(read("data/cells.csv").expect("it is there"), b"x,y,z");
        assert_eq!(read("./data/cells.csv").expect("it is there"), b"x,y,z");
        let whole = folder.join("data/cells.csv").display().to_string();
        for name in ["../secret", "data/../../secret", &whole, "/etc/passwd"] {
            assert!(matches!(read(name), Err(Unreadable::Outside(_))), "{name}");
        }
        assert!(matches!(read("none"), Err(Unreadable::Io(_))));
        assert!(matches!(
            read("data"),
            Err(Unreadable::NotPlain("a folder"))
        ));
        let long = read_below(&folder, Path::new("data/cells.csv"), 4);
        assert!(matches!(long, Err(Unreadable::TooLong(0))));
    }

    #[cfg(unix)]
    #[test]
    fn no_link_leads_out_and_no_pipe_is_waited_for() {
        use std::os::unix::fs::symlink;
        let outer = tempfile::tempdir().expect("a temporary folder");
        let folder = outer.path().join("scene");
        fs::create_dir(&folder).expect("writable");
        fs::write(outer.path().join("secret"), "x").expect("writable");
        fs::write(folder.join("own"), "own").expect("writable");
        symlink(outer.path().join("secret"), folder.join("out")).expect("writable");
        symlink("own", folder.join("in")).expect("writable");
        symlink(outer.path(), folder.join("up")).expect("writable");
        let read = |name: &str| read_below(&folder, Path::new(name), 100);
        assert_eq!(read("in").expect("it stays inside"), b"own");
        for name in ["out", "up/secret"] {
            assert!(matches!(read(name), Err(Unreadable::Outside(_))), "{name}");
        }
        let made = std::process::Command::new("mkfifo")
            .arg(folder.join("pipe"))
            .status();
        assert!(made.expect("mkfifo is there").success());
        assert!(matches!(read("pipe"), Err(Unreadable::NotPlain("a pipe"))));
        let zero = read_plain(Path::new("/dev/zero"), 100);
        assert!(matches!(zero, Err(Unreadable::NotPlain("a device"))));
    }

    #[cfg(unix)]
    #[test]
    fn links_are_neither_written_through_nor_removed() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (target, link, hard) = (
            folder.path().join("target"),
            folder.path().join("link"),
            folder.path().join("hard"),
        );
        fs::write(&target, "mine").expect("writable");
        std::os::unix::fs::symlink(&target, &link).expect("writable");
        fs::hard_link(&target, &hard).expect("writable");
        assert!(reopen_own(&link).is_err());
        assert!(reopen_own(&hard).is_err());
        assert!(write_whole(&link, b"other").is_err());
        assert!(remove_own(&link).is_err());
        assert!(is_taken(&link) && is_link(&link) && !is_link(&target));
        assert_eq!(fs::read(&target).expect("there"), b"mine");
        fs::remove_file(&hard).expect("writable");
        assert!(reopen_own(&target).is_ok());
    }

    #[test]
    fn a_name_that_is_taken_gets_a_number_before_its_ending() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let plain = folder.path().join("film.mp4");
        assert_eq!(free_name(&plain), plain);
        fs::write(&plain, "").expect("writable");
        fs::write(folder.path().join("film-2.mp4"), "").expect("writable");
        assert_eq!(free_name(&plain), folder.path().join("film-3.mp4"));
    }
}
