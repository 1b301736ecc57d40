/** Streams that break or are replaced while a call goes on; time is handed in. */
import { beforeEach, describe, expect, it } from 'vitest'
import { DEFAULT_SETTINGS, resolveProfile } from '../../server/agent-settings.ts'
import { AWAY_MAX_MS, CallLine } from '../../server/call/call-line.ts'
import { SOCKET_ONLY_LINE, type LineControl } from '../../server/carriers/carrier.ts'
import { CarrierError } from '../../server/errors.ts'

let ends: string[]
let aways: number
let opened: number

beforeEach(() => {
  ;[ends, aways, opened] = [[], 0, 0]
})

function callLine(line: Partial<LineControl>): CallLine {
  const invite = { url: 'wss://andrea.example', token: 'T', from: '+1', to: '+2' }
  return new CallLine({
    callId: 'c1',
    start: {
      ...{ streamId: 's1', carrierCallId: 'v3:a', token: null, from: '+1', to: '+2' },
      ...{ parameters: {}, format: { codec: 'PCMU', sampleRateHz: 8_000 } },
    },
    settings: resolveProfile(DEFAULT_SETTINGS, 'telnyx'),
    line: { ...SOCKET_ONLY_LINE, ...line },
    phone: { direction: 'inbound', invite: () => invite, early: [], variables: {} },
    onAway: () => aways++,
    hangup: (reason) => ends.push(reason),
    noted: () => undefined,
    fault: () => undefined,
  })
}
const openStream = () => Promise.resolve(void opened++)
const settled = () => new Promise((resolve) => setImmediate(resolve))

describe('a stream that breaks', () => {
  it('is asked for again, and the call ends as streamLost when none has come in 10 s, not before', () => {
    const line = callLine({ openStream })
    line.streamStopped('close', 1_000)
    expect([opened, aways, ends]).toEqual([1, 1, []])
    line.tick(1_000 + AWAY_MAX_MS - 1)
    expect(ends).toEqual([])
    line.tick(1_000 + AWAY_MAX_MS)
    expect(ends).toEqual(['streamLost'])
  })

  it('and comes back after 4 s lets the call go on, which is told how long it was away', () => {
    const line = callLine({ openStream })
    line.streamStopped('error', 1_000)
    expect(line.streamReplaced(5_000)).toBe(4_000)
    line.tick(60_000)
    expect(ends).toEqual([])
  })

  it('is asked for again 5 times at most; the 6th break ends the call', () => {
    const line = callLine({ openStream })
    for (let i = 0; i < 5; i++) {
      line.streamStopped('error', i * 1_000)
      line.streamReplaced(i * 1_000 + 500)
    }
    expect([opened, ends]).toEqual([5, []])
    line.streamStopped('error', 9_000)
    expect([opened, ends]).toEqual([5, ['streamLost']])
  })

  it.each([
    ['the call is over', 'CARRIER_CALL_GONE', 'userHangup'],
    ['it will not', 'CARRIER_REFUSED', 'streamLost'],
  ])(
    'and of which the carrier says that %s ends the call at once: %s is %s',
    async (_, code, reason) => {
      const refuse = () => Promise.reject(new CarrierError(code, 'no'))
      const line = callLine({ openStream: refuse })
      line.streamStopped('close', 0)
      await settled()
      expect(ends).toEqual([reason])
    },
  )

  it('where no carrier can open another: an error is streamLost, an end is the user’s', () => {
    callLine({}).streamStopped('error', 0)
    callLine({}).streamStopped('close', 0)
    callLine({ openStream }).streamStopped('stop', 0)
    expect([opened, ends]).toEqual([0, ['streamLost', 'userHangup', 'userHangup']])
  })
})

describe('a stream that is replaced to press keys', () => {
  it('may be away for 10 s; the call ends as streamLost when it stays away', async () => {
    const line = callLine({ digitsReplaceStream: true, sendDigits: () => Promise.resolve() })
    await line.sendDigits('12#')
    line.streamStopped('stop', 2_000)
    line.tick(2_000 + AWAY_MAX_MS - 1)
    expect([aways, ends]).toEqual([1, []])
    line.tick(2_000 + AWAY_MAX_MS)
    expect(ends).toEqual(['streamLost'])
  })
})
