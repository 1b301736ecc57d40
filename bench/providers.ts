/**
 * Bench `providers`: what Andrea adds to the providers' own time, stage by stage, over the real SDKs and emulated
 * services; what a conversation leaves in memory; and 50 calls while every provider fails in turn.
 *
 * For the stages emulators and clients share this process, so each figure includes the loopback connection and the
 * emulator's send; for the rest the emulators have processes of their own.
 */
import { performance } from 'node:perf_hooks'
import { AzureStt } from '../server/providers/azure-stt.ts'
import { AzureTts } from '../server/providers/azure-tts.ts'
import { CallAccounts } from '../server/providers/call-accounts.ts'
import { FailoverLlm } from '../server/providers/failover-llm.ts'
import { FailoverStt } from '../server/providers/failover-stt.ts'
import { FailoverTts } from '../server/providers/failover-tts.ts'
import { GroqLlm } from '../server/providers/groq-llm.ts'
import { CachedTts } from '../server/providers/phrase-cache.ts'
import type { SttOptions } from '../server/providers/stt.ts'
import { AzureService } from './rig/azure-service.ts'
import { GroqService } from './rig/groq-service.ts'
import { percentile } from './rig/histogram.ts'
import { leakPerConversation } from './rig/provider-leak.ts'
import { runChaos } from './rig/provider-chaos.ts'
import { startProviderProcess } from './rig/provider-process.ts'
import { textStreamGain } from './rig/text-stream-gain.ts'
import { rounded, type BenchFigures } from './rig/report.ts'
import { RigUnreliable } from './rig/self-check.ts'
import { voiceLike } from './rig/voice-like.ts'

export interface ProvidersOptions {
  seed: number
  calls: number
  conversations: number
  progress(text: string): void
}

const STT_CALLS = 20
const STT_CHUNKS = 50
const ANSWERS = 300
/** Answers spoken while they are being written, and as many by whole sentences; words that the model writes in a second. */
const STREAMED_ANSWERS = 24
const WORDS_PER_SEC = 60
const FRAMES_PER_CHUNK = 5
/** The SDK sends 100 ms at a time. */
const CHUNK_MS = 100

const VOICE = { name: '', language: 'es-MX', style: null, speed: 1 }
/** Of a telephone line. */
const STT_OPTIONS: Omit<SttOptions, 'callId'> = {
  rateHz: 8_000,
  language: 'es-MX',
  phrases: [],
  segmentationSilenceMs: 500,
  initialSilenceMs: 30_000,
}
const NO_EVENTS = {
  onPartial: () => undefined,
  onFinal: () => undefined,
  onError: () => undefined,
}

export async function runProviders(options: ProvidersOptions): Promise<BenchFigures> {
  const { seed, progress } = options
  const marks = { audio: 0, token: 0 }
  const sttMs: number[] = []
  const sentAtMs: number[] = []
  const azure = await AzureService.start({
    seed,
    firstAudioMs: 1,
    onAudio: (connection) => {
      const sentMs = sentAtMs[connection]
      if (sentMs !== undefined) sttMs.push(performance.now() - sentMs)
    },
    audioOf: (text, rateHz) => {
      marks.audio = performance.now()
      return voiceLike(text, rateHz)
    },
  })
  const groq = await GroqService.start({
    seed,
    firstTokenMs: 1,
    tokensPerSec: 1_000,
    answerOf: () => 'Claro que sí.',
    onToken: () => (marks.token = performance.now()),
  })
  const parts = openParts({ azure: azure.host, groq: groq.url })
  await Promise.all([parts.stt.warm(), parts.llm.warm(), parts.tts.warm()])
  progress('audio in → SDK send')
  await measureStt(parts, sentAtMs)
  sentAtMs.length = 0
  progress('token in, first audio in')
  const { llmMs, ttsMs } = await measureAnswers(parts, marks)
  await closeParts(parts)
  await Promise.all([azure.close(), groq.close()])
  progress('first token → first audio, with and without text streams')
  const spoken = { answers: STREAMED_ANSWERS, wordsPerSec: WORDS_PER_SEC }
  const { streamedMs, wholeMs } = await textStreamGain({ seed, ...spoken })
  const leakBytes = await measureLeak(options)
  const chaos = await chaosFigures(options)
  return trusted({
    bench: 'providers',
    seed,
    settings: { sttCalls: STT_CALLS, answers: ANSWERS, conversations: options.conversations },
    figures: {
      ...quantiles('sttSend', sttMs),
      ...quantiles('llmToken', llmMs),
      ...quantiles('ttsFirstChunk', ttsMs),
      ...quantiles('textStreamFirstAudio', streamedMs),
      ...quantiles('wholeSentenceFirstAudio', wholeMs),
      leakBytesPerCall: Math.max(0, Math.round(leakBytes)),
      ...chaos,
    },
  })
}

