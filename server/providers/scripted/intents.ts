/** What a user's sentence wants, by its likeness to examples. Deterministic; no model. */
import type { SpeechLanguage } from '../moonshine-package.ts'
import { ENGLISH_EXAMPLES, SPANISH_EXAMPLES } from './intent-examples.ts'
import type { Examples } from './intent-examples.ts'
import { StemWeights, plainWords, stems, wordLikeness } from './text-likeness.ts'

export type Intent =
  | 'goodbye'
  | 'human'
  | 'repeat'
  | 'wait'
  | 'price'
  | 'robot'
  | 'who'
  | 'purpose'
  | 'notInterested'
  | 'busy'
  | 'smalltalk'
  | 'thanks'
  | 'greeting'
  | 'question'
  | 'yes'
  | 'no'
  | 'statement'
  | 'silence'

const YES =
  /^(?:si|sip|simon|aja|claro|por supuesto|de acuerdo|esta bien|ok|okay|okey|vale|va|adelante|correcto|asi es|bueno|bien|perfecto|me parece|me interesa|me gustaria|afirmativo|sale|orale|andale|con (?:mucho )?gusto|puede ser|exacto|desde luego|digame|creo que si|como no|por que no|no hay (?:problema|inconveniente)|no veo por que no|yes|yeah|yep|yup|sure|of course|go ahead|correct|right|fine|that works|sounds good|i would|i do|all right|alright|absolutely|great|i think so|why not|no problem|uh huh)\b/
const NO =
  /^(?:no|nada|para nada|tampoco|negativo|nunca|ninguno|ninguna|nadie|todavia no|aun no|casi no|ahorita no|ahora no|hoy no|por ahora no|por el momento no|de momento no|creo que no|mejor no|quizas? despues|tal vez despues|nope|nah|not|never|none|nobody|i don t|i do not)\b/
/** "¿Cómo no?", "why not". */
const YES_IN_A_QUESTION = /^(?:como no|por que no|why not)\b/
/** What people begin with before the word that counts ("pues sí", "bueno, no"). */
const LEAD_IN =
  /^(?:(?:bueno|pues|ah|eh|este|mmm?|hola|mire|fijese|oiga|ay|uy|la verdad|buenos dias|buenas tardes|buenas noches|well|um|uh|oh|so|hello|hi|good morning) )+(?=\p{L})/u
const REPEAT =
  /\b(?:repet(?:ir\p{L}*|i)|repit[ae]\p{L}*|repeat|say (?:that|it) again|come again)\b|\bno (?:le |te |la |lo |los |les |se |me )*(?:escuch|oig|oy|oi\b|entend|entiend|alcanc)|\b(?:como|que) (?:dijo|dice|dijiste)\b|\b(?:didn t|couldn t|can t|cannot|did not|could not|don t) (?:quite )?(?:hear|catch|understand|get (?:that|it))\b|^(?:(?:perdon|perdone|disculpe|sorry|excuse me) )?(?:como|mande|que|eh|what|pardon|huh|what was that|que cosa|como asi|otra vez)$|^(?:perdon|perdone|disculpe|sorry|excuse me|pardon me)$/u
const WAIT =
  /\b(?:(?:i|e)sper(?:e|a|ame|eme|en|enme|es)|aguard(?:e|a|eme|ame)|(?:permit|dej)[ae]me (?:un|tantito)|hold on|hang on|wait|bear with me)\b|^(?:\p{L}+ ){0,2}(?:un|dame un|deme un|one|a|just a|give me a) (?:momento|momentito|segundo|segundito|minuto|minutito|moment|second|minute|sec)\b|^(?:permitame|permiteme|para|parale|alto|stop|oye|oiga|tantito)$/u
/** "Tengo un momento" is no request to wait, and "un momento" behind it is not one, either. */
const HAS_TIME =
  /\b(?:teng|tien|tenem|hay|have|got|es |buen|good|en un|in a)\p{L}* ?(?:un |una |unos |algo de |poco de |a |some |few |poquito de )*(?:moment|minut|segund|tiempo|rat[oi]|time|second)/u
