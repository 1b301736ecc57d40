import { describe, expect, it } from 'vitest'
import { AgentMessageReader, MediaTemplate } from '../../../bench/rig/twilio-messages.ts'

const PAYLOAD = Buffer.alloc(160, 0x55)
const BASE64 = Buffer.from(PAYLOAD.toString('base64'), 'latin1')

function open() {
  const heard: unknown[] = []
  const reader = new AgentMessageReader('MZ1', {
    onPayload: (payload) => heard.push(Buffer.from(payload)),
    onMark: (name) => heard.push(`mark ${name}`),
    onClear: () => heard.push('clear'),
    onWarning: (code) => heard.push(code),
  })
  const read = (message: unknown, isBinary = false): void => {
    reader.read(Buffer.from(JSON.stringify(message)), isBinary)
  }
  return { heard, read, reader }
}
const media = (payload: string) => ({ event: 'media', streamSid: 'MZ1', media: { payload } })

describe('twilio messages', () => {
  it('rewrites the media template in place while counters grow from 9 to 10 and 99 to 100', () => {
    const template = new MediaTemplate('MZ1')
    for (const chunk of [1, 9, 10, 99, 100, 12_345]) {
      const counters = { sequence: chunk + 1, chunk, timestampMs: (chunk - 1) * 20 }
      expect(JSON.parse(template.write(counters, BASE64).toString())).toEqual({
        event: 'media',
        sequenceNumber: String(chunk + 1),
        media: {
          track: 'inbound',
          chunk: String(chunk),
          timestamp: String((chunk - 1) * 20),
          payload: BASE64.toString('latin1'),
        },
        streamSid: 'MZ1',
      })
    }
  })

  it('reads media, mark and clear, and media again by its known shape', () => {
    const { heard, read } = open()
    read(media(PAYLOAD.toString('base64')))
    read({ event: 'mark', streamSid: 'MZ1', mark: { name: 'a' } })
    read({ event: 'clear', streamSid: 'MZ1' })
    read(media(PAYLOAD.toString('base64')))
    read(media(Buffer.alloc(40, 1).toString('base64')))
    expect(heard).toEqual([PAYLOAD, 'mark a', 'clear', PAYLOAD, Buffer.alloc(40, 1)])
  })

  it('answers a binary message with 31950 and 6 wrong shapes with 31951', () => {
    const { heard, read, reader } = open()
    read(media(PAYLOAD.toString('base64')))
    read({}, true)
    const good = media(PAYLOAD.toString('base64'))
    read({ ...good, streamSid: 'MZ2' })
    read({ ...good, extra: 1 })
    read({ ...good, media: { payload: 'AA%A' } })
    read({ event: 'stop', streamSid: 'MZ1' })
    read({ event: 'mark', streamSid: 'MZ1' })
    reader.read(Buffer.from('{"event":'), false)
    expect(heard.slice(1)).toEqual([31950, ...Array(6).fill(31951)])
  })
})
