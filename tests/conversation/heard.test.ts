import { describe, expect, it } from 'vitest'
import { heardPart, HeardLedger, type Segment } from '../../server/conversation/heard.ts'

function segment(text: string, audioMs: number, words: [number, number][] = []): Segment {
  const offsets = words.map(([textOffset, offsetMs]) => ({ textOffset, offsetMs }))
  return { id: 1, text, audioMs, complete: true, started: true, heard: false, words: offsets }
}

describe('heard', () => {
  it('counts a word when more than half of it was heard, by word offsets', () => {
    const said = segment('Uno dos tres', 1_500, [
      [0, 0],
      [4, 500],
      [8, 1_000],
    ])
    // "dos" runs from 500 to about 944 ms: its share of the 500 ms to the next word.
    expect(heardPart(said, 600)).toBe('Uno')
    expect(heardPart(said, 730)).toBe('Uno dos')
    expect(heardPart(said, 1_499)).toBe('Uno dos tres')
  })

  it('uses the share of syllables and consonants without word offsets', () => {
    const said = segment('abcd efgh ijkl', 1_400)
    expect(heardPart(said, 0)).toBe('')
    expect(heardPart(said, 150)).toBe('')
    expect(heardPart(said, 700)).toBe('abcd')
    expect(heardPart(said, 750)).toBe('abcd efgh')
    expect(heardPart(said, 1_400)).toBe('abcd efgh ijkl')
  })

  it('estimates 65 ms per character while the audio is not complete', () => {
    const said = { ...segment('abcd efgh ijkl', 300), complete: false }
    expect(heardPart(said, 300)).toBe('abcd')
  })

  it('never loses words as more is heard', () => {
    const said = segment('Con mucho gusto le explico todo', 2_000, [
      [0, 0],
      [10, 700],
    ])
    let before = 0
    for (let ms = 0; ms <= 2_000; ms += 20) {
      const now = heardPart(said, ms).length
      expect(now).toBeGreaterThanOrEqual(before)
      before = now
    }
  })

  it('joins confirmed segments with the heard part of the next and stops there', () => {
    const ledger = new HeardLedger()
    for (const [id, text] of [
      [1, 'Con gusto.'],
      [2, 'Le queda bien.'],
      [3, 'Gracias.'],
    ] as const) {
      Object.assign(ledger.add(id, text), { audioMs: 1_000, complete: true })
    }
    Object.assign(ledger.get(1) ?? {}, { started: true, heard: true })
    expect(ledger.heardText((id) => (id === 2 ? 500 : 0))).toBe('Con gusto. Le queda')
    expect(ledger.allHeard).toBe(false)
    expect(ledger.waitingMs).toBe(2_000)
  })
})
