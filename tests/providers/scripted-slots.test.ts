/** What the demo brain understands wherever it is said, also as a recogniser mishears it, and what it asks next. */
import { describe, expect, it } from 'vitest'
import { DEFAULT_PROMPT } from '../../server/agent-settings.ts'
import type { ChatMessage } from '../../server/providers/llm.ts'
import {
  businessIn,
  employeesIn,
  invoicesIn,
} from '../../server/providers/scripted/business-facts.ts'
import { appointmentIn, nameIn, phoneIn } from '../../server/providers/scripted/details.ts'
import { replyTo } from '../../server/providers/scripted/dialogue.ts'
import { intentOf } from '../../server/providers/scripted/intents.ts'
import { numbersIn } from '../../server/providers/scripted/numbers.ts'

const BUSINESS = '¿A qué se dedica su negocio?'
const INVOICES = '¿Actualmente emite facturas?'
const EMPLOYEES = '¿Cuántas personas trabajan con usted?'
const OFFER = '¿Le parece bien si lo agendamos?'
const NAME = '¿Me da su nombre, por favor?'
const ENGLISH_PROMPT =
  'You are Andrea, a consultant.\nPhases: 1) greet; 2) qualify: kind of business, whether they invoice, how many ' +
  'employees; 3) offer a free 15 minute call; 4) ask for name, WhatsApp and time. Do not invent prices.'

class Talk {
  readonly messages: ChatMessage[]
  readonly language: 'es' | 'en'

  constructor(language: 'es' | 'en' = 'es') {
    this.language = language
    const prompt = language === 'es' ? DEFAULT_PROMPT : ENGLISH_PROMPT
    const first =
      language === 'es' ? 'Hola, soy Andrea de Ubrokers. ¿Me escucha bien?' : 'Can you hear me?'
    this.messages = [
      { role: 'system', content: `Reglas.\n\n${prompt}` },
      { role: 'assistant', content: first },
    ]
  }

  /** The reply to the last of the user's lines. */
  user(...lines: string[]): string {
    let text = ''
    for (const content of lines) {
      this.messages.push({ role: 'user', content })
      text = replyTo(this.messages, { language: this.language, canTransfer: false }).text
      this.messages.push({ role: 'assistant', content: text })
    }
    return text
  }

  /** The user heard only this of the agent's last turn; '' is nothing. */
  heard(content: string): void {
    this.messages.pop()
    if (content !== '') this.messages.push({ role: 'assistant', content })
  }
}

describe('scripted brain, what was already said', () => {
  it('does not ask for the employees when the business was told with its 12 employees', () => {
    const talk = new Talk()
    const reply = talk.user('Sí.', 'Tengo un restaurante con 12 empleados.')
    expect(reply).toMatch(/^Un restaurante con 12 empleados, /)
    expect(reply).toContain(INVOICES)
    expect(talk.user('Sí.')).toContain(OFFER)
  })

  it('does not ask for invoices when the business was told with them', () => {
    const talk = new Talk()
    const reply = talk.user(
      'Sí.',
      'Tengo un restaurante en Guadalajara y emito facturas todos los días.',
    )
    expect(reply).toMatch(/^Un restaurante en Guadalajara y ya emite facturas, /)
    expect(reply).toContain(EMPLOYEES)
  })

  it('does not take "tengo un momento" for a business and asks again', () => {
    const talk = new Talk()
    expect(talk.user('Sí, le escucho.', 'Claro que sí, tengo un momento.')).toContain(BUSINESS)
  })

  it('asks nothing of the qualification when one sentence told all three', () => {
    const reply = new Talk().user('si, somos una taqueria de ocho enpleados y si facturamos')
    expect(reply).toContain(OFFER)
  })

  it('keeps a name and a number that were said before they were asked for', () => {
    const talk = new Talk()
    talk.user('Hola, me llamo Laura Gómez.', 'Una papelería.', 'Sí.', 'Dos.')
    expect(talk.user('Sí, márqueme al 5512345678.')).toContain('¿Qué día y a qué hora')
    expect(talk.user('mañana a las 5')).toMatch(/Laura Gómez.*55 12 34 56 78.*mañana a las 5/)
  })

  it('leaves a question out that was asked twice without an answer', () => {
    const talk = new Talk()
    expect(talk.user('Sí.', 'Sí, claro.')).toContain(BUSINESS)
    expect(talk.user('Sí, adelante.')).toContain(INVOICES)
  })

  it('leaves a question out that three questions of the user pushed aside', () => {
    const talk = new Talk()
    talk.user('Sí.', '¿Dónde están?', '¿Quién es su director?')
    expect(talk.user('¿Cuándo abren?')).toContain(INVOICES)
  })

  it('varies what it says before its questions', () => {
    const talk = new Talk()
    const lines = ['Sí.', 'Una papelería.', 'Sí.', 'Cinco.', 'Sí.', 'Ana.']
    const firsts = lines.map((line) => talk.user(line).split(/[.?]/)[0])
    expect(new Set(firsts).size).toBe(lines.length)
  })

  it('asks again only for the detail that is wrong', () => {
    const talk = new Talk()
    talk.user('Sí.', 'Ropa.', 'No.', 'Dos.', 'Sí.', 'Ana.', '5512345678', 'el lunes a las 10')
    expect(talk.user('No, el nombre está mal.')).toContain(NAME)
    expect(talk.user('Ana Lucía.')).toMatch(/Ana Lucía.*55 12 34 56 78.*el lunes a las 10/)
  })

  it('asks for what is missing in English, too', () => {
    const talk = new Talk('en')
    const reply = talk.user('Yes.', 'I run a bakery with 12 employees and we issue invoices.')
    expect(reply).toMatch(/^A bakery with 12 employees, and you issue invoices, .*Shall we arrange/)
  })
})

