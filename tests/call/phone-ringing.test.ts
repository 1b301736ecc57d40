/** The phone desk with its surroundings played by the test: what is opened while the telephone still rings. */
import { randomUUID } from 'node:crypto'
import { pino } from 'pino'
import { afterEach, describe, expect, it } from 'vitest'
import { AzureService } from '../../bench/rig/azure-service.ts'
import { DEFAULT_SETTINGS, resolveProfile } from '../../server/agent-settings.ts'
import type { AdmissionGate } from '../../server/call/admission.ts'
import type { AgentSource } from '../../server/call/agent-source.ts'
import { PhoneDesk, type DeskDeps } from '../../server/call/phone-desk.ts'
import { recogniserOptions } from '../../server/call/recogniser-options.ts'
import { CallRegistry } from '../../server/call/registry.ts'
import type { LineControl } from '../../server/carriers/carrier.ts'
import { createMetrics } from '../../server/metrics.ts'
import { AzureStt } from '../../server/providers/azure-stt.ts'
import type { SttOptions } from '../../server/providers/stt.ts'
import type { Journal } from '../../server/store/journal.ts'

const SETTINGS = structuredClone(DEFAULT_SETTINGS)
Object.assign(SETTINGS.base, {
  phrases: ['Ubrokers'],
  profanity: 'masked',
  segmentationSilenceMs: 650,
})
const RING = {
  carrier: 'twilio',
  account: null,
  carrierCallId: 'CA1',
  callId: null,
  from: '+525511111111',
  to: '+525522222222',
} as const

let azure: AzureService | null = null
afterEach(async () => {
  await azure?.close()
  azure = null
})

function openDesk(prepare: DeskDeps['prepare'], isFull = false): PhoneDesk {
  const admission = isFull ? { ok: false, reason: 'full' } : { ok: true }
  const agent = { id: randomUUID(), name: 'Andrea', version: 1, settings: SETTINGS }
  return new PhoneDesk({
    registry: new CallRegistry(),
    gate: { admit: () => admission, settle: () => undefined } as unknown as AdmissionGate,
    agents: { find: () => Promise.resolve(agent) } as unknown as AgentSource,
    journal: { record: () => undefined } as unknown as Journal,
    metrics: createMetrics(),
    log: pino({ level: 'silent' }),
    outbound: { maxCalls: 10, perSecond: 10 } as unknown as DeskDeps['outbound'],
    lineFor: () => ({ dial: () => Promise.resolve('CA2') }) as unknown as LineControl,
    issueToken: () => 'token',
    mediaUrl: () => 'wss://localhost/media',
    ...(prepare === undefined ? {} : { prepare }),
    dateMs: () => 0,
    monotonicMs: () => 0,
  })
}

describe('a call that rings', () => {
  it('has its recogniser prepared once, with the agent’s settings for the carrier', async () => {
    const asked: Omit<SttOptions, 'callId'>[] = []
    const desk = openDesk((settings) => asked.push(recogniserOptions(settings)))
    await Promise.all([desk.incoming(RING), desk.incoming(RING)])
    await desk.incoming(RING)
    expect(asked).toEqual([
      {
        language: 'es-MX',
        languages: [],
        phrases: ['Ubrokers'],
        segmentationSilenceMs: 650,
        initialSilenceMs: 30_000,
        profanity: 'masked',
        secondHearing: 'off',
      },
    ])
  })

  it('has nothing prepared when it is turned away', async () => {
    let asked = 0
    const desk = openDesk(() => (asked += 1), true)
    expect(await desk.incoming(RING)).toBe('full')
    expect(asked).toBe(0)
  })

  it('is heard over the connection that was opened while it rang, and over no other', async () => {
    azure = await AzureService.start()
    const stt = new AzureStt(
      { key: 'k', region: 'eastus', host: azure.host },
      { connectMs: 15_000 },
    )
    const desk = openDesk((settings) => stt.prepare(recogniserOptions(settings)))
    const call = await desk.incoming(RING)
    if (typeof call === 'string') throw new Error(call)
    await expect.poll(() => azure?.open, { timeout: 15_000 }).toBe(1)
    const events = {
      onPartial: () => undefined,
      onFinal: () => undefined,
      onError: () => undefined,
    }
    const session = stt.open({ callId: call.id, ...recogniserOptions(call.settings) }, events)
    session.push(new Int16Array(16_000), 0)
    await expect.poll(() => azure?.audioBytes, { timeout: 15_000 }).toBeGreaterThan(0)
    expect(azure.paths).toHaveLength(1)
    expect(azure.queries[0]?.get('profanity')).toBe('masked')
    await stt.close()
  }, 40_000)
})

describe('what a recogniser is asked for', () => {
  it('ends phrases after the silence of the turn, 700 ms on the telephone, unless set by itself', () => {
    const settings = resolveProfile(DEFAULT_SETTINGS, 'twilio')
    expect(recogniserOptions(settings).segmentationSilenceMs).toBe(700)
  })
})
