import { describe, expect, it } from 'vitest'
import { SilenceTrim } from '../../server/providers/silence-trim.ts'
import { UtteranceAudio } from '../../server/providers/utterance-audio.ts'

const RATES = [8_000, 16_000] as const
type RateHz = (typeof RATES)[number]

/** Pushes 20 ms frames from `fromMs` to `toMs`; every sample is its own time in ms. */
function push(audio: UtteranceAudio, rateHz: RateHz, [fromMs, toMs]: [number, number]): void {
  const perMs = rateHz / 1_000
  for (let atMs = fromMs; atMs < toMs; atMs += 20) {
    audio.push(
      Int16Array.from({ length: 20 * perMs }, (_, index) => atMs + Math.floor(index / perMs)),
      atMs,
    )
  }
}

describe.each(RATES)('utterance audio at %i Hz', (rateHz) => {
  it('begins 300 ms before the onset, also when the onset is reported 60 ms late', () => {
    const audio = new UtteranceAudio(rateHz)
    push(audio, rateHz, [0, 2_000])
    audio.begin(1_940)
    push(audio, rateHz, [2_000, 2_100])
    const cut = audio.end()
    expect(cut.pcm[0]).toBe(1_640)
    expect(cut.pcm.at(-1)).toBe(2_099)
    expect([cut.startMs, cut.endMs]).toEqual([1_640, 2_100])
  })

  it('reaches at most 100 ms back into the utterance before', () => {
    const audio = new UtteranceAudio(rateHz)
    push(audio, rateHz, [0, 500])
    audio.begin(300)
    push(audio, rateHz, [500, 1_000])
    audio.end()
    push(audio, rateHz, [1_000, 1_100])
    audio.begin(1_040)
    expect(audio.end().pcm[0]).toBe(900)
  })

  it('keeps no audio from before a gap of 500 ms', () => {
    const audio = new UtteranceAudio(rateHz)
    push(audio, rateHz, [0, 400])
    push(audio, rateHz, [900, 1_000])
    audio.begin(1_000)
    expect(audio.end().pcm[0]).toBe(900)
  })

  it('loses nothing of a 19 s utterance', () => {
    const audio = new UtteranceAudio(rateHz)
    push(audio, rateHz, [0, 600])
    audio.begin(300)
    push(audio, rateHz, [600, 19_000])
    const { pcm } = audio.end()
    expect(pcm).toEqual(
      Int16Array.from({ length: 19 * rateHz }, (_, at) => Math.floor((at * 1_000) / rateHz)),
    )
  })

  it('splits an utterance of 20 s at its quietest 200 ms and goes on with the rest', () => {
    const audio = new UtteranceAudio(rateHz)
    audio.push(new Int16Array(rateHz / 50), 0)
    audio.begin(0)
    for (let atMs = 20; !audio.full; atMs += 20) {
      const quiet = atMs >= 18_000 && atMs < 18_200
      audio.push(new Int16Array(rateHz / 50).fill(quiet ? 1 : 5_000), atMs)
    }
    const first = audio.split()
    expect(first.endMs).toBe(18_100)
    expect(audio.end().startMs).toBe(18_100)
  })
})

describe('silence trim', () => {
  const LIMITS = { rateHz: 16_000, leadMs: 10, tailMs: 20 }
  const soft = (samples: number): Int16Array => new Int16Array(samples).fill(300)
  const loud = (samples: number): Int16Array => new Int16Array(samples).fill(9_000)
  const quiet = (samples: number): Int16Array => new Int16Array(samples)
  const total = (pieces: Int16Array[]): number =>
    pieces.reduce((sum, piece) => sum + piece.length, 0)

  it('keeps 160 samples before the sound, all inside it and 320 behind it', () => {
    const trim = new SilenceTrim(LIMITS)
    for (let piece = 0; piece < 100; piece += 1) expect(trim.push(quiet(32))).toEqual([])
    expect(total(trim.push(loud(32)))).toBe(160 + 32)
    expect(trim.push(quiet(8_000))).toEqual([])
    expect(total(trim.push(loud(32)))).toBe(8_032)
    expect(trim.push(quiet(8_000))).toEqual([])
    expect(total(trim.finish())).toBe(320)
  })

  it('drops a soft click of 4 ms that 100 ms of silence part from the speech, on both sides', () => {
    const trim = new SilenceTrim(LIMITS)
    trim.push(soft(64))
    for (let piece = 0; piece < 50; piece += 1) trim.push(quiet(32))
    expect(total(trim.push(loud(32)))).toBe(160 + 32)
    for (let piece = 0; piece < 50; piece += 1) trim.push(quiet(32))
    expect(trim.push(soft(64))).toEqual([])
    trim.push(quiet(8_000))
    expect(total(trim.finish())).toBe(320)
  })

  it('keeps a soft onset of 60 ms with a gap of 10 ms in it', () => {
    const trim = new SilenceTrim(LIMITS)
    for (let piece = 0; piece < 100; piece += 1) trim.push(quiet(32))
    trim.push(soft(480))
    for (let piece = 0; piece < 5; piece += 1) trim.push(quiet(32))
    trim.push(soft(480))
    expect(total(trim.push(loud(32)))).toBe(160 + 480 + 160 + 480 + 32)
  })

  it('gives nothing where there was no sound', () => {
    const trim = new SilenceTrim(LIMITS)
    trim.push(quiet(8_000))
    expect(trim.finish()).toEqual([])
  })
})
