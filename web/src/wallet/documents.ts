/**
 * Photographed documents: made small enough to send, as JPEG, which also leaves out where and when
 * the camera took them; and the commitment to them that is signed.
 */
import { fromHex, toHex } from '../ledger/borsh.ts';
import { sha256 } from '../ledger/transaction.ts';

/** The most documents of one application. */
export const DOCUMENTS_MAX = 4;
/** The most bytes of one, as the bureau takes them. */
const BYTES_MAX = 400 * 1024;
/** The longest edge in pixels: a page of print is readable. */
const EDGE = 1800;
/** From the best down to what is still readable. */
const QUALITIES = [0.85, 0.75, 0.65, 0.5, 0.35];

export type Shown = { readonly bytes: Uint8Array<ArrayBuffer>; readonly url: string; readonly name: string };

/** The file is no picture that this browser can read. */
export class NoPicture extends Error {}

function jpeg(canvas: HTMLCanvasElement, quality: number): Promise<Blob> {
  return new Promise((resolve, reject) =>
    canvas.toBlob((blob) => (blob === null ? reject(new NoPicture()) : resolve(blob)), 'image/jpeg', quality),
  );
}

/** The picture of a file, small enough to send. */
export async function readDocument(file: File): Promise<Shown> {
  const picture = await createImageBitmap(file).catch(() => {
    throw new NoPicture(file.name);
  });
  const scale = Math.min(1, EDGE / Math.max(picture.width, picture.height));
  const canvas = document.createElement('canvas');
  canvas.width = Math.max(1, Math.round(picture.width * scale));
  canvas.height = Math.max(1, Math.round(picture.height * scale));
  const context = canvas.getContext('2d');
  if (context === null) throw new NoPicture(file.name);
  // What is transparent is paper.
  context.fillStyle = '#fff';
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(picture, 0, 0, canvas.width, canvas.height);
  picture.close();
  for (const quality of QUALITIES) {
    const blob = await jpeg(canvas, quality);
    if (blob.size > BYTES_MAX) continue;
    const bytes = new Uint8Array(await blob.arrayBuffer());
    return { bytes, url: URL.createObjectURL(blob), name: file.name };
  }
  throw new NoPicture(file.name);
}

/** The picture of a face: as it is where it is small enough, so that whoever compares sees what the camera took. */
export async function readFace(file: File): Promise<Shown> {
  if (file.type !== 'image/jpeg' || file.size > BYTES_MAX) return readDocument(file);
  const bytes = new Uint8Array(await file.arrayBuffer());
  return { bytes, url: URL.createObjectURL(file), name: file.name };
}

/** `SHA-256("yibao/claim-documents/v1" || salt || SHA-256(statement) || SHA-256(first) ...)`. */
export async function commitClaim(
  salt: string,
  statement: string,
  documents: readonly Uint8Array<ArrayBuffer>[],
): Promise<string> {
  const hashes = await Promise.all([sha256(statement), ...documents.map((one) => sha256(one))]);
  return toHex(await sha256('yibao/claim-documents/v1', fromHex(salt), ...hashes));
}

/** `SHA-256("yibao/binding-documents/v1" || salt || SHA-256(first) || SHA-256(second) ...)`. */
export async function commitDocuments(salt: string, documents: readonly Uint8Array<ArrayBuffer>[]): Promise<string> {
  const hashes = await Promise.all(documents.map((one) => sha256(one)));
  return toHex(await sha256('yibao/binding-documents/v1', fromHex(salt), ...hashes));
}

export function base64(bytes: Uint8Array): string {
  let text = '';
  // In pieces: a call takes only so many arguments.
  for (let at = 0; at < bytes.length; at += 8192) text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  return btoa(text);
}
