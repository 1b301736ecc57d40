/**
 * Worker thread of the embedded voice: one job at a time, in small steps, so that a cancel is seen within a few ms.
 *
 *   say ─► PicoEngine.step() … ─► SilenceTrim ─► audio (first 20 ms, then 100 ms) … ─► end
 *
 * Invariant: between two steps of a few ms the thread returns to its event loop, where `cancel` waits.
 */
import { parentPort, workerData } from 'node:worker_threads'
import { ProviderError, errorText } from '../errors.ts'
import { NativeGate } from './embedded-native-gate.ts'
import { PICO_RATE_HZ, PicoEngine } from './pico-engine.ts'
import type { PicoLanguage } from './pico-engine.ts'
import { SilenceTrim } from './silence-trim.ts'
import type { ThreadClose, ThreadData, ThreadReady, ThreadUnready } from './speech-thread.ts'

export type TtsWorkerInput =
  | { kind: 'say'; id: number; text: string; language: PicoLanguage; speed: number }
  | { kind: 'cancel'; id: number }

export type TtsWorkerOutput =
  | { kind: 'audio'; id: number; pcm: Int16Array<ArrayBuffer> }
  | { kind: 'end'; id: number }
  | { kind: 'failed'; id: number; code: string; message: string }

export interface TtsWorkerData {
  voicesDir: string
}

const SAMPLES_PER_MS = PICO_RATE_HZ / 1_000
/** The first piece goes out as soon as a frame is full; later ones are larger, for fewer messages. */
const FIRST_CHUNK_SAMPLES = 20 * SAMPLES_PER_MS
const CHUNK_SAMPLES = 100 * SAMPLES_PER_MS
/** Longest computation between two looks at the event loop. */
const SLICE_MS = 4
const LEAD_MS = 10
/** A short breath between sentences; Pico's own half second sounds like the end of the turn. */
const TAIL_MS = 100
/** As long as a greeting, with a pause and a question in it: two words do not reach all that a sentence runs through. */
const WARM_TEXT: Record<PicoLanguage, string> = {
  'es-ES': 'Hola, buenas tardes, le llamo por su seguro del 25 de mayo. ¿Me escucha bien?',
  'en-US': 'Good afternoon, I am calling about your insurance of the 25th of May. Can you hear me?',
}
const WARM_SPEED = 0.9

const port = parentPort
if (port === null) throw new Error('embedded-tts-worker.ts runs as a worker thread only')

const { gate: sharedGate, options } = workerData as ThreadData<TtsWorkerData>
/** Pico may be terminated at any moment; the gate only says that the voice is no longer wanted while it loads. */
const gate = new NativeGate(sharedGate)
const engines = new Map<PicoLanguage, PicoEngine>()
let currentId = 0

function send(message: TtsWorkerOutput | ThreadReady | ThreadUnready): void {
  const transfer = message.kind === 'audio' ? [message.pcm.buffer] : []
  port!.postMessage(message, transfer)
}

function joined(pieces: Int16Array[], samples: number): Int16Array<ArrayBuffer> {
  const pcm = new Int16Array(samples)
  let offset = 0
  for (const piece of pieces) {
    pcm.set(piece, offset)
    offset += piece.length
  }
  return pcm
}

function say(job: Extract<TtsWorkerInput, { kind: 'say' }>): void {
  const engine = engines.get(job.language)
  if (engine === undefined) {
    send({
      kind: 'failed',
      id: job.id,
      code: 'TTS_UNAVAILABLE',
      message: 'the voice is not loaded',
    })
    return
  }
  currentId = job.id
  const trim = new SilenceTrim({ rateHz: PICO_RATE_HZ, leadMs: LEAD_MS, tailMs: TAIL_MS })
  let pieces: Int16Array[] = []
  let samples = 0
  let wanted = FIRST_CHUNK_SAMPLES
  const add = (more: Int16Array[], atLeast: number): void => {
    for (const piece of more) {
      pieces.push(piece)
      samples += piece.length
    }
    if (samples === 0 || samples < atLeast) return
    send({ kind: 'audio', id: job.id, pcm: joined(pieces, samples) })
    pieces = []
    samples = 0
    wanted = CHUNK_SAMPLES
  }
  const slice = (): void => {
    if (currentId !== job.id) return
    try {
      const until = performance.now() + SLICE_MS
      do {
        const pcm = engine.step()
        if (pcm === null) {
          add(trim.finish(), 0)
          currentId = 0
          send({ kind: 'end', id: job.id })
          return
        }
        add(trim.push(pcm), wanted)
      } while (performance.now() < until)
      setImmediate(slice)
    } catch (error) {
      fail(job.id, error)
    }
  }
  try {
    engine.begin(job.text, job.speed)
    slice()
  } catch (error) {
    fail(job.id, error)
  }
}

function fail(id: number, error: unknown): void {
  currentId = 0
  const code = error instanceof ProviderError ? error.code : 'TTS_BAD_RESPONSE'
  send({ kind: 'failed', id, code, message: errorText(error) })
}

port.on('message', (message: TtsWorkerInput | ThreadClose) => {
  if (message.kind === 'say') say(message)
  else if (message.kind === 'close') {
    currentId = 0
    port.close()
  } else if (message.id === currentId) currentId = 0
})

/** The first utterance of a voice takes up to 150 ms more than the others; better now than in a call. */
async function load(language: PicoLanguage): Promise<void> {
  if (gate.closing) return
  const engine = await PicoEngine.create(language, new URL(options.voicesDir))
  engine.begin(WARM_TEXT[language], WARM_SPEED)
  while (!gate.closing && engine.step() !== null);
  engines.set(language, engine)
}

try {
  await load('es-ES')
  await load('en-US')
  send({ kind: 'ready' })
} catch (error) {
  const code = error instanceof ProviderError ? error.code : 'TTS_UNAVAILABLE'
  send({ kind: 'unready', code, message: errorText(error) })
}
