// Apollo Client: its normalised cache through a merge, and a timeline page by page.
import {ApolloClient, HttpLink, InMemoryCache} from '@apollo/client'
import {relayStylePagination} from '@apollo/client/utilities'
import {operationsOf} from './documents.mjs'
import {say, told} from './telling.mjs'

const {url, admin, older, newer, walker} = told
const {ApolloPerson, ApolloTimeline, ApolloMerge} = operationsOf('apollo.graphql')
const client = new ApolloClient({
  link: new HttpLink({uri: url, headers: {authorization: `Bearer ${admin}`}}),
  cache: new InMemoryCache({
    possibleTypes: {Identifier: ['Contact', 'ContactPoint', 'Device']},
    typePolicies: {Profile: {fields: {interactions: relayStylePagination()}}},
  }),
})

async function person(by, fetchPolicy = 'cache-first') {
  return (await client.query({query: ApolloPerson, variables: {by}, fetchPolicy})).data.profile
}

// The entities that can still be reached from what was asked.
function profilesInCache() {
  client.cache.gc()
  return Object.keys(client.cache.extract()).filter((name) => name.startsWith('Profile:'))
}

async function merged() {
  const before = [await person({identifier: older}), await person({identifier: newer})]
  const ids = before.map(({id}) => id)
  const byIds = [await person({id: ids[0]}), await person({id: ids[1]})]
  const cachedBefore = profilesInCache()
  const variables = {from: {id: ids[1]}, into: {id: ids[0]}, key: crypto.randomUUID()}
  const answer = await client.mutate({mutation: ApolloMerge, variables})
  const again = await client.mutate({mutation: ApolloMerge, variables})
  for (const by of [{identifier: older}, {identifier: newer}, {id: ids[0]}]) await person(by, 'network-only')
  const after = await person({id: ids[1]}, 'network-only')
  return {
    ids, cachedBefore, same: byIds.every(({id}, n) => id === ids[n]), after,
    outcome: answer.data.mergeProfiles.__typename,
    again: again.data.mergeProfiles.decision === answer.data.mergeProfiles.decision, cachedAfter: profilesInCache(),
  }
}

// Every page is one more part of the one list that the cache keeps.
async function timeline() {
  const asked = {query: ApolloTimeline, variables: {by: {identifier: walker}}}
  const watched = client.watchQuery(asked)
  const subscription = watched.subscribe(() => {})
  let {pageInfo} = (await client.query(asked)).data.profile.interactions
  let pages = 1
  while (pageInfo.hasNextPage) {
    const {data} = await watched.fetchMore({variables: {after: pageInfo.endCursor}})
    pageInfo = data.profile.interactions.pageInfo
    pages += 1
  }
  subscription.unsubscribe()
  return {pages, ids: client.readQuery(asked).profile.interactions.edges.map(({node}) => node.id)}
}

say({merged: await merged(), timeline: await timeline()})
