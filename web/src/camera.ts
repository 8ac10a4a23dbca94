/**
 * Codes read by a camera: by what the browser brings along, or by a library that is loaded only where
 * somebody scans.
 */

/** What reads a code off a picture; nothing when there is none on it. */
type Read = (video: HTMLVideoElement) => Promise<string | undefined>;

type Detector = { detect(source: HTMLVideoElement): Promise<readonly { readonly rawValue: string }[]> };
type DetectorClass = { new (options: { formats: string[] }): Detector; getSupportedFormats(): Promise<readonly string[]> };

const FORMAT = 'qr_code';
/** The longest edge that is looked at, in pixels: a code held before a camera fills a good part of it. */
const EDGE = 720;
/** How long after a look the next one begins, in milliseconds. */
const PAUSE = 120;

async function ownReader(): Promise<Read | undefined> {
  const { BarcodeDetector } = globalThis as { BarcodeDetector?: DetectorClass };
  if (BarcodeDetector === undefined) return undefined;
  const formats: readonly string[] = await BarcodeDetector.getSupportedFormats().catch(() => []);
  if (!formats.includes(FORMAT)) return undefined;
  const detector = new BarcodeDetector({ formats: [FORMAT] });
  return async (video) => (await detector.detect(video))[0]?.rawValue;
}

async function libraryReader(): Promise<Read> {
  const { decodeQR } = await import('qr/decode.js');
  const canvas = document.createElement('canvas');
  const context = canvas.getContext('2d', { willReadFrequently: true });
  return async (video) => {
    const scale = Math.min(1, EDGE / Math.max(video.videoWidth, video.videoHeight));
    const [width, height] = [Math.round(video.videoWidth * scale), Math.round(video.videoHeight * scale)];
    if (context === null || width === 0 || height === 0) return undefined;
    [canvas.width, canvas.height] = [width, height];
    context.drawImage(video, 0, 0, width, height);
    const { data } = context.getImageData(0, 0, width, height);
    try {
      return decodeQR({ width, height, data });
    } catch {
      // The library says by an error that there is no code on the picture.
      return undefined;
    }
  };
}

/** Looks again and again until a code is there; ends when it is told to. */
export async function readCode(video: HTMLVideoElement, signal: AbortSignal): Promise<string | undefined> {
  const read = (await ownReader()) ?? (await libraryReader());
  while (!signal.aborted) {
    const text = await read(video);
    if (text !== undefined && !signal.aborted) return text;
    await new Promise((resolve) => setTimeout(resolve, PAUSE));
  }
  return undefined;
}

/** Whether this browser lets pages ask for a camera. */
export const mayHaveCamera = (): boolean => typeof navigator.mediaDevices?.getUserMedia === 'function';

/** The camera at the back of a phone, or the one that there is. */
export function openCamera(): Promise<MediaStream> {
  return navigator.mediaDevices.getUserMedia({ video: { facingMode: 'environment' }, audio: false });
}
