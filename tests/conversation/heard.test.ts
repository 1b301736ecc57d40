import { describe, expect, it } from 'vitest'
import { heardPart, HeardLedger, type Segment } from '../../server/conversation/heard.ts'
import { PauseFinder } from '../../server/conversation/pauses.ts'

function segment(text: string, audioMs: number, words: [number, number][] = []): Segment {
  const offsets = words.map(([textOffset, offsetMs]) => ({ textOffset, offsetMs }))
  const state = { complete: true, started: true, heard: false }
  return { id: 1, text, audioMs, ...state, words: offsets, sound: null }
}

/** Sound of `parts` ms, alternating with silence, at 8 kHz, as a voice would deliver it. */
function heardSound(...parts: number[]): PauseFinder {
  const finder = new PauseFinder(8_000)
  parts.forEach((ms, i) => finder.push(new Int16Array(ms * 8).fill(i % 2 === 0 ? 4_000 : 0)))
  return finder
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

  it('lets a word begin behind the pause that its comma makes, also when the sentence goes on', () => {
    const text = 'Claro, con gusto lo reviso'
    const said = { ...segment(text, 1_800), sound: heardSound(400, 300, 1_100) }
    // By letters alone "con" would begin at about 560 ms.
    expect(heardPart(said, 690)).toBe('Claro,')
    expect(heardPart(said, 780)).toBe('Claro,')
    expect(heardPart(said, 900)).toBe('Claro, con')
    expect(heardPart({ ...said, complete: false }, 690)).toBe('Claro,')
  })

  it('does not take the stop before a "t", 60 ms, for a pause', () => {
    expect(heardSound(400, 60, 400).pauses).toEqual([])
  })

  it('finds a pause of 200 ms whatever the chunks it comes in, and none at the end', () => {
    const whole = heardSound(300, 200, 300, 400)
    const pcm = new Int16Array(1_200 * 8)
    pcm.fill(4_000, 0, 2_400).fill(4_000, 4_000, 6_400)
    const pieces = new PauseFinder(8_000)
    for (let at = 0; at < pcm.length; at += 334) pieces.push(pcm.subarray(at, at + 334))
    expect(whole.pauses).toEqual([{ fromMs: 300, toMs: 500 }])
    expect(pieces.pauses).toEqual(whole.pauses)
    expect([whole.soundFromMs, whole.soundToMs]).toEqual([0, 800])
  })

  it('goes by letters when a sentence has 1 comma and its audio 2 pauses', () => {
    const said = segment('Claro, con gusto', 1_500)
    const odd = { ...said, sound: heardSound(300, 200, 300, 200, 500) }
    for (let ms = 100; ms < 1_500; ms += 50) expect(heardPart(odd, ms)).toBe(heardPart(said, ms))
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
