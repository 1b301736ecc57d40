/**
 * Media upgrade: WebSocket upgrades for media streams, and a plain refusal for every other upgrade.
 *
 *   /api/v1/ws/media-stream/twilio                       Twilio; its token comes inside the start message
 *   /api/v1/ws/media-stream/telnyx/{token}               Telnyx, which signs nothing: the token is in the path
 *   /api/v1/ws/media-stream?client=browser&token=…       a browser of this origin
 *   /api/v1/ws/media-stream?client=twilio                the original's paths, kept for numbers that still use them
 *   /api/v1/ws/media-stream?client=telnyx&token=…
 *
 * An upgrade that carries Twilio's signature must carry a right one; the token inside is asked for all the same.
 */
import type { IncomingMessage, Server } from 'node:http'
import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { WebSocketServer, type WebSocket } from 'ws'
import type { MediaWire } from '../carriers/carrier.ts'
import type { Metrics } from '../metrics.ts'
import { takeWire } from './media-wire.ts'

const PATH = '/api/v1/ws/media-stream'
/** Ten times the longest honest message; beyond it ws closes the socket with 1009. */
const MESSAGE_MAX_BYTES = 262_144

export type MediaClient = 'browser' | 'twilio' | 'telnyx'

export interface MediaUpgradeDeps {
  metrics: Metrics
  /** Judges the signature of a Twilio upgrade that has one. */
  isSigned(request: IncomingMessage, signature: string): Promise<boolean>
  /** Sockets that may be open at once; every call has one. */
  maxSockets: number
  accept(media: {
    socket: WebSocket
    /** Null: there is only the WebSocket. */
    wire: MediaWire | null
    client: MediaClient
    token: string | null
  }): void
}

/** Attaches to `server`; the returned function refuses new sockets and cuts those that are still open. */
export function takeMediaUpgrades(server: Server, deps: MediaUpgradeDeps): () => void {
  const sockets = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: MESSAGE_MAX_BYTES,
  })
  server.on('upgrade', (request, socket, head) => {
    const target = route(request)
    if (typeof target === 'string') return refuse(socket, target)
    if (sockets.clients.size >= deps.maxSockets) {
      deps.metrics.callsRefused.inc({ carrier: target.client, reason: 'socketLimit' })
      return refuse(socket, '503 Service Unavailable')
    }
    const signature = request.headers['x-twilio-signature']
    if (target.client !== 'twilio' || typeof signature !== 'string')
      return take(request, socket, head, target)
    // Bytes that come meanwhile wait in the paused socket.
    const judged = deps.isSigned(request, signature).catch(() => false)
    void judged.then((right) => {
      if (right) return take(request, socket, head, target)
      deps.metrics.webhookRejected.inc({ carrier: 'twilio', reason: 'badUpgradeSignature' })
      refuse(socket, '403 Forbidden')
    })
  })
  const take = (request: IncomingMessage, socket: Duplex, head: Buffer, target: Target) => {
    const wire = target.client === 'browser' ? null : takeWire(socket)
    const early = wire ? Buffer.alloc(0) : head
    sockets.handleUpgrade(request, wire?.socket ?? socket, early, (accepted) => {
      // 20 ms payloads must not wait for Nagle's algorithm.
      const line = wire?.socket ?? socket
      if (line instanceof Socket) line.setNoDelay(true)
      deps.accept({ socket: accepted, wire, ...target })
      wire?.feed(head)
    })
  }
  return () => {
    for (const client of sockets.clients) client.terminate()
    sockets.close()
  }
}

interface Target {
  client: MediaClient
  token: string | null
}

/** Where an upgrade goes, or the status line it is refused with. */
function route(request: IncomingMessage): Target | string {
  const url = URL.parse(request.url ?? '', 'http://localhost')
  if (!url) return '400 Bad Request'
  if (url.pathname === `${PATH}/twilio`) return { client: 'twilio', token: null }
  const token = /^\/telnyx\/([\w-]{16,64})$/.exec(url.pathname.slice(PATH.length))?.[1]
  if (token !== undefined && url.pathname.startsWith(PATH)) return { client: 'telnyx', token }
  if (url.pathname !== PATH) return '404 Not Found'
  const client = url.searchParams.get('client') ?? 'twilio'
  if (client === 'twilio') return { client, token: null }
  if (client === 'telnyx') return { client, token: url.searchParams.get('token') }
  if (client !== 'browser') return '400 Bad Request'
  return sameOrigin(request) ? { client, token: url.searchParams.get('token') } : '403 Forbidden'
}

/** A browser always sends Origin; a program may leave it out, and then has nothing but its token to offer. */
function sameOrigin(request: IncomingMessage): boolean {
  const { origin, host } = request.headers
  if (origin === undefined) return true
  const forwarded = request.headers['x-forwarded-host']
  const hosts = [host, typeof forwarded === 'string' ? forwarded : undefined]
  return hosts.includes(URL.parse(origin)?.host)
}

function refuse(socket: Duplex, status: string): void {
  socket.on('error', () => socket.destroy())
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
}
