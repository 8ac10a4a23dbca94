//! Trial pictures of faces, for the simulated authority: each is a grey square with a name in a
//! comment, so that no two are the same file and nobody takes one for somebody's face.

use std::fs;
use std::path::Path;

use anyhow::Result;

use super::population::Resident;
use crate::serving::wallet::FACES_FOLDER;

/// The edge of the square in pixels, a multiple of eight.
const EDGE: u16 = 160;
/// Two bits for each block of eight by eight: no change of grey, and the end.
const GREY_BYTES: usize = 100;

/// Writes a trial picture for each of these people, named by the identity number, where the
/// authority enters them from.
///
/// # Errors
/// When a file cannot be written.
pub fn write<'a>(authority: &Path, people: impl IntoIterator<Item = &'a Resident>) -> Result<()> {
    let folder = authority.join(FACES_FOLDER);
    fs::create_dir_all(&folder)?;
    for one in people {
        let comment = format!("trial picture of {} {}", one.name, one.identity_number);
        fs::write(folder.join(format!("{}.jpg", one.identity_number)), picture(&comment))?;
    }
    Ok(())
}

/// A grey square as JPEG with a comment in it.
fn picture(comment: &str) -> Vec<u8> {
    let mut bytes = vec![0xff, 0xd8];
    let mut segment = |marker: u8, content: &[u8]| {
        let length = u16::try_from(content.len() + 2).unwrap_or(u16::MAX);
        bytes.extend_from_slice(&[0xff, marker]);
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(content);
    };
    segment(0xfe, comment.as_bytes());
    let quantisation = [&[0_u8][..], &[1; 64]].concat();
    segment(0xdb, &quantisation);
    let [high, low] = EDGE.to_be_bytes();
    segment(0xc0, &[8, high, low, high, low, 1, 1, 0x11, 0]);
    // One code of one bit in each table: no difference, and the end of a block.
    let one_code = |class: u8| [&[class, 1][..], &[0; 16]].concat();
    segment(0xc4, &one_code(0x00));
    segment(0xc4, &one_code(0x10));
    segment(0xda, &[1, 1, 0, 0, 63, 0]);
    bytes.extend_from_slice(&[0; GREY_BYTES]);
    bytes.extend_from_slice(&[0xff, 0xd9]);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trial_picture_is_a_jpeg_and_no_two_are_the_same() {
        let (one, other) = (picture("one"), picture("other"));
        assert!(one.starts_with(&[0xff, 0xd8, 0xff]) && one.ends_with(&[0xff, 0xd9]));
        assert_ne!(one, other);
        assert_eq!(usize::from(EDGE / 8).pow(2) * 2, GREY_BYTES * 8);
    }
}
