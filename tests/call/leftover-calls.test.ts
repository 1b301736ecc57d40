import { describe, expect, it } from 'vitest'
import { endLeftoverCalls } from '../../server/call/leftover-calls.ts'
import { SOCKET_ONLY_LINE, type LineControl } from '../../server/carriers/carrier.ts'
import { silentLog } from '../../server/log.ts'

describe('leftover calls', () => {
  it('are hung up at every account of their carrier, also behind one that fails; browsers and the nameless are not', async () => {
    const hungUp: string[] = []
    const over: [string, string][] = []
    const line = (account: string): LineControl => ({
      ...SOCKET_ONLY_LINE,
      hangup: (id) => {
        hungUp.push(`${account} ${id}`)
        return account === 'down' ? Promise.reject(new Error('away')) : Promise.resolve()
      },
    })
    const lines = { telnyx: [line('down'), line('up')], twilio: [line('twilio')] }
    const calls = [
      { id: '1', carrier: 'telnyx', carrierCallId: 'v3:a' },
      { id: '2', carrier: 'twilio', carrierCallId: 'CA1' },
      { id: '3', carrier: 'browser', carrierCallId: 'stream' },
      { id: '4', carrier: 'telnyx', carrierCallId: null },
    ]
    await endLeftoverCalls(calls, {
      lines: (carrier) => lines[carrier],
      isOver: (carrierCallId, id) => over.push([carrierCallId, id]),
      log: silentLog(),
    })
    expect(hungUp.toSorted()).toEqual(['down v3:a', 'twilio CA1', 'up v3:a'])
    expect(over).toEqual([
      ['v3:a', '1'],
      ['CA1', '2'],
    ])
  })
})
