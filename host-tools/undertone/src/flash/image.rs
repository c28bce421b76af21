//! An image file, plain or packed, as the bytes that belong on the card.

use std::cell::RefCell;
use std::fs::File;
use std::io::{self, BufRead, BufReader, ErrorKind, Read, Seek as _};
use std::path::Path;
use std::rc::Rc;

use anyhow::Result;
use flate2::bufread::MultiGzDecoder;
use liblzma::bufread::XzDecoder;
use liblzma::stream::{CONCATENATED, Stream};
use ruzstd::decoding::StreamingDecoder;
use sha2::{Digest as _, Sha256};

use crate::digest;
use crate::failure::Failure;

/// No image is larger once unpacked; what claims to be is no image.
pub(super) const MAX_IMAGE_BYTES: u64 = 64 << 30;

/// What unpacking may use; `xz -9` needs 65 MiB.
const MAX_XZ_MEMORY: u64 = 256 << 20;

/// How the file is packed, by its first bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Packing {
    Plain,
    Gzip,
    Xz,
    Zstd,
}

impl Packing {
    fn of(head: &[u8]) -> Result<Self> {
        let other = |name: &str| {
            Failure::error(
                "not-an-image",
                format!("this is a {name}, not an image"),
                "unpack it, or take the .img.xz of raspberrypi.com/software/operating-systems",
            )
        };
        match head {
            [0x1f, 0x8b, ..] => Ok(Self::Gzip),
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Ok(Self::Xz),
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Ok(Self::Zstd),
            [b'P', b'K', 3, 4, ..] => Err(other("zip archive")),
            [b'7', b'z', 0xbc, 0xaf, ..] => Err(other("7z archive")),
            [b'B', b'Z', b'h', ..] => Err(other("bzip2 file")),
            _ => Ok(Self::Plain),
        }
    }
}

/// An image file that has been opened.
#[derive(Debug)]
pub(super) struct Image {
    file: File,
    pub(super) packing: Packing,
    /// Length of the file as it is.
    pub(super) file_bytes: u64,
}

impl Image {
    pub(super) fn open(path: &Path) -> Result<Self> {
        let mut file = crate::bundle::open(path)?.into_inner();
        let mut head = Vec::new();
        file.by_ref().take(16).read_to_end(&mut head)?;
        file.rewind()?;
        Ok(Image {
            packing: Packing::of(&head)?,
            file_bytes: file.metadata()?.len(),
            file,
        })
    }

    /// SHA-256 of the file as it was downloaded.
    pub(super) fn hash(&self, progress: impl FnMut(u64)) -> Result<String> {
        let mut file = self.file.try_clone()?;
        file.rewind()?;
        Ok(digest::sha256(&mut file, progress)?.1)
    }

    /// The unpacked bytes from the beginning, and an account of the packed ones that were read.
    pub(super) fn unpacked(&self) -> Result<(Box<dyn Read>, Account)> {
        let mut file = self.file.try_clone()?;
        file.rewind()?;
        let account = Account::default();
        let counted = Counted {
            file,
            account: account.clone(),
        };
        let source = BufReader::with_capacity(1 << 20, counted);
        let reader: Box<dyn Read> = match self.packing {
            Packing::Plain => Box::new(source),
            Packing::Gzip => Box::new(MultiGzDecoder::new(source)),
            Packing::Xz => {
                let stream = Stream::new_stream_decoder(MAX_XZ_MEMORY, CONCATENATED)
                    .map_err(io::Error::from)?;
                Box::new(XzDecoder::new_stream(source, stream))
            }
            Packing::Zstd => Box::new(Zstd {
                decoder: None,
                source: Some(source),
            }),
        };
        Ok((reader, account))
    }

    /// SHA-256 of the file as it was read for `account`, with what lies behind the last byte that unpacking asked for.
    /// Nothing else may have read the image since.
    pub(super) fn sum(&self, account: &Account) -> Result<String> {
        // One open file has one position, whoever reads it: this goes on where unpacking stopped.
        let mut rest = Counted {
            file: self.file.try_clone()?,
            account: account.clone(),
        };
        io::copy(&mut rest, &mut io::sink())?;
        Ok(digest::digits(account.0.borrow().1.clone()))
    }
}

/// What a broken image looks like from here.
pub(super) fn damaged(error: &io::Error) -> anyhow::Error {
    Failure::error(
        "bad-image",
        format!("the image cannot be unpacked: {error}"),
        "download it again, and pass --sha256 with the sum that its publisher names",
    )
}

/// How many packed bytes were read so far, and their sum.
#[derive(Debug, Clone, Default)]
pub(super) struct Account(Rc<RefCell<(u64, Sha256)>>);

impl Account {
    pub(super) fn bytes(&self) -> u64 {
        self.0.borrow().0
    }
}

struct Counted {
    file: File,
    account: Account,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read(buffer)?;
        let (bytes, hash) = &mut *self.account.0.borrow_mut();
        *bytes += count as u64;
        hash.update(&buffer[..count]);
        Ok(count)
    }
}

type Frame<R> = StreamingDecoder<R, ruzstd::decoding::FrameDecoder>;

/// Frame after frame: zstd may write several.
struct Zstd<R: BufRead> {
    decoder: Option<Box<Frame<R>>>,
    source: Option<R>,
}

impl<R: BufRead> Read for Zstd<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            if let Some(decoder) = &mut self.decoder {
                let count = decoder.read(buffer)?;
                if count > 0 || buffer.is_empty() {
                    return Ok(count);
                }
            }
            if let Some(decoder) = self.decoder.take() {
                let (source, frame) = decoder.into_parts();
                // The frame's own sum, where it has one; the decoder leaves comparing to its caller.
                let (told, found) = (
                    frame.get_checksum_from_data(),
                    frame.get_calculated_checksum(),
                );
                if told.is_some() && told != found {
                    return Err(io::Error::new(
                        ErrorKind::InvalidData,
                        "its checksum is wrong",
                    ));
                }
                self.source = Some(source);
            }
            let Some(mut source) = self.source.take() else {
                return Ok(0);
            };
            if source.fill_buf()?.is_empty() {
                self.source = Some(source);
                return Ok(0);
            }
            let decoder = StreamingDecoder::new(source).map_err(io::Error::other)?;
            self.decoder = Some(Box::new(decoder));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    #[test]
    fn the_sum_of_what_was_unpacked_is_that_of_the_whole_file_however_it_is_packed() {
        let content: Vec<u8> = (0..3_000_000u32).flat_map(u32::to_le_bytes).collect();
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(&content).unwrap();
        let mut xz = liblzma::write::XzEncoder::new(Vec::new(), 0);
        xz.write_all(&content).unwrap();
        let packed = [
            content.clone(),
            gzip.finish().unwrap(),
            xz.finish().unwrap(),
        ];
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("os.img");
        for packed in packed {
            std::fs::write(&path, &packed).unwrap();
            let image = Image::open(&path).unwrap();
            let (bytes, account) = image.unpacked().unwrap();
            // The writer stops at the length that it knows.
            let count = io::copy(&mut bytes.take(content.len() as u64), &mut io::sink());
            assert_eq!(count.unwrap(), content.len() as u64);
            assert_eq!(image.sum(&account).unwrap(), image.hash(|_| ()).unwrap());
            assert_eq!(account.bytes(), packed.len() as u64);
        }
    }
}
