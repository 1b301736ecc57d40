/**
 * Worker thread of the embedded recogniser: loads the Moonshine models and transcribes one utterance at a time.
 *
 * Everything that calls onnxruntime, even its import, runs behind the gate: a thread that is terminated in there aborts
 * the whole process. When the gate closes, what is under way stops at its next step.
 *
 * A partial can be given up for a final of somebody else: the main thread writes the partial's id into the shared
 * flag, which is read before every decoder step (a message would wait until the transcript is done).
 */
import { parentPort, workerData } from 'node:worker_threads'
import { ProviderError, errorText } from '../errors.ts'
import { doubled } from './double-rate.ts'
import { NATIVE_LIMIT_MS, NativeGate } from './embedded-native-gate.ts'
import type { MoonshineModel } from './moonshine-model.ts'
import { moonshinePaths } from './moonshine-package.ts'
import type { SpeechLanguage } from './moonshine-package.ts'
import type { SttRateHz } from './stt.ts'
import type { ThreadClose, ThreadData, ThreadReady, ThreadUnready } from './speech-thread.ts'

export interface SttWorkerInput {
  kind: 'transcribe'
  id: number
  language: SpeechLanguage
  pcm: Int16Array<ArrayBuffer>
  rateHz: SttRateHz
}

export type SttWorkerOutput =
  /** `text` null: given up. */
  | { kind: 'transcribed'; id: number; text: string | null; confidence: number }
  | { kind: 'failed'; id: number; message: string }

export interface SttWorkerData {
  /** One Int32: the id of the job to give up. */
  giveUp: SharedArrayBuffer
}

/** Loading the English model takes 0.7 s of a processor. */
const ENGLISH_AFTER_MS = 5_000

const port = parentPort
if (port === null) throw new Error('embedded-stt-worker.ts runs as a worker thread only')

const { gate: sharedGate, options } = workerData as ThreadData<SttWorkerData>
const gate = new NativeGate(sharedGate)
const giveUp = new Int32Array(options.giveUp)
const models = new Map<SpeechLanguage, Promise<MoonshineModel>>()

function send(message: SttWorkerOutput | ThreadReady | ThreadUnready): void {
  port!.postMessage(message)
}

function model(language: SpeechLanguage): Promise<MoonshineModel> {
  let loading = models.get(language)
  if (loading === undefined) {
    loading = load(language)
    models.set(language, loading)
    // A failed load may be tried again by the next utterance.
    loading.catch(() => models.delete(language))
  }
  return loading
}

async function load(language: SpeechLanguage): Promise<MoonshineModel> {
  const paths = await moonshinePaths(language)
  return gate.run(async () => {
    const { MoonshineModel } = await import('./moonshine-model.ts')
    return MoonshineModel.load(paths, () => gate.closing)
  })
}

async function transcribe(job: SttWorkerInput): Promise<void> {
  try {
    const shouldStop = (): boolean => gate.closing || Atomics.load(giveUp, 0) === job.id
    const loaded = await model(job.language)
    const pcm = job.rateHz === 8_000 ? doubled(job.pcm) : job.pcm
    const result = await gate.run(() => loaded.transcribe(pcm, shouldStop))
    const { text, confidence } = result ?? { text: null, confidence: 0 }
    send({ kind: 'transcribed', id: job.id, text, confidence })
  } catch (error) {
    send({ kind: 'failed', id: job.id, message: errorText(error) })
  }
}

/** The gate is closed by now: what runs ends soon, and nothing new begins. */
async function close(): Promise<void> {
  try {
    await gate.idle(NATIVE_LIMIT_MS)
    for (const loading of [...models.values()]) {
      const loaded = await loading.catch(() => null)
      if (loaded !== null) await gate.release(() => loaded.close())
    }
  } finally {
    port!.close()
  }
}

port.on('message', (message: SttWorkerInput | ThreadClose) => {
  void (message.kind === 'close' ? close() : transcribe(message))
})

try {
  // The first run of a graph allocates its arena; half a second of hum makes it do so before the first call.
  const spanish = await model('es')
  const hum = Int16Array.from({ length: 8_000 }, (_, index) => 3_000 * Math.sin(index / 20))
  await gate.run(() => spanish.transcribe(hum, () => gate.closing))
  send({ kind: 'ready' })
  // Not at once: whoever waited for the server calls now, and the greeting wants the processor more. The first English call
  // loads it earlier if need be.
  setTimeout(() => {
    if (!gate.closing) model('en').catch(() => undefined)
  }, ENGLISH_AFTER_MS).unref()
} catch (error) {
  const code = error instanceof ProviderError ? error.code : 'STT_UNAVAILABLE'
  send({ kind: 'unready', code, message: errorText(error) })
}