const PRICE =
  /\b(?:cuanto (?:\p{L}+ )?(?:cuest|vale|sale|cobra|costar|seria|hay que pagar)\p{L}*|que (?:precio|costo)|(?:tiene|algun) (?:costo|precio)|es gratis|es gratuit[oa]|how much|is it free|any (?:cost|charge|fee)|what (?:does it|do you) (?:cost|charge))\b/u
const PRICE_WORD = /\b(?:precios?|costos?|tarifas?|cobran|cuesta|prices?|cost|fee)\b/
const GOODBYE = /\b(?:adios|hasta (?:luego|pronto|manana)|nos vemos|goodbye|bye)\b/
const ABOUT_CALL =
  /\b(?:l[eoa]s? (?:escuch|oig|oy)|(?:te|se) (?:escuch|oy|oig)|sigo aqui|aqui (?:sigo|estoy|ando)|ya estoy(?: aqui| list[oa]| de vuelta)?$|ya regrese|can hear|i hear you|still here|i am here|i m here|i m back)/
/** What ends a wait without saying more. */
const RESUMES =
  /^(?:(?:ya|listo|lista|ok|okay|okey|si|bueno|gracias|digame|siga|continue|adelante|aqui estoy|ya estoy|ya regrese|muy bien|esta bien|perdon|disculpe|por favor|ahora si|yes|i m back|go ahead|go on|ready|sorry|all right|alright)(?: |$))+$/
/** Words that carry no answer by themselves. */
const FILLERS = new Set(
  plainWords(
    `si sip claro que por supuesto de acuerdo esta bien muy ok okay okey vale va adelante correcto asi es bueno perfecto
    sale orale con mucho gusto digame pues este eh ah mm mmm hm aja hola buenos buenas dias tardes noches gracias favor
    mire oiga a ver yo no se la verdad ya listo usted le les contesto escucho ayudo platico pregunte diga entiendo
    yes yeah yep sure of course go ahead fine well um uh oh hello hi good morning afternoon thanks thank you so please
    it is s i we have it's my me`,
  ),
)
const QUESTION =
  /^(?:y |pero |oiga |oye |disculpe |perdone |and |but |so )?(?:que (?!si\b|no\b)|cual|cuales|cuanto|cuanta|cuantos|cuantas|como (?:puedo|se|es|funciona|hago|seria)|donde|por que|quien|tienen|hacen|ofrecen|aceptan|puedo|what|which|how|where|when|why|who|do you|does|is it|is there|are there|can you|could you|will you)\b/
const WANTS_TO_KNOW =
  /\b(?:(?:queria|quisiera|quiero|me gustaria) (?:saber|preguntar)|(?:wanted|want|like) to (?:know|ask))\b/
const ROBOT =
  /\b(?:robot|bot|maquina|contestadora|grabacion|inteligencia artificial|machine|recording)\b/
/** Intents that a sentence which begins with "sí" cannot have, however alike it is ("sí, me interesa"). */
const NOT_WITH_YES = new Set<Intent>(['greeting', 'smalltalk', 'notInterested', 'busy'])
const MUST_SCORE = 0.66

interface Example {
  intent: Intent
  /** Indexes of its stems in the scorer's vocabulary. */
  words: number[]
  weight: number
}

class IntentScorer {
  readonly #examples: Example[]
  readonly #weights: StemWeights
  readonly #vocabulary: string[]
  readonly #vocabularyWeights: number[]

