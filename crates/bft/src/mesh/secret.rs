//! An encrypted connection: frames of what Noise made.

use std::io::{self, Error, ErrorKind, Read, Write};
use std::net::TcpStream;

use snow::{HandshakeState, TransportState};

use super::MESSAGE_BYTES_MAX;

/// What Noise encrypts at once.
const CHUNK_BYTES: usize = 65_535;
const TAG_BYTES: usize = 16;

/// An error of the cryptography, as one of the connection.
#[must_use]
pub fn noise(error: snow::Error) -> Error {
    Error::new(ErrorKind::InvalidData, error)
}

/// One frame: two bytes of length and what Noise made.
///
/// # Errors
/// When it is too long, or cannot be written.
pub fn write_frame(stream: &mut impl Write, frame: &[u8]) -> io::Result<()> {
    let length = u16::try_from(frame.len()).map_err(|_| Error::from(ErrorKind::InvalidInput))?;
    stream.write_all(&[&length.to_be_bytes(), frame].concat())
}

/// Reads a frame of at most so many bytes.
///
/// # Errors
/// When it is longer, or cannot be read.
pub fn read_frame(stream: &mut impl Read, most: usize) -> io::Result<Vec<u8>> {
    let mut length = [0; 2];
    stream.read_exact(&mut length)?;
    let length = usize::from(u16::from_be_bytes(length));
    if length > most {
        return Err(Error::new(ErrorKind::InvalidData, "a frame is longer than allowed"));
    }
    let mut frame = vec![0; length];
    stream.read_exact(&mut frame)?;
    Ok(frame)
}

/// An encrypted connection: one side sends a message, the other receives it.
pub struct Secret {
    pub(crate) stream: TcpStream,
    transport: TransportState,
}

impl Secret {
    /// The connection after this handshake.
    ///
    /// # Errors
    /// When the handshake is not over.
    pub fn after(handshake: HandshakeState, stream: TcpStream) -> io::Result<Self> {
        Ok(Self { stream, transport: handshake.into_transport_mode().map_err(noise)? })
    }

    /// Sends a message in as many frames as it needs; the first one begins with its length.
    ///
    /// # Errors
    /// When it is too long, or the connection breaks.
    pub fn send(&mut self, message: &[u8]) -> io::Result<()> {
        let length = u32::try_from(message.len()).map_err(|_| ErrorKind::InvalidInput)?;
        let plain = [&length.to_be_bytes(), message].concat();
        let mut cipher = vec![0; CHUNK_BYTES];
        let mut out = Vec::with_capacity(plain.len() + plain.len() / 1_000 + 64);
        for chunk in plain.chunks(CHUNK_BYTES - TAG_BYTES) {
            let count = self.transport.write_message(chunk, &mut cipher).map_err(noise)?;
            write_frame(&mut out, cipher.get(..count).unwrap_or_default())?;
        }
        self.stream.write_all(&out)
    }

    /// The next message.
    ///
    /// # Errors
    /// When it is too long or not whole, or the connection breaks.
    pub fn receive(&mut self) -> io::Result<Vec<u8>> {
        self.receive_at_most(MESSAGE_BYTES_MAX)
    }

    /// The next message, which has at most so many bytes.
    ///
    /// # Errors
    /// As [`Secret::receive`].
    pub fn receive_at_most(&mut self, most: u32) -> io::Result<Vec<u8>> {
        let first = self.receive_chunk()?;
        let (length, rest) = first
            .split_first_chunk::<4>()
            .ok_or_else(|| Error::new(ErrorKind::InvalidData, "a message has no length"))?;
        let length = u32::from_be_bytes(*length);
        if length > most {
            return Err(Error::new(ErrorKind::InvalidData, "a message is longer than allowed"));
        }
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        let mut message = rest.to_vec();
        while message.len() < length {
            message.extend(self.receive_chunk()?);
        }
        if message.len() == length {
            Ok(message)
        } else {
            Err(Error::new(ErrorKind::InvalidData, "a message is longer than it says"))
        }
    }

    /// The connection below.
    #[must_use]
    pub const fn stream(&self) -> &TcpStream {
        &self.stream
    }

    fn receive_chunk(&mut self) -> io::Result<Vec<u8>> {
        let frame = read_frame(&mut self.stream, CHUNK_BYTES)?;
        let mut plain = vec![0; frame.len()];
        let count = self.transport.read_message(&frame, &mut plain).map_err(noise)?;
        plain.truncate(count);
        Ok(plain)
    }
}
