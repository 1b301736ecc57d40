/**
 * A program that stops while its speech models load, for embedded-stop.test.ts.
 *
 * Arguments: when to stop (ms after the start, or `ready`) and whether to `close` the providers before the exit.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { EmbeddedStt } from '../../server/providers/embedded-stt.ts'
import { EmbeddedTts } from '../../server/providers/embedded-tts.ts'

const [when, how] = process.argv.slice(2)
const providers = [new EmbeddedStt({ workers: 1 }), new EmbeddedTts()]
const warmed = Promise.allSettled(providers.map((provider) => provider.warm()))
await (when === 'ready' ? warmed : delay(Number(when)))
if (how === 'close') await Promise.all(providers.map((provider) => provider.close()))
process.exit(0)
