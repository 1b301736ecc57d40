/**
 * What the user heard, as words: the embedded recogniser on the rig's own recording of the agent.
 * So a call can be judged by its sound, and not only by what the server says it said.
 */
import { EmbeddedStt } from '../../server/providers/embedded-stt.ts'
import { LINE_RATE_HZ } from './play-out.ts'
import type { Talkspurt } from './voice-activity.ts'

/** Talkspurts closer than this are sentences of one reply. */
const SAME_REPLY_MS = 700
/**
 * Silence left around a reply: the recogniser is unsure of words that begin at its first sample.
 */
const MARGIN_MS = 200

export interface HeardReply extends Talkspurt {
  text: string
}

/**
 * Transcribes each reply in an 8 kHz recording, in order. @throws Error when the recogniser cannot
 * be had.
 */
export async function transcribe(
  recording: Int16Array,
  talkspurts: readonly Talkspurt[],
  language: string,
): Promise<HeardReply[]> {
  const stt = new EmbeddedStt()
  await stt.warm()
  try {
    const replies: HeardReply[] = []
    for (const span of joinReplies(talkspurts)) {
      const from = Math.max(0, span.startMs - MARGIN_MS) * (LINE_RATE_HZ / 1_000)
      const to = (span.endMs + MARGIN_MS) * (LINE_RATE_HZ / 1_000)
      const pcm = recording.subarray(from, to)
      replies.push({ ...span, text: await recognise(stt, pcm, language) })
    }
    return replies
  } finally {
    await stt.close()
  }
}

function joinReplies(talkspurts: readonly Talkspurt[]): Talkspurt[] {
  const replies: Talkspurt[] = []
  for (const spurt of talkspurts) {
    const last = replies.at(-1)
    if (last !== undefined && spurt.startMs - last.endMs < SAME_REPLY_MS) last.endMs = spurt.endMs
    else replies.push({ ...spurt })
  }
  return replies
}

function recognise(stt: EmbeddedStt, pcm: Int16Array, language: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const session = stt.open(
    {
      callId: 'rig',
      rateHz: LINE_RATE_HZ,
      language,
      phrases: [],
      segmentationSilenceMs: 500,
      initialSilenceMs: 30_000,
    },
    {
      onPartial: () => undefined,
      onFinal: (transcript) => resolve(transcript.text),
      onError: reject,
    },
  )
  session.speechStarted(0)
  session.push(pcm, 0)
  session.speechEnded((pcm.length * 1_000) / LINE_RATE_HZ)
  return promise.finally(() => session.close())
}
