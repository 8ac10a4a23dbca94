//! The seal: a ring with words around, and a star. It is a sample and says so; it has no feature of
//! any authority's seal, and is made of outlines, so that it is no text of the document.

use krilla::geom::{Path, PathBuilder, Point, Transform};
use krilla::num::NormalizedF32;
use krilla::paint::{Fill, Stroke};
use krilla::surface::Surface;

use crate::font;
use crate::layout::SEAL;
use crate::pdf::paint;

/// Half the width of the seal in points: 38 mm across.
pub(crate) const RADIUS: f32 = 54.0;
const RING: f32 = 2.4;
const AROUND_SIZE: f32 = 13.0;
const MIDDLE_SIZE: f32 = 16.0;
/// How much of the ring words may take, in radians.
const ARC_MOST: f32 = 4.4;

/// Draws the seal around a point, a little transparent as ink is.
pub(crate) fn draw(surface: &mut Surface<'_>, (x, y): (f32, f32), around: &str, middle: &str) {
    surface.push_transform(&Transform::from_translate(x, y));
    surface.push_transform(&Transform::from_rotate(-8.0));
    surface.push_opacity(NormalizedF32::new(0.86).unwrap_or(NormalizedF32::ONE));
    if let Some(ring) = circle(RADIUS) {
        surface.set_fill(None);
        surface.set_stroke(Some(Stroke { paint: paint(SEAL), width: RING, ..Stroke::default() }));
        surface.draw_path(&ring);
    }
    surface.set_stroke(None);
    surface.set_fill(Some(Fill { paint: paint(SEAL), ..Fill::default() }));
    if let Some(star) = star(12.0) {
        surface.draw_path(&star);
    }
    words_around(surface, around);
    words_below(surface, middle);
    for _ in 0..3 {
        surface.pop();
    }
}

fn circle(radius: f32) -> Option<Path> {
    // What a quarter of a circle needs as a cubic curve.
    let bend = radius * 0.552_284_8;
    let mut path = PathBuilder::new();
    path.move_to(radius, 0.0);
    path.cubic_to(radius, bend, bend, radius, 0.0, radius);
    path.cubic_to(-bend, radius, -radius, bend, -radius, 0.0);
    path.cubic_to(-radius, -bend, -bend, -radius, 0.0, -radius);
    path.cubic_to(bend, -radius, radius, -bend, radius, 0.0);
    path.close();
    path.finish()
}

fn star(radius: f32) -> Option<Path> {
    let mut path = PathBuilder::new();
    // Sines and cosines of the ten corners, written down: floating point of a library may differ.
    const CORNERS: [(f32, f32); 10] = [
        (0.0, -1.0),
        (0.224_514, -0.309_017),
        (0.951_057, -0.309_017),
        (0.363_271, 0.118_034),
        (0.587_785, 0.809_017),
        (0.0, 0.381_966),
        (-0.587_785, 0.809_017),
        (-0.363_271, 0.118_034),
        (-0.951_057, -0.309_017),
        (-0.224_514, -0.309_017),
    ];
    for (at, (x, y)) in CORNERS.iter().enumerate() {
        if at == 0 {
            path.move_to(x * radius, y * radius);
        } else {
            path.line_to(x * radius, y * radius);
        }
    }
    path.close();
    path.finish()
}

/// The words along the inside of the ring, over its top.
fn words_around(surface: &mut Surface<'_>, text: &str) {
    let radius = RADIUS - RING - AROUND_SIZE - 1.0;
    let gap = if text.is_ascii() { 1.5 } else { 3.0 };
    let wide: f32 = text.chars().map(|one| font::width(&one.to_string(), AROUND_SIZE) + gap).sum();
    // Words that would go further around than a seal's are smaller.
    let scale = (ARC_MOST * radius / wide.max(1.0)).min(1.0);
    let mut at = -wide * scale / 2.0;
    for one in text.chars() {
        let letter = one.to_string();
        let half = (font::width(&letter, AROUND_SIZE) + gap) * scale / 2.0;
        let degrees = ((at + half) / radius).to_degrees();
        surface.push_transform(&Transform::from_rotate(degrees));
        let size = AROUND_SIZE * scale;
        outline(surface, (-font::width(&letter, size) / 2.0, -radius), &letter, size);
        surface.pop();
        at += 2.0 * half;
    }
}

fn words_below(surface: &mut Surface<'_>, text: &str) {
    let wide = font::width(text, MIDDLE_SIZE);
    let size = MIDDLE_SIZE * (RADIUS * 1.3 / wide.max(1.0)).min(1.0);
    outline(surface, (-font::width(text, size) / 2.0, RADIUS * 0.6), text, size);
}

fn outline(surface: &mut Surface<'_>, (mut x, y): (f32, f32), text: &str, size: f32) {
    for run in font::runs(text) {
        let start = Point::from_xy(x, y);
        surface.draw_glyphs(start, &run.glyphs, run.font.clone(), &run.text, size, true);
        x += run.width * size;
    }
}
