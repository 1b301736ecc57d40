/**
 * The emulated providers as a process of their own, so that they do not share a processor with what is measured:
 *
 *   node bench/rig/provider-process.ts [--seed 1] [--partial-ms 250] [--final-ms 1000] [--first-audio-ms 150]
 *     [--first-token-ms 400] [--tokens-per-sec 60] [--said TEXT | --tones] [--stt-failure JSON] [--tts-failure JSON] [--llm-failure JSON]
 *
 * Prints one line of JSON with the addresses, {"azure":"ws://…","groq":"http://…"}, and ends on SIGTERM or when its
 * standard input ends. A line of JSON on standard input, {"stt":{"kind":"silent"},"llm":null}, switches failures;
 * {"drop":1006} closes every open connection to Azure with that code.
 */
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { SttFailure } from './azure-listener.ts'
import { AzureService } from './azure-service.ts'
import type { TtsFailure } from './azure-speaker.ts'
import { GroqService, type LlmFailure } from './groq-service.ts'
import { textOfTone } from './spoken-tone.ts'

export interface ProviderFailures {
  stt?: SttFailure | null
  tts?: TtsFailure | null
  /** Of text streams only. */
  stream?: TtsFailure | null
  llm?: LlmFailure | null
  drop?: number
}

export interface ProviderProcess {
  azure: string
  groq: string
  pid: number
  fail(failures: ProviderFailures): void
  stop(): Promise<void>
}

/** Starts the process and waits for its addresses. `flags` as above, e.g. ['--seed', '7']. */
export async function startProviderProcess(flags: string[] = []): Promise<ProviderProcess> {
  const child = spawn(process.execPath, [fileURLToPath(import.meta.url), ...flags], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string]
  const { azure, groq } = JSON.parse(line) as { azure: string; groq: string }
  return {
    azure,
    groq,
    pid: child.pid ?? 0,
    fail: (failures) => void child.stdin.write(`${JSON.stringify(failures)}\n`),
    stop: async () => {
      const ended = once(child, 'exit')
      child.kill('SIGTERM')
      await ended
    },
  }
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      seed: { type: 'string', default: '1' },
      'partial-ms': { type: 'string', default: '250' },
      'final-ms': { type: 'string', default: '1000' },
      'first-audio-ms': { type: 'string', default: '150' },
      /** What every user said, whatever was heard. */
      said: { type: 'string' },
      /** What was said follows from its pitch: spoken-tone.ts. */
      tones: { type: 'boolean', default: false },
      'first-token-ms': { type: 'string', default: '400' },
      'tokens-per-sec': { type: 'string', default: '60' },
      'stt-failure': { type: 'string', default: 'null' },
      'tts-failure': { type: 'string', default: 'null' },
      'llm-failure': { type: 'string', default: 'null' },
    },
  })
  const azure = await AzureService.start({
    seed: Number(values.seed),
    partialEveryMs: Number(values['partial-ms']),
    finalMs: Number(values['final-ms']),
    firstAudioMs: Number(values['first-audio-ms']),
    ...(values.said === undefined ? {} : { textOf: () => values.said ?? '' }),
    ...(values.tones ? { textOf: textOfTone } : {}),
  })
  const groq = await GroqService.start({
    seed: Number(values.seed),
    firstTokenMs: Number(values['first-token-ms']),
    tokensPerSec: Number(values['tokens-per-sec']),
  })
  const apply = ({ stt, tts, stream, llm, drop }: ProviderFailures): void => {
    if (stt !== undefined) azure.sttFailure = stt
    if (tts !== undefined) azure.ttsFailure = tts
    if (stream !== undefined) azure.streamFailure = stream
    if (llm !== undefined) groq.failure = llm
    if (drop !== undefined) azure.dropConnections(drop)
  }
  apply({
    stt: JSON.parse(values['stt-failure']) as SttFailure | null,
    tts: JSON.parse(values['tts-failure']) as TtsFailure | null,
    llm: JSON.parse(values['llm-failure']) as LlmFailure | null,
  })
  const input = createInterface(process.stdin)
  input.on('line', (line) => apply(JSON.parse(line) as ProviderFailures))
  const stop = (): void =>
    void Promise.all([azure.close(), groq.close()]).then(() => process.exit(0))
  input.on('close', stop)
  process.on('SIGTERM', stop)
  process.stdout.write(`${JSON.stringify({ azure: azure.host, groq: groq.url })}\n`)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main()
