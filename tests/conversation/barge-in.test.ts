import { describe, expect, it } from 'vitest'
import { DEFAULT_SETTINGS } from '../../server/agent-settings.ts'
import { BargeIn, type BargeInAction } from '../../server/conversation/barge-in.ts'

const STOP_WORDS = ['espera', 'para', 'alto', 'un momento']
const AGENT = 'Con mucho gusto le explico los beneficios.'

function bargeIn(interruptionWords = 2, language = 'es-MX'): BargeIn {
  return new BargeIn({ language, interruptionWords, stopWords: STOP_WORDS })
}

function say(barge: BargeIn, text: string, isFinal = false): BargeInAction {
  return barge.words({ text, isFinal, startMs: 1_000, agentSpeech: AGENT })
}

describe('barge-in', () => {
  it('ducks once per sound', () => {
    const barge = bargeIn()
    expect(barge.onset(1_000)).toEqual({ kind: 'duck' })
    expect(barge.onset(1_500)).toEqual({ kind: 'none' })
  })

  it('takes the floor at the second word of a partial, with the time of the onset', () => {
    const barge = bargeIn()
    barge.onset(1_000)
    expect(say(barge, 'cuánto')).toEqual({ kind: 'none' })
    expect(say(barge, 'cuánto cuesta')).toEqual({
      kind: 'takeFloor',
      reason: 'words',
      onsetMs: 1_000,
    })
  })

  it('takes the floor at words even when the VAD missed the sound', () => {
    expect(say(bargeIn(), 'cuánto cuesta')).toEqual({
      kind: 'takeFloor',
      reason: 'words',
      onsetMs: 1_000,
    })
  })

  it('takes the floor at 5 characters of one word when those are enough, not at 4', () => {
    const barge = new BargeIn({
      ...{ language: 'es-MX', interruptionWords: 9, interruptionCharacters: 5, stopWords: [] },
    })
    barge.onset(1_000)
    expect(say(barge, '¡Señ')).toEqual({ kind: 'none' })
    expect(say(barge, '¡Seño')).toEqual({ kind: 'none' })
    expect(say(barge, '¿Señor?')).toMatchObject({ kind: 'takeFloor', reason: 'words' })
  })

  it('takes the floor at the onset when interruptionWords is 0', () => {
    expect(bargeIn(0).onset(900)).toEqual({ kind: 'takeFloor', reason: 'words', onsetMs: 900 })
  })

  it.each(['¡Espera!', 'para', 'no, un momento'])(
    'takes the floor at the stop word in "%s"',
    (text) => {
      expect(say(bargeIn(9), text)).toMatchObject({ kind: 'takeFloor', reason: 'stopWord' })
    },
  )

  it.each([
    'Espere.',
    'Espérese, por favor',
    'Un momento',
    'no, permítame',
    'Wait!',
    'please hold on',
  ])('takes the floor at "%s" with the default stop words', (text) => {
    const { stopWords } = DEFAULT_SETTINGS.base
    const barge = new BargeIn({ language: 'es-MX', interruptionWords: 9, stopWords })
    expect(say(barge, text)).toMatchObject({ kind: 'takeFloor', reason: 'stopWord' })
  })

  it('sees "un momento" as a phrase only, not in "un buen momento"', () => {
    expect(say(bargeIn(9), 'es un buen momento')).toEqual({ kind: 'none' })
  })

  it('takes the floor at one final word while the agent is paused, not at a partial', () => {
    const barge = bargeIn(2)
    barge.onset(1_000)
    barge.tick(1_100)
    expect(say(barge, 'cuánto')).toEqual({ kind: 'none' })
    expect(say(barge, '¿Cuánto?', true)).toMatchObject({ kind: 'takeFloor', reason: 'words' })
  })

  it('needs two words, final or not, while the agent is not paused', () => {
    const barge = bargeIn(2)
    barge.onset(1_000)
    expect(say(barge, '¿Cuánto?', true)).toEqual({ kind: 'none' })
  })

  it('does not take the floor at a final "Sí." or at a refused word while paused', () => {
    const barge = bargeIn(2)
    barge.onset(1_000)
    barge.tick(1_100)
    const refused = { startMs: 1_000, agentSpeech: AGENT, refused: true }
    expect(barge.words({ text: 'Pero.', isFinal: true, ...refused })).toEqual({ kind: 'none' })
    expect(say(barge, 'Sí.', true)).toEqual({ kind: 'resume', ignored: 'backchannel' })
  })

  it('does not see "para" in "preparado"', () => {
    expect(say(bargeIn(9), 'estoy preparado')).toEqual({ kind: 'none' })
  })

  it.each([
    ['es-MX', 'ajá'],
    ['es-MX', 'Mhm.'],
    ['es-MX', 'sí'],
    ['es-MX', 'Sí, sí, claro.'],
    ['es-MX', 'De acuerdo.'],
    ['en-US', 'uh-huh'],
    ['en-US', 'Yeah, okay.'],
    ['en-US', 'I see.'],
  ])('%s: "%s" alone does not take the floor', (language, text) => {
    const barge = bargeIn(1, language)
    barge.onset(1_000)
    expect(say(barge, text)).toEqual({ kind: 'none' })
    expect(say(barge, text, true)).toEqual({ kind: 'resume', ignored: 'backchannel' })
  })

  it('takes the floor when words follow the backchannel', () => {
    const barge = bargeIn()
    barge.onset(1_000)
    say(barge, 'sí')
    expect(say(barge, 'sí pero cuánto')).toMatchObject({ kind: 'takeFloor' })
  })

  it('resumes at the echo of its own words, but not when two words are repeated', () => {
    const barge = bargeIn()
    barge.onset(1_000)
    expect(say(barge, 'le explico los', true)).toEqual({ kind: 'resume', ignored: 'echo' })
    expect(say(barge, 'los beneficios')).toMatchObject({ kind: 'takeFloor' })
  })

  it('pauses once when the sound has lasted 100 ms, not after 80', () => {
    const barge = bargeIn()
    barge.onset(1_000)
    expect(barge.tick(1_080)).toEqual({ kind: 'none' })
    expect(barge.tick(1_100)).toEqual({ kind: 'pause' })
    expect(barge.tick(1_120)).toEqual({ kind: 'none' })
  })

  it('pauses for a sound without pitch after 800 ms only, and as soon as a pitch is in it', () => {
    const noise = { isEcho: false, isVoice: false }
    const voice = { isEcho: false, isVoice: true }
    const knock = bargeIn()
    expect(knock.onset(1_000, noise)).toEqual({ kind: 'duck' })
    expect(knock.tick(1_100, noise)).toEqual({ kind: 'none' })
    expect(knock.tick(1_780, noise)).toEqual({ kind: 'none' })
    expect(knock.tick(1_800, noise)).toEqual({ kind: 'pause' })
    const hiss = bargeIn()
    hiss.onset(1_000, noise)
    expect(hiss.tick(1_140, noise)).toEqual({ kind: 'none' })
    expect(hiss.tick(1_160, voice)).toEqual({ kind: 'pause' })
    expect(hiss.tick(1_180, noise)).toEqual({ kind: 'none' })
  })

  it('goes on 300 ms after a sound without pitch, however long it was, and waits 800 ms for words after a voice', () => {
    const after = (isVoice: boolean) => {
      const barge = bargeIn()
      barge.onset(1_000, { isEcho: false, isVoice })
      barge.tick(1_800, { isEcho: false, isVoice })
      barge.offset(1_900)
      return barge.tick(2_200, { isEcho: false, isVoice: false })
    }
    expect(after(false)).toEqual({ kind: 'resume', ignored: null })
    expect(after(true)).toEqual({ kind: 'none' })
  })

  it('does not pause for a sound of 80 ms', () => {
    const barge = bargeIn()
    barge.onset(1_000)
    barge.offset(1_080)
    expect(barge.tick(1_100)).toEqual({ kind: 'none' })
  })

  it('resumes 800 ms after a sound without words', () => {
    const barge = bargeIn()
    barge.onset(1_000)
    barge.tick(1_100)
    barge.offset(1_500)
    expect(barge.tick(2_299)).toEqual({ kind: 'none' })
    expect(barge.tick(2_300)).toEqual({ kind: 'resume', ignored: null })
    expect(barge.tick(2_320)).toEqual({ kind: 'none' })
  })

  it('resumes 300 ms after a cough, shorter than 500 ms with the hangover', () => {
    const barge = bargeIn()
    barge.onset(1_000)
    barge.tick(1_100)
    barge.offset(1_480)
    expect(barge.tick(1_779)).toEqual({ kind: 'none' })
    expect(barge.tick(1_780)).toEqual({ kind: 'resume', ignored: null })
  })

  it('resumes 100 ms behind a partial "ajá", and not when more words follow it', () => {
    const over = (text: string) => {
      const barge = bargeIn(3)
      barge.onset(1_000)
      barge.tick(1_100)
      const words = { startMs: 1_000, isFinal: false, agentSpeech: '' }
      barge.words({ ...words, text: 'ajá' })
      barge.offset(1_600)
      barge.words({ ...words, text })
      expect(barge.tick(1_680)).toEqual({ kind: 'none' })
      return barge.tick(1_700)
    }
    expect(over('ajá')).toEqual({ kind: 'resume', ignored: 'backchannel' })
    expect(over('ajá pero')).toEqual({ kind: 'none' })
  })

  it('resumes under noise of 2000 ms without a word', () => {
    const barge = bargeIn()
    barge.onset(1_000)
    expect(barge.tick(1_100)).toEqual({ kind: 'pause' })
    expect(barge.tick(2_980)).toEqual({ kind: 'none' })
    expect(barge.tick(3_000)).toEqual({ kind: 'resume', ignored: null })
  })

  it('does not duck or pause again for 10 s of the same noise, and does at the next onset', () => {
    const barge = bargeIn()
    barge.onset(1_000)
    const actions: string[] = []
    for (let atMs = 1_020; atMs <= 13_000; atMs += 20) actions.push(barge.tick(atMs).kind)
    expect(actions.filter((kind) => kind !== 'none')).toEqual(['pause', 'resume'])
    expect(barge.onset(13_100)).toEqual({ kind: 'duck' })
    expect(barge.tick(13_200)).toEqual({ kind: 'pause' })
  })

  it('gives way to nothing when the agent begins anew over that noise, and to the sound that begins after it', () => {
    const barge = bargeIn()
    barge.onset(1_000)
    barge.tick(1_100)
    expect(barge.tick(3_000)).toMatchObject({ kind: 'resume' })
    barge.reset()
    expect(barge.goesOn(4_000)).toEqual({ kind: 'none' })
    expect(barge.tick(4_100)).toEqual({ kind: 'none' })
    barge.offset(5_000)
    barge.reset()
    expect(barge.goesOn(6_000)).toEqual({ kind: 'duck' })
    expect(barge.tick(6_100)).toEqual({ kind: 'pause' })
  })

  it('takes the floor at words that come 1 s after their sound was taken for noise', () => {
    const barge = bargeIn()
    barge.onset(1_000)
    barge.tick(1_100)
    barge.tick(3_000)
    expect(barge.tick(4_000)).toEqual({ kind: 'none' })
    expect(say(barge, 'cuánto cuesta')).toMatchObject({ kind: 'takeFloor', onsetMs: 1_000 })
  })

  it('waits 2000 ms for words after a final "ajá" in a sound that goes on, however long it was', () => {
    const barge = bargeIn()
    barge.onset(1_000)
    barge.tick(1_100)
    say(barge, 'ajá')
    expect(barge.tick(4_000)).toEqual({ kind: 'none' })
    expect(say(barge, 'ajá', true)).toEqual({ kind: 'resume', ignored: 'backchannel' })
    expect(barge.tick(4_020)).toEqual({ kind: 'duck' })
    expect(barge.tick(4_040)).toEqual({ kind: 'pause' })
    expect(barge.tick(6_000)).toEqual({ kind: 'none' })
    expect(barge.tick(6_020)).toEqual({ kind: 'resume', ignored: null })
    expect(barge.tick(6_040)).toEqual({ kind: 'none' })
  })
})

