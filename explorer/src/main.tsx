/** The page at /graphiql: who has not signed in sees a form, and nothing else. */

import { lazy, StrictMode, Suspense, useEffect, useState } from 'react'
import { createRoot } from 'react-dom/client'
import { SignIn } from './SignIn'
import { rememberedKey, signOut } from './session'
import './page.css'

const Console = lazy(() => import('./Console'))

function Page() {
  const [key, setKey] = useState<string>()
  const [checking, setChecking] = useState(true)
  const [sentence, setSentence] = useState<string>()

  useEffect(() => {
    rememberedKey().then((answer) => {
      setKey(answer.key)
      setSentence(answer.refusal)
      setChecking(false)
    })
  }, [])

  function leave(why?: string) {
    signOut()
    setKey(undefined)
    setSentence(why)
  }

  if (checking) return <Waiting />
  if (key === undefined) return <SignIn refusal={sentence} onSignedIn={setKey} />
  return (
    <Suspense fallback={<Waiting />}>
      <Console apiKey={key} onLeave={leave} />
    </Suspense>
  )
}

function Waiting() {
  return (
    <main className="waiting">
      <p role="status">One moment …</p>
    </main>
  )
}

const place = document.getElementById('page')
if (place) {
  createRoot(place).render(
    <StrictMode>
      <Page />
    </StrictMode>,
  )
}
