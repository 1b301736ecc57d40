/**
 * What a telephone does to speech: 16 kHz → low-pass → 8 kHz → μ-law → back. Test-only and slow on purpose: it shares
 * no code with dsp/, so that a mistake there cannot hide here.
 */

const TAPS = 63
const CUTOFF = 0.215

const kernel = Float64Array.from({ length: TAPS }, (_, index) => {
  const x = index - (TAPS - 1) / 2
  const sinc = x === 0 ? 2 * CUTOFF : Math.sin(2 * Math.PI * CUTOFF * x) / (Math.PI * x)
  return sinc * (0.54 - 0.46 * Math.cos((2 * Math.PI * index) / (TAPS - 1)))
})

function lowPass(input: Float64Array): Float64Array {
  return input.map((_, at) => {
    let sum = 0
    for (let tap = 0; tap < TAPS; tap += 1) {
      sum += (input[at + (TAPS - 1) / 2 - tap] ?? 0) * kernel[tap]!
    }
    return sum
  })
}

function muLawEncode(sample: number): number {
  const sign = sample < 0 ? 0x80 : 0
  const magnitude = Math.min(32_635, Math.abs(sample)) + 0x84
  const exponent = Math.max(0, 31 - Math.clz32(magnitude) - 7)
  return ~(sign | (exponent << 4) | ((magnitude >> (exponent + 3)) & 0x0f)) & 0xff
}

function muLawDecode(code: number): number {
  const inverted = ~code & 0xff
  const magnitude = (((inverted & 0x0f) << 3) + 0x84) << ((inverted & 0x70) >> 4)
  return inverted & 0x80 ? 0x84 - magnitude : magnitude - 0x84
}

/** 16 kHz PCM as it arrives after a PCMU line, 16 kHz again. */
export function throughTelephone(pcm: Int16Array): Int16Array {
  const narrow = lowPass(Float64Array.from(pcm))
  const line = new Float64Array(pcm.length)
  for (let at = 0; at < line.length; at += 2) {
    line[at] = 2 * muLawDecode(muLawEncode(Math.round(narrow[at]!)))
  }
  return Int16Array.from(lowPass(line), (value) =>
    Math.max(-32_768, Math.min(32_767, Math.round(value))),
  )
}
