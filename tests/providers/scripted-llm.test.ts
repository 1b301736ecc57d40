/** Whole dialogues with the demo brain. Each reply is worked out from the messages alone. */
import { describe, expect, it } from 'vitest'
import { DEFAULT_PROMPT } from '../../server/agent-settings.ts'
import type { ChatMessage, LlmEvent, LlmRequest } from '../../server/providers/llm.ts'
import { ScriptedLlm } from '../../server/providers/scripted-llm.ts'
import { nameIn, phoneIn, timeIn } from '../../server/providers/scripted/details.ts'
import { intentOf } from '../../server/providers/scripted/intents.ts'

const llm = new ScriptedLlm()
const FIRST_MESSAGE = 'Hola, soy Andrea de Ubrokers. ¿Me escucha bien?'

const CLINIC = `Eres Sofía, recepcionista de la Clínica Dental Sonrisas.
Abrimos de lunes a viernes de 9 a 18 horas.
La limpieza dental cuesta 600 pesos.
No inventes precios.`

interface Said {
  text: string
  tool: string | null
}

class Talk {
  readonly messages: ChatMessage[]
  readonly #tools: string[]
  readonly #language: string

  constructor({
    prompt = DEFAULT_PROMPT,
    first = FIRST_MESSAGE,
    tools = ['end_call'],
    language = 'es-MX',
  } = {}) {
    this.messages = [{ role: 'system', content: `Reglas de la llamada.\n\n${prompt}` }]
    if (first !== '') this.messages.push({ role: 'assistant', content: first })
    this.#tools = tools
    this.#language = language
  }

  async user(text: string): Promise<Said> {
    this.messages.push({ role: 'user', content: text })
    const said: Said = { text: '', tool: null }
    for await (const event of llm.stream(this.request(), new AbortController().signal)) {
      if (event.kind === 'text') said.text += event.text
      if (event.kind === 'toolCall') said.tool = event.call.name
    }
    this.messages.push({ role: 'assistant', content: said.text })
    return said
  }

  request(): LlmRequest {
    return {
      callId: 'call-1',
      model: 'any',
      messages: this.messages,
      tools: this.#tools.map((name) => ({ name, description: '', parameters: {} })),
      temperature: 0.7,
      maxTokens: 250,
      language: this.#language,
    }
  }
}

describe('scripted brain, the whole script', () => {
  it('goes from greeting over qualification and proposal to a confirmed appointment and hangs up', async () => {
    const talk = new Talk()
    expect((await talk.user('Sí, la escucho.')).text).toContain('¿A qué se dedica su negocio?')
    expect((await talk.user('Tengo un restaurante.')).text).toContain(
      '¿Actualmente emite facturas?',
    )
    expect((await talk.user('Sí, sí facturo.')).text).toContain('¿Cuántas personas trabajan')
    expect((await talk.user('Somos 12.')).text).toContain('una llamada gratuita de 15 minutos')
    expect((await talk.user('Sí, me interesa.')).text).toContain('¿Me da su nombre')
    expect((await talk.user('Carlos Ramírez.')).text).toContain('¿A qué número de WhatsApp')
    expect((await talk.user('5512345678.')).text).toContain('¿Qué día y a qué hora')
    expect((await talk.user('Mañana a las 5 de la tarde.')).text).toMatch(
      /Carlos Ramírez.*55 12 34 56 78.*mañana a las 5 de la tarde.*¿Están bien esos datos\?/,
    )
    const end = await talk.user('Sí, correcto.')
    expect(end).toMatchObject({ tool: 'end_call', text: expect.stringContaining('Carlos Ramírez') })
  })

  it('gives the same answers to the same call twice', async () => {
    const lines = ['Sí.', 'Vendo zapatos.', 'No.', 'Tres.', 'Sí.']
    const answers = await Promise.all(
      [new Talk(), new Talk()].map(async (talk) => {
        const said: string[] = []
        for (const line of lines) said.push((await talk.user(line)).text)
        return said
      }),
    )
    expect(answers[0]).toEqual(answers[1])
  })

  it('follows an English prompt in English', async () => {
    const talk = new Talk({
      language: 'en-US',
      first: 'Hello, this is Andrea. Can you hear me?',
      prompt:
        'You are Andrea, a consultant at Ubrokers.\nWe are open Monday to Friday from 9 to 6.\n' +
        'Phases: 1) greet; 2) qualify: kind of business; 3) offer a free call; 4) ask for name and phone.',
    })
    expect((await talk.user('Yes, I can hear you.')).text).toContain(
      'What kind of business do you have?',
    )
    expect((await talk.user('When are you open?')).text).toContain('Monday to Friday from 9 to 6')
    expect((await talk.user('I run a bakery.')).text).toContain('a free call')
    expect((await talk.user('Yes, sure.')).text).toContain('your name')
    expect((await talk.user('John Smith.')).text).toContain('phone number')
    expect((await talk.user('555 123 4567')).text).toContain('John Smith')
    expect((await talk.user('Yes.')).tool).toBe('end_call')
  })

  it('greets when the user speaks first and when the conversation asks for a greeting', async () => {
    for (const first of [
      'Hola',
      '(La llamada acaba de conectarse. Saluda y empieza la conversación.)',
    ]) {
      const said = await new Talk({ first: '' }).user(first)
      expect(said.text).toMatch(/^Hola\. Soy Andrea, consultora.*¿Es buen momento/)
    }
  })
})

