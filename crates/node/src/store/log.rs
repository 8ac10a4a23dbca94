//! The block log: the truth of the node, one record per block, durable before anybody is told.
//!
//! Records lie in segment files `blocks/HEIGHT.log`, named after their first block. A segment is
//! filled with zeros ahead of its records, so that a block costs one write and one `fdatasync`
//! without a change of the file's length.
//!
//! Invariants: a block that was acknowledged is there after any crash, whole (test
//! `whatever_was_acknowledged_survives_a_power_cut_at_every_operation`); after a failed write or
//! sync the log takes nothing more (test `a_failed_sync_stops_the_log_for_good`).

use std::io;
use std::sync::Arc;

use super::StoreError;
use super::disk::{Disk, DiskFile};
use super::record::{
    self, Found, RECORD_HEADER_BYTES, SEGMENT_HEADER_BYTES, SegmentHeader, payload_length,
    record_bytes,
};

const FOLDER: &str = "blocks";

/// The height of the first block on a disk, by the names of its files; 1 when it has none.
///
/// # Errors
/// When the disk cannot be read.
pub fn first_height_on<D: Disk>(disk: &D) -> io::Result<u64> {
    let names = disk.names(FOLDER)?;
    let mut heights = names.iter().filter_map(|name| name.strip_suffix(".log")?.parse().ok());
    Ok(heights.next().unwrap_or(1))
}

/// How large the files of the log grow, and how far they are filled with zeros ahead.
#[derive(Clone, Copy, Debug)]
pub struct LogLimits {
    /// A new segment is begun when a record would end beyond this many bytes.
    pub segment_bytes: u64,
    /// So many zeros are written at once.
    pub zeros_bytes: u64,
}

impl Default for LogLimits {
    fn default() -> Self {
        Self { segment_bytes: 64 << 20, zeros_bytes: 4 << 20 }
    }
}

/// What is known of the blocks before the log is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Known {
    /// A snapshot covers the blocks up to this height: they are located only, and checked when they
    /// are read.
    pub covered: u64,
    /// Others know that the blocks up to this height were acknowledged: what is not whole there was
    /// damaged, and is no remains of an interrupted write.
    pub acknowledged: u64,
}

/// What is left at the end of the log of a block whose writing was interrupted, which nobody was
/// told of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cut {
    /// The file.
    pub file: String,
    /// Where in it.
    pub offset: u64,
    /// The block that was being written.
    pub height: u64,
}

struct Segment<F> {
    path: String,
    file: F,
    header: SegmentHeader,
    /// Where each record begins, by height.
    offsets: Vec<u64>,
    /// Where the next record begins.
    end: u64,
}

/// The log. Opening it changes nothing on the disk; [`BlockLog::settle`] does, once everything that
/// knows of blocks was asked.
pub struct BlockLog<D: Disk> {
    disk: Arc<D>,
    limits: LogLimits,
    key: [u8; 32],
    segments: Vec<Segment<D::File>>,
    next_height: u64,
    /// How far the last segment is filled with zeros.
    zeros_end: u64,
    /// A last file that never took a record.
    empty_file: Option<String>,
    is_settled: bool,
    stopped: bool,
}

/// A file of the log, as a copy needs it.
pub(crate) struct SegmentView<'a> {
    /// Its path.
    pub(crate) path: &'a str,
    /// The height of its first block.
    pub(crate) first_height: u64,
    offsets: &'a [u64],
    /// Where its last record ends.
    pub(crate) end: u64,
    /// Whether further blocks may come into it.
    pub(crate) is_last: bool,
}

impl SegmentView<'_> {
    /// Where the record of this height ends, if another one follows it in this file.
    pub(crate) fn end_of(&self, height: u64) -> Option<u64> {
        let next = usize::try_from(height.checked_sub(self.first_height)?).ok()? + 1;
        self.offsets.get(next).copied()
    }
}

impl<D: Disk> BlockLog<D> {
    const fn new(disk: Arc<D>, limits: LogLimits, key: [u8; 32]) -> Self {
        Self {
            disk,
            limits,
            key,
            segments: Vec::new(),
            next_height: 1,
            zeros_end: 0,
            empty_file: None,
            is_settled: false,
            stopped: false,
        }
    }

    /// The names of the files, in the order of their blocks.
    fn names(&self) -> Result<Vec<String>, StoreError> {
        let mut names = self.disk.names(FOLDER).map_err(StoreError::io(FOLDER))?;
        names.retain(|name| name.ends_with(".log"));
        Ok(names)
    }

