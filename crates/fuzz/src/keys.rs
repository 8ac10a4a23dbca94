//! Keys and signatures of all schemes, passkey answers, key files, sealed envelopes.

use std::path::Path;

use node::signature::{FastVerifier, parse_key_file};
use primitives::key::{Verifier as _, verify};
use primitives::{Hash, PublicKey, Signature, codec, sha256};
use vault::{Envelope, GrantedKey};

/// A key and a signature, as borsh: whatever they are, they do not sign what nobody signed.
pub fn signature(bytes: &[u8]) -> bool {
    let Ok((key, signature)) = codec::decode::<(PublicKey, Signature)>(bytes) else { return false };
    let _ = FastVerifier.check_key(&key);
    let message = sha256(b"nobody signed this");
    assert!(verify(&FastVerifier, &key, &message, &signature).is_err(), "signed by nobody");
    let text = serde_json::to_value((&key, &signature)).expect("a form in JSON");
    let again: (PublicKey, Signature) = serde_json::from_value(text).expect("its own form");
    assert_eq!(again, (key, signature));
    true
}

/// A key file.
pub fn key_file(bytes: &[u8]) -> bool {
    parse_key_file(Path::new("online.key"), bytes).is_ok()
}

/// A sealed bill, and a key that was given to a reader.
pub fn envelope(bytes: &[u8]) -> bool {
    if let Ok(key) = GrantedKey::decode(bytes) {
        assert_eq!(key.encode(), bytes);
    }
    let _ = vault::BillContent::decode(bytes, Hash([7; 32]));
    let Ok(envelope) = Envelope::decode(bytes) else { return false };
    assert_eq!(envelope.encode(), bytes, "an envelope has one form");
    let _ = envelope.reader_count();
    true
}