  constructor(examples: Examples) {
    const texts = Object.values(examples).flat()
    this.#weights = new StemWeights(texts)
    this.#vocabulary = [...new Set(texts.flatMap(stems))]
    this.#vocabularyWeights = this.#vocabulary.map((word) => this.#weights.of(word))
    this.#examples = Object.entries(examples).flatMap(([intent, own]) =>
      own.map((text) => {
        const words = stems(text).map((word) => this.#vocabulary.indexOf(word))
        const weight = words.reduce((sum, word) => sum + this.#vocabularyWeights[word]!, 0)
        return { intent: intent as Intent, words, weight }
      }),
    )
  }

  /** The likest example's intent, when it is like enough. */
  best(text: string): Intent | null {
    const words = stems(text)
    const weights = words.map((word) => this.#weights.of(word))
    const weight = weights.reduce((sum, each) => sum + each, 0)
    // Each pair of words once: the examples share most of theirs.
    const likeness = words.map((word) => this.#vocabulary.map((known) => wordLikeness(word, known)))
    let best: Intent | null = null
    let top = MUST_SCORE
    for (const example of this.#examples) {
      let ofExample = 0
      for (const known of example.words) {
        let like = 0
        for (const row of likeness) like = Math.max(like, row[known]!)
        ofExample += this.#vocabularyWeights[known]! * like
      }
      let ofText = 0
      for (const [index, row] of likeness.entries()) {
        let like = 0
        for (const known of example.words) like = Math.max(like, row[known]!)
        ofText += weights[index]! * like
      }
      const score = (ofExample / example.weight) ** 0.7 * (ofText / weight) ** 0.3
      if (score > top) {
        top = score
        best = example.intent
      }
    }
    return best
  }
}

const scorers: Record<SpeechLanguage, IntentScorer> = {
  es: new IntentScorer(SPANISH_EXAMPLES),
  en: new IntentScorer(ENGLISH_EXAMPLES),
}

/** Sentences whose intent is kept: a call's history is looked at again at each of its turns. */
const REMEMBERED_LIMIT = 4_000
const remembered = new Map<string, Intent>()

/** Yes and no are told by how a sentence begins; "sí, pero ¿cuánto cuesta?" is a question all the same. */
export function intentOf(text: string, language: SpeechLanguage): Intent {
  const key = `${language} ${text}`
  let intent = remembered.get(key)
  if (intent === undefined) {
    intent = judge(text, language)
    if (remembered.size >= REMEMBERED_LIMIT) remembered.clear()
    remembered.set(key, intent)
  }
  return intent
}

function judge(text: string, language: SpeechLanguage): Intent {
  const words = plainWords(text)
  if (words.length === 0) return 'silence'
  const plain = words.join(' ')
  // "¿Bueno?" is how Mexico answers the phone.
  if (plain === 'bueno' && text.includes('?')) return 'greeting'
  const core = plain.replace(LEAD_IN, '')
  const yes = YES.test(core) || YES.test(plain)
  const no = NO.test(core) && !YES.test(core)
  const asks = text.includes('?') || QUESTION.test(plain) || WANTS_TO_KNOW.test(plain)
  const best = scorers[language].best(text)
  if (REPEAT.test(plain) && best !== 'human') return 'repeat'
  if (WAIT.test(plain) && !HAS_TIME.test(plain)) return 'wait'
  if (ROBOT.test(plain) && asks) return 'robot'
  if (PRICE.test(plain) || (asks && PRICE_WORD.test(plain))) return 'price'
  if (best === 'thanks' && (yes || no)) return yes ? 'yes' : 'no'
  const beginsWithYes = yes && !(no && YES.test(plain))
  if (best !== null && !(beginsWithYes && NOT_WITH_YES.has(best))) return best
  if (GOODBYE.test(plain) && !asks) return 'goodbye'
  if (asks && !YES_IN_A_QUESTION.test(core)) return 'question'
  if (no) return 'no'
  return yes ? 'yes' : 'statement'
}

/** About the line or the moment ("le escucho", "tengo un momento"): no answer to any other question. */
export function isAboutCall(text: string): boolean {
  const plain = plainWords(text).join(' ')
  return ABOUT_CALL.test(plain) || HAS_TIME.test(plain)
}

/** "Ya, listo", "dígame": the user is back after "un momento". */
export function resumes(text: string): boolean {
  return RESUMES.test(plainWords(text).join(' '))
}

/** @param word plain (see plainWords) */
export function isFiller(word: string): boolean {
  return FILLERS.has(word)
}
