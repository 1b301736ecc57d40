/** Twilio's signature: the vectors that its libraries publish, then what must not pass. */
import { createHmac } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { WebSocket } from 'ws'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { TwilioAccount } from '../../server/carrier-accounts.ts'
import type { AppDeps } from '../../server/http/app-deps.ts'
import type { HttpContext } from '../../server/http/http-state.ts'
import { takeMediaUpgrades } from '../../server/http/media-upgrade.ts'
import { isSignedUpgrade, signedForm } from '../../server/http/twilio-signature.ts'
import { silentLog } from '../../server/log.ts'
import { createMetrics, type Metrics } from '../../server/metrics.ts'

/** Of twilio-node's, -python's and -go's tests; their token is 12345. */
const LINE = '/myapp.php?foo=1&bar=2'
const FORM =
  'CallSid=CA1234567890ABCDE&Digits=1234&From=%2B14158675309&To=%2B18005551212&Caller=%2B14158675309'
const REPEATED = 'Sid=CA123&SidAccount=AC123&Digits=5678&Digits=1234&Digits=1234'
const JSON_BODY = '{"property": "value", "boolean": true}'
const BODY_HASH = '0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620'
const HASHED = `${LINE}&bodySHA256=${BODY_HASH}`

const account = (name: string, accountSid: string | null, authToken: string): TwilioAccount => ({
  ...{ name, accountSid, authToken, region: null, edge: null, from: null, apiBaseUrl: null },
})
const sign = (token: string, url: string, fields: Record<string, string> = {}) =>
  createHmac('sha1', token)
    .update(
      Object.keys(fields)
        .sort()
        .reduce((text, name) => text + name + fields[name]!, url),
    )
    .digest('base64')

let metrics: Metrics
let accounts: TwilioAccount[]

beforeEach(() => {
  metrics = createMetrics()
  accounts = [account('default', null, '12345')]
})

interface Sent {
  base?: string
  line?: string
  body?: string
  signature: string
}

/** The name of the account that signed, else the code of the refusal. */
async function judge({
  base = 'https://mycompany.com',
  line = LINE,
  body = FORM,
  signature,
}: Sent) {
  const type = body.startsWith('{') ? 'application/json' : 'application/x-www-form-urlencoded'
  const ctx = {
    method: 'POST',
    req: { url: line },
    querystring: line.split('?')[1] ?? '',
    request: { rawBody: body, is: (wanted: string) => wanted === type && wanted },
    state: { requestId: 'r1' },
    get: (name: string) => (name === 'X-Twilio-Signature' ? signature : ''),
  } as unknown as HttpContext
  const config = { publicUrl: base, twilio: accounts }
  const deps = { config, metrics, log: silentLog() } as unknown as AppDeps
  try {
    return (await signedForm(deps, ctx)).account?.name
  } catch (error) {
    return (error as { code: string }).code
  }
}

const refused = async () =>
  (await metrics.webhookRejected.get()).values.map(({ labels, value }) => [labels.reason, value])

describe('published vectors', () => {
  it.each([
    ['a form', {}, 'RSOYDt4T1cUTdK1PDd93/VVr8B8='],
    ['a form with a name three times', { body: REPEATED }, 'IK+Dwps556ElfBT0I3Rgjkr1wJU='],
    [
      'JSON by its hash in the address',
      { line: HASHED, body: JSON_BODY },
      'a9nBmqA0ju/hNViExpshrM61xv4=',
    ],
    [
      'JSON where the hash is all of the query',
      { line: `/myapp.php?bodySHA256=${BODY_HASH}`, body: JSON_BODY },
      'y77kIzt2vzLz71DgmJGsen2scGs=',
    ],
    [
      'a form signed without the port of our address',
      { base: 'https://mycompany.com:1234' },
      'RSOYDt4T1cUTdK1PDd93/VVr8B8=',
    ],
    ['a form signed with port 443', {}, 'kvajT1Ptam85bY51eRf/AJRuM3w='],
    [
      'a form signed over http with port 1234',
      { base: 'http://mycompany.com:1234' },
      'Zmvh+3yNM1Phv2jhDCwEM3q5ebU=',
    ],
    [
      'a form signed over http with port 80',
      { base: 'http://mycompany.com' },
      '0ZXoZLH/DfblKGATFgpif+LLRf4=',
    ],
  ])('%s is accepted', async (_, sent, signature) => {
    expect(await judge({ ...sent, signature })).toBe('default')
  })

  it.each([
    [
      'a form with another value',
      { body: FORM.replace('1234&', '1235&') },
      'RSOYDt4T1cUTdK1PDd93/VVr8B8=',
    ],
    [
      'a form at another address',
      { line: '/myapp.php?foo=1&bar=3' },
      'RSOYDt4T1cUTdK1PDd93/VVr8B8=',
    ],
    ['a signature that is not one', {}, 'NOTRSOYDt4T1cUTdK1PDd93/VVr8B8='],
    [
      'a form without one value of a repeated name',
      { body: REPEATED.replace('Digits=5678&', '') },
      'IK+Dwps556ElfBT0I3Rgjkr1wJU=',
    ],
    [
      'JSON with another body',
      { line: HASHED, body: JSON_BODY.replace('true', 'false') },
      'a9nBmqA0ju/hNViExpshrM61xv4=',
    ],
    [
      'JSON with one more space',
      { line: HASHED, body: `${JSON_BODY} ` },
      'a9nBmqA0ju/hNViExpshrM61xv4=',
    ],
    [
      'JSON without its hash in the address',
      { body: JSON_BODY },
      sign('12345', `https://mycompany.com${LINE}`),
    ],
    ['JSON with the signature of the form', { body: JSON_BODY }, 'RSOYDt4T1cUTdK1PDd93/VVr8B8='],
  ])('%s is refused', async (_, sent, signature) => {
    expect(await judge({ ...sent, signature })).toBe('BAD_SIGNATURE')
    expect(await refused()).toEqual([['badSignature', 1]])
  })
})

