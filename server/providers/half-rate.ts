/**
 * Speech at half its rate: for a voice that has only one, and for phrases that are held at a higher one.
 *
 *   16 kHz in chunks ─► half-band low-pass ─► every second sample ─► 8 kHz, in place: as long as before, no later
 *
 * The filter is the audio core's own (dsp/filters.ts): from 16 kHz flat to 3.4 kHz, down 85 dB from 4.6 kHz.
 */
import { lowPass } from '../../dsp/filters.ts'
import type { TtsEvent } from './tts.ts'

/** Samples on each side of the one that is kept. */
const REACH = 39
const SPAN = 2 * REACH + 1

/** Taps at odd distances from the middle, outermost first: those at even ones are zero, the middle is a half. */
export const HALF_BAND_SIDE = sideTaps()

function sideTaps(): Float64Array {
  const taps = lowPass(SPAN, 1 / 4)
  const side = Float64Array.from({ length: (REACH + 1) / 2 }, (_, i) => taps[2 * i]!)
  const sum = side.reduce((a, b) => a + b, 0)
  // With the middle's half and the other side they must sum to 1.
  return side.map((tap) => tap / (4 * sum))
}

export class HalfRate {
  /** What the next kept sample needs of the past. */
  #held = new Int16Array(REACH)

  /** Chunks of any length; returns what is certain, a new array. */
  push(pcm: Int16Array): Int16Array {
    const all = new Int16Array(this.#held.length + pcm.length)
    all.set(this.#held)
    all.set(pcm, this.#held.length)
    const kept = Math.max(0, Math.floor((all.length - SPAN) / 2) + 1)
    this.#held = all.slice(2 * kept)
    const out = new Int16Array(kept)
    for (let i = 0; i < kept; i++) out[i] = filtered(all, 2 * i)
    return out
  }

  /** The last 2.5 ms. */
  finish(): Int16Array {
    return this.push(new Int16Array(REACH))
  }
}

/** The sample in the middle of `pcm[from … from + SPAN)`. */
function filtered(pcm: Int16Array, from: number): number {
  let sum = pcm[from + REACH]! * 0.5
  let before = from
  let behind = from + SPAN - 1
  for (let i = 0; i < HALF_BAND_SIDE.length; i++) {
    sum += HALF_BAND_SIDE[i]! * (pcm[before]! + pcm[behind]!)
    before += 2
    behind -= 2
  }
  return Math.max(-32_768, Math.min(32_767, Math.round(sum)))
}

/** The same speech at half the rate; the words stay where they are. */
export async function* halved(events: AsyncIterable<TtsEvent>): AsyncIterable<TtsEvent> {
  const half = new HalfRate()
  for await (const event of events) {
    if (event.kind === 'audio') yield* audio(half.push(event.pcm))
    else yield event
  }
  yield* audio(half.finish())
}

/** As halved(), of speech that is there. */
export function halvedWhole(events: readonly TtsEvent[]): TtsEvent[] {
  const half = new HalfRate()
  const all = events.flatMap((event) =>
    event.kind === 'audio' ? audio(half.push(event.pcm)) : [event],
  )
  return [...all, ...audio(half.finish())]
}

function audio(pcm: Int16Array): TtsEvent[] {
  return pcm.length === 0 ? [] : [{ kind: 'audio', pcm }]
}
