//! Puts a seal's signature on a PDF, behind what it has.

use lopdf::{
    Dictionary, Document, IncrementalDocument, Object, ObjectId, StringFormat, dictionary,
};
use primitives::{Timestamp, UtcOffset};

use crate::DocumentError;
use crate::signature::ElectronicSeal;

/// A number as wide as any place in a PDF of ours, until the places are known.
const PLACE: i64 = 9_999_999_999;
/// Print, and do not let anybody move it (PDF 32000-1, table 165): what an archive wants.
const WIDGET_FLAGS: i64 = 0b1000_0100;
/// The document has signatures, and is only to be added to (table 219).
const SIGNATURE_FLAGS: i64 = 0b11;

/// Where the seal is drawn, so that a reader of PDFs shows the signature when it is touched.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SealPlace {
    /// The page, from 1 on.
    pub page: u32,
    /// Left, bottom, right and top in points from the page's lower left corner.
    pub area: [f32; 4],
}

/// The PDF with a seal's signature, which says when it was made.
pub(crate) fn seal(
    pdf: Vec<u8>,
    place: SealPlace,
    seal: &ElectronicSeal,
    at: Timestamp,
) -> Result<Vec<u8>, DocumentError> {
    let length = pdf.len();
    let holes = seal.signature_bytes_max();
    let mut written = prepare(pdf, place, seal, at)?;
    let gap = |bytes: &[u8], wanted: &[u8]| {
        let added = bytes.get(length..).unwrap_or_default();
        added.windows(wanted.len()).position(|one| one == wanted).map(|found| length + found)
    };
    // The signature covers all bytes but its own digits and the brackets around them.
    let zeros = "0".repeat(2 * holes);
    let open = gap(&written, format!("<{zeros}>").as_bytes()).ok_or_else(lost)?;
    let close = open + zeros.len() + 2;
    let range = format!("[0 {open} {close} {}]", written.len() - close);
    let placeholder = format!("[0 {PLACE} {PLACE} {PLACE}]");
    let at = gap(&written, placeholder.as_bytes()).ok_or_else(lost)?;
    put(&mut written, at, format!("{range:<width$}", width = placeholder.len()).as_bytes())?;
    let (before, after) = (written.get(..open), written.get(close..));
    let parts = [before.unwrap_or_default(), after.unwrap_or_default()];
    let signature = seal.sign(parts).map_err(|error| DocumentError::Pdf(error.to_string()))?;
    if signature.len() > holes {
        return Err(DocumentError::Pdf("the signature has no room".to_owned()));
    }
    let digits: String = signature.iter().map(|byte| format!("{byte:02x}")).collect();
    put(&mut written, open + 1, digits.as_bytes())?;
    Ok(written)
}

fn lost() -> DocumentError {
    DocumentError::Pdf("the place of the signature is not found".to_owned())
}

fn put(bytes: &mut [u8], at: usize, new: &[u8]) -> Result<(), DocumentError> {
    let place = bytes.get_mut(at..at + new.len()).ok_or_else(lost)?;
    place.copy_from_slice(new);
    Ok(())
}

/// The PDF with a field for the signature, and room for it.
fn prepare(
    pdf: Vec<u8>,
    place: SealPlace,
    seal: &ElectronicSeal,
    at: Timestamp,
) -> Result<Vec<u8>, DocumentError> {
    let wrong = |error: lopdf::Error| DocumentError::Pdf(error.to_string());
    let before = Document::load_mem(&pdf).map_err(wrong)?;
    let catalog = before.trailer.get(b"Root").and_then(Object::as_reference).map_err(wrong)?;
    let page = *before.get_pages().get(&place.page).ok_or_else(lost)?;
    let mut both = IncrementalDocument::create_from(pdf, before);
    for id in [catalog, page] {
        both.opt_clone_object_to_new_document(id).map_err(wrong)?;
    }
    let new = &mut both.new_document;
    let signature = new.add_object(signature(seal, at));
    let nothing = new.add_object(appearance(place));
    let widget = new.add_object(widget(place, page, signature, nothing));
    let fields = vec![Object::Reference(widget)];
    let form = dictionary! { "Fields" => fields.clone(), "SigFlags" => SIGNATURE_FLAGS };
    new.get_object_mut(catalog).and_then(Object::as_dict_mut).map_err(wrong)?.set("AcroForm", form);
    let page = new.get_object_mut(page).and_then(Object::as_dict_mut).map_err(wrong)?;
    // Our sheets have no other annotations.
    page.set("Annots", fields);
    let mut written = Vec::new();
    both.save_to(&mut written).map_err(|error| DocumentError::Pdf(error.to_string()))?;
    Ok(written)
}

fn signature(seal: &ElectronicSeal, at: Timestamp) -> Dictionary {
    let hole = Object::String(vec![0; seal.signature_bytes_max()], StringFormat::Hexadecimal);
    let range = vec![0.into(), PLACE.into(), PLACE.into(), PLACE.into()];
    dictionary! {
        "Type" => "Sig",
        "Filter" => "Adobe.PPKLite",
        "SubFilter" => "ETSI.CAdES.detached",
        "ByteRange" => range,
        "Contents" => hole,
        "Name" => lopdf::text_string(&seal.holder().name),
        "M" => Object::string_literal(moment(at)),
    }
}

/// A moment as PDF writes it (32000-1, section 7.9.4).
fn moment(at: Timestamp) -> String {
    let day = at.day(UtcOffset(0));
    let seconds = at.millis() / 1_000 % 86_400;
    let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    let (year, month, day) = (day.year(), day.month(), day.day());
    format!("D:{year:04}{month:02}{day:02}{hour:02}{minute:02}{second:02}Z")
}

/// Nothing is drawn over the seal that the page has.
fn appearance(place: SealPlace) -> lopdf::Stream {
    let [left, bottom, right, top] = place.area;
    let form = dictionary! {
        "Type" => "XObject",
        "Subtype" => "Form",
        "BBox" => vec![0.into(), 0.into(), (right - left).into(), (top - bottom).into()],
        "Resources" => Dictionary::new(),
    };
    lopdf::Stream::new(form, Vec::new())
}

fn widget(place: SealPlace, page: ObjectId, signature: ObjectId, nothing: ObjectId) -> Dictionary {
    let area: Vec<Object> = place.area.iter().map(|one| (*one).into()).collect();
    dictionary! {
        "Type" => "Annot",
        "Subtype" => "Widget",
        "FT" => "Sig",
        "T" => Object::string_literal("seal"),
        "F" => WIDGET_FLAGS,
        "Rect" => area,
        "P" => page,
        "V" => signature,
        "AP" => dictionary! { "N" => nothing },
    }
}
