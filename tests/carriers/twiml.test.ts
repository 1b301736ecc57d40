import { describe, expect, it } from 'vitest'
import { digitsTwiml, streamTwiml } from '../../server/carriers/twiml.ts'

const invite = {
  ...{ url: 'wss://andrea.example/media', token: 'one-time' },
  ...{ from: '+525512345678', to: '+525587654321' },
}

describe('twiml of a stream', () => {
  it('says in the language of the agent that there is a problem, and hangs up, where the stream ends and nobody has ended the call', async () => {
    const spanish = await streamTwiml({ invite, language: 'es-MX', apologise: true })
    expect(spanish).toMatch(
      /<\/Stream><\/Connect><Say language="es-MX">Disculpe, tenemos un problema técnico\. .*<\/Say><Hangup\/><\/Response>$/,
    )
    const english = await streamTwiml({ invite, language: 'en-US', apologise: true })
    expect(english).toMatch(/<Say language="en-US">Sorry, we have a technical problem\./)
  })

  it('says nothing behind a stream whose end is our only way to hang up', async () => {
    const silent = await streamTwiml({ invite, language: 'es-MX', apologise: false })
    expect(silent).toMatch(/<\/Stream><\/Connect><\/Response>$/)
  })

  it('has the same words behind a stream that was opened again to press keys', async () => {
    const again = await digitsTwiml('12w#', { invite, language: 'es-MX', apologise: true })
    expect(again).toMatch(
      /<Response><Play digits="12w#"\/><Connect>.*<\/Connect><Say .*técnico.*<Hangup\/><\/Response>$/,
    )
  })
})
