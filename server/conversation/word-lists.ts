/**
 * The words that turn-taking knows, per language, in the form `normalise` gives them (no accents, lower case).
 * A language without its own list uses English.
 */
export interface WordLists {
  /** A turn that ends on one of these goes on: conjunctions, prepositions, articles, possessives. */
  open: ReadonlySet<string>
  /** The same for phrases whose last word alone may end a turn ("no sé si", but "sí"). */
  openPhrases: readonly string[]
  /** A turn that ends on one of these is over. */
  closingPhrases: readonly string[]
  /** Join a second clause to the first. */
  clauseWords: ReadonlySet<string>
  /** A turn that begins with one of these is a question, also without its mark. */
  questionWords: ReadonlySet<string>
  /** The same for verbs that want an object ("quiero"), unless the turn answers yes or no: "no quiero". */
  leadVerbs: ReadonlySet<string>
  yesNo: ReadonlySet<string>
  /** A turn that ends on a lead verb and one of these goes on: "I am not". */
  negations: ReadonlySet<string>
  /** Pronouns with their verb: "I'm not". */
  contractedVerbs: ReadonlySet<string>
  /** Joins tens and units ("treinta y cinco"). */
  numberJoiner: string
  /** Sounds of somebody who is still looking for the word. */
  fillers: ReadonlySet<string>
  fillerPhrases: readonly string[]
  backchannels: ReadonlySet<string>
  backchannelPhrases: ReadonlySet<string>
  /** Complete answers by themselves, however short. */
  shortAnswers: ReadonlySet<string>
  /** Number words, each with the count of digits it stands for in a dictated number. */
  numbers: ReadonlyMap<string, number>
  /** Announce a number of which nobody knows how long it is. */
  countedThings: ReadonlySet<string>
  /** Before a number it is a time: "a las diez". */
  timeWords: ReadonlySet<string>
  emailWords: ReadonlySet<string>
  emailEndings: readonly string[]
  /** Announce an address. */
  addressWords: ReadonlySet<string>
  /** Stands for "." in a dictated address. */
  dot: string
  /** What announces a number, and how many digits it has. */
  numberLengths: readonly (readonly [phrase: string, digits: number])[]
  /** Written with a full stop that ends no sentence; without the stop. */
  abbreviations: ReadonlySet<string>
}

const set = (words: string): ReadonlySet<string> => new Set(words.split(/\s+/).filter(Boolean))

function numbers(oneDigit: string, twoDigits: string, more: string): ReadonlyMap<string, number> {
  const map = new Map<string, number>()
  for (const word of set(oneDigit)) map.set(word, 1)
  for (const word of set(twoDigits)) map.set(word, 2)
  for (const word of set(more)) map.set(word, 3)
  return map
}

const SPANISH: WordLists = {
  open: set(`y e o u ni pero sino aunque porque pues que como cuando donde mientras entonces ademas
    a ante bajo con contra de del desde en entre hacia hasta para por segun sin sobre tras al durante
    el la los las lo un una unos unas mi mis tu tus su sus este estos estas ese esa esos esas
    muy tan se me te le les nos cual cuyo incluso excepto salvo nuestro nuestra nuestros nuestras cada casi algun
    ningun cualquier mediante aun apenas cuya cuyos cuyas primer gran medio`),
  openPhrases: [
    ...['se si', 'saber si', 'ver si', 'si pero', 'no pero', 'la verdad', 'despues de que'],
    ...[
      'preguntar si',
      'decir si',
      'por lo menos',
      'al menos',
      'mas o menos',
      'alrededor',
      'a partir',
    ],
    ...['ya no', 'todavia no', 'aparte', 'en vez', 'debido', 'junto'],
  ],
  closingPhrases: [
    ...['por favor', 'gracias', 'hasta luego', 'adios', 'nada mas', 'eso es todo', 'buenas tardes'],
    ...['buenos dias', 'esta bien', 'me interesa', 'de la tarde', 'de la manana', 'por la tarde'],
  ],
  clauseWords: set('pero porque aunque que si cuando donde para y'),
  questionWords: set('que cual cuales quien cuanto cuanta cuantos cuantas'),
  leadVerbs: set(
    `es son era soy estoy esta fue sera ser estar quiero quisiera necesito tengo llamo llama eran seria estan estamos
    estaba estaban somos tiene tenemos tienen tenia teniamos hay habia quiere queremos quisieramos necesita
    necesitamos necesitaria gustaria podria podriamos deberia buscamos busco vendemos hacemos manejamos`,
  ),
  yesNo: set('si no asi'),
  negations: set(''),
  contractedVerbs: set(''),
  numberJoiner: 'y',
  fillers: set('eh ehm em este mmm mm hmm um ah osea digo bueno pues'),
  fillerPhrases: [
    'o sea',
    'es que',
    'a ver',
    'como se dice',
    'dejeme ver',
    'dejame ver',
    'un segundo',
  ],
  backchannels: set(
    'aja aha mhm mjm mm mmm hm hmm si ok okay vale ya claro ah oh uh huh sale orale',
  ),
  backchannelPhrases: new Set([
    'de acuerdo',
    'asi es',
    'ya veo',
    'entiendo',
    'si entiendo',
    'correcto',
    'exacto',
    'muy bien',
    'perfecto',
    'ya entiendo',
    'ah ya',
    'que bien',
    'comprendo',
    'por supuesto',
    'desde luego',
    'esta bien',
  ]),
  shortAnswers:
    set(`si no ok okay vale claro bien gracias adios hola bueno correcto exacto perfecto listo nada
    nadie ninguno ninguna ambos aqui yo manana hoy tarde noche igualmente diga digame mande`),
  numbers: numbers(
    'cero uno una dos tres cuatro cinco seis siete ocho nueve',
    `diez once doce trece catorce quince dieciseis diecisiete dieciocho diecinueve veinte veintiuno veintidos
     veintitres veinticuatro veinticinco veintiseis veintisiete veintiocho veintinueve treinta cuarenta cincuenta
     sesenta setenta ochenta noventa`,
    'cien ciento doscientos trescientos cuatrocientos quinientos seiscientos setecientos ochocientos novecientos',
  ),
  emailWords: set('arroba @'),
  addressWords: set('correo email mail'),
  dot: 'punto',
  numberLengths: [
    ['codigo postal', 5],
    ['extension', 3],
    ['telefono', 10],
    ['celular', 10],
    ['whatsapp', 10],
    ['mi numero es', 10],
  ],
  countedThings: set(
    'folio referencia cuenta codigo clave poliza contrato pedido nip pin placas termina terminacion',
  ),
  timeWords: set('las'),
  emailEndings: ['com', 'com mx', 'mx', 'net', 'org', 'es', 'edu', 'gob mx'],
  abbreviations:
    set(`sr sra srta sres dr dra lic ing arq prof mtro mtra ud uds vd av avda col num no tel ext
    pag fig art cap vol etc ej aprox depto dpto int cd edo gral hno hnos ltda cia jr ma mons sto sta p a m ee uu c`),
}

