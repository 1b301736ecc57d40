/**
 * Where the Moonshine speech models are, and what their licence asks us to say.
 *
 * The models stay in their npm package (an optional dependency): the Spanish one is under the Moonshine AI Community
 * License, which is free for evaluation and limits commercial use, so it is never copied into this repository.
 */
import { access } from 'node:fs/promises'
import { findPackageJSON } from 'node:module'
import { dirname, join } from 'node:path'
import { ProviderError } from '../errors.ts'

export type SpeechLanguage = 'es' | 'en'

const PACKAGE = '@moonshine-ai/moonshine-js'
const VERSION = '0.1.28'

const MODEL_FOLDERS: Record<SpeechLanguage, string> = {
  es: 'model/base-es-non-commercial/quantized',
  en: 'model/tiny/quantized',
}

export const MOONSHINE_NOTICE =
  'This Moonshine AI Model is licensed under the Moonshine AI Community License, ' +
  'Copyright © Moonshine AI Ltd. All Rights Reserved'
export const MOONSHINE_CREDIT = 'Powered by Moonshine AI'

export interface MoonshinePaths {
  encoder: string
  decoder: string
}

/**
 * The two ONNX files of a language's model.
 * @throws ProviderError STT_MODEL_MISSING, naming the package to install.
 */
export async function moonshinePaths(language: SpeechLanguage): Promise<MoonshinePaths> {
  try {
    const manifest = findPackageJSON(PACKAGE, import.meta.url)
    if (manifest === undefined) throw new Error(`${PACKAGE} has no package.json`)
    return await pathsIn(join(dirname(manifest), 'dist'), language)
  } catch (cause) {
    throw new ProviderError(
      'STT_MODEL_MISSING',
      `The embedded speech model is not installed: run "npm install ${PACKAGE}@${VERSION}" ` +
        '(npm leaves it out with --omit=optional), or set AZURE_SPEECH_KEY and AZURE_SPEECH_REGION.',
      { cause },
    )
  }
}

async function pathsIn(dist: string, language: SpeechLanguage): Promise<MoonshinePaths> {
  const folder = join(dist, MODEL_FOLDERS[language])
  const paths = {
    encoder: join(folder, 'encoder_model.onnx'),
    decoder: join(folder, 'decoder_model_merged.onnx'),
  }
  await access(paths.encoder)
  await access(paths.decoder)
  return paths
}
