/** Conversations that are over leave no connection at the service, however they ended and however it behaved. */
import { describe, expect, it } from 'vitest'
import type { SttFailure } from '../../bench/rig/azure-listener.ts'
import { AzureService } from '../../bench/rig/azure-service.ts'
import { textOfTone, toneFrame } from '../../bench/rig/spoken-tone.ts'
import { AzureStt } from '../../server/providers/azure-stt.ts'
import type { SttProvider } from '../../server/providers/stt.ts'
import { STT_OPTIONS } from './doubles.ts'

const CONVERSATIONS = 30
const GONE_WITHIN_MS = 5_000
const FRAME_MS = 20

const FAILURES: (SttFailure | null)[] = [
  null,
  { kind: 'silent' },
  { kind: 'garbage' },
  { kind: 'turnEnd', everyAudioMs: 400 },
  { kind: 'close', code: 1_011, afterAudioMs: 200 },
]

/** Over before it is connected, in mid-speech, or when its final has come (at most 2 s are waited for it). */
async function hold(stt: SttProvider, ending: number): Promise<void> {
  if (ending === 1) stt.prepare?.(STT_OPTIONS)
  let wake: () => void = () => undefined
  const heard = new Promise<void>((resolve) => (wake = resolve))
  const session = stt.open(STT_OPTIONS, {
    onPartial: () => undefined,
    onFinal: () => wake(),
    onError: () => wake(),
  })
  if (ending > 0) {
    for (let ms = 0; ms < 600; ms += FRAME_MS) session.push(toneFrame(1, ms), ms)
    if (ending === 2) {
      for (let ms = 600; ms < 1_400; ms += FRAME_MS) session.push(new Int16Array(320), ms)
      await Promise.race([heard, new Promise((resolve) => setTimeout(resolve, 2_000))])
    } else await new Promise((resolve) => setTimeout(resolve, 150))
  }
  session.close()
}

describe('a recogniser of Azure', () => {
  it.each(FAILURES)(
    `has 0 connections open 5 s behind ${CONVERSATIONS} conversations; the service: %j`,
    async (failure) => {
      const service = await AzureService.start({ finalMs: 100, textOf: textOfTone })
      service.sttFailure = failure
      const stt = new AzureStt({ key: 'k', region: 'r', host: service.host })
      await stt.warm()
      await Promise.all(Array.from({ length: CONVERSATIONS }, (_, i) => hold(stt, i % 3)))
      expect(service.paths.length).toBeGreaterThanOrEqual(CONVERSATIONS / 3)
      await expect.poll(() => service.open, { timeout: GONE_WITHIN_MS, interval: 50 }).toBe(0)
      // None that was still on its way comes afterwards.
      await new Promise((resolve) => setTimeout(resolve, 500))
      expect(service.open).toBe(0)
      await stt.close()
      await service.close()
    },
    60_000,
  )
})