describe('scripted brain, what users want at any time', () => {
  it('transfers when the tool is offered', async () => {
    const talk = new Talk({ tools: ['end_call', 'transfer_call'] })
    const said = await talk.user('Quiero hablar con una persona, por favor.')
    expect(said).toMatchObject({ tool: 'transfer_call', text: expect.stringContaining('comunico') })
  })

  it('says that it cannot transfer when the tool is not offered, and takes a message', async () => {
    const said = await new Talk().user('Páseme con un asesor.')
    expect(said.tool).toBeNull()
    expect(said.text).toMatch(/no puedo pasarle.*¿Me da su nombre/)
  })

  it.each(['Adiós.', 'Hasta luego, gracias.', 'Tengo que colgar.', 'Eso es todo.'])(
    'says goodbye and ends the call at "%s"',
    async (line) => {
      expect((await new Talk().user(line)).tool).toBe('end_call')
    },
  )

  it('ends the call in words only when end_call is not offered', async () => {
    const said = await new Talk({ tools: [] }).user('Adiós.')
    expect(said).toEqual({ text: expect.stringContaining('hasta luego'), tool: null })
  })

  it('repeats the whole question after a barge-in cut it off', async () => {
    const talk = new Talk()
    const question = (await talk.user('Sí.')).text
    talk.messages.pop()
    talk.messages.push({ role: 'assistant', content: 'Entiendo. ¿A qué…' })
    expect(question).toContain('¿A qué se dedica su negocio?')
    expect((await talk.user('Perdón, ¿cómo dijo?')).text).toBe('¿A qué se dedica su negocio?')
  })

  it('takes an answer to a question that was cut off near its end', async () => {
    const talk = new Talk()
    await talk.user('Sí.')
    talk.messages.pop()
    talk.messages.push({ role: 'assistant', content: 'Entiendo. ¿A qué se dedica su…' })
    expect((await talk.user('Vendo zapatos.')).text).toContain('¿Actualmente emite facturas?')
  })

  it('asks a question again that the user did not hear', async () => {
    const talk = new Talk()
    await talk.user('Sí.')
    talk.messages.pop()
    talk.messages.push({ role: 'assistant', content: 'Entiendo.…' })
    expect((await talk.user('Ajá.')).text).toContain('¿A qué se dedica su negocio?')
  })

  it('quotes the prompt for a question and goes on with its own', async () => {
    const talk = new Talk({ prompt: CLINIC, first: 'Clínica Sonrisas, ¿en qué puedo ayudarle?' })
    expect((await talk.user('¿Cuánto cuesta una limpieza?')).text).toContain('cuesta 600 pesos')
    expect((await talk.user('¿A qué hora abren?')).text).toContain('de 9 a 18 horas')
  })

  it('says that it does not know what the prompt does not state', async () => {
    const talk = new Talk({ prompt: CLINIC })
    const { text } = await talk.user('¿Tienen estacionamiento?')
    expect(text).toContain('prefiero no inventarlo')
  })

  it('never quotes an order of the prompt', async () => {
    const talk = new Talk({ prompt: CLINIC })
    expect((await talk.user('¿Inventan precios?')).text).not.toContain('No inventes')
  })

  it('says what it is when asked whether it is a robot', async () => {
    expect((await new Talk().user('¿Es usted un robot?')).text).toContain('sin modelo de lenguaje')
  })

  it('answers small talk and comes back to its question', async () => {
    expect((await new Talk().user('¿Cómo está?')).text).toMatch(/gracias por preguntar.*\?$/)
  })

  it('asks once more for a phone number it did not understand, then goes on', async () => {
    const talk = new Talk()
    for (const line of ['Sí.', 'Zapatos.', 'Sí.', 'Dos.', 'Sí.', 'Ana.']) await talk.user(line)
    expect((await talk.user('blablá')).text).toMatch(/no le entendí bien.*WhatsApp/)
    expect((await talk.user('blablá')).text).toMatch(/seguimos.*¿Qué día/)
  })

  it('asks for all details again when the user says they are wrong', async () => {
    const talk = new Talk()
    for (const line of [
      'Sí.',
      'Zapatos.',
      'Sí.',
      'Dos.',
      'Sí.',
      'Ana.',
      '5512345678',
      'El lunes.',
    ]) {
      await talk.user(line)
    }
    expect((await talk.user('No.')).text).toMatch(/corregirlo.*nombre/)
  })

  it('thanks and hangs up when the offer does not interest', async () => {
    const talk = new Talk()
    for (const line of ['Sí.', 'Zapatos.', 'Sí.', 'Dos.']) await talk.user(line)
    expect(await talk.user('No, gracias.')).toMatchObject({ tool: 'end_call' })
  })

  it('arranges to call back a user who is busy', async () => {
    const talk = new Talk()
    expect((await talk.user('Estoy ocupado, llámeme más tarde.')).text).toContain('¿Qué día')
    expect(await talk.user('Mañana a las cinco.')).toMatchObject({
      tool: 'end_call',
      text: expect.stringContaining('mañana a las cinco'),
    })
  })

  it('asks when to call after a no to the good moment, and only that', async () => {
    const talk = new Talk({ first: 'Hola, soy Andrea. ¿Es buen momento para platicar un minuto?' })
    expect((await talk.user('No.')).text).toContain('¿Qué día')
    expect((await talk.user('El martes a las diez.')).tool).toBe('end_call')
  })

  it('asks whether it is heard better after a no to "¿Me escucha bien?", then begins', async () => {
    const talk = new Talk()
    expect((await talk.user('No.')).text).toContain('¿Ahora me escucha mejor?')
    expect((await talk.user('Sí.')).text).toBe('¿A qué se dedica su negocio?')
  })

  it('answers a refused tool call in words', async () => {
    const talk = new Talk()
    talk.messages.push(
      { role: 'user', content: 'Adiós' },
      {
        role: 'assistant',
        content: '',
        toolCalls: [{ id: 'a', name: 'end_call', arguments: '{}' }],
      },
      { role: 'tool', content: 'error: not allowed', toolCallId: 'a' },
    )
    let text = ''
    for await (const event of llm.stream(talk.request(), new AbortController().signal)) {
      if (event.kind === 'text') text += event.text
    }
    expect(text).toContain('no fue posible')
  })
})

