/** A socket whose other end has stopped to read, on a real connection: what the watchdog is shown of it, in injected time. */
import { setImmediate as turn } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import type { EndReason } from '../../server/call/call-state.ts'
import { Watchdog } from '../../server/call/watchdog.ts'
import type { CarrierStream } from '../../server/carriers/carrier.ts'
import { settle, type SocketPair } from '../support/socket-pair.ts'
import * as telnyx from '../support/telnyx-stream.ts'
import * as twilio from '../support/twilio-stream.ts'

const PAYLOAD = Buffer.alloc(160, 0xff)
/** More than any kernel takes for one connection, in turns of 100 payloads. */
const TURNS_MAX = 5_000

let rig: (SocketPair & { stream: CarrierStream }) | null = null
afterEach(() => rig?.close())

describe.each([
  ['twilio', () => open(twilio.openTwilio(), twilio.start())],
  ['telnyx', () => open(telnyx.openTelnyx(), telnyx.start())],
])('a half-dead socket of %s', (_, opened) => {
  it('refuses payloads when the system takes no more, and 5 s later the call ends as socketStalled', async () => {
    const { theirs, stream } = await opened()
    theirs.pause()
    const { reason, refused } = await play(stream, TURNS_MAX)
    expect(reason).toBe('socketStalled')
    expect(refused).toBeGreaterThan(0)
    expect(stream.bufferedBytes).toBeLessThan(32_768 + 400)
  })

  it('is none while the other end reads: 15 s of payloads end nothing', async () => {
    const { ours, stream } = await opened()
    const { reason } = await play(stream, 150, () => settle(ours))
    expect(reason).toBeNull()
  })
})

async function open<
  R extends SocketPair & { stream: CarrierStream; hear(...m: unknown[]): unknown },
>(opening: Promise<R>, start: unknown): Promise<R> {
  const opened = await opening
  rig = opened
  await opened.hear(start)
  return opened
}

/** Sends payloads, and shows the watchdog every 100 ms what waits in the socket. */
async function play(
  stream: CarrierStream,
  turns: number,
  pause: () => Promise<unknown> = () => turn(),
): Promise<{ reason: EndReason | null; refused: number }> {
  const watchdog = new Watchdog(0)
  let refused = 0
  for (let i = 0; i < turns; i++) {
    for (let n = 0; n < 100; n++) if (!stream.sendPayload(PAYLOAD)) refused++
    await pause()
    watchdog.mediaSeen(i * 100)
    const reason = watchdog.check(i * 100, stream.bufferedBytes)
    if (reason) return { reason, refused }
  }
  return { reason: null, refused }
}
