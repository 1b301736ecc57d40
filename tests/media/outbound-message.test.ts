import { describe, expect, it } from 'vitest'
import { OutboundMessage } from '../../server/media/outbound-message.ts'

const frame = (value: number) => new Uint8Array(160).fill(value)

describe('outbound message', () => {
  it('hands on a frame that leaves alone without a copy', () => {
    const message = new OutboundMessage()
    const only = frame(1)
    message.add(only)
    expect(message.take()).toBe(only)
    expect([message.frame(0), message.count, message.take()]).toEqual([only, 0, null])
  })

  it('lays 3 frames end to end in memory of its own', () => {
    const message = new OutboundMessage()
    for (const value of [1, 2, 3]) message.add(frame(value))
    expect(message.isFull).toBe(true)
    expect([...message.take()!]).toEqual([...frame(1), ...frame(2), ...frame(3)])
    expect([0, 1, 2].map((i) => message.frame(i)[0])).toEqual([1, 2, 3])
  })

  it('keeps what it owns when the bytes of its first frame are used again', () => {
    const message = new OutboundMessage()
    const lent = frame(1)
    message.add(lent)
    message.own()
    lent.fill(9)
    message.add(lent)
    expect([message.take()![0], message.frame(0)[0], message.frame(1)[0]]).toEqual([1, 1, 9])
  })

  it('begins anew behind what was taken or discarded, also with frames of another length', () => {
    const message = new OutboundMessage()
    message.add(frame(1))
    message.add(frame(2))
    message.take()
    message.add(frame(3))
    message.discard()
    expect(message.take()).toBeNull()
    message.add(new Uint8Array(320).fill(4))
    message.add(new Uint8Array(320).fill(5))
    expect([message.count, message.take()!.length]).toEqual([2, 640])
  })
})
