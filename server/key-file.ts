/** Key file: 32 random bytes in the data directory, made at the first start and readable by the owner only. */
import { randomBytes } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ConfigError, errorText } from './errors.ts'

export const KEY_BYTES = 32

/** @throws ConfigError with `code` when the file cannot be read or written, or was cut short */
export async function loadKeyFile(
  dataDir: string,
  file: { name: string; code: string },
): Promise<Uint8Array> {
  const path = join(dataDir, file.name)
  const unusable = (why: string) => new ConfigError(file.code, `${path} cannot be used: ${why}`)
  try {
    await mkdir(dataDir, { recursive: true })
    await writeFile(path, randomBytes(KEY_BYTES), { mode: 0o600, flag: 'wx' })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw unusable(errorText(error))
  }
  const key = await readFile(path).catch((error: unknown) => {
    throw unusable(errorText(error))
  })
  if (key.length !== KEY_BYTES) {
    throw unusable(`it has ${key.length} bytes instead of ${KEY_BYTES}; delete it`)
  }
  return key
}