describe('scripted brain as a stream', () => {
  it('streams word by word and ends with done', async () => {
    const talk = new Talk()
    talk.messages.push({ role: 'user', content: 'Sí.' })
    const events: LlmEvent[] = []
    for await (const event of llm.stream(talk.request(), new AbortController().signal)) {
      events.push(event)
    }
    expect(events.length).toBeGreaterThan(5)
    expect(events.at(-1)).toEqual({ kind: 'done', finishReason: 'stop', usage: null })
  })

  it('ends without done when aborted after the first word', async () => {
    const talk = new Talk()
    talk.messages.push({ role: 'user', content: 'Sí.' })
    const abort = new AbortController()
    const events: LlmEvent[] = []
    for await (const event of llm.stream(talk.request(), abort.signal)) {
      events.push(event)
      abort.abort()
    }
    expect(events).toHaveLength(1)
  })
})

describe('intents', () => {
  it.each([
    ['Sí, claro', 'yes'],
    ['Órale, está bien', 'yes'],
    ['Sí, me interesa', 'yes'],
    ['No, todavía no', 'no'],
    ['No me interesa', 'notInterested'],
    ['¿Quién habla?', 'who'],
    ['¿Para qué me llama?', 'purpose'],
    ['quiero ablar con una persona', 'human'],
    ['¿Bueno?', 'greeting'],
    ['quería saber cuánto vale', 'price'],
    ['vendo a buen precio', 'statement'],
    ['Me pude repetir', 'repeat'],
    ['¿Cómo?', 'repeat'],
    ['no le escuche', 'repeat'],
    ['espere', 'wait'],
    ['Espere, espere un momento, por favor.', 'wait'],
    ['Claro que sí, tengo un momento.', 'yes'],
    ['¿Cómo no?', 'yes'],
    ['pues sí', 'yes'],
    ['quizá después', 'no'],
    ['no me intereza', 'notInterested'],
    ['Tengo una ferretería en Puebla', 'statement'],
    ['…', 'silence'],
  ])('takes "%s" for %s', (text, intent) => {
    expect(intentOf(text, 'es')).toBe(intent)
  })
})

describe('details', () => {
  it.each([
    ['Me llamo Ana López.', false, 'Ana López'],
    ['carlos', true, 'Carlos'],
    ['Soy dueño de un restaurante', false, null],
    ['Sí, claro', true, null],
  ])('finds the name in "%s" (asked for: %s): %s', (text, asked, name) => {
    expect(nameIn(text, { asked })).toBe(name)
  })

  it.each([
    ['Es el 55 1234 5678', '5512345678'],
    ['cincuenta y cinco doce treinta y cuatro cincuenta y seis setenta y ocho', '5512345678'],
    ['five five five one two three four five six seven', '5551234567'],
    ['tengo 12 empleados', null],
  ])('finds the phone number in "%s": %s', (text, phone) => {
    expect(phoneIn(text)).toBe(phone)
  })

  it.each([
    ['Mañana a las 5 de la tarde.', 'mañana a las 5 de la tarde'],
    ['El lunes por la mañana', 'el lunes por la mañana'],
    ['como a las tres y media', 'como a las tres y media'],
    ['tomorrow at 5 pm', 'tomorrow at 5 pm'],
    ['cuando quiera', null],
  ])('finds the time in "%s": %s', (text, time) => {
    expect(timeIn(text)).toBe(time)
  })
})
