/** The orb's geometry, as parts of its box. Pure; the outermost point stays inside the box at any level and time. */

export interface OrbLayer {
  /** 0 for the core, 1 for the outer veil. */
  spread: number
  /** Smoothed voice, 0…1. */
  level: number
  /** Amplitude of the slow swelling, as a part of the radius; at most MAX_BREATH. */
  breath: number
  /** The layer's own phase, radians. */
  phase: number
}

export const MAX_BREATH = 0.045

/** Distance of the outline from the centre in the direction `angle`; the box's half is 0.5. */
export function orbRadius(layer: OrbLayer, angle: number): number {
  const { spread, level, breath, phase } = layer
  const radius = 0.24 + spread * (0.065 + level * 0.1)
  const wave = (0.005 + level * 0.022) * (0.4 + spread)
  const ripple = Math.sin(3 * angle + 2 * phase) + 0.6 * Math.sin(5 * angle - 3 * phase)
  return radius * (1 + breath * Math.sin(2 * phase)) + wave * ripple
}