    /// Opens the log.
    ///
    /// `key` is 32 secret random bytes, used for segments begun from now on.
    ///
    /// # Errors
    /// When the log is damaged anywhere but in a torn last record that nobody knows of, with file
    /// and place; when blocks that somebody knows of are missing; or when the disk fails.
    pub fn open(
        disk: Arc<D>,
        limits: LogLimits,
        key: [u8; 32],
        known: Known,
    ) -> Result<(Self, Option<Cut>), StoreError> {
        let mut log = Self::new(disk, limits, key);
        let names = log.names()?;
        let mut cut = None;
        for (index, name) in names.iter().enumerate() {
            let is_last = index + 1 == names.len();
            cut = log.open_segment(name, is_last, known)?;
        }
        let (last, known) = (log.last_height(), known.acknowledged.max(known.covered));
        if last < known {
            return Err(StoreError::MissingBlocks { first: last + 1, last: known });
        }
        Ok((log, cut))
    }

    /// A log on a disk that has none, which begins with the block of this height: those before it
    /// are not here.
    pub(crate) const fn beginning_at(
        disk: Arc<D>,
        limits: LogLimits,
        key: [u8; 32],
        first_height: u64,
    ) -> Self {
        let mut log = Self::new(disk, limits, key);
        log.next_height = first_height;
        log.is_settled = true;
        log
    }

    /// Removes the files all of whose blocks are below this height; how many there were. The last
    /// file stays.
    ///
    /// # Errors
    /// When the disk fails. What was removed is not known then, and matters to nobody.
    pub(crate) fn remove_below(&mut self, height: u64) -> Result<usize, StoreError> {
        let next = self.segments.iter().skip(1);
        let count = next.take_while(|segment| segment.header.first_height <= height).count();
        for segment in self.segments.drain(..count) {
            let Segment { path, file, .. } = segment;
            drop(file);
            self.disk.remove(&path).map_err(StoreError::io(&path))?;
        }
        if count > 0 {
            self.disk.sync_folder(FOLDER).map_err(StoreError::io(FOLDER))?;
        }
        Ok(count)
    }

