// Opens GraphiQL in a real Chromium, as somebody does who mistypes a key first; tells what was seen as one JSON value.
import axe from 'axe-core'
import { chromium } from 'playwright-core'

const told = JSON.parse(process.argv[2])
const browser = await chromium.launch({ executablePath: told.chromium, args: ['--no-sandbox', '--disable-gpu'] })
const page = await browser.newPage({ viewport: { width: 1280, height: 800 } })
page.setDefaultTimeout(100_000)
const seen = { complaints: [], foreign: [], faults: [], refusals: [] }
// What is refused is answered with a status that the browser reports, too; nothing else may be amiss.
page.on('console', (line) => line.type() === 'error' && !/status of 40[013]/.test(line.text()) && complain(line.text()))
page.on('pageerror', (error) => complain(String(error)))
page.on('request', (asked) => /^(data|blob):/.test(asked.url()) || asked.url().startsWith(told.url) || seen.foreign.push(asked.url()))

// A browser that opens /graphql is led to the page, where no wrong key is kept.
await page.goto(`${told.url}/graphql`)
seen.address = new URL(page.url()).pathname
for (const wrong of [told.keys.wrong, told.keys.write]) seen.refusals.push(await signIn(wrong, refusal))
seen.keptOfWrong = await kept()
await look()

await signIn(told.keys.read, () => executed(result('"profile"')))
seen.answer = await answered('"profile"')

// Subscriptions hear over the WebSocket what is sent meanwhile, again until it is heard: nobody says when they listen.
await page.getByRole('tab', { name: 'Live' }).click()
await executed(page.getByRole('button', { name: 'Stop query' }))
const sending = setInterval(send, 500)
seen.heard = await answered('"sequence"')
clearInterval(sending)
await page.getByRole('button', { name: 'Stop query' }).click()

await page.getByRole('button', { name: 'Show Documentation Explorer' }).click()
await page.getByText('A GraphQL schema provides a root type').waitFor()
await look()

// The tab knows the key after a reload, and nothing once signed out. As if the schema were not for everybody:
await page.route(`${told.url}/graphql`, (route) =>
  route.request().postData()?.includes('__schema')
    ? route.fulfill({ json: { errors: [{ message: 'not for this key' }] } })
    : route.continue(),
)
await page.reload()
seen.withoutSchema = await page.getByText('does not tell this key').textContent()
await page.getByRole('button', { name: 'Sign out' }).click()
await page.getByLabel('API key').waitFor()
seen.left = await kept()
await browser.close()
console.log(JSON.stringify(seen))

function complain(text) {
  seen.complaints.push(text.slice(0, 300))
}

async function signIn(key, then) {
  await page.getByLabel('API key').fill(key)
  await page.getByRole('button', { name: 'Sign in' }).click()
  return then()
}

/** The sentence, once the form may be sent again. */
async function refusal() {
  await page.getByRole('button', { name: 'Sign in' }).waitFor()
  const alert = page.getByRole('alert').filter({ hasText: /./ })
  await alert.waitFor()
  return alert.textContent()
}

/** Presses the button until something shows that it was heard: GraphiQL takes a moment to read what another tab asks. */
async function executed(sign) {
  while (!(await sign.isVisible())) {
    await page.getByRole('button', { name: 'Execute query' }).click({ timeout: 3_000 }).catch(() => {})
    await sign.waitFor({ timeout: 3_000 }).catch(() => {})
  }
}

function result(part) {
  return page.locator('.result-window .view-lines').filter({ hasText: part })
}

async function answered(part) {
  await result(part).waitFor()
  return (await result(part).innerText()).replaceAll('\u00a0', ' ')
}

async function send() {
  await fetch(`${told.url}/v1/track`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${told.keys.write}` },
    body: JSON.stringify({ userId: 'ada', event: 'Seen' }),
  })
}

function kept() {
  return page.evaluate(() => sessionStorage.length + localStorage.length)
}

/** Faults of accessibility; that a tab holds the button that closes it is GraphiQL's own. */
async function look() {
  await page.evaluate(axe.source)
  const found = await page.evaluate(() => window.axe.run({ runOnly: ['wcag2a', 'wcag2aa'], rules: { 'nested-interactive': { enabled: false } } }))
  seen.faults.push(...found.violations.map((each) => `${each.id}: ${each.nodes.map((node) => node.target).join(' ')}`))
}
