import { describe, expect, it } from 'vitest'
import { ControlTokenParser, type TextPiece } from '../../server/conversation/control-tokens.ts'

function parse(...chunks: string[]): { text: string; tokens: unknown[] } {
  const parser = new ControlTokenParser()
  const pieces: TextPiece[] = [...chunks.flatMap((chunk) => parser.push(chunk)), ...parser.flush()]
  return {
    text: pieces.map((piece) => (piece.kind === 'text' ? piece.text : '')).join(''),
    tokens: pieces.flatMap((piece) => (piece.kind === 'token' ? [piece.token] : [])),
  }
}

describe('control tokens', () => {
  it('finds all three, and speaks none', () => {
    expect(parse('Adiós. [END_CALL][TRANSFER] [DTMF:12#]')).toEqual({
      text: 'Adiós.  ',
      tokens: [{ kind: 'endCall' }, { kind: 'transfer' }, { kind: 'digits', digits: '12#' }],
    })
  })

  it('finds a token at every possible split into two chunks', () => {
    const text = 'Va. [DTMF:1 2] Listo [END_CALL]'
    for (let i = 0; i <= text.length; i++) {
      const result = parse(text.slice(0, i), text.slice(i))
      expect(result.text).toBe('Va.  Listo ')
      expect(result.tokens).toHaveLength(2)
    }
  })

  it('finds a token that comes one character at a time', () => {
    expect(parse(...'Fin [END_CALL]')).toEqual({ text: 'Fin ', tokens: [{ kind: 'endCall' }] })
  })

  it('drops unknown tokens and an unfinished one at the end', () => {
    expect(parse('Hola [HANG_UP:now] amigo [END_')).toEqual({ text: 'Hola  amigo ', tokens: [] })
  })

  it('leaves other brackets alone', () => {
    expect(parse('Vea [el enlace](http://x) y [esto').text).toBe(
      'Vea [el enlace](http://x) y [esto',
    )
  })

  it('holds at most 40 characters back', () => {
    const parser = new ControlTokenParser()
    const out = parser
      .push(`[${'a'.repeat(60)}`)
      .map((piece) => (piece.kind === 'text' ? piece.text : ''))
    expect(out.join('')).toBe(`[${'a'.repeat(60)}`)
  })
})
