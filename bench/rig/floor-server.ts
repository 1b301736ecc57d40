/**
 * Floor server: answers the webhook and returns every payload as it came, without any processing,
 * in its own process. What the rig measures against it is the rig's own floor; no server can look
 * better than that. Run: `node bench/rig/floor-server.ts PORT`; prints `ready` when it listens.
 */
import { createServer } from 'node:http'
import { pathToFileURL } from 'node:url'
import { WebSocketServer } from 'ws'

const STREAM_PATH = '/api/v1/ws/media-stream/twilio'
const MEDIA = Buffer.from('{"event":"media"')
const ANCHOR = Buffer.from('"payload":"')

function start(port: number): void {
  const server = createServer((request, response) => {
    request.resume()
    if (request.url === '/ready' || request.method !== 'POST') {
      response.writeHead(200).end('ok')
      return
    }
    const host = request.headers.host ?? ''
    response.writeHead(200, { 'content-type': 'text/xml' })
    response.end(
      `<Response><Connect><Stream url="ws://${host}${STREAM_PATH}"/></Connect></Response>`,
    )
  })
  const sockets = new WebSocketServer({ server, perMessageDeflate: false })
  sockets.on('connection', (socket) => {
    let streamSid = ''
    socket.on('message', (data) => {
      if (!Buffer.isBuffer(data)) return
      if (data.compare(MEDIA, 0, MEDIA.length, 0, MEDIA.length) === 0) {
        const from = data.indexOf(ANCHOR) + ANCHOR.length
        const payload = data.toString('latin1', from, data.indexOf('"', from))
        socket.send(`{"event":"media","streamSid":"${streamSid}","media":{"payload":"${payload}"}}`)
      } else {
        streamSid ||= /"streamSid":"(\w+)"/.exec(data.toString())?.[1] ?? ''
      }
    })
  })
  server.listen(port, '127.0.0.1', () => console.log('ready'))
  process.on('SIGINT', () => process.exit(0))
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) start(Number(process.argv[2]))
