/**
 * Which words were in the audio that was played? Independent of the product's ledger, by speaking parts of the sentence:
 *
 *   whole    |── le explico cómo funciona ──|
 *   rest               |── cómo funciona ──|     whole − rest = where "cómo" begins (both end with the same melody)
 *
 * A word was heard when more than half of it was played; a pause behind it does not count as the word.
 */
import type { SpeechVoice } from '../rig/speech.ts'
import type { AgentSpeech } from './simulated-call.ts'
import { audible } from './hesitant-speech.ts'
import { SAMPLES_PER_MS } from './user-line.ts'

/** The embedded voice's pause at a comma. */
const PAUSE_MS = 300

export interface SpokenByAgent {
  agent: AgentSpeech
  agentVoice: SpeechVoice
  language: string
}

export class HeardTruth {
  readonly #starts = new Map<Int16Array, number[]>()

  /** Words of the agent's turn within the first `playedMs` of its audio. */
  async wordsHeard(
    { agent, agentVoice, language }: SpokenByAgent,
    playedMs: number,
  ): Promise<number> {
    let words = 0
    let fromMs = 0
    for (const [sentence, pcm] of agent.pcmOf) {
      // Finding word starts costs an utterance a word: not for a sentence of which nothing was played.
      if (fromMs >= playedMs) break
      const starts = await this.#wordStarts(sentence, pcm, { agentVoice, language })
      const texts = sentence.split(/\s+/)
      starts.forEach((startMs, i) => {
        const nextMs = starts[i + 1] ?? pcm.length / SAMPLES_PER_MS
        const pauseMs = /[,;:]$/.test(texts[i] ?? '') ? PAUSE_MS : 0
        if (fromMs + (startMs + nextMs - pauseMs) / 2 < playedMs) words += 1
      })
      fromMs += pcm.length / SAMPLES_PER_MS
    }
    return words
  }

  /** ms from the sentence's first sample to the beginning of each word. */
  async #wordStarts(
    sentence: string,
    whole: Int16Array,
    { agentVoice, language }: Omit<SpokenByAgent, 'agent'>,
  ): Promise<number[]> {
    const known = this.#starts.get(whole)
    if (known) return known
    const words = sentence.split(/\s+/)
    const sound = audible(whole)
    const endMs = ((sound.byteOffset - whole.byteOffset) / 2 + sound.length) / SAMPLES_PER_MS
    const starts: number[] = []
    for (let from = 0; from < words.length; from++) {
      const { pcm } = await agentVoice.say(words.slice(from).join(' '), language)
      starts.push(endMs - audible(pcm).length / SAMPLES_PER_MS)
    }
    this.#starts.set(whole, starts)
    return starts
  }
}
