//! An encrypted connection: frames of what Noise made.

use std::io::{self, Error, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, ToSocketAddrs as _};
use std::time::Duration;

use snow::{HandshakeState, TransportState};

use super::MESSAGE_BYTES_MAX;

/// What Noise encrypts at once.
const CHUNK_BYTES: usize = 65_535;
const TAG_BYTES: usize = 16;
const HANDSHAKE_BYTES_MAX: usize = 1_024;
/// How long a handshake, or a write, may take.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// An error of the cryptography, as one of the connection.
#[must_use]
pub fn noise(error: snow::Error) -> Error {
    Error::new(ErrorKind::InvalidData, error)
}

/// One frame: two bytes of length and what Noise made.
///
/// # Errors
/// When it is too long, or cannot be written.
fn write_frame(stream: &mut impl Write, frame: &[u8]) -> io::Result<()> {
    let length = u16::try_from(frame.len()).map_err(|_| Error::from(ErrorKind::InvalidInput))?;
    stream.write_all(&[&length.to_be_bytes(), frame].concat())
}

/// Reads a frame of at most so many bytes.
///
/// # Errors
/// When it is longer, or cannot be read.
fn read_frame(stream: &mut impl Read, most: usize) -> io::Result<Vec<u8>> {
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

/// Connects to a host and port, with bounded patience.
///
/// # Errors
/// When nobody is reached at any address of the host.
pub fn dial(address: &str) -> io::Result<TcpStream> {
    let mut failure = Error::new(ErrorKind::NotFound, "the address has no host");
    for address in address.to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, PATIENCE) {
            Ok(stream) => return Ok(stream),
            Err(error) => failure = error,
        }
    }
    Err(failure)
}

/// Lets a connection wait neither for small messages nor longer than a handshake may take.
///
/// # Errors
/// When the system does not let it.
pub fn set_up(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.set_read_timeout(Some(PATIENCE))
}

/// Goes through a handshake of two messages as the one who connected.
///
/// # Errors
/// When the other side does not prove itself, or the connection breaks.
pub fn greet(handshake: &mut HandshakeState, stream: &mut TcpStream) -> io::Result<()> {
    say(handshake, stream)?;
    hear(handshake, stream)
}

/// Sends the next message of a handshake.
///
/// # Errors
/// When the connection breaks.
pub fn say(handshake: &mut HandshakeState, stream: &mut TcpStream) -> io::Result<()> {
    let mut buffer = [0; HANDSHAKE_BYTES_MAX];
    let count = handshake.write_message(&[], &mut buffer).map_err(noise)?;
    write_frame(stream, buffer.get(..count).unwrap_or_default())
}

/// Reads the next message of a handshake.
///
/// # Errors
/// When it proves nothing, or the connection breaks.
pub fn hear(handshake: &mut HandshakeState, stream: &mut TcpStream) -> io::Result<()> {
    let frame = read_frame(stream, HANDSHAKE_BYTES_MAX)?;
    let mut buffer = [0; HANDSHAKE_BYTES_MAX];
    handshake.read_message(&frame, &mut buffer).map(drop).map_err(noise)
}

/// Wakes a listener that is told to stop, so that its address is free when its thread has ended.
pub fn wake(listening: SocketAddr) {
    let mut address = listening;
    if address.ip().is_unspecified() {
        // This machine reaches a socket that listens everywhere at itself.
        address.set_ip(match address {
            SocketAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            SocketAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        });
    }
    drop(TcpStream::connect_timeout(&address, Duration::from_secs(1)));
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
