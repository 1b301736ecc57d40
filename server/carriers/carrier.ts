/**
 * A carrier, seen from the rest of Andrea: an event source and a sink of payloads. One file per carrier implements it
 * (twilio.ts, browser.ts); nobody else knows a carrier's JSON, base64 or byte order.
 */
import { CarrierError } from '../errors.ts'
import type { AudioFormat } from '../media/audio-format.ts'

export const CARRIERS = ['browser', 'twilio', 'telnyx'] as const
export type CarrierName = (typeof CARRIERS)[number]

export interface StreamStart {
  streamId: string
  carrierCallId: string
  /** One-time token that the media URL or a parameter carried; null when none came. */
  token: string | null
  from: string | null
  to: string | null
  parameters: Record<string, string>
  format: AudioFormat
  /** The carrier sends no digit events: what the user presses is only in the audio. */
  digitsInBand?: boolean
}

/** What a stream tells its owner. Handlers never throw. Payload bytes are only valid during the call. */
export interface StreamEvents {
  onStart(start: StreamStart): void
  /** `timestampMs` is the carrier's stream time of the payload's first sample. */
  onPayload(payload: Uint8Array, timestampMs: number): void
  onMarkPlayed(name: string): void
  onDigit(digit: string): void
  /** Typed text instead of speech; only the browser has it. */
  onText(text: string): void
  /** The carrier ended the stream: `stop` message or socket close, whichever comes first; once. */
  onStop(cause: 'stop' | 'close' | 'error'): void
  /** Input that broke the protocol: counted by code, never fatal by itself. */
  onBadInput(code: string): void
}

export interface CarrierStream {
  readonly carrier: CarrierName
  /** One encoded 20 ms payload; false when the socket is behind and the payload was not taken. */
  sendPayload(payload: Uint8Array): boolean
  sendMark(name: string): void
  clear(): void
  /** A dashboard event; carriers without a screen ignore it. */
  sendEvent(event: Record<string, unknown>): void
  /** Bytes the socket has not taken yet. */
  readonly bufferedBytes: number
  close(): void
}

/** The connection beneath a carrier's WebSocket, for the messages that come and go fifty times a second. */
export interface MediaWire {
  /** Sees each text message that arrived in one piece, `length` bytes from the first of `bytes`, which are valid during the call only. True: it is dealt with, and the WebSocket never sees it. */
  onText: ((bytes: Buffer, length: number) => boolean) | null
  /** Bytes that the system has not taken yet; while it is 0 no written buffer is in use any more. */
  readonly writableLength: number
  /** Sends a whole WebSocket frame as it is. */
  write(frame: Buffer): void
}

/** What can be done to a call besides its audio: a carrier's REST side. Each may throw CarrierError. */
export interface LineControl {
  /** Ends the call at the carrier; resolves also when it is already over. */
  hangup(carrierCallId: string): Promise<void>
  transfer(carrierCallId: string, to: string): Promise<void>
  sendDigits(carrierCallId: string, digits: string): Promise<void>
}

/** A line without a REST side: closing the socket is all there is. */
export const SOCKET_ONLY_LINE: LineControl = {
  hangup: () => Promise.resolve(),
  transfer: () => Promise.reject(noRest('transfer')),
  sendDigits: () => Promise.reject(noRest('send digits')),
}

function noRest(what: string): CarrierError {
  return new CarrierError(
    'CARRIER_NO_REST',
    `cannot ${what}: this line has no call control; set the carrier's credentials`,
  )
}
