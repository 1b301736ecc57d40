/**
 * Which words were in the audio that was played? Independent of the product's ledger: a sentence's first k words are
 * spoken by themselves, and the length of that speech is where word k ends. A word was heard when more than half of it
 * was played.
 */
import type { SpeechVoice } from '../rig/speech.ts'
import type { AgentSpeech } from './simulated-call.ts'
import { audible } from './hesitant-speech.ts'
import { SAMPLES_PER_MS } from './user-line.ts'

export class HeardTruth {
  readonly #voice: SpeechVoice
  readonly #ends = new Map<string, number[]>()

  constructor(voice: SpeechVoice) {
    this.#voice = voice
  }

  /** Words of the agent's turn within the first `playedMs` of its audio. */
  async wordsHeard(agent: AgentSpeech, playedMs: number, language: string): Promise<number> {
    let words = 0
    let fromMs = 0
    for (const [sentence, pcm] of agent.pcmOf) {
      const ends = await this.#wordEnds(sentence, pcm, language)
      let startMs = 0
      for (const endMs of ends) {
        if (fromMs + (startMs + endMs) / 2 < playedMs) words += 1
        startMs = endMs
      }
      fromMs += pcm.length / SAMPLES_PER_MS
    }
    return words
  }

  /** ms from the sentence's first sample to the end of each word. */
  async #wordEnds(sentence: string, whole: Int16Array, language: string): Promise<number[]> {
    const known = this.#ends.get(sentence)
    if (known) return known
    const words = sentence.split(/\s+/)
    const leadMs = (audible(whole).byteOffset - whole.byteOffset) / 2 / SAMPLES_PER_MS
    const ends: number[] = []
    for (let count = 1; count <= words.length; count++) {
      const { pcm } = await this.#voice.say(words.slice(0, count).join(' '), language)
      ends.push(leadMs + audible(pcm).length / SAMPLES_PER_MS)
    }
    this.#ends.set(sentence, ends)
    return ends
  }
}
