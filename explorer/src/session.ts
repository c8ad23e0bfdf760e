/** Who is signed in: the key is kept for this tab of the browser only, and the service says whether it opens anything. */

export const ADDRESS = new URL('graphql', document.baseURI).href
export const LIVE_ADDRESS = ADDRESS.replace(/^http/, 'ws')

const KEPT_AS = 'selfsame:key'
const AWAY = 'the service does not answer; is it running, and can this browser reach it?'

/** A key that opens something, or why there is none. final: whether asking again would be answered the same. */
export interface Answer {
  key?: string
  refusal?: string
  final?: boolean
}

/** The header by which a request shows a key or a token. */
export function shown(key: string): { Authorization: string } {
  return { Authorization: `Bearer ${key}` }
}

/** Asks the service whether a key may ask, and keeps it for this tab if so. */
export async function signIn(typed: string): Promise<Answer> {
  const key = typed.trim()
  const answer = await tried(key)
  if (answer.key !== undefined) sessionStorage.setItem(KEPT_AS, key)
  return answer
}

/** The key that this tab kept, if it still opens something; one that does not is forgotten. */
export async function rememberedKey(): Promise<Answer> {
  const kept = sessionStorage.getItem(KEPT_AS)
  if (kept === null) return {}
  const answer = await signIn(kept)
  if (answer.final) signOut()
  return answer
}

/** Forgets the key and everything that was typed. */
export function signOut(): void {
  sessionStorage.clear()
}

/** What a refusal of the service says in its own words, whether its door or GraphQL refused. */
export function sentenceIn(said: unknown): string | undefined {
  if (typeof said !== 'object' || said === null) return undefined
  const errors = 'error' in said ? [said.error] : 'errors' in said && Array.isArray(said.errors) ? said.errors : []
  const messages = errors.map((each: { message?: unknown } | null) => each?.message)
  return messages.find((each): each is string => typeof each === 'string')
}

async function tried(key: string): Promise<Answer> {
  // Other characters cannot stand in a header, and `fetch` would say so in words that help nobody.
  if (!/^[\x21-\x7e]+$/.test(key)) return { refusal: 'a key has letters, digits and signs, and no spaces' }
  try {
    const answer = await fetch(ADDRESS, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', ...shown(key) },
      body: JSON.stringify({ query: '{ __typename }' }),
      credentials: 'omit',
    })
    const refusal = sentenceIn(await answer.json()) ?? (answer.ok ? undefined : AWAY)
    return refusal === undefined ? { key } : { refusal, final: [401, 403].includes(answer.status) }
  } catch {
    return { refusal: AWAY }
  }
}
