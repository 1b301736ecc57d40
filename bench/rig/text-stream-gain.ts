/**
 * What speaking a text while it is being written gains: from the model's first token to the first audio handed to the line, the
 * same answers on the same voice, with text streams and without. The product's own agent turn over both real SDKs.
 */
import { performance } from 'node:perf_hooks'
import { DEFAULT_SETTINGS, resolveProfile } from '../../server/agent-settings.ts'
import { AgentTurn } from '../../server/conversation/agent-turn.ts'
import { History } from '../../server/conversation/history.ts'
import { AzureTts } from '../../server/providers/azure-tts.ts'
import { GroqLlm } from '../../server/providers/groq-llm.ts'
import type { LlmProvider } from '../../server/providers/llm.ts'
import type { TtsProvider } from '../../server/providers/tts.ts'
import { AzureService } from './azure-service.ts'
import { GroqService } from './groq-service.ts'

/** First pieces of 12 to 60 characters, as agents answer. */
const REPLIES = [
  'Claro que sí. Con gusto le ayudo con eso.',
  'Con mucho gusto le explico los beneficios, son tres en total.',
  'El plan que más le conviene a un negocio como el suyo es el intermedio. ¿Se lo explico?',
  'Entiendo perfectamente lo que me dice y le voy a ayudar a resolverlo hoy mismo. Dígame su nombre.',
]
const VOICE = 'es-MX-DaliaMultilingualNeural'
const PATIENT = { connectMs: 30_000, firstMs: 30_000, gapMs: 30_000, streamFirstMs: 30_000 }

export interface TextStreamGain {
  /** First token to first audio, ms, each answer's. */
  streamedMs: number[]
  wholeMs: number[]
}

/** `answers` of each kind, one after the other; the model writes `wordsPerSec`. */
export async function textStreamGain(options: {
  seed: number
  answers: number
  wordsPerSec: number
}): Promise<TextStreamGain> {
  const { seed, answers, wordsPerSec } = options
  const azure = await AzureService.start({ seed })
  const groq = await GroqService.start({
    seed,
    firstTokenMs: 50,
    tokensPerSec: wordsPerSec,
    answerOf: ({ messages }) => REPLIES[Number(messages.at(-1)?.content) % REPLIES.length]!,
  })
  const llm = new GroqLlm({ apiKey: 'bench-key', baseUrl: groq.url, limits: PATIENT })
  const gain: TextStreamGain = { streamedMs: [], wholeMs: [] }
  try {
    for (const isOn of [true, false]) {
      const account = { key: 'bench-key', region: 'bench', host: azure.host }
      const tts = new AzureTts(account, PATIENT, { isOn })
      await tts.warm()
      const list = isOn ? gain.streamedMs : gain.wholeMs
      // The first one opens connections, and is not counted.
      for (let answer = -1; answer < answers; answer++) {
        const ms = await firstAudioMs({ llm, tts }, answer + 1)
        if (answer >= 0) list.push(ms)
      }
      await tts.close()
    }
  } finally {
    await llm.close()
    await Promise.all([azure.close(), groq.close()])
  }
  return gain
}

function firstAudioMs(
  { llm, tts }: { llm: LlmProvider; tts: TtsProvider },
  answer: number,
): Promise<number> {
  const history = new History('Eres Andrea.')
  history.user(1, String(answer))
  let segments = 0
  return new Promise((resolve, reject) => {
    let tokenMs = 0
    const timed: LlmProvider = {
      ...{ name: llm.name, scripted: false, warm: async () => {}, close: async () => {} },
      async *stream(request, signal) {
        for await (const event of llm.stream(request, signal)) {
          tokenMs ||= performance.now()
          yield event
        }
      },
    }
    const turn = new AgentTurn(
      { turnId: answer, kind: 'reply' },
      {
        callId: `gain-${answer}`,
        settings: { ...resolveProfile(DEFAULT_SETTINGS, 'browser'), voiceName: VOICE },
        llm: timed,
        tts,
        playback: {
          append: () => {
            resolve(performance.now() - tokenMs)
            turn.abort()
          },
          ...{ finish: () => {}, clear: () => {}, setDucked: () => {}, setPaused: () => {} },
          ...{ paused: false, heardMs: () => 0, busy: false },
        },
        control: {} as never,
        history,
        monotonicMs: () => performance.now(),
        nextSegmentId: () => ++segments,
        switchLanguage: () => {},
        actionGate: () => ({ pass: async () => 'sure', decided: async () => undefined }),
      },
      {
        onTool: () => {},
        onProviderFailed: (_part, error) => {
          reject(error)
          return false
        },
        onProviderWorked: () => {},
        onGrown: () => {},
        onProgress: () => {},
      },
    )
    turn.answer()
  })
}
