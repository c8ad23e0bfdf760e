// urql: queries by GET, and graphcache with the service's own introspection.
import {Client, fetchExchange} from '@urql/core'
import {cacheExchange} from '@urql/exchange-graphcache'
import {relayPagination} from '@urql/exchange-graphcache/extras'
import {getIntrospectionQuery} from 'graphql'
import {operationsOf} from './documents.mjs'
import {say, told} from './telling.mjs'

const {url, admin, walker} = told
const {UrqlPerson, UrqlTimeline, UrqlSetTrait, UrqlTrait} = operationsOf('urql.graphql')
const headers = {authorization: `Bearer ${admin}`}
const methods = []
const counted = (address, init) => {
  methods.push(init.method)
  return fetch(address, init)
}

async function introspection() {
  const body = JSON.stringify({query: getIntrospectionQuery()})
  const answer = await fetch(url, {method: 'POST', body, headers: {...headers, 'content-type': 'application/json'}})
  return (await answer.json()).data
}

function client(exchanges) {
  return new Client({url, exchanges, fetch: counted, preferGetMethod: 'within-url-limit', fetchOptions: {headers}})
}

async function asked(who, document, variables) {
  const {data, error} = await who.query(document, variables).toPromise()
  if (error) throw error
  return data
}

const by = {identifier: walker}

async function byGet() {
  const {profile} = await asked(client([fetchExchange]), UrqlPerson, {by})
  return {known: profile.known, values: profile.identifiers.edges.map(({node}) => node.value).sort(), methods: methods.splice(0)}
}

async function cached() {
  const schema = await introspection()
  const resolvers = {Profile: {interactions: relayPagination()}}
  const who = client([cacheExchange({schema, resolvers, keys: {Trait: () => null, TraitDecided: () => null}}), fetchExchange])
  await asked(who, UrqlTrait, {by})
  const told = await who.mutation(UrqlSetTrait, {profile: by, value: 'Walker'}).toPromise()
  if (told.error) throw told.error
  const {profile} = await asked(who, UrqlTrait, {by})
  await asked(who, UrqlPerson, {by})
  await asked(who, UrqlPerson, {by})
  return {name: profile.trait.value, methods: methods.splice(0), timeline: await timeline(who)}
}

async function timeline(who) {
  let page = (await asked(who, UrqlTimeline, {by})).profile.interactions
  while (page.pageInfo.hasNextPage) {
    page = (await asked(who, UrqlTimeline, {by, after: page.pageInfo.endCursor})).profile.interactions
  }
  return page.edges.map(({node}) => node.id)
}

say({byGet: await byGet(), cached: await cached()})