    /// Opens the log up to the first record that is not whole, whatever comes after it: for taking
    /// out of a damaged folder what can be taken.
    ///
    /// # Errors
    /// When the disk fails.
    pub(crate) fn open_whole_part(disk: Arc<D>) -> Result<Self, StoreError> {
        let mut log = Self::new(disk, LogLimits::default(), [0; 32]);
        for name in log.names()? {
            match log.open_segment(&name, true, Known::default()) {
                Ok(None) => {}
                Ok(Some(_)) | Err(StoreError::Damaged { .. } | StoreError::OtherVersion(_)) => {
                    break;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(log)
    }

    /// The files of the log, in the order of their blocks.
    pub(crate) fn segments(&self) -> impl Iterator<Item = SegmentView<'_>> {
        let last = self.segments.len();
        self.segments.iter().zip(1..).map(move |(segment, number)| SegmentView {
            path: &segment.path,
            first_height: segment.header.first_height,
            offsets: &segment.offsets,
            end: segment.end,
            is_last: number == last,
        })
    }

    /// The height of the last block; 0 when there is none.
    #[must_use]
    pub const fn last_height(&self) -> u64 {
        self.next_height - 1
    }

    /// The height of the first block that the log has; 1 when it has none.
    #[must_use]
    pub fn first_height(&self) -> u64 {
        self.segments.first().map_or(1, |segment| segment.header.first_height)
    }

    /// How many bytes the records take.
    #[must_use]
    pub fn record_bytes(&self) -> u64 {
        self.segments.iter().map(|segment| segment.end - SEGMENT_HEADER_BYTES).sum()
    }

    /// Appends the block of the next height. When this returns, the block is durable.
    ///
    /// # Errors
    /// When it may not be durable. The log then takes nothing more: the node has to stop and start
    /// again, which finds out what is on the disk.
    pub fn append(&mut self, payload: &[u8]) -> Result<(), StoreError> {
        self.settle()?;
        // Only a way through to the end makes the log usable again.
        self.stopped = true;
        let height = self.next_height;
        let key = match self.segments.last() {
            Some(segment) if self.has_room(segment, payload) => segment.header.key,
            _ => self.begin_segment()?,
        };
        let record = record::encode(&key, height, payload).map_err(StoreError::io(FOLDER))?;
        let (limits, zeros_end) = (self.limits, self.zeros_end);
        let segment = self.segments.last_mut().expect("a segment was found or begun");
        let failed = StoreError::io(&segment.path);
        let end = segment.end + record.len() as u64;
        if end > zeros_end {
            let zeros = vec![0; limits.zeros_bytes.max(end - zeros_end) as usize];
            segment.file.write_at(zeros_end, &zeros).map_err(&failed)?;
            self.zeros_end = zeros_end + zeros.len() as u64;
        }
        segment.file.write_at(segment.end, &record).map_err(&failed)?;
        segment.file.sync().map_err(&failed)?;
        segment.offsets.push(segment.end);
        segment.end = end;
        self.next_height = height + 1;
        self.stopped = false;
        Ok(())
    }

    /// The payload of the block at this height.
    ///
    /// # Errors
    /// When there is none, it is damaged, or the disk fails.
    pub fn read(&self, height: u64) -> Result<Vec<u8>, StoreError> {
        let index = self.segments.partition_point(|one| one.header.first_height <= height);
        let place = index.checked_sub(1).and_then(|index| {
            let segment = self.segments.get(index)?;
            let record = usize::try_from(height - segment.header.first_height).ok()?;
            Some((segment, *segment.offsets.get(record)?))
        });
        let (segment, offset) = place.ok_or(StoreError::NoBlock(height))?;
        segment.read(height, offset)
    }

    fn has_room(&self, segment: &Segment<D::File>, payload: &[u8]) -> bool {
        segment.offsets.is_empty()
            || segment.end + record_bytes(payload.len() as u64) <= self.limits.segment_bytes
    }

    /// Makes the next segment durable, still without records.
    fn begin_segment(&mut self) -> Result<[u8; 32], StoreError> {
        let first_height = self.next_height;
        let path = format!("{FOLDER}/{first_height:020}.log");
        // A key for each segment: of the node's own, so that a copied header gives nothing away.
        let key = *blake3::keyed_hash(&self.key, path.as_bytes()).as_bytes();
        let header = SegmentHeader { key, first_height };
        let create = || {
            let file = self.disk.create(&path)?;
            file.write_at(0, &header.encode())?;
            file.sync()?;
            self.disk.sync_folder(FOLDER)?;
            Ok(file)
        };
        let file = create().map_err(StoreError::io(&path))?;
        let end = SEGMENT_HEADER_BYTES;
        self.segments.push(Segment { path, file, header, offsets: Vec::new(), end });
        self.zeros_end = end;
        Ok(key)
    }

    /// Reads a segment that follows those read so far.
    fn open_segment(
        &mut self,
        name: &str,
        is_last: bool,
        known: Known,
    ) -> Result<Option<Cut>, StoreError> {
        let path = format!("{FOLDER}/{name}");
        let file = self.disk.open(&path).map_err(StoreError::io(&path))?;
        let length = file.length().map_err(StoreError::io(&path))?;
        let bytes =
            read(&file, 0, length.min(SEGMENT_HEADER_BYTES)).map_err(StoreError::io(&path))?;
        let height = self.next_height;
        let Some(header) = SegmentHeader::decode(&bytes) else {
            let rest = read(&file, 0, length).map_err(StoreError::io(&path))?;
            if is_last && rest.iter().all(|byte| *byte == 0) {
                // Its making was interrupted before it could take a record.
                self.empty_file = Some(path.clone());
                return Ok(Some(Cut { file: path, offset: 0, height }));
            }
            if record::is_of_another_version(&bytes) {
                return Err(StoreError::OtherVersion(path));
            }
            return Err(damaged(&path, 0, height, "the file has no header of a block log"));
        };
        if self.segments.is_empty() {
            // Older segments may have been moved to an archive.
            self.next_height = header.first_height;
        }
        if header.first_height != self.next_height {
            let before = self.segments.last().map_or(&path, |segment| &segment.path);
            let end = self.segments.last().map_or(0, |segment| segment.end);
            return Err(damaged(before, end, height, "the next file begins with another block"));
        }
        let offsets = Vec::new();
        let mut segment = Segment { path, file, header, offsets, end: SEGMENT_HEADER_BYTES };
        let cut = self.scan(&mut segment, length, is_last, known);
        self.segments.push(segment);
        cut
    }

    /// Finds the records of a segment.
    fn scan(
        &mut self,
        segment: &mut Segment<D::File>,
        length: u64,
        is_last: bool,
        known: Known,
    ) -> Result<Option<Cut>, StoreError> {
        let key = segment.header.key;
        while self.next_height <= known.covered
            && let Some(payload) = segment.locate(self.next_height, length)?
        {
            self.found(segment, payload);
        }
        let start = segment.end;
        let rest =
            read(&segment.file, start, length - start).map_err(StoreError::io(&segment.path))?;
        loop {
            let (height, offset) = (self.next_height, segment.end);
            let at = rest.get((offset - start) as usize..).unwrap_or(&[]);
            let reason = match record::find(&key, height, offset, at) {
                Found::Payload(payload) => {
                    self.found(segment, payload.len() as u64);
                    continue;
                }
                Found::Nothing => return Ok(None),
                Found::Torn if !is_last => "it is not whole",
                Found::Torn if height <= known.acknowledged.max(known.covered) => {
                    "it is not whole, and it was acknowledged"
                }
                Found::Damaged(reason) => reason,
                Found::Torn => match record::later_record(&key, height, at) {
                    Some(_) => "it is not whole, but later blocks are there",
                    None => {
                        let file = segment.path.clone();
                        return Ok(Some(Cut { file, offset, height }));
                    }
                },
            };
            return Err(damaged(&segment.path, offset, height, reason));
        }
    }

    fn found(&mut self, segment: &mut Segment<D::File>, payload: u64) {
        segment.offsets.push(segment.end);
        segment.end += record_bytes(payload);
        self.next_height += 1;
    }

    /// Brings the end of the log into a known state: its last record durable for certain, zeros
    /// behind it. What is left of an interrupted write is gone afterwards.
    ///
    /// If the node stopped because a sync failed, the system may still show the record while the
    /// disk never got it; only writing it again makes it durable.
    ///
    /// # Errors
    /// When it may not be durable. The log then takes nothing more.
    pub fn settle(&mut self) -> Result<(), StoreError> {
        if self.stopped {
            return Err(StoreError::Stopped);
        }
        if !self.is_settled {
            self.stopped = true;
            self.settle_end()?;
            (self.is_settled, self.stopped) = (true, false);
        }
        Ok(())
    }

    fn settle_end(&mut self) -> Result<(), StoreError> {
        if let Some(path) = self.empty_file.take() {
            self.disk.remove(&path).map_err(StoreError::io(&path))?;
            self.disk.sync_folder(FOLDER).map_err(StoreError::io(FOLDER))?;
        }
        let Some(segment) = self.segments.last() else { return Ok(()) };
        let failed = StoreError::io(&segment.path);
        if let Some(offset) = segment.offsets.last() {
            let last = read(&segment.file, *offset, segment.end - offset).map_err(&failed)?;
            segment.file.write_at(*offset, &last).map_err(&failed)?;
        }
        let length = segment.file.length().map_err(&failed)?;
        let zeros = vec![0; length.saturating_sub(segment.end) as usize];
        segment.file.write_at(segment.end, &zeros).map_err(&failed)?;
        segment.file.sync().map_err(&failed)?;
        self.disk.sync_folder(FOLDER).map_err(StoreError::io(FOLDER))?;
        self.zeros_end = length.max(segment.end);
        Ok(())
    }
}

impl<F: DiskFile> Segment<F> {
    /// The length of the payload of the next record, from its header alone.
    fn locate(&self, height: u64, length: u64) -> Result<Option<u64>, StoreError> {
        if self.end + RECORD_HEADER_BYTES > length {
            return Ok(None);
        }
        let header = read(&self.file, self.end, RECORD_HEADER_BYTES);
        let header = header.map_err(StoreError::io(&self.path))?;
        let payload = payload_length(&self.header.key, &header, height);
        Ok(payload.filter(|payload| self.end + record_bytes(*payload) <= length))
    }

    fn read(&self, height: u64, offset: u64) -> Result<Vec<u8>, StoreError> {
        let failed = StoreError::io(&self.path);
        let key = &self.header.key;
        let wrong = || damaged(&self.path, offset, height, "its checksum is wrong");
        let header = read(&self.file, offset, RECORD_HEADER_BYTES).map_err(&failed)?;
        let length = payload_length(key, &header, height).ok_or_else(wrong)?;
        let record = read(&self.file, offset, record_bytes(length)).map_err(&failed)?;
        record::check(key, &record, length as usize).map(<[u8]>::to_vec).ok_or_else(wrong)
    }
}

fn read(file: &impl DiskFile, offset: u64, length: u64) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; length as usize];
    file.read_at(offset, &mut bytes)?;
    Ok(bytes)
}

fn damaged(file: &str, offset: u64, height: u64, reason: &'static str) -> StoreError {
    StoreError::Damaged { file: file.to_owned(), offset, height, reason }
}
