// Relay: a component with a pagination fragment asks for the next page until there is none.
const React = require('react')
const {act, create} = require('react-test-renderer')
const {RelayEnvironmentProvider, useLazyLoadQuery, usePaginationFragment} = require('react-relay')
const {Environment, Network, RecordSource, Store} = require('relay-runtime')
const query = require('./relay/__generated__/TimelineQuery.graphql.js')
const fragment = require('./relay/__generated__/Timeline_profile.graphql.js')

const {url, read, walker} = JSON.parse(process.argv[2])
globalThis.IS_REACT_ACT_ENVIRONMENT = true
let asked = 0
let shown

async function fetched({id, text}, variables) {
  asked += 1
  const headers = {authorization: `Bearer ${read}`, 'content-type': 'application/json', accept: 'application/graphql-response+json'}
  const question = id ? {doc_id: id} : {query: text}
  const answer = await fetch(url, {method: 'POST', headers, body: JSON.stringify({...question, variables})})
  return answer.json()
}

function Timeline({profile}) {
  shown = usePaginationFragment(fragment, profile)
  return null
}

function App() {
  return React.createElement(Timeline, useLazyLoadQuery(query, {by: {identifier: walker}}))
}

async function main() {
  const environment = new Environment({network: Network.create(fetched), store: new Store(new RecordSource())})
  const waiting = React.createElement(React.Suspense, {fallback: null}, React.createElement(App))
  await act(async () => { create(React.createElement(RelayEnvironmentProvider, {environment}, waiting)) })
  while (shown === undefined) await act(() => new Promise((resolve) => setTimeout(resolve, 20)))
  while (shown.hasNext) {
    await act(() => new Promise((resolve, reject) => {
      shown.loadNext(60, {onComplete: (error) => (error ? reject(error) : resolve())})
    }))
  }
  const ids = shown.data.interactions.edges.map(({node}) => node.id)
  process.stdout.write(JSON.stringify({asked, ids}), () => process.exit(0))
}

main()
