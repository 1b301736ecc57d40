/**
 * Talk-off: digits and call-progress tones that are heard where somebody only speaks.
 *
 *   every prompt ─► PCMU ─► the user chain ─► digits, tones ─► all of them are wrong
 *   (6 voices)      and as it was recorded
 *
 * A prompt is followed by 200 ms of silence, after which a beep would be certain. Files that hold a
 * beep and no speech are left out. A digit and a beep that are there are heard first, so that a
 * detector that hears nothing does not pass.
 */
import { bindKernel } from '../../dsp/host.ts'
import { Slot } from '../../dsp/slot.ts'
import { fetchAudio, recordingsOf, type AudioSet } from '../../dsp/training/audio.ts'
import { rounded } from '../rig/report.ts'
import { openCore, type Core } from './core.ts'

const VOICES: readonly AudioSet[] = ['es', 'en', 'fr', 'it', 'it2', 'ru']
const FRAME = 160
const AFTER = 1_600

/** What the detectors found in `samples`, 8 kHz, −1…1. */
type Listen = (samples: Float32Array, codec: 'PCMU' | 'L16') => string[]

/** Measures, writes `talkOffHits` and `talkOffMinutes`, and gives the rows of the table. */
export async function talkOffRows(figures: Record<string, number>): Promise<string[][]> {
  fetchAudio(VOICES)
  const listen = listener(await openCore())
  checkThatItHears(listen)
  const rows = [['digits and tones in speech', 'minutes', 'prompts', 'PCMU', 'as recorded']]
  let [hits, samples] = [0, 0]
  for (const voice of VOICES) {
    const prompts = recordingsOf(voice).filter(({ name }) => !name.includes('beep'))
    const found = (['PCMU', 'L16'] as const).map((codec) =>
      prompts.reduce((sum, prompt) => sum + listen(prompt.samples, codec).length, 0),
    )
    const said = prompts.reduce((sum, prompt) => sum + prompt.samples.length, 0)
    hits += found.reduce((sum, one) => sum + one, 0)
    samples += said
    rows.push([voice, minutes(said).toFixed(1), String(prompts.length), ...found.map(String)])
  }
  figures['talkOffHits'] = hits
  figures['talkOffMinutes'] = rounded(minutes(samples), 1)
  return rows
}

function minutes(samples: number): number {
  return samples / 8_000 / 60
}

function listener(core: Core): Listen {
  const kernel = bindKernel(core.dsp.share)
  const slot = new Slot(core.dsp, 0)
  core.dsp.writeList(0, [0])
  return (samples, codec) => {
    const heard: string[] = []
    slot.open(
      { codec, lineRateHz: 8_000, ttsRateHz: 8_000 },
      { vadSensitivity: 0.5, bed: 'none', bedGain: 0, tones: true },
    )
    for (let from = 0; from < samples.length + AFTER; from += FRAME) {
      slot.pushPayload(payloadOf(core, samples.subarray(from, from + FRAME), codec))
      kernel.run(0, 1)
      slot.drain(({ digit, tone }) => heard.push(...[digit, tone].filter((x) => x != null)))
    }
    return heard
  }
}

/** One frame, filled up with silence. */
function payloadOf(core: Core, samples: Float32Array, codec: 'PCMU' | 'L16'): Uint8Array {
  const pcm = new Int16Array(FRAME)
  for (let n = 0; n < samples.length; n++) {
    pcm[n] = Math.max(-32_768, Math.min(32_767, Math.round((samples[n] ?? 0) * 32_768)))
  }
  if (codec === 'L16') return new Uint8Array(pcm.buffer)
  core.words.set(pcm, core.at.out >> 1)
  core.dsp.functions.encodeMulawPcm(core.at.out, core.at.codes, FRAME)
  return core.bytes.slice(core.at.codes, core.at.codes + FRAME)
}

/** @throws Error when a 5 and a beep of 1 400 Hz, 200 ms each, are not heard */
function checkThatItHears(listen: Listen): void {
  for (const codec of ['PCMU', 'L16'] as const) {
    const heard = [
      [770, 1_336],
      [1_400, 1_400],
    ].flatMap(([low = 0, high = 0]) =>
      listen(
        Float32Array.from({ length: 2_400 }, (_, n) => {
          const t = (n * 2 * Math.PI) / 8_000
          return n < 800 ? 0 : 0.15 * (Math.sin(low * t) + Math.sin(high * t))
        }),
        codec,
      ),
    )
    if (heard.join() !== '5,beep') throw new Error(`of a 5 and a beep, heard: ${heard.join()}`)
  }
}
