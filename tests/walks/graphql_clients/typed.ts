// What a program may do with the generated types, and what the compiler has to refuse.
import type {ResultOf, VariablesOf} from '@graphql-typed-document-node/core'
import {ApolloMergeDocument, ApolloTimelineDocument} from './operations'

declare function asked<D>(document: D, variables: VariablesOf<D>): ResultOf<D>

const {profile} = asked(ApolloTimelineDocument, {by: {identifier: {namespace: 'user_id', value: 'ann'}}})
export const names: (string | null | undefined)[] = profile?.interactions.edges.map(({node}) => node.name) ?? []
export const moment: string | undefined = profile?.interactions.edges[0]?.node.at

// @ts-expect-error -- who is asked for has to be said
asked(ApolloTimelineDocument, {})
// @ts-expect-error -- one of the two, and not both
asked(ApolloTimelineDocument, {by: {id: 'x', identifier: {namespace: 'user_id', value: 'ann'}}})
// @ts-expect-error -- nobody asked for it
export const source = profile?.interactions.edges[0]?.node.source

const decision = asked(ApolloMergeDocument, {from: {id: 'a'}, into: {id: 'b'}}).mergeProfiles
export const after: string[] = decision?.__typename === 'Decided' ? decision.after.map(({id}) => id) : []
