/**
 * Foreign messages: what a broken or hostile client may put on a media socket, drawn from a seed.
 * Each is named, so that a failure can be repeated and told; `fatal` ones end their own socket by
 * protocol.
 */
import { seededRandom } from '../../bench/rig/tone-code.ts'

export interface ForeignMessage {
  kind: string
  data: string | Buffer
  /** Sent as a text frame even when it is a Buffer (invalid UTF-8). */
  asText: boolean
  fatal: boolean
}

type Random = () => number
type Draw = (random: Random, streamSid: string) => string | Buffer

const PAYLOAD = Buffer.alloc(160, 0xff).toString('base64')

const media = (streamSid: unknown, fields: Record<string, unknown>): string =>
  JSON.stringify({
    event: 'media',
    sequenceNumber: '5',
    media: { track: 'inbound', chunk: '4', timestamp: '80', payload: PAYLOAD, ...fields },
    streamSid,
  })
const event = (name: unknown, streamSid: string, rest: object = {}): string =>
  JSON.stringify({ event: name, sequenceNumber: '7', streamSid, ...rest })
const below = (random: Random, limit: number): number => Math.floor(random() * limit)
const bytes = (random: Random, count: number): Buffer =>
  Buffer.from(Array.from({ length: count }, () => below(random, 256)))
const pick = <T>(random: Random, values: readonly T[]): T =>
  values[below(random, values.length)] as T

const start = (streamSid: string, parameters: unknown, format: unknown): string =>
  event('start', streamSid, {
    start: {
      streamSid,
      accountSid: 'AC0',
      callSid: 'CA0',
      tracks: ['inbound'],
      mediaFormat: format,
      customParameters: parameters,
    },
  })
const FORMAT = { encoding: 'audio/x-mulaw', sampleRate: 8000, channels: 1 }

/** Messages that are wrong, or right at the wrong time; the stream goes on after each. */
const DRAWS: Record<string, Draw> = {
  noise: (random) => bytes(random, 1 + below(random, 60)).toString('latin1'),
  empty: () => '',
  scalar: (random) => pick(random, ['null', '0', '"media"', '[]', '[[]]', 'true', '{}']),
  truncated: (random, sid) => {
    const whole = media(sid, {})
    return whole.slice(0, 1 + below(random, whole.length - 1))
  },
  flipped: (random, sid) => {
    const broken = Buffer.from(media(sid, {}))
    broken[below(random, broken.length)] = 0x20 + below(random, 95)
    return broken.toString('latin1')
  },
  doubled: (_, sid) => media(sid, {}) + media(sid, {}),
  deep: () => '{"event":'.repeat(1_500),
  deepArray: () => '['.repeat(7_000) + ']'.repeat(7_000),
  binary: (random) => bytes(random, below(random, 400)),
  binaryMedia: (_, sid) => Buffer.from(media(sid, {})),
  oversized: (random, sid) => media(sid, { payload: 'A'.repeat(20_000 + below(random, 100_000)) }),
  longPayload: (random, sid) => media(sid, { payload: bytes(random, 5_000).toString('base64') }),
  oddPayload: (random, sid) =>
    media(sid, { payload: bytes(random, 1 + below(random, 159)).toString('base64') }),
  emptyPayload: (_, sid) => media(sid, { payload: '' }),
  badBase64: (random, sid) =>
    media(sid, {
      payload: pick(random, ['%%%%', 'AAA', 'A===', `${PAYLOAD}!`, '<audio>', 'ñandú']),
    }),
  wrongType: (random, sid) =>
    media(sid, { payload: pick(random, [null, 5, {}, [], true, [PAYLOAD]]) }),
  badTimestamp: (random, sid) =>
    media(sid, { timestamp: pick(random, ['', '-20', '1e9', 'NaN', 80, null, '9'.repeat(400)]) }),
  jumpingTimestamp: (random, sid) =>
    media(sid, { timestamp: String(below(random, 1e9)), chunk: String(below(random, 1e9)) }),
  foreignStream: (_, __) => media('MZ00000000000000000000000000000000', {}),
  badStream: (random) => media(pick(random, [null, 5, {}, '', 'x'.repeat(5_000)]), {}),
  noMedia: (_, sid) => event('media', sid),
  unknownEvent: (random, sid) => event(pick(random, ['ping', 'MEDIA', '', 'clear', 7, null]), sid),
  secondConnected: () => '{"event":"connected","protocol":"Call","version":"1.0.0"}',
  secondStart: (_, sid) => start(sid, { token: 'x' }, FORMAT),
  badStart: (random, sid) =>
    start(
      sid,
      pick<unknown>(random, [null, 5, { token: 5 }, { token: 'x'.repeat(3_000) }]),
      pick<unknown>(random, [FORMAT, null, { ...FORMAT, sampleRate: 44_100 }, 'pcm']),
    ),
  foreignMark: (random, sid) =>
    event('mark', sid, {
      mark: pick<unknown>(random, [{ name: 'never-sent' }, { name: '' }, {}, null, { name: 7 }]),
    }),
  badDigit: (random, sid) =>
    event('dtmf', sid, {
      dtmf: pick<unknown>(random, [{ digit: 'Z' }, { digit: '12' }, { digit: '' }, {}, null]),
    }),
  prototype: (_, sid) =>
    `{"event":"media","__proto__":{"admin":true},"constructor":{"prototype":1},"streamSid":"${sid}"}`,
  escapedKey: (_, sid) => media(sid, {}).replace('"payload"', '"pay\\u006coad"'),
  payloadInText: (_, sid) =>
    event('mark', sid, { mark: { name: '"payload":"AAAA","event":"media","timestamp":"0"' } }),
  spaced: (_, sid) => media(sid, {}).replaceAll(':', ' : ').replaceAll(',', ' ,\n\t'),
}