describe('accounts', () => {
  const [ours, theirs, strange] = ['a', 'b', 'c'].map((letter) => `AC${letter.repeat(32)}`)
  const form = (sid: string) => ({ AccountSid: sid, CallSid: 'CA1' })
  const sent = (sid: string, token: string): Sent => ({
    body: new URLSearchParams(form(sid)).toString(),
    signature: sign(token, `https://mycompany.com${LINE}`, form(sid)),
  })

  beforeEach(() => {
    accounts = [account('norte', ours!, 'token-n'), account('sur', theirs!, 'token-s')]
  })

  it('are told apart by the one that the request names', async () => {
    expect(await judge(sent(ours!, 'token-n'))).toBe('norte')
    expect(await judge(sent(theirs!, 'token-s'))).toBe('sur')
  })

  it('cannot sign for each other, and one that is not ours is refused as wrongAccount', async () => {
    expect(await judge(sent(ours!, 'token-s'))).toBe('BAD_SIGNATURE')
    expect(await judge(sent(strange!, 'token-n'))).toBe('BAD_SIGNATURE')
    expect(await judge({ ...sent(ours!, 'token-n'), signature: '' })).toBe('BAD_SIGNATURE')
    expect(await refused()).toEqual([
      ['badSignature', 1],
      ['wrongAccount', 1],
      ['unsigned', 1],
    ])
  })
})

describe('upgrade of the media socket', () => {
  const PATH = '/api/v1/ws/media-stream/twilio'
  const BASE = 'https://andrea.example'
  let server: Server
  let closeSockets: () => void
  let base: string
  let taken: number

  beforeEach(async () => {
    ;[base, taken] = [BASE, 0]
    server = createServer()
    closeSockets = takeMediaUpgrades(server, {
      metrics,
      maxSockets: 10,
      isSigned: ({ url = '' }, signature) =>
        isSignedUpgrade(accounts, { signature, base, path: url }),
      accept: () => taken++,
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
  })
  afterEach(async () => {
    closeSockets()
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })

  /** 101, or the status that the upgrade was refused with. */
  function open(headers: Record<string, string>, path = PATH): Promise<number> {
    const { port } = server.address() as AddressInfo
    const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, { headers })
    return new Promise((resolve, reject) => {
      socket.once('open', () => {
        socket.terminate()
        resolve(101)
      })
      socket.once('unexpected-response', (_, response) => {
        response.resume()
        resolve(response.statusCode ?? 0)
      })
      socket.once('error', reject)
    })
  }
  const signed = (url: string, token = '12345') => ({ 'x-twilio-signature': sign(token, url) })

  it.each([
    ['the address of the TwiML', `wss://andrea.example${PATH}`],
    ['its https form', `https://andrea.example${PATH}`],
    ['the address with its port', `wss://andrea.example:443${PATH}`],
    ['the address with a slash at the end', `wss://andrea.example${PATH}/`],
  ])('is taken when %s was signed', async (_, url) => {
    expect(await open(signed(url))).toBe(101)
    expect(taken).toBe(1)
  })

  it.each([
    ['with another token', signed(`wss://andrea.example${PATH}`, '12346')],
    ['for another host', signed(`wss://other.example${PATH}`)],
    ['for another path', signed(`wss://andrea.example${PATH}x`)],
    [
      'with one character changed',
      { 'x-twilio-signature': sign('12345', `wss://andrea.example${PATH}`).replace(/^./, '!') },
    ],
    ['with nothing', { 'x-twilio-signature': '' }],
    ['with 10 000 characters', { 'x-twilio-signature': 'A'.repeat(10_000) }],
  ])('signed %s is refused with 403, counted, and opens no stream', async (_, headers) => {
    expect(await open(headers)).toBe(403)
    expect(taken).toBe(0)
    expect(await refused()).toEqual([['badUpgradeSignature', 1]])
  })

  it('is refused, and the server lives on, when our own address cannot be understood', async () => {
    base = 'http://%%%'
    expect(await open(signed(`wss://andrea.example${PATH}`))).toBe(403)
    base = BASE
    expect(await open(signed(`wss://andrea.example${PATH}`))).toBe(101)
  })
})
