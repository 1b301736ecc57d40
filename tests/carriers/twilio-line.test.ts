import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { SOCKET_ONLY_LINE } from '../../server/carriers/carrier.ts'
import { TwilioLine } from '../../server/carriers/twilio-line.ts'
import { CarrierError } from '../../server/errors.ts'

const ACCOUNT = 'AC00000000000000000000000000000000'
const CALL = 'CA0f1e2d3c4b5a69788796a5b4c3d2e1f0'

const CALL_ID = '3f8b1c52-6f0e-4a52-9d5c-0a4f2b8f7c11'
const TO = { to: '+525512345678', from: null, announcement: null, callId: CALL_ID }

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
    account: {
      ...{ name: 'default', accountSid: ACCOUNT, authToken: 'secret' },
      ...{ region: null, edge: null, from: null, apiBaseUrl: `http://127.0.0.1:${port}` },
    },
    baseUrl: () => 'https://andrea.example',
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
    await line.transfer(CALL, TO)
    expect(seen.map(({ form }) => form)).toEqual([
      {
        Twiml:
          '<?xml version="1.0" encoding="UTF-8"?><Response><Dial answerOnBridge="true" ' +
          `action="https://andrea.example/api/v1/twilio/transfer-end/${CALL_ID}">` +
          '<Number>+525512345678</Number></Dial></Response>',
      },
    ])
  })

  it('has the person told who is coming before the user is connected, when there is something to tell', async () => {
    await line.transfer(CALL, { ...TO, announcement: { text: 'Un cliente.', language: 'es-MX' } })
    expect(seen[0]?.form['Twiml']).toContain(
      `<Number url="https://andrea.example/api/v1/twilio/announcement/${CALL_ID}">+525512345678</Number>`,
    )
  })

  it('presses keys by TwiML that plays them and connects the stream again, with a new token', async () => {
    const invite = { url: 'wss://andrea.example/media', token: 'T2', from: '+1', to: '+2' }
    await line.sendDigits(CALL, '12#', () => invite)
    expect(seen[0]?.form['Twiml']).toMatch(
      /<Response><Play digits="12#"\/><Connect><Stream url="wss:\/\/andrea.example\/media"><Parameter name="token" value="T2"\/>.*<\/Connect><Say.*<Hangup\/><\/Response>$/,
    )
  })

  it('starts a recording of both sides on two channels, and stops, pauses and resumes the current one', async () => {
    for (const action of ['start', 'pause', 'resume', 'stop'] as const)
      await line.record(CALL, action)
    const path = `/2010-04-01/Accounts/${ACCOUNT}/Calls/${CALL}/Recordings`
    expect(seen.map((each) => each.path)).toEqual([
      `${path}.json`,
      ...Array<string>(3).fill(`${path}/Twilio.CURRENT.json`),
    ])
    expect(seen[0]?.form).toMatchObject({ RecordingChannels: 'dual', RecordingTrack: 'both' })
    expect(seen.slice(1).map(({ form }) => form['Status'])).toEqual([
      'paused',
      'in-progress',
      'stopped',
    ])
  })

  it('places a call once, also when the answer is lost: 500 is not tried again, 429 is', async () => {
    const dial = {
      callId: CALL_ID,
      to: '+525512345678',
      from: '+525500000000',
      detectMachine: true,
      ringSec: 45,
    }
    refuse(500, 20_500)
    await expect(line.dial(dial)).rejects.toMatchObject({ code: 'CARRIER_FAILED' })
    expect(seen).toHaveLength(1)
    refuse(429, 20_429)
    await expect(line.dial(dial)).rejects.toMatchObject({ code: 'CARRIER_BUSY' })
    expect(seen).toHaveLength(4)
  })

  it('passes Twilio’s refusal of a number on as it is, with the cure', async () => {
    answer = {
      status: 400,
      body: JSON.stringify({
        code: 21_211,
        message: "Invalid 'To' Phone Number: +52551",
        status: 400,
      }),
    }
    const dial = {
      callId: CALL_ID,
      to: '+5255123',
      from: '+525500000000',
      detectMachine: false,
      ringSec: 45,
    }
    await expect(line.dial(dial)).rejects.toMatchObject({
      code: 'CARRIER_REFUSED',
      carrierCode: '21211',
      message: "Twilio did not place the call (21211): Invalid 'To' Phone Number: +52551",
      hint: 'Write the number in E.164, e.g. +525512345678.',
    })
  })

  it('rejects a transfer of a call that is over, with CARRIER_CALL_GONE', async () => {
    refuse(400, 21_220)
    await expect(line.transfer(CALL, TO)).rejects.toMatchObject({
      code: 'CARRIER_CALL_GONE',
      retryable: false,
    })
  })

  it('never writes the number into the error of a transfer', async () => {
    refuse(400, 21_217)
    const error: unknown = await line.transfer(CALL, TO).catch((caught) => caught)
    expect((error as Error).message).not.toContain('525512345678')
  })

  it.each([
    [401, 20_003, 'CARRIER_REFUSED', 1],
    [429, 20_429, 'CARRIER_BUSY', 3],
    [500, 20_500, 'CARRIER_FAILED', 3],
  ])(
    'rejects a hang-up answered with %i, code %i: %s, after %i attempts',
    async (status, carrierCode, code, attempts) => {
      refuse(status, carrierCode)
      const error: unknown = await line.hangup(CALL).catch((caught) => caught)
      expect(error).toBeInstanceOf(CarrierError)
      expect(error).toMatchObject({ code, retryable: attempts > 1 })
      expect(seen).toHaveLength(attempts)
    },
  )

  it('rejects a 502 page that is not JSON as retryable', async () => {
    answer = { status: 502, body: '<html>Bad gateway</html>' }
    await expect(line.hangup(CALL)).rejects.toMatchObject({
      code: 'CARRIER_FAILED',
      retryable: true,
    })
  })

  it('rejects when nobody answers as retryable', async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
    await expect(line.hangup(CALL)).rejects.toMatchObject({
      code: 'CARRIER_UNREACHED',
      retryable: true,
    })
  })
})