describe('scripted brain, interruptions', () => {
  it('waits when asked to, then goes on with the question that was open', () => {
    const talk = new Talk()
    expect(talk.user('Sí.', 'Espere tantito.')).toBe('Claro, aquí espero.')
    expect(talk.user('Ya, listo.')).toContain(BUSINESS)
  })

  it('takes the answer that follows a wait', () => {
    const talk = new Talk()
    talk.user('Sí.', 'Una papelería.', 'Sí.', 'un momento')
    expect(talk.user('doce')).toMatch(/^12 empleados/)
  })

  it('repeats its last question without the acknowledgement, also after a wait', () => {
    const talk = new Talk()
    talk.user('Sí.', 'Tengo un restaurante.')
    expect(talk.user('Me pude repetir')).toBe(INVOICES)
    expect(talk.user('un segundo', '¿Cómo?')).toBe(INVOICES)
  })

  it('repeats the greeting and takes the yes to it', () => {
    const talk = new Talk()
    expect(talk.user('¿Cómo?')).toContain('¿Me escucha bien?')
    expect(talk.user('Sí.')).toContain(BUSINESS)
  })

  it('does not count a question that was cut off as asked', () => {
    const talk = new Talk()
    talk.user('Sí.')
    for (let times = 0; times < 3; times += 1) {
      talk.heard('Gracias. ¿A qué…')
      expect(talk.user('Sí.')).toContain(BUSINESS)
    }
  })

  it('tells the offer again when it was cut off before its end', () => {
    const talk = new Talk()
    talk.user('Sí.', 'Una papelería.', 'Sí.', 'Dos.')
    talk.heard('2 empleados, muy bien. Por lo que me cuenta, le propo…')
    talk.user('Espere.')
    expect(talk.user('Sí, me interesa.')).toMatch(/llamada gratuita de 15 minutos.*nombre/)
  })

  it('takes the second half of an answer when nothing was said in between', () => {
    const talk = new Talk()
    talk.user('Sí.', 'Una papelería.', 'Sí.', 'Somos')
    talk.heard('')
    expect(talk.user('doce.')).toMatch(/^12 empleados/)
  })

  it('does not take a yes to "¿Sigue ahí?" for invoices', () => {
    const talk = new Talk()
    talk.user('Sí.', 'Una papelería.')
    talk.messages.push({ role: 'assistant', content: '¿Hola? ¿Sigue ahí?' })
    expect(talk.user('Sí.')).toContain(INVOICES)
  })

  it('says that the call is free and that it knows no other price', () => {
    expect(new Talk().user('Sí.', 'oiga y cuanto cuesta')).toMatch(
      /llamada gratuita.*Otros precios no los tengo.*¿A qué se dedica/,
    )
  })
})

