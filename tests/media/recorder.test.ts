import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import type { AudioFormat } from '../../server/media/audio-format.ts'
import { Recorder, spareBlocksOf, wavHeader } from '../../server/media/recorder.ts'

const folder = mkdtempSync(join(tmpdir(), 'andrea-recorder-'))
afterAll(() => rmSync(folder, { recursive: true }))

const PCMU: AudioFormat = { codec: 'PCMU', sampleRateHz: 8_000 }
const L16: AudioFormat = { codec: 'L16', sampleRateHz: 16_000 }
let files = 0

function open(format: AudioFormat = PCMU) {
  const path = join(folder, `${files++}.wav`)
  return { path, recorder: new Recorder(path, format) }
}

const frame = (value: number, bytes = 160) => new Uint8Array(bytes).fill(value)

/** The recording as [user byte, agent byte] of each 20 ms of PCMU; fails unless each frame is uniform. */
function framesOf(path: string): number[][] {
  const data = readFileSync(path).subarray(58)
  return Array.from({ length: data.length / 320 }, (_, i) => {
    const pairs = data.subarray(i * 320, (i + 1) * 320)
    for (let at = 0; at < 320; at += 2) {
      expect([pairs[at], pairs[at + 1]]).toEqual([pairs[0], pairs[1]])
    }
    return [pairs[0]!, pairs[1]!]
  })
}

describe('recorder: header', () => {
  it('writes 44 bytes for 16 kHz L16: plain PCM', () => {
    expect(wavHeader(L16, 1_280).toString('hex')).toBe(
      '52494646' +
        '24050000' +
        '57415645' +
        '666d7420' +
        '10000000' +
        '0100' +
        '0200' +
        '803e0000' +
        '00fa0000' +
        '0400' +
        '1000' +
        '64617461' +
        '00050000',
    )
  })

  it('writes 58 bytes for PCMU: tag 7, an empty extension, a fact chunk with samples per channel', () => {
    expect(wavHeader(PCMU, 320).toString('hex')).toBe(
      '52494646' +
        '72010000' +
        '57415645' +
        '666d7420' +
        '12000000' +
        '0700' +
        '0200' +
        '401f0000' +
        '803e0000' +
        '0200' +
        '0800' +
        '0000' +
        '66616374' +
        '04000000' +
        'a0000000' +
        '64617461' +
        '40010000',
    )
  })

  it('writes tag 6 for PCMA', () => {
    expect(wavHeader({ codec: 'PCMA', sampleRateHz: 8_000 }, 0).readUInt16LE(20)).toBe(6)
  })

  it('has data length 0 until the recording is finished, and the true one afterwards', async () => {
    const { path, recorder } = open()
    for (let i = 0; i < 3; i++) recorder.user(frame(1))
    const facts = await recorder.finish()
    const file = readFileSync(path)
    expect(file.subarray(0, 58)).toEqual(wavHeader(PCMU, 960))
    expect(file.length).toBe(58 + 960)
    expect(facts).toEqual({
      path,
      durationMs: 60,
      channels: 2,
      sampleRateHz: 8_000,
      bytes: 1_018,
    })
  })

  it('is a whole file of 0 ms when nobody said anything', async () => {
    const { path, recorder } = open()
    expect((await recorder.finish()).durationMs).toBe(0)
    expect(readFileSync(path)).toEqual(wavHeader(PCMU, 0))
  })
})

