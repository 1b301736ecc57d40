/** What the Speech SDK keeps of a sentence's audio: nothing, in the version installed. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { AzureService } from '../../bench/rig/azure-service.ts'
import { loadAzureSdk } from '../../server/providers/azure-sdk.ts'
import { keepNoAudio } from '../../server/providers/azure-sdk-audio.ts'
import { AzureTts } from '../../server/providers/azure-tts.ts'

const TEXT = 'Con mucho gusto le explico los beneficios.'

let service: AzureService
beforeAll(async () => {
  service = await AzureService.start({ firstAudioMs: 1 })
})
afterAll(() => service.close())

describe('audio that the SDK has handed over', () => {
  it('is in no result of the SDK: the sentence is held once', async () => {
    const sdk = await loadAzureSdk()
    const config = sdk.SpeechConfig.fromHost(new URL(service.host), 'k')
    config.speechSynthesisOutputFormat = sdk.SpeechSynthesisOutputFormat.Raw16Khz16BitMonoPcm
    const synthesizer = new sdk.SpeechSynthesizer(config, null)
    let heardBytes = 0
    synthesizer.synthesizing = (_sender, { result }) => (heardBytes += result.audioData.byteLength)
    const result = await new Promise<{ reason: number; audioData: ArrayBuffer }>(
      (resolve, reject) => synthesizer.speakTextAsync(TEXT, resolve, reject),
    )
    expect(result.reason).toBe(sdk.ResultReason.SynthesizingAudioCompleted)
    // 65 ms per character in the emulator.
    expect(heardBytes).toBe(TEXT.length * 65 * 32)
    expect(result.audioData.byteLength).toBe(0)
    synthesizer.close()
  })

  it('waits in chunks of its own size, a byte more for each that began in mid-sample', async () => {
    const tts = new AzureTts({ key: 'k', region: 'r', host: service.host })
    const voice = { name: '', language: 'es-MX', style: null, speed: 1 }
    const request = { callId: 'call-1', text: TEXT, voice }
    let [heldBytes, bytes, chunks] = [0, 0, 0]
    for await (const event of tts.synthesize(request, new AbortController().signal)) {
      if (event.kind !== 'audio') continue
      heldBytes += event.pcm.buffer.byteLength
      bytes += event.pcm.byteLength
      chunks++
    }
    expect(bytes).toBe(TEXT.length * 65 * 32)
    expect(heldBytes - bytes).toBeLessThanOrEqual(chunks)
    await tts.close()
  })

  it('is left to an SDK with another inside', () => {
    const onAudioChunkReceived = (): string => 'another'
    const prototype = { onAudioChunkReceived }
    expect(keepNoAudio({ prototype })).toBe(false)
    expect(prototype.onAudioChunkReceived).toBe(onAudioChunkReceived)
  })
})
