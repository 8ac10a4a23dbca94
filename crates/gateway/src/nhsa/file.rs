//! Files that go to and fro in the interface: text in a ZIP archive, or as it is. They are sealed
//! in the hospital's book, and forgotten after some days.

use std::io::{Cursor, Read as _, Write as _};

use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{Timestamp, codec};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

use super::desk::{Message, damaged};
use super::field::Record;
use super::refusal::Refusal;

/// The longest message with a file in it, in bytes.
pub const FILE_MESSAGE_BYTES_MAX: usize = 8 << 20;
/// The longest text in a file, in bytes: what a small archive may become.
const TEXT_BYTES_MAX: usize = 32 << 20;
/// The most files that a hospital has here at once; the oldest goes first.
const FILES_MAX: usize = 32;
/// How long a file is kept, in milliseconds.
const KEPT_MILLIS: u64 = 7 * 24 * 3_600_000;

const FILE: &str = "file";
const LIST: &str = "files";

/// A file in the book.
#[derive(BorshSerialize, BorshDeserialize)]
pub(super) struct StoredFile {
    /// Its name, as who made it named it.
    pub name: String,
    /// What is in it.
    pub bytes: Vec<u8>,
}

/// A file in the list of those that are kept.
#[derive(BorshSerialize, BorshDeserialize)]
struct Listed {
    number: String,
    until: Timestamp,
}

/// The text of a file: of the one file in an archive, or the bytes themselves.
///
/// # Errors
/// What is wrong with the file, for the field of this path.
pub(super) fn text_of(file: &StoredFile, path: &str) -> Result<String, Refusal> {
    let wrong = || {
        let words = "文件应为UTF-8文本，或只含一个文本文件的ZIP；请重新生成后上传（9101）";
        Refusal::at(path, words)
    };
    let is_archive = file.bytes.starts_with(b"PK");
    let bytes = if is_archive { unpacked(&file.bytes, path, wrong)? } else { file.bytes.clone() };
    String::from_utf8(bytes).map_err(|_| wrong())
}

fn unpacked(bytes: &[u8], path: &str, wrong: impl Fn() -> Refusal) -> Result<Vec<u8>, Refusal> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|_| wrong())?;
    if archive.len() != 1 {
        return Err(wrong());
    }
    let entry = archive.by_index(0).map_err(|_| wrong())?;
    let mut text = Vec::new();
    // What an archive says of its size is not believed.
    let most = u64::try_from(TEXT_BYTES_MAX).unwrap_or(u64::MAX);
    entry.take(most.saturating_add(1)).read_to_end(&mut text).map_err(|_| wrong())?;
    if text.len() > TEXT_BYTES_MAX {
        let words = format!("解压后超过 {} MB；请缩短对账期间，分次对账", TEXT_BYTES_MAX >> 20);
        return Err(Refusal::at(path, words));
    }
    Ok(text)
}

/// An archive with one text in it.
///
/// # Errors
/// When it does not fit.
pub(super) fn packed(name: &str, text: &str) -> Result<Vec<u8>, Refusal> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    writer.start_file(name, options).map_err(damaged)?;
    writer.write_all(text.as_bytes()).map_err(damaged)?;
    Ok(writer.finish().map_err(damaged)?.into_inner())
}

impl Message<'_> {
    /// Keeps a file; gives its number and until when it is kept.
    ///
    /// # Errors
    /// When the book fails.
    pub(super) fn keep_file(&self, file: &StoredFile) -> Result<(String, Timestamp), Refusal> {
        let (book, now) = (&self.institution.book, self.call.now);
        let _claim = self
            .institution
            .claim(FILE, LIST)
            .ok_or_else(|| Refusal::for_now("另一份文件正在保存；请稍后以原报文重发"))?;
        let number = self.name(FILE, self.envelope.msgid().as_bytes());
        let until = now.plus_millis(KEPT_MILLIS);
        let mut list: Vec<Listed> = match book.get(LIST, LIST)? {
            Some(bytes) => codec::decode(&bytes).map_err(damaged)?,
            None => Vec::new(),
        };
        list.retain(|one| one.number != number);
        list.push(Listed { number: number.clone(), until });
        let surplus = list.len().saturating_sub(FILES_MAX);
        let is_kept = |at: usize, one: &Listed| at >= surplus && one.until > now;
        let (kept, gone): (Vec<_>, Vec<_>) =
            list.into_iter().enumerate().partition(|(at, one)| is_kept(*at, one));
        let kept: Vec<Listed> = kept.into_iter().map(|(_, one)| one).collect();
        book.put(FILE, &number, &codec::encode(file))?;
        book.put(LIST, LIST, &codec::encode(&kept))?;
        for (_, one) in gone {
            book.remove(FILE, &one.number)?;
        }
        Ok((number, until))
    }

    /// The file of the number in `file_qury_no`.
    ///
    /// # Errors
    /// When there is none.
    pub(super) fn stored_file(&self, record: &Record) -> Result<StoredFile, Refusal> {
        let kept = self.institution.book.get(FILE, record.text("file_qury_no"))?;
        let kept = kept.ok_or_else(|| {
            let words = "没有该文件，或已过期；请重新上传（9101）或重新对账（3202）";
            Refusal::at(record.path("file_qury_no"), words)
        })?;
        codec::decode(&kept).map_err(damaged)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: Vec<u8>) -> Result<String, String> {
        let file = StoredFile { name: "f".to_owned(), bytes };
        text_of(&file, "file_qury_no").map_err(|refusal| refusal.words())
    }

    #[test]
    fn a_packed_text_comes_out_as_it_went_in_and_a_plain_one_is_taken() {
        let text = "一\t2\r\n";
        assert_eq!(read(packed("a.txt", text).ok().unwrap()).unwrap(), text);
        assert_eq!(read(text.as_bytes().to_vec()).unwrap(), text);
    }

    #[test]
    fn what_is_no_archive_of_one_text_or_grows_too_large_is_refused() {
        let bomb = packed("a.txt", &"0".repeat(TEXT_BYTES_MAX + 1)).ok().unwrap();
        assert!(bomb.len() < 100_000, "{}", bomb.len());
        assert!(read(bomb).unwrap_err().contains("32 MB"));
        let mut cut = packed("a.txt", "text").ok().unwrap();
        cut.truncate(cut.len() - 4);
        assert!(read(cut).unwrap_err().contains("ZIP"));
        assert!(read(b"PK".to_vec()).unwrap_err().contains("ZIP"));
        assert!(read(vec![0xff, 0xfe]).unwrap_err().contains("UTF-8"));
        let mut two = ZipWriter::new(Cursor::new(Vec::new()));
        two.start_file("a", SimpleFileOptions::default()).unwrap();
        two.start_file("b", SimpleFileOptions::default()).unwrap();
        assert!(read(two.finish().unwrap().into_inner()).is_err());
    }
}