describe('recorder: channels', () => {
  it('puts the user left and the agent right, sample by sample', async () => {
    const { path, recorder } = open()
    const user = Uint8Array.from({ length: 160 }, (_, i) => i)
    const agent = Uint8Array.from({ length: 160 }, (_, i) => 255 - i)
    recorder.agent(agent)
    recorder.user(user)
    await recorder.finish()
    const data = readFileSync(path).subarray(58)
    expect([...data.subarray(0, 6)]).toEqual([0, 255, 1, 254, 2, 253])
    expect([...data.subarray(318)]).toEqual([159, 96])
  })

  it('keeps the 2 bytes of an L16 sample together', async () => {
    const { path, recorder } = open(L16)
    recorder.agent(Uint8Array.from({ length: 640 }, (_, i) => (i % 2 ? 0xa1 : 0xa0)))
    recorder.user(Uint8Array.from({ length: 640 }, (_, i) => (i % 2 ? 0x01 : 0x00)))
    await recorder.finish()
    expect([...readFileSync(path).subarray(44, 52)]).toEqual([0, 1, 0xa0, 0xa1, 0, 1, 0xa0, 0xa1])
  })

  it('records silence (0xFF) for an agent who says nothing', async () => {
    const { path, recorder } = open()
    recorder.user(frame(1))
    await recorder.finish()
    expect(framesOf(path)).toEqual([[1, 0xff]])
  })

  it('plays 4 payloads sent ahead one by one, 20 ms each, as the carrier does', async () => {
    const { path, recorder } = open()
    for (const value of [11, 12, 13, 14]) recorder.agent(frame(value))
    for (const value of [1, 2, 3, 4, 5]) recorder.user(frame(value))
    await recorder.finish()
    expect(framesOf(path)).toEqual([
      [1, 11],
      [2, 12],
      [3, 13],
      [4, 14],
      [5, 0xff],
    ])
  })

  it('leaves out what clear() took from the carrier', async () => {
    const { path, recorder } = open()
    for (const value of [11, 12, 13]) recorder.agent(frame(value))
    recorder.user(frame(1))
    recorder.cleared()
    recorder.agent(frame(21))
    recorder.user(frame(2))
    await recorder.finish()
    expect(framesOf(path)).toEqual([
      [1, 11],
      [2, 21],
    ])
  })

  it('keeps both channels aligned over 60 ms that the user stream skipped', async () => {
    const { path, recorder } = open()
    for (const value of [11, 12, 13, 14, 15]) recorder.agent(frame(value))
    recorder.user(frame(1))
    recorder.skipped(60)
    recorder.user(frame(2))
    await recorder.finish()
    expect(framesOf(path)).toEqual([
      [1, 11],
      [2, 15],
    ])
  })

  it('records a payload of 40 ms as 2 frames and fills one of 30 ms with silence', async () => {
    const { path, recorder } = open()
    recorder.user(frame(1, 320))
    recorder.user(frame(2, 240))
    expect((await recorder.finish()).durationMs).toBe(80)
    const data = readFileSync(path).subarray(58)
    const user = Array.from({ length: 640 }, (_, i) => data[i * 2])
    expect(user.filter((byte) => byte === 1).length).toBe(320)
    expect(user.slice(560)).toEqual(Array.from({ length: 80 }, () => 0xff))
  })

  it('copies agent payloads, which are views of memory that changes', async () => {
    const { path, recorder } = open()
    const payload = frame(11)
    recorder.agent(payload)
    payload.fill(99)
    recorder.user(frame(1))
    await recorder.finish()
    expect(framesOf(path)).toEqual([[1, 11]])
  })

  it('writes 125 frames, two and a half blocks, without losing or moving one', async () => {
    const { path, recorder } = open()
    for (let i = 0; i < 125; i++) {
      recorder.agent(frame(i + 100))
      recorder.user(frame(i))
    }
    expect((await recorder.finish()).durationMs).toBe(2_500)
    expect(framesOf(path)).toEqual(Array.from({ length: 125 }, (_, i) => [i, i + 100]))
  })
})

describe('recorder: limits', () => {
  it('keeps 500 agent payloads and counts 2 more as dropped', async () => {
    const { path, recorder } = open()
    for (let i = 0; i < 502; i++) recorder.agent(frame(i % 250))
    for (let i = 0; i < 501; i++) recorder.user(frame(1))
    expect(recorder.droppedAgentPayloads).toBe(2)
    await recorder.finish()
    const frames = framesOf(path)
    expect(frames[499]).toEqual([1, 249])
    expect(frames[500]).toEqual([1, 0xff])
  })

  it('drops and counts blocks beyond 1 MiB that the disk has not taken; the length says what is there', async () => {
    const { path, recorder } = open()
    // 50 blocks of 32 000 bytes in one go: the disk gets no turn in between.
    for (let i = 0; i < 5_000; i++) recorder.user(frame(1))
    const { droppedBlocks } = recorder
    const facts = await recorder.finish()
    expect(droppedBlocks).toBe(17)
    expect(facts.durationMs).toBe(66_000)
    expect(facts.bytes).toBe(readFileSync(path).length)
    expect(readFileSync(path).subarray(0, 58)).toEqual(wavHeader(PCMU, 66 * 16_000))
  })

  it('writes 20 recordings one after the other with the same 3 blocks', async () => {
    // Of this size no other test has any.
    const format: AudioFormat = { codec: 'L16', sampleRateHz: 8_000 }
    const spare = spareBlocksOf(format)
    const waiting = (): Set<ArrayBuffer> => {
      const blocks = Array.from({ length: spare.count }, () => spare.take())
      for (const block of blocks) spare.give(block)
      return new Set(blocks)
    }
    const record = async (recorder: Recorder): Promise<void> => {
      for (let i = 0; i < 250; i++) recorder.user(frame(1, 320))
      await recorder.finish()
    }
    await record(open(format).recorder)
    const first = waiting()
    for (let i = 1; i < 20; i++) await record(open(format).recorder)
    expect(first.size).toBe(3)
    expect([...waiting()].map((block) => first.has(block))).toEqual([true, true, true])
  })

  it('goes on without a disk, and finish() rejects with its error ENOENT', async () => {
    const recorder = new Recorder(join(folder, 'absent', 'x.wav'), PCMU)
    for (let i = 0; i < 60; i++) recorder.user(frame(1))
    await expect(recorder.finish()).rejects.toMatchObject({ code: 'ENOENT' })
  })

  it('rejects with ENOENT also when the disk has failed long before', async () => {
    const recorder = new Recorder(join(folder, 'absent', 'y.wav'), PCMU)
    recorder.user(frame(1))
    await expect(recorder.finish()).rejects.toMatchObject({ code: 'ENOENT' })
    for (let i = 0; i < 110; i++) recorder.user(frame(1))
    expect(recorder.droppedBlocks).toBe(1)
    await expect(recorder.finish()).rejects.toMatchObject({ code: 'ENOENT' })
  })
})
