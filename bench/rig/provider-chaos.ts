/**
 * Calls that go on while their providers fail: two of each provider, each in a process of its own, of which the
 * preferred one stalls, refuses, disconnects and recovers in turn.
 *
 *   50 chaos-calls ─► FailoverStt, -Llm, -Tts ─┬─► preferred (fails on schedule)     provider-process
 *                                              └─► second (works)                    provider-process
 *
 * Every failure of the schedule happens while all calls go on; each is followed by a recovery. The emulators have the
 * latencies that they have by default. How late this process itself was is measured with the silences.
 */
import { monitorEventLoopDelay, performance } from 'node:perf_hooks'
import { AzureStt } from '../../server/providers/azure-stt.ts'
import { AzureTts } from '../../server/providers/azure-tts.ts'
import { CallAccounts } from '../../server/providers/call-accounts.ts'
import { FailoverLlm } from '../../server/providers/failover-llm.ts'
import { FailoverStt } from '../../server/providers/failover-stt.ts'
import { FailoverTts } from '../../server/providers/failover-tts.ts'
import { GroqLlm } from '../../server/providers/groq-llm.ts'
import { OpenAiLlm } from '../../server/providers/openai-llm.ts'
import { driveChaos, type ChaosResult, type ChaosSchedule } from './chaos-schedule.ts'
import { startProviderProcess } from './provider-process.ts'

export interface ChaosOptions extends ChaosSchedule {
  seed?: number
  /** Latencies of the emulators for a test's patience; default: their own. */
  flags?: string[]
}

export interface ProviderChaosResult extends ChaosResult {
  /** The longest that this process was late itself, and its share of a core. */
  loopLagMaxMs: number
  cpuShare: number
}

export async function runChaos(options: ChaosOptions): Promise<ProviderChaosResult> {
  const world = await openWorld(options)
  const beganMs = performance.now()
  const cpu = process.cpuUsage()
  const lag = monitorEventLoopDelay({ resolution: 5 })
  lag.enable()
  const result = await driveChaos(world, options)
  lag.disable()
  const used = process.cpuUsage(cpu)
  const cpuShare = (used.user + used.system) / 1_000 / (performance.now() - beganMs)
  await world.close()
  const loopLagMaxMs = Math.round(lag.max / 1e6)
  return { ...result, loopLagMaxMs, cpuShare: Number(cpuShare.toFixed(2)) }
}

async function openWorld({ seed = 1, flags = [] }: ChaosOptions) {
  const start = (add: number) => {
    return startProviderProcess(['--tones', '--seed', String(seed + add), ...flags])
  }
  const [preferred, second] = await Promise.all([start(0), start(1)])
  const accounts = new CallAccounts()
  const health = { probeEveryMs: 1_000 }
  const account = (host: string) => ({ key: 'k', region: 'r', host })
  // The second ones work: where they are slow, the machine is busy.
  const speaking = { firstMs: 15_000, gapMs: 15_000 }
  const hearing = { connectMs: 15_000 }
  const renamed = <T extends object>(provider: T): T =>
    Object.defineProperty(provider, 'name', { value: 'second' })
  const stt = new FailoverStt(
    [new AzureStt(account(preferred.azure)), renamed(new AzureStt(account(second.azure), hearing))],
    { accounts, health },
  )
  const tts = new FailoverTts(
    [
      new AzureTts(account(preferred.azure)),
      renamed(new AzureTts(account(second.azure), speaking)),
    ],
    { accounts, health },
  )
  const model = 'openai/gpt-oss-120b'
  const llm = new FailoverLlm(
    [
      new GroqLlm({ apiKey: 'k', baseUrl: preferred.groq }),
      new OpenAiLlm({ baseUrl: `${second.groq}/openai/v1`, apiKey: null, model }),
    ],
    { accounts, health },
  )
  await Promise.all([stt.warm(), tts.warm(), llm.warm()])
  const world = {
    ...{ accounts, stt, tts, llm },
    fail: preferred.fail,
    async close() {
      await Promise.all([stt.close(), tts.close(), llm.close()])
      await Promise.all([preferred.stop(), second.stop()])
    },
  }
  return world
}
