#!/usr/bin/env python3
"""Makes the two font files beside this script anew from Debian's packages.

    apt-get install fonts-noto-cjk fonts-droid-fallback && pip install fonttools
    crates/document/fonts/make.py

Needed only when `every_character_of_our_texts_has_a_shape` fails: a text in `locales/` or `plans/`
uses a character that the common font does not have.
"""
import pathlib

from fontTools import subset
from fontTools.ttLib import TTCollection

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[2]
NOTO = "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc"
DROID = "/usr/share/fonts/truetype/droid/DroidSansFallbackFull.ttf"

# Everything that only a text engine or a screen uses.
DROPPED = "GSUB GPOS GDEF BASE VORG vhea vmtx DSIG morx kern".split()


def texts():
    """The characters of all texts that the program has."""
    files = [p for p in (ROOT / "locales").rglob("*") if p.is_file()]
    files += (ROOT / "plans").rglob("*.toml")
    return {ord(char) for path in files for char in path.read_text(encoding="utf-8")}


def gb2312():
    """The 6,763 characters of GB/T 2312."""
    pairs = (bytes([high, low]) for high in range(0xB0, 0xF8) for low in range(0xA1, 0xFF))
    return {ord(text) for text in (pair.decode("gb2312", "ignore") for pair in pairs) if text}


LATIN = {*range(0x20, 0x7F), *range(0xA0, 0x180), *range(0x2010, 0x2031), 0x20AC, 0x2212}
SIGNS = {*range(0x3000, 0x3020), *range(0xFF01, 0xFF60), 0xFFE5, 0x2605, 0x25CB, 0x2190, 0x2192}


def write(source, font, characters, name):
    options = subset.Options()
    options.hinting = False
    options.layout_features = []
    options.glyph_names = False
    options.notdef_outline = True
    options.recalc_timestamp = False
    options.name_IDs = [0, 1, 2, 3, 4, 5, 6, 13, 14]
    options.drop_tables += DROPPED
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=characters)
    subsetter.subset(font)
    subset.save_font(font, HERE / name, options)
    print(f"{name}: {(HERE / name).stat().st_size} bytes, from {source}")


def main():
    faces = TTCollection(NOTO, lazy=True).fonts
    noto = next(face for face in faces if face["name"].getDebugName(1) == "Noto Sans CJK SC")
    has = set(noto.getBestCmap())
    # Beyond the first plane Noto has all that GB 18030-2022 asks of names.
    common = (LATIN | SIGNS | texts() | gb2312() | {c for c in has if c >= 0x20000}) & has
    write(NOTO, noto, common, "NotoSansSC-common.otf")
    options = subset.Options()
    droid = subset.load_font(DROID, options)
    ranges = [range(0x3400, 0xA000), range(0xF900, 0xFB00)]
    rest = {c for some in ranges for c in some} & set(droid.getBestCmap()) - common
    write(DROID, droid, rest, "DroidSansFallback-rest.ttf")


if __name__ == "__main__":
    main()
