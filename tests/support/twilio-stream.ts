/** Messages as Twilio sends them (docs/twilio.md), and a TwilioStream at the other end of a real socket. */
import { TwilioStream } from '../../server/carriers/twilio.ts'
import { connectPair, eventList, settle, type SocketPair, type Told } from './socket-pair.ts'

export const STREAM = 'MZ18ad3ab5a668481ce02b83e7395059f0'
export const CALL = 'CA0f1e2d3c4b5a69788796a5b4c3d2e1f0'
export const PAYLOAD = Buffer.from(Array.from({ length: 160 }, (_, i) => i))

export const connected = { event: 'connected', protocol: 'Call', version: '1.0.0' }

export function start(parameters: Record<string, string> = {}): unknown {
  return {
    event: 'start',
    sequenceNumber: '1',
    start: {
      accountSid: 'AC00000000000000000000000000000000',
      streamSid: STREAM,
      callSid: CALL,
      tracks: ['inbound'],
      mediaFormat: { encoding: 'audio/x-mulaw', sampleRate: 8000, channels: 1 },
      customParameters: parameters,
    },
    streamSid: STREAM,
  }
}

export function media(
  payload = PAYLOAD.toString('base64'),
  timestamp = '20',
): Record<string, unknown> {
  return {
    event: 'media',
    sequenceNumber: '3',
    media: { track: 'inbound', chunk: '2', timestamp, payload },
    streamSid: STREAM,
  }
}

export interface TwilioRig extends SocketPair {
  stream: TwilioStream
  /** Everything that our side was told. */
  told: Told[]
  /** Sends messages as Twilio would (objects as JSON, the rest as it is); returns what our side was told of them. */
  hear(...messages: unknown[]): Promise<Told[]>
}

export async function openTwilio(): Promise<TwilioRig> {
  const pair = await connectPair()
  const { told, events } = eventList()
  const stream = new TwilioStream(pair.ours, events)
  const hear = async (...messages: unknown[]): Promise<Told[]> => {
    told.length = 0
    for (const message of messages) {
      const raw = typeof message === 'string' || Buffer.isBuffer(message)
      pair.theirs.send(raw ? message : JSON.stringify(message))
    }
    await settle(pair.theirs)
    return [...told]
  }
  return { ...pair, stream, told, hear }
}
