import { type FormEvent, useState } from 'react'
import { signIn } from './session'

interface Props {
  refusal: string | undefined
  onSignedIn(key: string): void
}

/** The form for a key or a token; what the service says of a wrong one is shown as it says it. */
export function SignIn({ refusal, onSignedIn }: Props) {
  const [typed, setTyped] = useState('')
  const [asking, setAsking] = useState(false)
  const [sentence, setSentence] = useState(refusal)

  async function asked(event: FormEvent) {
    event.preventDefault()
    setAsking(true)
    setSentence(undefined)
    const answer = await signIn(typed)
    setAsking(false)
    if (answer.key === undefined) setSentence(answer.refusal)
    else onSignedIn(answer.key)
  }

  return (
    <main className="sign-in">
      <form onSubmit={asked}>
        <h1>Selfsame</h1>
        <p>Ask the graph of people in GraphQL.</p>
        <label htmlFor="key">API key, or token of your OpenID provider</label>
        <input
          id="key"
          type="password"
          autoComplete="off"
          spellCheck={false}
          autoCapitalize="none"
          required
          value={typed}
          aria-invalid={sentence !== undefined}
          aria-describedby="refusal hint"
          onChange={(event) => setTyped(event.target.value)}
        />
        <p id="refusal" role="alert" className="refusal">
          {sentence}
        </p>
        <button type="submit" disabled={asking}>
          {asking ? 'Asking …' : 'Sign in'}
        </button>
        <p id="hint" className="hint">
          <code>selfsame keys create --scope read</code> makes a key. It is kept in this tab only, until you sign out or
          close it.
        </p>
      </form>
    </main>
  )
}