describe('slots', () => {
  const about = (text: string, asked: boolean, language: 'es' | 'en' = 'es') => ({
    asked,
    intent: intentOf(text, language),
    language,
  })

  it.each([
    ['tengo un restauran en puebla', false, 'un restauran en puebla'],
    ['Mi restaurante tiene 5 meseros', false, undefined],
    ['tengo una empresa de transportes', false, 'una empresa de transportes'],
    ['nos dedicamos a la construcción', false, 'se dedica a la construcción'],
    ['vendemos muebles y colchones', false, 'venden muebles'],
    ['mi negocio es de ropa', false, 'un negocio de ropa'],
    ['soy contador', false, 'contador'],
    ['pues de ropa', true, 'ropa'],
    ['tengo una duda', true, undefined],
    ['tengo un negocio', true, undefined],
    ['tengo doce empleados', true, undefined],
    ['claro que si tengo un momento', true, undefined],
    ['Sí, con mucho gusto', true, undefined],
    ['¿Tienen una tienda?', false, undefined],
  ])('finds the business in "%s" (asked for: %s): %s', (text, asked, echo) => {
    expect(businessIn(text, about(text, asked))?.echo).toBe(echo)
  })

  it.each([
    ['emito facturas todos los días', false, true],
    ['si facturamos', false, true],
    ['no emito facturas todavia', false, false],
    ['no, sí facturo', false, true],
    ['fakturo poco', false, true],
    ['¿ustedes facturan?', false, null],
    ['a veces', true, true],
    ['todavía no', true, false],
    ['sí, tengo un momento', true, null],
    ['un restaurante', true, null],
  ])('finds in "%s" (asked for: %s) whether invoices are issued: %s', (text, asked, issued) => {
    expect(invoicesIn(text, about(text, asked))).toBe(issued)
  })

  it.each([
    ['un restaurante con 12 empleados', false, 12],
    ['somos doce', false, 12],
    ['somos como treinta y cinco personas', false, 35],
    ['tengo seis enpleados', false, 6],
    ['dose', true, 12],
    ['beinte', true, 20],
    ['unos diez o doce', true, 10],
    ['yo solo', false, 1],
    ['mi esposa y yo', false, 2],
    ['una docena', true, 12],
    ['somos una ferretería', false, undefined],
    ['tengo dos restaurantes', false, undefined],
    ['llevo cinco años', true, undefined],
    ['5512345678', true, undefined],
  ])('counts the employees in "%s" (asked for: %s): %s', (text, asked, count) => {
    expect(employeesIn(text, about(text, asked))?.count).toBe(count)
  })

  it('counts English employees: "we are about twenty five people" is 25', () => {
    const text = 'we are about twenty five people'
    expect(employeesIn(text, about(text, false, 'en'))?.count).toBe(25)
    expect(invoicesIn("we don't invoice", about("we don't invoice", false, 'en'))).toBe(false)
  })

  it.each([
    ['me llamo carlos ramirez', false, 'Carlos Ramirez'],
    ['Carlos Ramírez, para servirle', true, 'Carlos Ramírez'],
    ['Carlos de la Torre', true, 'Carlos de la Torre'],
    ['Sí, claro, soy Pedro', true, 'Pedro'],
    ['Claro que sí, con mucho gusto', true, null],
    ['Tengo un restaurante', true, null],
  ])('finds the name in "%s" (asked for: %s): %s', (text, asked, name) => {
    expect(nameIn(text, { asked })).toBe(name)
  })

  it.each([
    ['el miercoles en la tarde', true, 'el miércoles en la tarde'],
    ['manana a las 5', true, 'mañana a las 5'],
    ['cinco', true, 'a las cinco'],
    ['cuando guste', true, 'cuando guste'],
    ['abrimos de lunes a viernes', true, null],
    ['facturo los lunes', false, null],
    ['márqueme el lunes', false, 'el lunes'],
  ])('finds the appointment in "%s" (asked for: %s): %s', (text, asked, time) => {
    expect(appointmentIn(text, { asked, language: 'es' })).toBe(time)
  })

  it('reads "doble cinco" in a phone number as 55', () => {
    expect(phoneIn('doble cinco doce treinta y cuatro 5678')).toBe('5512345678')
  })

  it('reads numbers up to the hundreds in both languages', () => {
    const values = (text: string) => numbersIn(text.split(' ')).map(({ value }) => value)
    expect(values('ciento veinte y doscientos cinco')).toEqual([120, 205])
    expect(values('one hundred and twenty')).toEqual([120])
  })
})
