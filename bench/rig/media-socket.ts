/**
 * Media socket: the simulated carrier's end of a media stream. Hundreds of calls share the machine with the server they
 * measure, so the fifty messages a second and call go past ws, in both directions, as whole frames on the connection.
 *
 *   reader ◄─ lane ◄─ kernel        frame ─► kernel        everything else ─► ws
 */
import { connect, type Socket } from 'node:net'
import { WebSocket } from 'ws'
import type { MediaReader } from '../../server/carriers/carrier.ts'
import { TextLane } from '../../server/http/media-wire.ts'
import { Bypass, canBypass, handleOf } from '../../server/http/stream-handle.ts'

/** Time to open a media socket; Twilio gives up (31901) after about this long. */
const CONNECT_TIMEOUT_MS = 10_000

/** The other end answered the upgrade with something else. */
export class UpgradeRefused extends Error {
  override readonly name = 'UpgradeRefused'
}

export class MediaSocket {
  readonly ws: WebSocket
  readonly #lane: TextLane
  readonly #wire: Bypass | Socket | null

  /** @throws UpgradeRefused with the status or the cause. */
  static open(url: URL, headers: Record<string, string>): Promise<MediaSocket> {
    let wire: Socket | null = null
    const lane = new TextLane(false)
    const ws = new WebSocket(url, {
      headers,
      perMessageDeflate: false,
      skipUTF8Validation: true,
      handshakeTimeout: CONNECT_TIMEOUT_MS,
      createConnection: () => {
        wire = connect({ host: url.hostname, port: Number(url.port || 80) })
        lane.socket = wire
        return wire.setNoDelay(true)
      },
      // A mask of zeros is legal and saves a copy per frame; the server cannot tell it from a random one.
      generateMask: (mask) => mask.fill(0),
    })
    return new Promise((resolve, reject) => {
      ws.once('open', () => {
        ws.removeAllListeners('error')
        ws.removeAllListeners('unexpected-response')
        resolve(new MediaSocket(ws, lane, wire))
      })
      ws.once('unexpected-response', (_request, response) => {
        response.resume()
        reject(new UpgradeRefused(`media socket refused with ${response.statusCode}`))
      })
      ws.once('error', (error) => reject(new UpgradeRefused(error.message)))
    })
  }

  private constructor(ws: WebSocket, lane: TextLane, wire: Socket | null) {
    this.ws = ws
    this.#lane = lane
    this.#wire = wire && canBypass(handleOf(wire)) ? new Bypass(wire, lane) : wire
  }

  get isOpen(): boolean {
    return this.ws.readyState === WebSocket.OPEN
  }

  /** Sees text messages before ws does; true: it is dealt with. */
  set reader(reader: MediaReader) {
    this.#lane.reader = reader
  }

  /**
   * Sends a whole masked frame on a socket that is open. False when the system has not taken all of it yet: then its bytes must not be
   * changed.
   */
  sendFrame(frame: Buffer): boolean {
    const wire = this.#wire
    if (wire === null) return true
    wire.write(frame)
    return wire.writableLength === 0
  }
}
