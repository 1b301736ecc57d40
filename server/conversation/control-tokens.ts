/**
 * Control tokens: `[END_CALL]`, `[TRANSFER]`, `[DTMF:n]` in the model's text, also when a token is split across
 * chunks. What could still become a token is held back; a token is never spoken, not even an unknown one.
 * Invariant: every character goes out exactly once, as text or as token; at most HOLD_LIMIT characters are held.
 */
export type ControlToken =
  { kind: 'endCall' } | { kind: 'transfer' } | { kind: 'digits'; digits: string }

export type TextPiece = { kind: 'text'; text: string } | { kind: 'token'; token: ControlToken }

/** No token is longer; an open bracket with more behind it is ordinary text. */
const HOLD_LIMIT = 40

export class ControlTokenParser {
  #held = ''

  /** Text and tokens of `chunk` in their order; a possible token at the end waits for the next chunk. */
  push(chunk: string): TextPiece[] {
    const pieces: TextPiece[] = []
    let rest = this.#held + chunk
    this.#held = ''
    while (rest !== '') {
      const open = rest.indexOf('[')
      if (open < 0) break
      const close = rest.indexOf(']', open)
      if (close < 0 && rest.length - open <= HOLD_LIMIT) {
        this.#held = rest.slice(open)
        rest = rest.slice(0, open)
        break
      }
      const end = close < 0 || close - open > HOLD_LIMIT ? open + 1 : close + 1
      addText(pieces, rest.slice(0, open))
      addBracketed(pieces, rest.slice(open, end))
      rest = rest.slice(end)
    }
    addText(pieces, rest)
    return pieces
  }

  /** The end of the text: an unfinished token ("[END") is dropped, other text is returned. */
  flush(): TextPiece[] {
    const held = this.#held
    this.#held = ''
    const pieces: TextPiece[] = []
    if (!/^\[\s*[A-Z_]*(:[\d*#\s]*)?$/.test(held)) addText(pieces, held)
    return pieces
  }
}

function addText(pieces: TextPiece[], text: string): void {
  if (text !== '') pieces.push({ kind: 'text', text })
}

function addBracketed(pieces: TextPiece[], bracketed: string): void {
  const inner = bracketed.slice(1, -1).trim()
  const digits = /^DTMF\s*:\s*([\d*#A-D ]+)$/i.exec(inner)?.[1]?.replaceAll(' ', '')
  if (/^END_?CALL$/i.test(inner)) pieces.push({ kind: 'token', token: { kind: 'endCall' } })
  else if (/^TRANSFER(_CALL)?$/i.test(inner))
    pieces.push({ kind: 'token', token: { kind: 'transfer' } })
  else if (digits !== undefined) pieces.push({ kind: 'token', token: { kind: 'digits', digits } })
  // Capitals in brackets are meant for a machine, whichever they are; anything else is text.
  else if (!/^[A-Z][A-Z_]{2,}(\s*:.*)?$/.test(inner)) addText(pieces, bracketed)
}