/** Calls and emulators share the process: while it stands still every provider seems to have failed. */
const STANDSTILL_LIMIT_MS = 500

/** @throws RigUnreliable when the process stood still so long that silences are its own. */
function trusted(result: BenchFigures): BenchFigures {
  const { loopLagMaxMs = 0 } = result.figures
  if (loopLagMaxMs <= STANDSTILL_LIMIT_MS) return result
  throw new RigUnreliable(`the rig stood still for ${loopLagMaxMs} ms`, result)
}

/** Long enough for a failure to be noticed by every call, and for the calm to end what it began. */
const CHAOS_LAST_MS = { failure: 1_500, calm: 2_500 }

/** `--chaos`: nothing but the calls while providers fail. */
export async function runProvidersChaos(options: ProvidersOptions): Promise<BenchFigures> {
  const { seed, calls } = options
  const figures = await chaosFigures(options)
  return trusted({
    bench: 'providers-chaos',
    seed,
    settings: { calls, ...CHAOS_LAST_MS },
    figures,
  })
}

async function chaosFigures({ calls, seed, progress }: ProvidersOptions) {
  progress(`${calls} calls while providers fail`)
  const { worst, reasons, ...figures } = await runChaos({ calls, seed, lastMs: CHAOS_LAST_MS })
  for (const reason of reasons.slice(0, 5)) progress(`not answered: ${reason}`)
  for (const { failure, totalMs, sttMs, llmMs, ttsMs } of worst.slice(0, 3)) {
    const parts = [totalMs, sttMs, llmMs, ttsMs].map(Math.round)
    progress(`${failure}: ${parts[0]} ms = stt ${parts[1]} + llm ${parts[2]} + tts ${parts[3]}`)
  }
  return figures
}

type Parts = ReturnType<typeof openParts>

/** A busy machine makes the emulators slow, which is no failure here. */
const PATIENT = { connectMs: 30_000, firstMs: 30_000, gapMs: 30_000 }

function openParts(at: { azure: string; groq: string }) {
  const account = { key: 'bench-key', region: 'bench', host: at.azure }
  const accounts = new CallAccounts()
  const groq = { apiKey: 'bench-key', baseUrl: at.groq, limits: PATIENT }
  const voice = new AzureTts(account, PATIENT)
  return {
    accounts,
    stt: new FailoverStt([new AzureStt(account, PATIENT)], { accounts }),
    llm: new FailoverLlm([new GroqLlm(groq)], { accounts }),
    tts: new FailoverTts([new CachedTts(voice, { limitBytes: 1_048_576 })], { accounts }),
  }
}

async function closeParts({ stt, llm, tts }: Parts): Promise<void> {
  await Promise.all([stt.close(), llm.close(), tts.close()])
}

