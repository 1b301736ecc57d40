import { describe, expect, it } from 'vitest'
import { parseTwiml } from '../../../bench/rig/twiml.ts'

const stream = (url: string): string =>
  `<?xml version="1.0"?><Response><Connect><Stream url="${url}"><Parameter name="token" ` +
  `value="a&amp;b"/></Stream></Connect><Say language="es-MX">Adiós</Say><Hangup/></Response>`

describe('twiml', () => {
  it('reads a stream with its parameters and the verbs behind it', () => {
    expect(parseTwiml(stream('wss://andrea.example/media'))).toEqual([
      { kind: 'stream', url: 'wss://andrea.example/media', parameters: { token: 'a&b' } },
      { kind: 'say', text: 'Adiós' },
      { kind: 'hangup' },
    ])
  })

  it('refuses a stream URL with a query string, as Twilio does with 31920', () => {
    expect(() => parseTwiml(stream('wss://andrea.example/media?a=1'))).toThrow('31920')
  })

  it('refuses an unencrypted stream to another machine and takes one to 127.0.0.1', () => {
    expect(() => parseTwiml(stream('ws://andrea.example/media'))).toThrow('31920')
    expect(parseTwiml(stream('ws://127.0.0.1:8000/media'))[0]?.kind).toBe('stream')
  })

  it.each([
    '',
    '<Response>',
    '<Response><Hangup></Response>',
    '<A/><B/>',
    '<Response>a & b</Response>',
  ])('refuses %j as not well formed', (document) => {
    expect(() => parseTwiml(document)).toThrow()
  })
})
