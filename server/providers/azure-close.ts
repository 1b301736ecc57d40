/**
 * Closing a synthesizer for good. The SDK's own close() lets a connection live on which nothing was spoken yet: a spare that
 * was opened ahead would stay open until the service ends it, and keep its memory.
 */
import type { SpeechSynthesizer } from 'microsoft-cognitiveservices-speech-sdk'

/** The part of the SDK's inside that knows the connection; absent in a version that has another inside. */
interface Adapter {
  privConnectionPromise?: Promise<{ dispose(): Promise<void> | void }> | null
}

export function closeSynthesizer(synthesizer: SpeechSynthesizer): void {
  const { internalData } = synthesizer as unknown as { internalData?: Adapter }
  const connecting = internalData?.privConnectionPromise
  synthesizer.close()
  connecting
    ?.then((connection) => connection.dispose())
    .catch(() => {
      // It was never opened, or is closed already: what we want.
    })
}