describe('barge-in with an echo on the line', () => {
  const settings = { language: 'es-MX', interruptionWords: 1, stopWords: ['espera'] }
  const agentSpeech = 'Con gusto le explico todos los beneficios'
  const echo = { isEcho: true }

  function echoing(): BargeIn {
    const bargeIn = new BargeIn(settings)
    expect(bargeIn.onset(1_000, echo)).toEqual({ kind: 'none' })
    for (let atMs = 1_020; atMs < 1_400; atMs += 20) {
      expect(bargeIn.tick(atMs, echo)).toEqual({ kind: 'none' })
    }
    return bargeIn
  }

  it('neither ducks nor pauses for 400 ms of it', () => {
    echoing()
  })

  it('takes no floor for two of the agent’s words, which are too few to be known by their text', () => {
    const words = { text: 'los beneficios', isFinal: false, startMs: 1_000, agentSpeech }
    expect(echoing().words(words)).toEqual({ kind: 'none' })
  })

  it('takes the floor for two words that the agent did not say', () => {
    const words = { text: 'cuánto cuesta', isFinal: false, startMs: 1_000, agentSpeech }
    expect(echoing().words(words)).toMatchObject({ kind: 'takeFloor', reason: 'words' })
  })

  it('takes the floor for one stop word that the agent did not say, not for one that it did', () => {
    const words = { text: 'espera', isFinal: false, startMs: 1_000, agentSpeech }
    expect(echoing().words(words)).toMatchObject({ kind: 'takeFloor', reason: 'stopWord' })
    const said = { ...words, agentSpeech: 'Le espera un descuento' }
    expect(echoing().words(said)).toEqual({ kind: 'none' })
  })

  it('ducks as soon as the sound is the user’s own, and pauses with it', () => {
    const bargeIn = echoing()
    expect(bargeIn.tick(1_400, { isEcho: false })).toEqual({ kind: 'duck' })
    expect(bargeIn.tick(1_420, { isEcho: false })).toEqual({ kind: 'pause' })
  })
})
