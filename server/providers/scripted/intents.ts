/** What a user's sentence wants, by its likeness to examples. Deterministic; no model. */
import type { SpeechLanguage } from '../moonshine-package.ts'
import { StemWeights, plainWords, stems } from './text-likeness.ts'

export type Intent =
  | 'goodbye'
  | 'human'
  | 'repeat'
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

type Examples = Partial<Record<Intent, string[]>>

const SPANISH: Examples = {
  goodbye: [
    'adiós',
    'hasta luego',
    'hasta mañana',
    'nos vemos',
    'ya me voy',
    'tengo que colgar',
    'voy a colgar',
    'eso es todo',
    'eso sería todo',
    'que tenga buen día',
    'bye',
  ],
  human: [
    'quiero hablar con una persona',
    'páseme con un humano',
    'quiero hablar con un asesor',
    'con un ejecutivo',
    'puedo hablar con alguien',
    'páseme al gerente',
    'operadora por favor',
    'me puede transferir',
    'transfiérame',
    'comuníqueme con una persona',
    'persona real',
  ],
  repeat: [
    'me lo repite',
    'puede repetir',
    'repita por favor',
    'no le escuché',
    'no escuché bien',
    'cómo dijo',
    'qué dijo',
    'otra vez por favor',
    'no le entendí',
    'no entendí',
    'mande',
    'perdón cómo',
    'no se oye',
    'no le oigo',
  ],
  robot: [
    'eres un robot',
    'es una máquina',
    'es una grabación',
    'eres una persona',
    'eres inteligencia artificial',
    'eres real',
    'hablo con una máquina',
  ],
  who: [
    'quién eres',
    'quién es usted',
    'quién habla',
    'quién llama',
    'de parte de quién',
    'cómo te llamas',
    'cómo se llama usted',
    'con quién hablo',
    'de qué empresa llama',
    'de dónde me habla',
  ],
  purpose: [
    'para qué me llama',
    'cuál es el motivo de la llamada',
    'de qué se trata',
    'qué ofrecen',
    'qué me ofrece',
    'qué hacen ustedes',
    'a qué se dedican ustedes',
    'qué venden',
    'en qué me puede ayudar',
  ],
  notInterested: [
    'no me interesa',
    'no estoy interesado',
    'no estoy interesada',
    'no gracias',
    'no quiero nada',
    'no me llame más',
    'no me vuelva a llamar',
    'quíteme de su lista',
    'déjeme en paz',
  ],
  busy: [
    'estoy ocupado',
    'estoy ocupada',
    'no puedo hablar ahora',
    'ahora no puedo',
    'es mal momento',
    'no es buen momento',
    'llámeme más tarde',
    'llame después',
    'estoy manejando',
    'estoy en una junta',
    'estoy en una reunión',
    'no tengo tiempo',
  ],
  smalltalk: [
    'cómo está',
    'cómo estás',
    'qué tal está',
    'cómo le va',
    'qué tal su día',
    'qué clima hace',
    'cuénteme un chiste',
  ],
  thanks: ['gracias', 'muchas gracias', 'muy amable', 'se lo agradezco'],
  greeting: ['hola', 'hola buenos días', 'buenos días', 'buenas tardes', 'buenas noches', 'aló'],
}

const ENGLISH: Examples = {
  goodbye: [
    'goodbye',
    'bye',
    'bye bye',
    'see you',
    'talk to you later',
    'i have to go',
    'i am hanging up',
    'that is all',
    'that would be all',
    'have a nice day',
  ],
  human: [
    'i want to talk to a person',
    'can i speak to a human',
    'speak with someone',
    'talk to an agent',
    'a real person please',
    'give me the manager',
    'operator please',
    'transfer me',
    'connect me with someone',
  ],
  repeat: [
    'can you repeat that',
    'say that again',
    'repeat please',
    'what did you say',
    'i did not hear you',
    'i did not understand',
    'pardon',
    'come again',
    'i cannot hear you',
  ],
  robot: [
    'are you a robot',
    'is this a machine',
    'is this a recording',
    'are you a real person',
    'are you human',
    'are you artificial intelligence',
  ],
  who: [
    'who are you',
    'who is this',
    'who is calling',
    'what is your name',
    'what company are you with',
    'where are you calling from',
  ],
  purpose: [
    'why are you calling',
    'what is this about',
    'what do you offer',
    'what do you do',
    'what are you selling',
    'how can you help me',
  ],
  notInterested: [
    'i am not interested',
    'not interested',
    'no thank you',
    'no thanks',
    'do not call me again',
    'take me off your list',
    'leave me alone',
  ],
  busy: [
    'i am busy',
    'i cannot talk now',
    'not a good time',
    'it is a bad time',
    'call me later',
    'i am driving',
    'i am in a meeting',
    'i have no time',
  ],
  smalltalk: [
    'how are you',
    'how are you doing',
    'how is it going',
    'how is your day',
    'how is the weather',
    'tell me a joke',
  ],
  thanks: ['thanks', 'thank you', 'thank you very much', 'i appreciate it'],
  greeting: ['hello', 'hi', 'good morning', 'good afternoon', 'good evening', 'hey there'],
}

const YES =
  /^(?:si|claro|por supuesto|de acuerdo|esta bien|ok|okay|okey|vale|adelante|correcto|asi es|bueno|perfecto|me parece|me interesa|me gustaria|afirmativo|sale|orale|andale|con (?:mucho )?gusto|puede ser|exacto|desde luego|digame|yes|yeah|yep|yup|sure|of course|go ahead|correct|right|fine|that works|sounds good|i would|i do|all right|alright|absolutely|great)\b/
const NO =
  /^(?:no|nada|para nada|tampoco|negativo|nunca|ninguno|ninguna|todavia no|aun no|nope|nah|not|never|none)\b/
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
  words: string[]
}

class IntentScorer {
  readonly #examples: Example[]
  readonly #weights: StemWeights

  constructor(examples: Examples) {
    this.#examples = Object.entries(examples).flatMap(([intent, texts]) =>
      texts.map((text) => ({ intent: intent as Intent, words: stems(text) })),
    )
    this.#weights = new StemWeights(Object.values(examples).flat())
  }

  /** The likest example's intent, when it is like enough. */
  best(text: string): Intent | null {
    const words = stems(text)
    let best: Intent | null = null
    let top = MUST_SCORE
    for (const example of this.#examples) {
      const exampleFound = this.#weights.coverage(example.words, words)
      const textFound = this.#weights.coverage(words, example.words)
      const score = exampleFound ** 0.7 * textFound ** 0.3
      if (score > top) {
        top = score
        best = example.intent
      }
    }
    return best
  }
}

const scorers: Record<SpeechLanguage, IntentScorer> = {
  es: new IntentScorer(SPANISH),
  en: new IntentScorer(ENGLISH),
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
  const best = scorers[language].best(text)
  const yes = YES.test(plain)
  const no = NO.test(plain)
  if (best === 'thanks' && (yes || no)) return yes ? 'yes' : 'no'
  const asks = text.includes('?') || QUESTION.test(plain) || WANTS_TO_KNOW.test(plain)
  if (ROBOT.test(plain) && asks) return 'robot'
  if (best !== null && !(yes && NOT_WITH_YES.has(best))) return best
  if (asks) return 'question'
  if (yes) return 'yes'
  if (no) return 'no'
  return 'statement'
}
