/** Messages as Telnyx sends them (docs/telnyx.md), and a TelnyxStream at the other end of a real socket. */
import { TelnyxStream, type TelnyxStreamOptions } from '../../server/carriers/telnyx.ts'
import { connectPair, eventList, settle, type SocketPair, type Told } from './socket-pair.ts'

export const STREAM = '32de0dea-53cb-4b21-89a4-9e1819c043bc'
export const CONTROL = 'v3:MdI91X4lWFEs7IgbBEOT9M4AigoY08M0WWZFISt1Yw2axZ_IiE4pqg'
export const PAYLOAD = Buffer.from(Array.from({ length: 160 }, (_, i) => i))

export const connected = { event: 'connected', version: '1.0.0' }

export function start(
  format: Record<string, unknown> = { encoding: 'PCMU', sample_rate: 8_000, channels: 1 },
  changes: Record<string, unknown> = {},
): unknown {
  return {
    event: 'start',
    sequence_number: '1',
    start: {
      user_id: '3E6F995F-85F7-4705-9741-53B116D28237',
      call_control_id: CONTROL,
      call_session_id: 'ff55a038-6f5d-11ef-9692-02420aeffb1f',
      from: '+525512345678',
      to: '+525587654321',
      media_format: format,
      ...changes,
    },
    stream_id: STREAM,
  }
}

/** `chunk` is the place in the stream; the time is that of 20 ms payloads. */
export function media(chunk: number, payload: Uint8Array = PAYLOAD): Record<string, unknown> {
  return {
    event: 'media',
    sequence_number: String(chunk + 1),
    media: {
      track: 'inbound',
      chunk: String(chunk),
      timestamp: String((chunk - 1) * 20),
      payload: Buffer.from(payload).toString('base64'),
    },
    stream_id: STREAM,
  }
}

export interface TelnyxRig extends SocketPair {
  stream: TelnyxStream
  told: Told[]
  /** Sends messages as Telnyx would (objects as JSON, the rest as it is); returns what our side was told of them. */
  hear(...messages: unknown[]): Promise<Told[]>
  /** What reached Telnyx until now, parsed. */
  heard(): Promise<unknown[]>
}

export async function openTelnyx(options: Partial<TelnyxStreamOptions> = {}): Promise<TelnyxRig> {
  const pair = await connectPair()
  const { told, events } = eventList()
  const all: TelnyxStreamOptions = {
    token: 't0ken',
    codec: 'PCMU',
    l16ByteOrder: 'big',
    ...options,
  }
  const stream = new TelnyxStream(pair.ours, events, all)
  const hear = async (...messages: unknown[]): Promise<Told[]> => {
    told.length = 0
    for (const message of messages) {
      const raw = typeof message === 'string' || Buffer.isBuffer(message)
      pair.theirs.send(raw ? message : JSON.stringify(message))
    }
    await settle(pair.theirs)
    return [...told]
  }
  const heard = async (): Promise<unknown[]> => {
    await settle(pair.ours)
    return pair.received.map((message) => JSON.parse(message.toString()) as unknown)
  }
  return { ...pair, stream, told, hear, heard }
}
