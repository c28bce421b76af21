//! Reports that people look at: one HTML file each, which opens from disk without a network.
//!
//! In: text, numbers and samples. Out: a [`Page`] as one string with everything in it: style, a little script (theme,
//! sortable tables), charts as SVG, pictures and sound as data URIs. A content security policy in the page keeps it from
//! loading anything else, whatever its text says.
//!
//! - Text is escaped where it enters ([`Html`]); a file name cannot become markup.
//! - Charts ([`chart`]) take their colours from the page's style, so that they follow its light or dark theme, and
//!   stand alone as pictures with [`chart::Chart::standalone`].
//! - Nothing here reads a clock or a device. The only file that is read or written is the page itself
//!   ([`may_be_written`], [`write()`]).

#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

#[cfg(feature = "browser")]
pub mod browser;
pub mod chart;
mod error;
mod figure;
mod file;
mod finding;
mod markup;
pub mod media;
mod page;
mod section;
mod table;

pub use error::PageError;
pub use figure::Figure;
pub use file::{may_be_written, write};
pub use finding::Mood;
pub use markup::Html;
pub use page::Page;
pub use section::Section;
pub use table::{Cell, Table};
