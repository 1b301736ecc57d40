/** Nothing is done on words that a final may still change. */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { hasEffect, ToolHold } from '../../server/conversation/tool-hold.ts'
import { callHttpTool } from '../../server/tools/call-http-tool.ts'
import type { HttpTool } from '../../server/tools/http-tool.ts'
import { Rig } from './rig.ts'

const PARTIAL = 'Quiero una cita el martes.'
const OTHER = 'Quiero una cita el miércoles.'

let server: Server
let url = ''
const requests: string[] = []

beforeAll(async () => {
  server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`)
    response.end('booked')
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
})

afterAll(() => {
  server.close()
})

beforeEach(() => {
  requests.length = 0
})

function tool(method: HttpTool['method']): HttpTool {
  return {
    ...{ name: 'book', description: 'Books.', method, url },
    ...{ headers: {}, timeoutMs: 5_000, retries: 0 },
    parameters: { type: 'object', properties: { day: { type: 'string' } } },
  }
}

/** A turn committed on a partial: 700 ms of speech, then 400 ms of silence; the model is asked, no final is there. */
async function speculating(method: HttpTool['method'] = 'POST'): Promise<Rig> {
  const rig = new Rig({
    httpTools: [tool(method)],
    enableDialKeypad: true,
    transferPhoneNumber: '+525512345678',
    languages: ['es-MX', 'en-US'],
    fillerAfterMs: 0,
  })
  rig.conversation.start()
  await rig.sound(700)
  rig.partial(PARTIAL)
  await rig.run(400)
  expect(rig.llm.answers).toHaveLength(1)
  expect(rig.conversation.state).toBe('thinking')
  return rig
}

/** The real request behind each call of a tool; waits for its answer in real time, which moves no clock of the rig. */
async function served(rig: Rig): Promise<void> {
  for (const { args, signal } of rig.toolCalls.splice(0)) {
    const call = { callId: 'call-1', tool: tool('POST'), args, signal }
    const { host } = new URL(url)
    rig.toolAnswers(await callHttpTool(call, { allowedHosts: [host] }))
  }
}

describe('a tool asked for on a partial', () => {
  it('sends 0 requests before the final, and exactly 1 when the final has the same words', async () => {
    const rig = await speculating()
    rig.answer.tool('book', '{"day":"martes"}').done()
    await rig.run(600)
    expect(rig.toolCalls).toEqual([])
    rig.final('quiero una cita el martes')
    await rig.run(20)
    await served(rig)
    await rig.run(40)
    expect(requests).toEqual(['POST /'])
    expect(rig.of('tool')).toMatchObject([{ name: 'book', result: 'booked' }])
    await rig.reply('Quedó para el martes.')
    await rig.run(3_000)
    expect(rig.turns.at(-1)?.textHeard).toBe('Quedó para el martes.')
    expect(requests).toHaveLength(1)
  })

  it('sends 0 requests and is reported nowhere when the final has other words; the new answer’s sends 1', async () => {
    const rig = await speculating()
    rig.answer.tool('book', '{"day":"martes"}').done()
    await rig.run(600)
    rig.final(OTHER)
    await rig.run(100)
    expect(rig.llm.answers).toHaveLength(2)
    expect(rig.toolCalls).toEqual([])
    expect(rig.of('tool')).toEqual([])
    rig.answer.tool('book', '{"day":"miércoles"}').done()
    await rig.run(20)
    expect(rig.toolCalls).toMatchObject([{ args: '{"day":"miércoles"}' }])
    await served(rig)
    await rig.run(40)
    expect(requests).toEqual(['POST /'])
    expect(rig.of('tool')).toHaveLength(1)
  })

  it('runs 2.5 s behind the speech when no final ever comes', async () => {
    const rig = await speculating()
    rig.answer.tool('book').done()
    await rig.run(2_080)
    expect(rig.toolCalls).toEqual([])
    await rig.run(40)
    expect(rig.toolCalls).toHaveLength(1)
  })

  it('keeps its answer when the final comes later than that with other words: it is not done twice', async () => {
    const rig = await speculating()
    rig.answer.tool('book', '{"day":"martes"}').done()
    await rig.run(2_200)
    await served(rig)
    rig.final(OTHER)
    await rig.run(100)
    expect(rig.llm.answers).toHaveLength(2)
    const { messages } = rig.answer.request
    expect(messages.map(({ role }) => role)).toEqual(['system', 'user', 'assistant', 'tool'])
    expect(messages[1]?.content).toBe(OTHER)
    expect(requests).toHaveLength(1)
  })

  it('is refused when the words change under an answer that is being heard, and the model hears of it', async () => {
    const rig = await speculating()
    rig.answer.say('Con mucho gusto, un momento. ').tool('book', '{"day":"martes"}').done()
    await rig.run(400)
    expect(rig.conversation.state).toBe('speaking')
    rig.final(OTHER)
    await rig.run(100)
    expect(rig.toolCalls).toEqual([])
    expect(rig.llm.answers).toHaveLength(2)
    const { messages } = rig.answer.request
    expect(messages[1]?.content).toBe(OTHER)
    expect(messages.at(-1)?.content).toMatch(/^error: not done/)
    rig.answer.tool('book', '{"day":"miércoles"}').done()
    await rig.run(20)
    expect(rig.toolCalls).toMatchObject([{ args: '{"day":"miércoles"}' }])
  })

  it('waits while the user makes a sound, and never runs when the sound goes on with the turn', async () => {
    const rig = await speculating()
    const startMs = rig.nowMs
    await rig.sound(200)
    rig.final(PARTIAL, 0, 700)
    rig.answer.tool('book').done()
    await rig.sound(300)
    expect(rig.toolCalls).toEqual([])
    rig.partial('a las cinco', startMs)
    await rig.run(100)
    expect(rig.llm.answers[0]?.signal.aborted).toBe(true)
    expect(rig.toolCalls).toEqual([])
  })

  it('runs 0.6 s behind a sound of 0.1 s that held no words', async () => {
    const rig = await speculating()
    await rig.sound(100)
    rig.final(PARTIAL, 0, 700)
    rig.answer.tool('book').done()
    await rig.run(780)
    expect(rig.toolCalls).toEqual([])
    await rig.run(40)
    expect(rig.toolCalls).toHaveLength(1)
  })
})

describe('other actions asked for on a partial', () => {
  it('send_dtmf, as a tool and as a token, presses its keys with the final and not before', async () => {
    const rig = await speculating()
    rig.answer.say('[DTMF:1] ').tool('send_dtmf', '{"digits":"2"}').done()
    await rig.run(500)
    expect(rig.digitsSent).toEqual([])
    rig.final(PARTIAL)
    await rig.run(20)
    expect(rig.digitsSent).toEqual(['1', '2'])
  })

  it('transfer_call happens for confirmed words only, also when its text was heard before the final', async () => {
    const rig = await speculating()
    rig.answer.say('Le paso.').tool('transfer_call').done()
    await rig.run(900)
    expect(rig.transfers).toEqual([])
    rig.final(OTHER)
    await rig.run(500)
    expect(rig.transfers).toEqual([])
    const sure = await speculating()
    sure.answer.say('Le paso. [TRANSFER]').done()
    await sure.run(900)
    expect(sure.transfers).toEqual([])
    sure.final(PARTIAL)
    await sure.run(500)
    expect(sure.transfers).toEqual(['+525512345678'])
  })

  it('end_call does not hang up on words that turned out to be others', async () => {
    const rig = await speculating()
    rig.answer.say('Adiós. [END_CALL]').done()
    await rig.run(600)
    rig.final(OTHER)
    await rig.run(3_000)
    expect(rig.hangups).toEqual([])
    expect(rig.conversation.state).toBe('listening')
  })

  it('switch_language keeps the recogniser that still owes the final', async () => {
    const rig = await speculating()
    rig.answer.tool('switch_language', '{"language":"en-US"}').done()
    await rig.run(300)
    expect(rig.languages).toEqual([])
    rig.final(PARTIAL)
    await rig.run(20)
    expect(rig.languages).toEqual(['en-US'])
  })

  it('a GET is asked at once: it only looks something up', async () => {
    const rig = await speculating('GET')
    rig.answer.tool('book').done()
    await rig.run(20)
    expect(rig.toolCalls).toHaveLength(1)
    rig.final(OTHER)
    await rig.run(40)
    expect(rig.toolCalls[0]?.signal.aborted).toBe(true)
    expect(rig.of('tool')).toEqual([])
  })
})

describe('what is not held', () => {
  it('the text of an answer: heard as soon as without tools, 60 ms after it was written', async () => {
    const rig = await speculating()
    await rig.reply('Claro que sí.')
    expect(rig.conversation.state).toBe('speaking')
  })

  it('an action on a final, typed text or a key: done within the next frame', async () => {
    const rig = new Rig({ httpTools: [tool('POST')] })
    rig.conversation.start()
    await rig.user(PARTIAL)
    rig.answer.tool('book').done()
    await rig.run(20)
    expect(rig.toolCalls).toHaveLength(1)
    rig.conversation.typed('Mejor el jueves.')
    await rig.run(20)
    rig.answer.tool('book').done()
    await rig.run(20)
    expect(rig.toolCalls).toHaveLength(2)
  })
})

describe('tool hold', () => {
  const signal = new AbortController().signal
  const post = { kind: 'http', tool: tool('POST') } as const

  it('lets noise delay an action by 3 s at most', async () => {
    const clock = { ms: 1_000 }
    const hold = new ToolHold({
      clockMs: () => clock.ms,
      settled: () => true,
      isDisturbed: () => true,
    })
    hold.answering(1, 500)
    const verdict = hold.gate().pass(post, signal)
    clock.ms = 3_980
    hold.tick()
    expect(hold.hasActed).toBe(false)
    clock.ms = 4_000
    hold.tick()
    expect(await verdict).toBe('sure')
    expect(hold.hasActed).toBe(true)
  })

  it.each(['POST', 'PUT', 'PATCH', 'DELETE'] as const)('holds %s', (method) => {
    expect(hasEffect({ kind: 'http', tool: tool(method) })).toBe(true)
  })
})