/** The emulators keep what they were asked: in a process of their own, so that it is not weighed. */
async function measureLeak({ conversations, progress }: ProvidersOptions): Promise<number> {
  progress(`${conversations} conversations`)
  const quick = ['--first-audio-ms', '1', '--first-token-ms', '1', '--tokens-per-sec', '1000']
  const emulators = await startProviderProcess(quick)
  const parts = openParts(emulators)
  await Promise.all([parts.stt.warm(), parts.llm.warm(), parts.tts.warm()])
  let failed = 0
  const bytes = await leakPerConversation(
    {
      // One that a busy machine breaks off is one all the same, and must leave nothing either.
      hold: (index) => converse(parts, index).catch(() => void failed++),
    },
    { count: conversations, warmUp: 500, parallel: 10 },
  )
  if (failed > 0) progress(`${failed} of them broke off`)
  await closeParts(parts)
  await emulators.stop()
  return bytes
}

/** Each call gives five frames at once every 100 ms: the fifth completes what the SDK sends in one message. */
async function measureStt({ stt }: Parts, sentAtMs: number[]): Promise<void> {
  const sessions = []
  const silence = new Int16Array(160)
  for (let call = 0; call < STT_CALLS; call++) {
    sessions.push(stt.open({ ...STT_OPTIONS, callId: `stt-${call}` }, NO_EVENTS))
    // One after the other: the emulator numbers connections in the order in which they come.
    await pause(30)
  }
  for (let chunk = 0; chunk < STT_CHUNKS; chunk++) {
    for (const [call, session] of sessions.entries()) {
      for (let frame = 0; frame < FRAMES_PER_CHUNK; frame++) {
        // The first chunks fill what the SDK has buffered by then, and are not counted.
        if (chunk >= 3) sentAtMs[call] = performance.now()
        session.push(silence, (chunk * FRAMES_PER_CHUNK + frame) * 20)
      }
      await pause(CHUNK_MS / STT_CALLS)
    }
  }
  for (const session of sessions) session.close()
}

async function measureAnswers(
  { llm, tts }: Parts,
  marks: { audio: number; token: number },
): Promise<{ llmMs: number[]; ttsMs: number[] }> {
  const llmMs: number[] = []
  const ttsMs: number[] = []
  const { signal } = new AbortController()
  for (let answer = 0; answer < ANSWERS; answer++) {
    const callId = `answer-${answer}`
    for await (const event of llm.stream(llmRequest(callId), signal)) {
      if (event.kind === 'text') llmMs.push(performance.now() - marks.token)
    }
    let isFirst = true
    const text = `Frase número ${answer}.`
    for await (const event of tts.synthesize({ callId, text, voice: VOICE }, signal)) {
      if (event.kind !== 'audio' || !isFirst) continue
      isFirst = false
      ttsMs.push(performance.now() - marks.audio)
    }
  }
  return { llmMs, ttsMs }
}

async function converse({ accounts, stt, llm, tts }: Parts, index: number): Promise<void> {
  const callId = `leak-${index}`
  accounts.open(callId, () => undefined)
  const session = stt.open({ ...STT_OPTIONS, callId }, NO_EVENTS)
  const { signal } = new AbortController()
  try {
    session.speechStarted(0)
    for (let frame = 0; frame < 10; frame++) session.push(new Int16Array(160), frame * 20)
    for await (const event of llm.stream(llmRequest(callId), signal)) void event
    const request = { callId, text: `Frase ${index % 5}.`, voice: VOICE }
    for await (const event of tts.synthesize(request, signal)) void event
  } finally {
    session.close()
    accounts.close(callId)
  }
}

function llmRequest(callId: string) {
  return {
    callId,
    model: 'llama-3.3-70b-versatile',
    messages: [{ role: 'user' as const, content: 'Hola' }],
    tools: [],
    temperature: 0,
    maxTokens: 50,
    language: 'es-MX',
  }
}

function quantiles(name: string, valuesMs: number[]): Record<string, number> {
  return {
    [`${name}P50Ms`]: rounded(percentile(valuesMs, 0.5) ?? 0, 3),
    [`${name}P99Ms`]: rounded(percentile(valuesMs, 0.99) ?? 0, 3),
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
