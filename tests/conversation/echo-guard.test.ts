import { describe, expect, it } from 'vitest'
import { EchoGuard } from '../../server/conversation/echo-guard.ts'

/** A voice's level per frame: syllables of 3 to 13 frames, rising fast, −18 dBFS at their loudest. */
function envelope(frames: number, seed: number): number[] {
  let state = seed
  const random = () => (state = (state * 1_103_515_245 + 12_345) % 2_147_483_648) / 2_147_483_648
  const levels: number[] = []
  while (levels.length < frames) {
    const length = 3 + Math.floor(random() * 11)
    const top = -18 - random() * 14
    const slope = 4 + random() * 20
    for (let i = 0; i < length; i++) levels.push(top - (slope * i) / length)
  }
  return levels.slice(0, frames)
}

/** Share of the frames, from `from` on, that were taken for an echo. */
function suspected(sent: number[], heard: number[], from = 0): number {
  const guard = new EchoGuard()
  const found = sent.map((level, i) => guard.frame(level, heard[i] ?? -90, (heard[i] ?? -90) > -80))
  const counted = found.slice(from).filter((_, i) => (heard[from + i] ?? -90) > -80)
  return counted.filter(Boolean).length / Math.max(1, counted.length)
}

describe('echo guard', () => {
  const agent = envelope(150, 7)

  it('suspects the agent’s own voice at −20 dB, 60, 200 and 400 ms later', () => {
    for (const lag of [3, 10, 20]) {
      const echo = agent.map((_, i) => (agent[i - lag] ?? -90) - 20)
      expect(suspected(agent, echo)).toBeGreaterThan(0.9)
    }
  })

  it('does not suspect a user as loud as the agent', () => {
    expect(suspected(agent, envelope(150, 99))).toBe(0)
  })

  it('stops suspecting a soft user after 600 ms, when the voice does not follow the agent’s', () => {
    const user = envelope(150, 99).map((level, i) => (i < 60 ? -90 : level - 15))
    expect(suspected(agent, user, 90)).toBeLessThan(0.2)
  })

  it('suspects nobody while the agent is silent', () => {
    const silence = agent.map(() => -90)
    expect(
      suspected(
        silence,
        envelope(150, 5).map((level) => level - 20),
      ),
    ).toBe(0)
  })
})