describe('a line without a REST side', () => {
  it('hangs up by closing the socket alone, and rejects the rest with CARRIER_NO_REST', async () => {
    await expect(SOCKET_ONLY_LINE.hangup(CALL)).resolves.toBeUndefined()
    const noRest = { code: 'CARRIER_NO_REST' }
    await expect(SOCKET_ONLY_LINE.transfer(CALL, TO)).rejects.toMatchObject(noRest)
    await expect(
      SOCKET_ONLY_LINE.dial({
        callId: CALL_ID,
        to: '+1',
        from: '+2',
        detectMachine: false,
        ringSec: 45,
      }),
    ).rejects.toMatchObject(noRest)
  })
})

describe('twilio line of another region', () => {
  it('speaks to api.dublin.ie1.twilio.com where the account has region ie1 and edge dublin', async () => {
    const asked: string[] = []
    const proxy = createServer().on('connect', (request, socket) => {
      asked.push(request.url ?? '')
      socket.end('HTTP/1.1 502 Bad Gateway\r\n\r\n')
    })
    proxy.listen(0, '127.0.0.1')
    await once(proxy, 'listening')
    // The SDK asks its way out of a network here, and nothing leaves this machine.
    vi.stubEnv('HTTP_PROXY', `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`)
    const abroad = new TwilioLine({
      account: {
        ...{ name: 'default', accountSid: ACCOUNT, authToken: 'secret' },
        ...{ region: 'ie1', edge: 'dublin', from: null, apiBaseUrl: null },
      },
      baseUrl: () => 'https://andrea.example',
    })
    await expect(abroad.hangup(CALL)).rejects.toThrow()
    vi.unstubAllEnvs()
    await new Promise((resolve) => proxy.close(resolve))
    expect(new Set(asked)).toEqual(new Set(['api.dublin.ie1.twilio.com:443']))
  })
})
