/** Texts with pieces for a machine: what stands between backticks is a command, a field or a code. */
export type Piece = { readonly text: string; readonly isCode: boolean };

/** A text as its pieces, in their order. One backtick alone stands for itself. */
export function pieces(text: string): readonly Piece[] {
  const parts = text.split('`');
  if (parts.length % 2 === 0) return [{ text, isCode: false }];
  return parts.map((part, at) => ({ text: part, isCode: at % 2 === 1 })).filter((piece) => piece.text !== '');
}
