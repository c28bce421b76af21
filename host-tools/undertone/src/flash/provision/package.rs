//! Whether a file is the package undertoned for a Raspberry Pi: deb(5), ar(5) and tar(5), of which only the control file is
//! read.

use std::io::Read;

use flate2::read::GzDecoder;
use liblzma::read::XzDecoder;
use ruzstd::decoding::StreamingDecoder;

/// The control files of a package are not longer once unpacked.
const MAX_CONTROL: u64 = 4 << 20;
/// Length of a head in ar and in tar.
const AR: usize = 60;
const TAR: usize = 512;
/// What Raspberry Pi OS can install.
const ARCHITECTURES: [&str; 3] = ["arm64", "armhf", "all"];

/// Why it is none.
pub(super) fn check(package: &[u8]) -> Result<(), String> {
    let no_package = || "it is not a Debian package".to_owned();
    let members = package.strip_prefix(b"!<arch>\n").ok_or_else(no_package)?;
    let (name, packed) = member(members, "control.tar").ok_or_else(no_package)?;
    let tar =
        unpacked(name, packed).map_err(|reason| format!("{name} cannot be unpacked: {reason}"))?;
    let control = file_of(&tar, "control").ok_or_else(no_package)?;
    let control = String::from_utf8_lossy(control);
    let field = |wanted: &str| {
        let value = |line: &str| Some(line.strip_prefix(wanted)?.trim().to_owned());
        control.lines().find_map(value).unwrap_or_default()
    };
    let (own, architecture) = (field("Package:"), field("Architecture:"));
    if own != "undertoned" {
        return Err(format!("it is the package {own:?}, not undertoned"));
    }
    if !ARCHITECTURES.contains(&architecture.as_str()) {
        return Err(format!(
            "it is for {architecture}; the image needs arm64 or armhf"
        ));
    }
    // The rest of a package that was cut short would be missed on the box only.
    match member(members, "data.tar") {
        Some(_) => Ok(()),
        None => Err("it has no data archive, or the file is cut short".into()),
    }
}

/// A member of an archive, by how its name begins.
fn member<'a>(mut archive: &'a [u8], begins: &str) -> Option<(&'a str, &'a [u8])> {
    while let Some((head, rest)) = archive.split_at_checked(AR) {
        let text = std::str::from_utf8(head).ok()?;
        let name = text.get(..16)?.trim_end().trim_end_matches('/');
        let length: usize = text.get(48..58)?.trim_end().parse().ok()?;
        let content = rest.get(..length)?;
        if name.starts_with(begins) {
            return Some((name, content));
        }
        // Members begin at even places.
        archive = rest.get(length.checked_next_multiple_of(2)?..)?;
    }
    None
}

fn unpacked(name: &str, packed: &[u8]) -> Result<Vec<u8>, String> {
    let reader: Box<dyn Read + '_> = match name.rsplit('.').next() {
        Some("gz") => Box::new(GzDecoder::new(packed)),
        Some("xz") => Box::new(XzDecoder::new(packed)),
        Some("zst") => Box::new(StreamingDecoder::new(packed).map_err(|error| error.to_string())?),
        _ => Box::new(packed),
    };
    let mut tar = Vec::new();
    reader
        .take(MAX_CONTROL)
        .read_to_end(&mut tar)
        .map(|_| tar)
        .map_err(|error| error.to_string())
}

/// A file of a tar, by its name in the top folder.
fn file_of<'a>(mut tar: &'a [u8], wanted: &str) -> Option<&'a [u8]> {
    while let Some((head, rest)) = tar.split_at_checked(TAR) {
        let text = |from: usize, to: usize| {
            let field = head.get(from..to)?;
            let end = field
                .iter()
                .position(|byte| *byte == 0)
                .unwrap_or(field.len());
            std::str::from_utf8(&field[..end]).ok()
        };
        let name = text(0, 100)?;
        if name.is_empty() {
            return None;
        }
        let length = usize::from_str_radix(text(124, 136)?.trim(), 8).ok()?;
        let content = rest.get(..length)?;
        if name.trim_start_matches("./") == wanted {
            return Some(content);
        }
        tar = rest.get(length.checked_next_multiple_of(TAR)?..)?;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    fn tar(control: &str) -> Vec<u8> {
        let mut tar = Vec::new();
        for (name, content) in [("./", ""), ("./md5sums", "x\n"), ("./control", control)] {
            let mut head = vec![0u8; TAR];
            head[..name.len()].copy_from_slice(name.as_bytes());
            head[124..135].copy_from_slice(format!("{:011o}", content.len()).as_bytes());
            tar.extend(head);
            tar.extend(content.as_bytes());
            tar.resize(tar.len().next_multiple_of(TAR), 0);
        }
        tar.resize(tar.len() + 2 * TAR, 0);
        tar
    }

    fn ar(members: &[(&str, &[u8])]) -> Vec<u8> {
        let mut file = b"!<arch>\n".to_vec();
        for (name, content) in members {
            let head = format!(
                "{name:<16}{:<12}{:<6}{:<6}{:<8}{:<10}`\n",
                0,
                0,
                0,
                0,
                content.len()
            );
            file.extend(head.as_bytes());
            file.extend(*content);
            if content.len() % 2 == 1 {
                file.push(b'\n');
            }
        }
        file
    }

    fn package(name: &str, control: &[u8]) -> Vec<u8> {
        ar(&[
            ("debian-binary", b"2.0\n\n"),
            (name, control),
            ("data.tar.xz", b"data"),
        ])
    }

    const CONTROL: &str =
        "Package: undertoned\nVersion: 0.1.0\nArchitecture: arm64\nDescription: x\n";

    #[test]
    fn a_package_is_read_however_it_is_packed() {
        let tar = tar(CONTROL);
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(&tar).unwrap();
        let mut xz = liblzma::write::XzEncoder::new(Vec::new(), 1);
        xz.write_all(&tar).unwrap();
        check(&package("control.tar", &tar)).unwrap();
        check(&package("control.tar.gz", &gzip.finish().unwrap())).unwrap();
        check(&package("control.tar.xz/", &xz.finish().unwrap())).unwrap();
    }

    #[test]
    fn what_the_card_could_not_install_is_refused() {
        let with = |control: &str| check(&package("control.tar", &tar(control))).unwrap_err();
        assert_eq!(
            with(&CONTROL.replace("arm64", "amd64")),
            "it is for amd64; the image needs arm64 or armhf"
        );
        assert!(with(&CONTROL.replace("undertoned", "bash")).contains("\"bash\""));
        assert!(with("").contains("\"\""));
        let whole = package("control.tar", &tar(CONTROL));
        for length in 0..whole.len() {
            assert!(check(&whole[..length]).is_err(), "{length} bytes");
        }
        for other in [&b"hello"[..], b"!<arch>\ndebian-binary", &ar(&[("x", b"")])] {
            assert_eq!(check(other).unwrap_err(), "it is not a Debian package");
        }
        let error = check(&package("control.tar.xz", b"no xz")).unwrap_err();
        assert!(error.contains("cannot be unpacked"), "{error}");
    }
}
