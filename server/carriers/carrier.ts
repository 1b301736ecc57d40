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
  /** The stream has begun in a way that can never be used, and no start will come of it; once. */
  onUnusable(code: string): void
  /** Input that broke the protocol: counted by code, never fatal by itself. */
  onBadInput(code: string): void
}

export interface CarrierStream {
  readonly carrier: CarrierName
  /** One encoded payload of 20, 40 or 60 ms; false when the socket is behind and the payload was not taken. */
  sendPayload(payload: Uint8Array): boolean
  sendMark(name: string): void
  clear(): void
  /** A dashboard event; carriers without a screen ignore it. */
  sendEvent(event: Record<string, unknown>): void
  /** Bytes the socket has not taken yet. */
  readonly bufferedBytes: number
  close(): void
}

/** Who sees the text messages of a connection before its WebSocket does. */
export interface MediaReader {
  /** A message that arrived in one piece: `length` bytes from the first of `bytes`, valid during the call only. True: it is dealt with. */
  readText(bytes: Buffer, length: number): boolean
}

/** The connection beneath a carrier's WebSocket, for the messages that come and go fifty times a second. */
export interface MediaWire {
  reader: MediaReader | null
  /** Bytes that the system has not taken yet; while it is 0 no written buffer is in use any more. */
  readonly writableLength: number
  /** The connection is over: nothing that was written is in use any more. */
  readonly isSpent: boolean
  /** Sends a whole WebSocket frame as it is. */
  write(frame: Buffer): void
}

/** Where and how a carrier is to open a media stream of a call: again, or for the first time. */
export interface StreamInvite {
  /** ws or wss. */
  url: string
  /** One-time, for this call. */
  token: string
  from: string
  to: string
}

export interface Transfer {
  /** E.164. */
  to: string
  /** Our number, shown to the person; null lets the carrier choose. */
  from: string | null
  /** Said to the person before the user hears them; null connects at once. */
  announcement: { text: string; language: string } | null
  callId: string
}

export type RecordingAction = 'start' | 'stop' | 'pause' | 'resume'

export interface Dial {
  /** Ours: comes back with everything that the carrier tells of the call. */
  callId: string
  to: string
  from: string
  /** Asks the carrier whether a person answers. */
  detectMachine: boolean
  /** How long it may ring, s. */
  ringSec: number
}

/**
 * What can be done to a call besides its audio: a carrier's REST side, for one account. Each may throw CarrierError. Ids are
 * the carrier's. Nothing here is tried again by itself unless trying again cannot do it twice.
 */
export interface LineControl {
  /** Ends the call at the carrier; resolves also when it is already over. */
  hangup(carrierCallId: string): Promise<void>
  /** Turns away an incoming call that rings, as busy; left out where that is a hang-up like any other. */
  reject?(carrierCallId: string): Promise<void>
  /** Takes an incoming call that rings; nothing to do where the webhook's answer has done it. */
  answer(carrierCallId: string): Promise<void>
  /** Opens a media stream on a call that is up; null where only the webhook's answer can. */
  readonly openStream: ((carrierCallId: string, invite: StreamInvite) => Promise<void>) | null
  transfer(carrierCallId: string, transfer: Transfer): Promise<void>
  /** The stream is closed and opened again with `invite`, which is asked for only then. */
  readonly digitsReplaceStream: boolean
  sendDigits(carrierCallId: string, digits: string, invite: () => StreamInvite): Promise<void>
  record(carrierCallId: string, action: RecordingAction): Promise<void>
  /** Resolves where the carrier has no such thing. */
  suppressNoise(carrierCallId: string): Promise<void>
  /** @returns the carrier's id of the new call */
  dial(dial: Dial): Promise<string>
}

/** A line without a REST side: closing the socket is all there is. */
export const SOCKET_ONLY_LINE: LineControl = {
  hangup: () => Promise.resolve(),
  answer: () => Promise.reject(noRest('answer')),
  openStream: null,
  transfer: () => Promise.reject(noRest('transfer')),
  digitsReplaceStream: false,
  sendDigits: () => Promise.reject(noRest('send digits')),
  record: () => Promise.reject(noRest('record')),
  suppressNoise: () => Promise.resolve(),
  dial: () => Promise.reject(noRest('dial')),
}

function noRest(what: string): CarrierError {
  return new CarrierError(
    'CARRIER_NO_REST',
    `cannot ${what}: this line has no call control; set the carrier's credentials`,
  )
}

/** Whether an error of LineControl says that the call is over, or never was. */
export function isCallGone(error: unknown): boolean {
  return error instanceof CarrierError && error.code === 'CARRIER_CALL_GONE'
}
