/**
 * A settled visit as a picture for the phone's album: the figures of the page, and the code that
 * leads to the public check. Drawn here, so that no page of the program needs to draw PDFs.
 */
import encodeQR from 'qr';

export type Line = { readonly label: string; readonly value: string; readonly strong?: boolean };
export type Picture = {
  readonly title: string;
  readonly subtitle: string;
  readonly lines: readonly Line[];
  readonly code: string;
  readonly foot: string;
};

const WIDTH = 1080;
const EDGE = 72;
const CODE = 420;
const FONT = '"PingFang SC", "Noto Sans CJK SC", "Microsoft YaHei", system-ui, sans-serif';

/** Text in lines no wider than the picture: Chinese breaks anywhere, other words between them. */
function wrap(context: CanvasRenderingContext2D, text: string, most: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const piece of text.match(/[\u2e80-\uffff]|[^\s\u2e80-\uffff]+\s*|\s+/gu) ?? []) {
    if (line !== '' && context.measureText(line + piece.trimEnd()).width > most) {
      lines.push(line.trimEnd());
      line = '';
    }
    line += piece;
  }
  return [...lines, line.trimEnd()];
}

/** Draws everything from top to bottom; how high it becomes is known at the end. */
function draw(context: CanvasRenderingContext2D, picture: Picture): number {
  const most = WIDTH - 2 * EDGE;
  let y = EDGE;
  const paragraph = (text: string, size: number, colour: string, weight = 400): void => {
    context.font = `${weight} ${size}px ${FONT}`;
    context.fillStyle = colour;
    for (const line of wrap(context, text, most)) {
      y += size * 1.4;
      context.fillText(line, EDGE, y - size * 0.35);
    }
  };
  paragraph(picture.title, 56, '#004d43', 700);
  paragraph(picture.subtitle, 34, '#44544e');
  y += 32;
  for (const { label, value, strong } of picture.lines) {
    context.fillStyle = '#c9d3cd';
    context.fillRect(EDGE, y, most, 2);
    y += 64;
    context.fillStyle = '#44544e';
    context.font = `400 34px ${FONT}`;
    context.fillText(label, EDGE, y - 16);
    context.fillStyle = '#14211d';
    context.font = `${strong ? 700 : 400} ${strong ? 44 : 36}px ${FONT}`;
    context.textAlign = 'right';
    // A long name is made narrower rather than cut.
    context.fillText(value, WIDTH - EDGE, y - 16, most * 0.62);
    context.textAlign = 'left';
  }
  y += 40;
  // The encoder makes no code without a border; the paper around it is white anyway.
  const grid = encodeQR(picture.code, 'raw', { ecc: 'medium', border: 1 });
  // Whole pixels, so that no light shows between two dark modules.
  const unit = Math.floor(CODE / grid.length);
  const left = Math.round((WIDTH - unit * grid.length) / 2);
  context.fillStyle = '#000';
  grid.forEach((row, down) =>
    row.forEach((dark, right) => {
      if (dark) context.fillRect(left + right * unit, y + down * unit, unit, unit);
    }),
  );
  y += CODE + 24;
  paragraph(picture.foot, 30, '#44544e');
  return y + EDGE;
}

/** The picture as a PNG file. */
export async function drawPicture(picture: Picture): Promise<Blob> {
  const canvas = document.createElement('canvas');
  const context = canvas.getContext('2d');
  if (context === null) throw new TypeError('this browser draws no pictures');
  canvas.width = WIDTH;
  const height = draw(context, picture);
  // A new height clears the canvas.
  canvas.height = Math.ceil(height);
  context.fillStyle = '#fff';
  context.fillRect(0, 0, WIDTH, canvas.height);
  draw(context, picture);
  return new Promise((resolve, reject) =>
    canvas.toBlob((blob) => (blob === null ? reject(new TypeError('no picture')) : resolve(blob)), 'image/png'),
  );
}
