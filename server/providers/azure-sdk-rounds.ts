/**
 * Two loops of the Speech SDK are written as recursions: each round's promise is kept until the last round has ended.
 *
 *   round 1 ─waits for─► round 2 ─waits for─► round 3 …      one round per message received, and per 100 ms of audio sent
 *
 * A call of ten minutes keeps 8 000 of them, which the garbage collector walks through again and again. Here a round ends
 * when it has done its work. This reaches into the SDK (version 1.52, pinned): where its inside is not as expected nothing is
 * changed, and the SDK works as it came.
 */
import { AudioFrames, type AudioConnection } from './azure-sdk-frames.ts'
import { hasText } from './azure-sdk-guard.ts'

interface Chunk {
  buffer: ArrayBuffer
  isEnd: boolean
}

/** `ServiceRecognizerBase` of the SDK, as far as sendAudio() uses it. */
interface RecognizerInside {
  readonly audioSource: { format: Promise<{ avgBytesPerSec: number }> }
  readonly audioStreamId: string | undefined
  readonly privIsDisposed: boolean
  readonly privIsLiveAudio: boolean
  privAverageBytesPerMs: number
  readonly privRecognizerConfig: {
    isContinuousRecognition: boolean
    parameters: { getProperty(name: string, fallback: string): string }
  }
  readonly privRequestSession: {
    recogNumber: number
    isSpeechEnded: boolean
    isRecognizing: boolean
    bytesSent: number
    requestId: string
    onAudioSent(bytes: number): void
    onSpeechEnded(): void
    onServiceTurnEndResponse(isContinuous: boolean): Promise<void>
  }
  fetchConnection(): Promise<AudioConnection>
  delay(ms: number): Promise<void>
}

export interface SdkInside {
  recognizer: { prototype: Record<string, unknown> }
  synthesizer: { prototype: Record<string, unknown> }
  /** The SDK's message of one piece of audio. */
  audioMessage(requestId: string, body: ArrayBuffer | null, streamId: string | undefined): unknown
}

/** Audio may go out twice as fast as it is spoken once the first 5 s were sent; the SDK's own default and factor. */
const UNTHROTTLED_MS = '5000'
const CATCH_UP = 2
/**
 * Behind a pause in which nothing was sent, so much of it goes out at once, ms of sending: 1 s of audio. The SDK spaces every
 * piece by itself; the 600 ms from before a sound would make all behind them late, and with them the first words.
 */
const CREDIT_MS = 500

/** Replaces the recursions that are there. @returns the names of those that were replaced. */
export function endRounds(inside: SdkInside): string[] {
  const { recognizer, synthesizer, audioMessage } = inside
  const replaced: string[] = []
  const receivers = { recognizer, synthesizer }
  for (const [name, { prototype }] of Object.entries(receivers)) {
    const receive = prototype['receiveMessage']
    if (!hasText<Rounds>(receive, 'return this.receiveMessage()')) continue
    // It calls itself by its name at its end, so it finds this one; nobody waits for what it returns.
    prototype['receiveMessage'] = function (this: unknown): Promise<void> {
      void receive.call(this)
      return Promise.resolve()
    }
    replaced.push(`${name}.receiveMessage`)
  }
  if (hasText(recognizer.prototype['sendAudio'], 'return readAndUploadCycle()')) {
    recognizer.prototype['sendAudio'] = function (
      this: RecognizerInside,
      audio: { read(): Promise<Chunk | undefined> },
    ): Promise<void> {
      return sendAudio(this, audio, audioMessage)
    }
    replaced.push('recognizer.sendAudio')
  }
  return replaced
}

type Rounds = (this: unknown, ...args: unknown[]) => Promise<unknown>

/** The SDK's own loop, step by step: reads pieces of audio and sends them, none faster than CATCH_UP allows, until the speech ends. */
async function sendAudio(
  inside: RecognizerInside,
  audio: { read(): Promise<Chunk | undefined> },
  audioMessage: SdkInside['audioMessage'],
): Promise<void> {
  const { avgBytesPerSec } = await inside.audioSource.format
  inside.privAverageBytesPerMs = avgBytesPerSec / 1_000
  const { parameters, isContinuousRecognition } = inside.privRecognizerConfig
  const unthrottledMs = parameters.getProperty(
    'SPEECH-TransmitLengthBeforThrottleMs',
    UNTHROTTLED_MS,
  )
  const unthrottledBytes = inside.privAverageBytesPerMs * Number.parseInt(unthrottledMs, 10)
  const session = inside.privRequestSession
  const { recogNumber } = session
  const goesOn = (): boolean =>
    !inside.privIsDisposed &&
    !session.isSpeechEnded &&
    session.isRecognizing &&
    session.recogNumber === recogNumber
  const frames = new AudioFrames()
  let dueMs = Date.now()
  while (goesOn()) {
    const connection = await inside.fetchConnection()
    const chunk = await audio.read()
    if (session.isSpeechEnded) return
    const payload = !chunk || chunk.isEnd ? null : chunk.buffer
    if (payload !== null) {
      session.onAudioSent(payload.byteLength)
      const isFree = unthrottledBytes >= session.bytesSent
      const waitMs = isFree ? 0 : dueMs - Date.now()
      if (waitMs > 0) await inside.delay(waitMs)
      const sentMs = Date.now()
      const fromMs = isFree ? sentMs : Math.max(dueMs, sentMs - CREDIT_MS)
      dueMs = fromMs + (payload.byteLength * 1_000) / (avgBytesPerSec * CATCH_UP)
    }
    if (!goesOn()) return
    const { requestId } = session
    if (payload === null || !frames.send(connection, requestId, payload)) {
      const message = audioMessage(requestId, payload, inside.audioStreamId)
      // A broken connection is opened again by the next round, which sends what was lost.
      frames
        .sendBySdk(connection, requestId, message)
        .catch(() =>
          session.onServiceTurnEndResponse(isContinuousRecognition).catch(() => undefined),
        )
    }
    if (chunk?.isEnd) {
      if (!inside.privIsLiveAudio) session.onSpeechEnded()
      return
    }
  }
}
