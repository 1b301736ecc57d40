/** Which Andrea this is: the version from package.json and the commit, when it runs from a git checkout. */
import { readFileSync } from 'node:fs'
import { z } from 'zod'

const root = new URL('../../', import.meta.url)

export interface BuildInfo {
  version: string
  /** First 12 digits; null outside of a checkout. */
  commit: string | null
}

/** Reads both once; nothing is executed. */
export function readBuildInfo(): BuildInfo {
  const text = readFileSync(new URL('package.json', root), 'utf8')
  const { version } = z.object({ version: z.string() }).parse(JSON.parse(text))
  return { version, commit: readCommit() }
}

function readCommit(): string | null {
  const head = readGit('HEAD')
  const ref = head === null ? null : /^ref: (refs\/[\w./-]+)$/.exec(head)?.[1]
  const commit = ref == null ? head : readGit(ref)
  return commit !== null && /^[0-9a-f]{40}$/.test(commit) ? commit.slice(0, 12) : null
}

function readGit(name: string): string | null {
  try {
    return readFileSync(new URL(`.git/${name}`, root), 'utf8').trim()
  } catch {
    // No checkout, or a packed ref: the commit is a courtesy, not a need.
    return null
  }
}