const KINDS = Object.keys(DRAWS)
/**
 * One message in so many ends its own socket: invalid UTF-8, a frame above the limit, a line that
 * breaks.
 */
const FATAL_EVERY = 500

/** Twilio's names in the drawn messages, and what Telnyx calls the same. */
const IN_TELNYX: [string, string][] = [
  ['streamSid', 'stream_id'],
  ['sequenceNumber', 'sequence_number'],
  ['callSid', 'call_control_id'],
  ['mediaFormat', 'media_format'],
  ['sampleRate', 'sample_rate'],
  ['customParameters', 'custom_parameters'],
]

/** Endless, and the same for the same seed. */
export class ForeignMessages {
  readonly #random: Random
  readonly #carrier: 'twilio' | 'telnyx'
  #drawn = 0

  constructor(seed: number, carrier: 'twilio' | 'telnyx') {
    this.#random = seededRandom(seed)
    this.#carrier = carrier
  }

  next(streamSid: string): ForeignMessage {
    this.#drawn++
    if (this.#drawn % FATAL_EVERY === 0) return this.#fatal()
    // The kinds take turns so that each occurs, with seeded contents.
    const kind = KINDS[this.#drawn % KINDS.length] ?? 'empty'
    const drawn = DRAWS[kind]?.(this.#random, streamSid) ?? ''
    const data = this.#carrier === 'telnyx' ? inTelnyx(drawn) : drawn
    return { kind, data, asText: typeof data === 'string', fatal: false }
  }

  #fatal(): ForeignMessage {
    const fatal: [string, Buffer][] = [
      ['huge', Buffer.alloc(400_000, 0x41)],
      ['invalidUtf8', Buffer.from([0x22, 0xff, 0xfe, 0xc0, 0x22])],
      ['lineBreaks', Buffer.alloc(0)],
    ]
    const [kind, data] = fatal[(this.#drawn / FATAL_EVERY) % fatal.length] ?? [
      'huge',
      Buffer.alloc(0),
    ]
    return { kind, data, asText: true, fatal: true }
  }
}

function inTelnyx(drawn: string | Buffer): string | Buffer {
  // Bytes that are no text are foreign enough as they are.
  if (Buffer.isBuffer(drawn)) return drawn
  return IN_TELNYX.reduce((text, [twilio, telnyx]) => text.replaceAll(twilio, telnyx), drawn)
}
