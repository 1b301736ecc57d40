import { describe, expect, it } from 'vitest'
import { signedWebhooks } from '../../bench/http.ts'
import { commandedRefusalOf, refusalOf } from '../../bench/overload.ts'

const TWIML = (inside: string) => ({ status: 200, body: `<Response>${inside}</Response>` })

describe('refusal', () => {
  it('is polite when it speaks and hangs up, or rejects', () => {
    expect(refusalOf(TWIML('<Say>Ocupado</Say><Hangup/>'))).toBe('polite')
    expect(refusalOf(TWIML('<Reject reason="busy"/>'))).toBe('polite')
  })

  it('is none when media opens, and impolite when the answer is an error or says nothing', () => {
    const stream = '<Connect><Stream url="ws://127.0.0.1/x"/></Connect>'
    expect(refusalOf(TWIML(stream))).toBe('admitted')
    expect(refusalOf({ status: 503, body: '' })).toBe('impolite')
    expect(refusalOf(TWIML(''))).toBe('impolite')
  })
})

describe('refusal by command', () => {
  it('is polite when the call is rejected, and none when it is answered or streamed', () => {
    expect(commandedRefusalOf(['reject'])).toBe('polite')
    expect(commandedRefusalOf(['answer', 'streaming_start'])).toBe('admitted')
    expect(commandedRefusalOf(['hangup'])).toBe('impolite')
    expect(commandedRefusalOf([])).toBe('impolite')
  })
})

describe('signed webhooks', () => {
  it('are different calls, each with its own signature', () => {
    const webhooks = signedWebhooks('http://127.0.0.1:1', 50)
    const signatures = webhooks.map((webhook) => webhook.headers?.['x-twilio-signature'])
    expect(new Set(signatures).size).toBe(50)
    expect(new Set(webhooks.map((webhook) => webhook.body)).size).toBe(50)
  })
})
