/**
 * Telnyx's media messages: what the simulated carrier sends, and the strict reading of what it receives. Key order is that
 * of Telnyx's documentation; no message of ours names a stream.
 */
import { z } from 'zod'

export interface TelnyxIdentity {
  callControlId: string
  callSessionId: string
  callLegId: string
  streamId: string
}

export interface TelnyxFormat {
  encoding: string
  sample_rate: number
  channels: number
}

export const telnyxMessages = {
  connected: () => JSON.stringify({ event: 'connected', version: '1.0.0' }),
  start: (
    identity: TelnyxIdentity,
    call: { from: string; to: string; format: TelnyxFormat; sequence: number },
  ) =>
    JSON.stringify({
      event: 'start',
      sequence_number: String(call.sequence),
      start: {
        user_id: '3E6F995F-85F7-4705-9741-53B116D28237',
        call_control_id: identity.callControlId,
        call_session_id: identity.callSessionId,
        from: call.from,
        to: call.to,
        media_format: call.format,
      },
      stream_id: identity.streamId,
    }),
  media: (
    identity: TelnyxIdentity,
    frame: { sequence: number; chunk: number; timestampMs: number; base64: string },
  ) =>
    `{"event":"media","sequence_number":"${frame.sequence}","media":{"track":"inbound","chunk":"${frame.chunk}",` +
    `"timestamp":"${frame.timestampMs}","payload":"${frame.base64}"},"stream_id":"${identity.streamId}"}`,
  dtmf: ({ streamId }: TelnyxIdentity, sequence: number, digit: string) =>
    JSON.stringify({
      event: 'dtmf',
      stream_id: streamId,
      occurred_at: new Date().toISOString(),
      sequence_number: String(sequence),
      dtmf: { digit },
    }),
  mark: ({ streamId }: TelnyxIdentity, sequence: number, name: string) =>
    JSON.stringify({
      event: 'mark',
      sequence_number: String(sequence),
      mark: { name },
      stream_id: streamId,
    }),
  stop: ({ streamId, callControlId }: TelnyxIdentity, sequence: number) =>
    JSON.stringify({
      event: 'stop',
      sequence_number: String(sequence),
      stop: { user_id: '3E6F995F-85F7-4705-9741-53B116D28237', call_control_id: callControlId },
      stream_id: streamId,
    }),
  error: ({ streamId }: TelnyxIdentity, code: number) =>
    JSON.stringify({
      event: 'error',
      payload: {
        code,
        title: 'malformed_frame',
        detail: 'The received frame was not formed correctly.',
      },
      stream_id: streamId,
    }),
}

const agentMessage = z.discriminatedUnion('event', [
  z.strictObject({
    event: z.literal('media'),
    media: z.strictObject({ payload: z.base64().min(1) }),
  }),
  z.strictObject({ event: z.literal('mark'), mark: z.strictObject({ name: z.string().min(1) }) }),
  z.strictObject({ event: z.literal('clear') }),
])

export interface TelnyxAgentMessages {
  onPayload(payload: Uint8Array): void
  onMark(name: string): void
  onClear(): void
  /** 100003 malformed, 100004 media that is none: what Telnyx sends an `error` about. */
  onWarning(code: 100003 | 100004, detail: string): void
}

/** How every audio message of the server begins and ends: read by its shape, because a load has tens of thousands a second. */
const MEDIA_HEAD = '{"event":"media","media":{"payload":"'
const MEDIA_TAIL = '"}}'

/** Reads one message of the server; in mode mp3 (the default of the API) raw audio is thrown away, as Telnyx does. */
export function readTelnyxAgent(
  message: Buffer,
  { isBinary, mode }: { isBinary: boolean; mode: 'rtp' | 'mp3' },
  out: TelnyxAgentMessages,
): void {
  const text = message.toString('latin1')
  if (!isBinary && mode === 'rtp' && text.startsWith(MEDIA_HEAD) && text.endsWith(MEDIA_TAIL)) {
    const base64 = text.slice(MEDIA_HEAD.length, -MEDIA_TAIL.length)
    if (/^[A-Za-z0-9+/]+={0,2}$/.test(base64)) return out.onPayload(Buffer.from(base64, 'base64'))
  }
  const parsed = isBinary ? null : agentMessage.safeParse(parseJson(message.toString('utf8')))
  if (!parsed?.success) return out.onWarning(100003, text.slice(0, 200))
  const { data } = parsed
  if (data.event === 'mark') out.onMark(data.mark.name)
  else if (data.event === 'clear') out.onClear()
  else if (mode === 'mp3') out.onWarning(100004, 'raw audio in mode mp3')
  else out.onPayload(Buffer.from(data.media.payload, 'base64'))
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined // reported as 100003 by the caller, like every other shape that is not known
  }
}
