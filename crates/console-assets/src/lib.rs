//! The built console, as it was in `console/dist` when this was compiled. A crate of its own, so that the rest need not
//! know how the files come into the program.

/// A file of the console.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct File {
    /// Where it is below `/console/`.
    pub name: &'static str,
    /// Its bytes.
    pub identity: &'static [u8],
    /// The same compressed with Brotli, if that was worth it.
    pub brotli: Option<&'static [u8]>,
    /// The same compressed with gzip, if that was worth it.
    pub gzip: Option<&'static [u8]>,
}

/// All files, ordered by name; empty if the console had not been built.
pub const FILES: &[File] = include!(concat!(env!("OUT_DIR"), "/files.rs"));

/// The file with this name.
#[must_use]
pub fn file(name: &str) -> Option<&'static File> {
    FILES.iter().find(|file| file.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_paths_in_urls_and_compressed_files_stand_beside_theirs() {
        for found in FILES {
            assert!(!found.name.starts_with('/') && !found.name.contains("/."), "{}", found.name);
            assert!(!found.name.ends_with(".br") && !found.name.ends_with(".gz"), "{}", found.name);
            assert_eq!(file(found.name), Some(found));
            for compressed in [found.brotli, found.gzip].into_iter().flatten() {
                assert!(compressed.len() < found.identity.len(), "{}", found.name);
            }
        }
        assert_eq!(file("../Cargo.toml"), None);
    }
}