const ENGLISH: WordLists = {
  open: set(`and or but nor so because although though while if when where that which who whose than then also
    whether next every a an the of to in on at by for from with without about into over under between through during before after
    my your his our their these those some any very im i names since until till per via toward towards among against
    within near behind beside besides except unless whereas as around almost nearly each either neither another
    we they he she youre were theyre its weve ive id wed`),
  openPhrases: [
    ...['yes but', 'no but', 'not sure if', 'you know if', 'wondering if', 'ask if', 'tell me if'],
    ...['at least', 'such as', 'due to', 'because of', 'in order', 'as well', 'a lot', 'out of'],
  ],
  closingPhrases: [
    ...['please', 'thanks', 'thank you', 'thank you very much', 'goodbye', 'bye', 'that is all'],
    ...[
      'that is fine',
      'thats fine',
      'thats all',
      'go ahead',
      'in the afternoon',
      'in the morning',
    ],
  ],
  clauseWords: set('but because although that if when where so and to'),
  questionWords: set('what which who whom when where why how'),
  leadVerbs: set(
    `am is are was were be been want need have has had would like will can could should its wants wanted needs needed
    may might must shall cannot going trying looking`,
  ),
  yesNo: set('yes no not dont cant yeah'),
  negations: set('not'),
  contractedVerbs: set('im youre hes shes were theyre its thats'),
  numberJoiner: 'and',
  fillers: set('uh um umm er erm hmm mm mmm well like so'),
  fillerPhrases: [
    'you know',
    'i mean',
    'let me see',
    'let me think',
    'hold on',
    'one second',
    'kind of',
    'sort of',
  ],
  backchannels: set(
    'aha uh huh mhm mm mmm hm hmm yeah yes yep yup ok okay right sure ah oh cool great fine',
  ),
  backchannelPhrases: new Set([
    'i see',
    'got it',
    'of course',
    'all right',
    'sounds good',
    'makes sense',
    'go on',
    'i understand',
    'i know',
    'understood',
    'i get it',
    'that makes sense',
    'very good',
    'no problem',
  ]),
  shortAnswers:
    set(`yes no yeah yep nope ok okay sure right fine good thanks bye hi hello none nobody both me here
    today tomorrow tonight maybe correct exactly great`),
  numbers: numbers(
    'zero oh one two three four five six seven eight nine',
    `ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen twenty thirty forty fifty
     sixty seventy eighty ninety double`,
    'hundred triple',
  ),
  emailWords: set('at @'),
  addressWords: set('email mail'),
  dot: 'dot',
  numberLengths: [
    ['zip code', 5],
    ['extension', 3],
    ['phone is', 10],
    ['phone number', 10],
    ['my number is', 10],
    ['reach me at', 10],
  ],
  countedThings: set(
    'reference account code order policy contract confirmation case pin id ends ending',
  ),
  timeWords: set('at'),
  emailEndings: ['com', 'net', 'org', 'io', 'edu', 'co', 'co uk', 'gov'],
  abbreviations:
    set(`mr mrs ms dr prof st ave blvd rd apt no ext vs etc jr sr inc ltd co corp dept est approx fig
    vol p a m u s e g i`),
}

/** Lists for a BCP 47 tag: Spanish for es-*, else English. */
export function wordLists(language: string): WordLists {
  return language.toLowerCase().startsWith('es') ? SPANISH : ENGLISH
}
