import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { SOCKET_ONLY_LINE } from '../../server/carriers/carrier.ts'
import { TwilioLine } from '../../server/carriers/twilio-line.ts'
import { CarrierError } from '../../server/errors.ts'

const ACCOUNT = 'AC00000000000000000000000000000000'
const CALL = 'CA0f1e2d3c4b5a69788796a5b4c3d2e1f0'

interface Seen {
  method: string
  path: string
  authorization: string
  form: Record<string, string>
}

let server: Server
let line: TwilioLine
let seen: Seen[]
let answer: { status: number; body: string }

beforeEach(async () => {
  seen = []
  answer = { status: 200, body: JSON.stringify({ sid: CALL, status: 'completed' }) }
  server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      seen.push({
        method: request.method ?? '',
        path: request.url ?? '',
        authorization: request.headers.authorization ?? '',
        form: Object.fromEntries(new URLSearchParams(Buffer.concat(chunks).toString())),
      })
      response.writeHead(answer.status, { 'content-type': 'application/json' }).end(answer.body)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  line = new TwilioLine({
    accountSid: ACCOUNT,
    authToken: 'secret',
    apiBaseUrl: `http://127.0.0.1:${port}`,
  })
})
afterEach(async () => {
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
})

function refuse(status: number, code: number): void {
  answer = { status, body: JSON.stringify({ code, message: 'no', more_info: '', status }) }
}

describe('twilio line', () => {
  it('hangs up by setting the call to completed, signed in as the account', async () => {
    await line.hangup(CALL)
    expect(seen).toEqual([
      {
        method: 'POST',
        path: `/2010-04-01/Accounts/${ACCOUNT}/Calls/${CALL}.json`,
        authorization: `Basic ${Buffer.from(`${ACCOUNT}:secret`).toString('base64')}`,
        form: { Status: 'completed' },
      },
    ])
  })

  it.each([
    [400, 21_220, 'not in progress'],
    [404, 20_404, 'gone'],
  ])('takes %i with code %i as hung up: the call is %s', async (status, code) => {
    refuse(status, code)
    await expect(line.hangup(CALL)).resolves.toBeUndefined()
  })

  it('transfers by giving the live call TwiML that dials the number', async () => {
    await line.transfer(CALL, '+525512345678')
    expect(seen.map(({ form }) => form)).toEqual([
      {
        Twiml:
          '<?xml version="1.0" encoding="UTF-8"?><Response><Dial answerOnBridge="true">+525512345678</Dial></Response>',
      },
    ])
  })

  it('rejects a transfer of a call that is over, with CARRIER_REFUSED', async () => {
    refuse(400, 21_220)
    await expect(line.transfer(CALL, '+525512345678')).rejects.toMatchObject({
      code: 'CARRIER_REFUSED',
      retryable: false,
    })
  })

  it('never writes the number into the error of a transfer', async () => {
    refuse(400, 21_217)
    const error: unknown = await line.transfer(CALL, '+525512345678').catch((caught) => caught)
    expect((error as Error).message).not.toContain('525512345678')
  })

  it.each([
    [401, 20_003, false],
    [429, 20_429, true],
    [500, 20_500, true],
  ])(
    'rejects a hang-up answered with %i, code %i: CarrierError, retryable %s',
    async (status, code, retryable) => {
      refuse(status, code)
      const error: unknown = await line.hangup(CALL).catch((caught) => caught)
      expect(error).toBeInstanceOf(CarrierError)
      expect(error).toMatchObject({ code: 'CARRIER_REFUSED', retryable })
    },
  )

  it('rejects a 502 page that is not JSON as retryable', async () => {
    answer = { status: 502, body: '<html>Bad gateway</html>' }
    await expect(line.hangup(CALL)).rejects.toMatchObject({
      code: 'CARRIER_REFUSED',
      retryable: true,
    })
  })

  it('rejects when nobody answers as retryable', async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
    await expect(line.hangup(CALL)).rejects.toMatchObject({
      code: 'CARRIER_REFUSED',
      retryable: true,
    })
  })

  it('rejects outgoing digits with CARRIER_UNSUPPORTED, without asking Twilio', async () => {
    await expect(line.sendDigits()).rejects.toMatchObject({ code: 'CARRIER_UNSUPPORTED' })
    expect(seen).toEqual([])
  })
})

describe('a line without a REST side', () => {
  it('hangs up by closing the socket alone, and rejects the rest with CARRIER_NO_REST', async () => {
    await expect(SOCKET_ONLY_LINE.hangup(CALL)).resolves.toBeUndefined()
    const noRest = { code: 'CARRIER_NO_REST' }
    await expect(SOCKET_ONLY_LINE.transfer(CALL, '+525512345678')).rejects.toMatchObject(noRest)
    await expect(SOCKET_ONLY_LINE.sendDigits(CALL, '1')).rejects.toMatchObject(noRest)
  })
})
