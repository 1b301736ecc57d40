import { describe, expect, it } from 'vitest'
import { FRAME_HEADER_BYTES, MediaFrames } from '../../../bench/rig/twilio-media.ts'
import { AgentMessageReader } from '../../../bench/rig/twilio-messages.ts'

const PAYLOAD = Buffer.alloc(160, 0x55)
const BASE64 = Buffer.from(PAYLOAD.toString('base64'), 'latin1')

const ascii = (text: string) => Uint8Array.from(Buffer.from(text, 'latin1'))

function open(streamSid = 'MZ1') {
  const heard: unknown[] = []
  const reader = new AgentMessageReader(ascii(streamSid), {
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
  it('writes the frames of 2 streams in one memory while counters grow from 9 to 10 and 99 to 100', () => {
    const frames = new MediaFrames()
    for (const chunk of [1, 9, 10, 99, 100, 12_345, 720_000]) {
      for (const streamSid of ['MZ1', 'MZ2']) {
        const frame = frames.write(ascii(streamSid), chunk + 1, chunk - 1, BASE64)
        const length = frame.length - FRAME_HEADER_BYTES
        // FIN and text; masked and 16 bits of length; a mask of zeros.
        const header = [0x81, 0xfe, length >> 8, length & 0xff, 0, 0, 0, 0]
        expect([...frame.subarray(0, FRAME_HEADER_BYTES)]).toEqual(header)
        expect(JSON.parse(frame.subarray(FRAME_HEADER_BYTES).toString())).toEqual({
          event: 'media',
          sequenceNumber: String(chunk + 1),
          media: {
            track: 'inbound',
            chunk: String(chunk),
            timestamp: String((chunk - 1) * 20),
            payload: BASE64.toString('latin1'),
          },
          streamSid,
        })
      }
    }
  })

  it('leaves a frame alone that was detached', () => {
    const frames = new MediaFrames()
    const held = frames.write(ascii('MZ1'), 1, 0, BASE64)
    const before = held.toString()
    frames.detach(held)
    const next = frames.write(ascii('MZ2'), 2, 1, BASE64)
    expect(held.toString()).toBe(before)
    expect(next.toString()).toContain('"streamSid":"MZ2"')
    expect(frames.write(ascii('MZ2'), 3, 2, BASE64)).toBe(next)
  })

  it('reads media of a stream by the shape that another stream has taught, and not as the other', () => {
    const one = open('MZ1')
    const two = open('MZ2')
    one.read(media(PAYLOAD.toString('base64')))
    const text = Buffer.from(
      JSON.stringify({ ...media(PAYLOAD.toString('base64')), streamSid: 'MZ2' }),
    )
    expect(two.reader.readText(text, text.length)).toBe(true)
    expect(one.reader.readText(text, text.length)).toBe(false)
    expect(two.heard).toEqual([PAYLOAD])
    expect(one.heard).toEqual([PAYLOAD])
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
