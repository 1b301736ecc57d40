/**
 * What goes wrong in a chaos run, in which order, and what the calls made of it. Knows no clock but timers, so that the
 * same schedule runs over emulated services and in virtual time.
 *
 *   failure 1 ─► calm ─► failure 2 ─► calm ─► …      all calls speak, hear and are answered meanwhile
 */
import { ChaosCall, type ChaosParts, type Silence } from './chaos-call.ts'
import type { ProviderFailures } from './provider-process.ts'

export interface ChaosWorld extends Omit<ChaosParts, 'onSwitch' | 'onAnswered'> {
  /** Of the preferred provider of each kind. */
  fail(failures: ProviderFailures): void
}

export interface ChaosSchedule {
  calls: number
  /** How long each failure and the calm behind it last; null: until an utterance was answered, however long it takes. */
  lastMs: { failure: number; calm: number } | null
}

export interface ChaosResult {
  calls: number
  utterances: number
  callsEnded: number
  wordsLost: number
  wordsDoubled: number
  unanswered: number
  switches: number
  silenceMaxMs: number
  silenceP50Ms: number
  /** The longest, with the failure during which its final came. */
  worst: (Silence & { failure: string })[]
  /** Why utterances were not answered. */
  reasons: string[]
}

const WORDS_PER_UTTERANCE = 3

const WELL: ProviderFailures = { stt: null, tts: null, llm: null }
const REFUSED: ProviderFailures = {
  stt: { kind: 'refuse', status: 503 },
  tts: { kind: 'refuse', status: 429, retryAfterSec: 1 },
}
/** Each of them once. */
export const FAILURES: readonly [name: string, failures: ProviderFailures][] = [
  ['stt stalls', { stt: { kind: 'silent' } }],
  ['llm stalls', { llm: { kind: 'silent' } }],
  ['tts stalls', { tts: { kind: 'silent' } }],
  ['azure refuses', { ...REFUSED, drop: 1_006 }],
  ['llm refuses', { llm: { kind: 'status', status: 503 } }],
  ['azure disconnects', { drop: 1_011 }],
  ['llm is cut', { llm: { kind: 'cut', afterTokens: 0 } }],
  ['llm stalls in mid-answer', { llm: { kind: 'stall', afterTokens: 1 } }],
  ['tts stalls in mid-sentence', { tts: { kind: 'stall', afterAudioMs: 200 } }],
  ['stt repeats itself', { stt: { kind: 'twice' } }],
  ['stt closes', { stt: { kind: 'close', code: 1_007, afterAudioMs: 300 } }],
  ['tts closes', { tts: { kind: 'close', code: 1_006, afterAudioMs: 0 } }],
]

export async function driveChaos(
  world: ChaosWorld,
  { calls: count, lastMs }: ChaosSchedule,
): Promise<ChaosResult> {
  const beganMs = performance.now()
  const { accounts, stt, llm, tts } = world
  const seen = { switches: 0, answered: (): void => undefined }
  const parts: ChaosParts = {
    ...{ accounts, stt, llm, tts },
    onSwitch: () => seen.switches++,
    onAnswered: () => seen.answered(),
  }
  const phase = (ms: number | undefined): Promise<void> =>
    new Promise((resolve) => {
      if (ms === undefined) seen.answered = resolve
      else setTimeout(resolve, ms)
    })
  const calls = Array.from({ length: count }, (_, index) => new ChaosCall(index, parts))
  const pacing = setInterval(() => calls.forEach((call) => call.catchUp()), 10)
  const failed: { name: string; fromMs: number }[] = []
  for (const [name, failures] of FAILURES) {
    failed.push({ name, fromMs: performance.now() - beganMs })
    world.fail(failures)
    await phase(lastMs?.failure)
    world.fail(WELL)
    await phase(lastMs?.calm)
  }
  for (const call of calls) call.finishSoon()
  await Promise.all(calls.map((call) => call.done))
  clearInterval(pacing)
  const during = (atMs: number): string => failed.findLast((one) => one.fromMs <= atMs)?.name ?? ''
  const silences = calls.flatMap((call) => call.silences).sort((a, b) => b.totalMs - a.totalMs)
  const sum = (of: (call: ChaosCall) => number): number =>
    calls.reduce((total, call) => total + of(call), 0)
  return {
    calls: count,
    utterances: sum((call) => call.utterances),
    callsEnded: sum((call) => (call.ended ? 1 : 0)),
    wordsLost: sum((call) => call.lost) * WORDS_PER_UTTERANCE,
    wordsDoubled: sum((call) => call.doubled) * WORDS_PER_UTTERANCE,
    unanswered: sum((call) => call.unanswered.length),
    switches: seen.switches,
    silenceMaxMs: Math.round(silences[0]?.totalMs ?? 0),
    silenceP50Ms: Math.round(silences[silences.length >> 1]?.totalMs ?? 0),
    reasons: calls.flatMap((call) => call.unanswered),
    worst: silences.slice(0, 10).map((one) => ({ ...one, failure: during(one.atMs) })),
  }
}
