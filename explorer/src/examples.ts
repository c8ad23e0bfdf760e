/** What the first tabs ask: of the company of `make demo`, as docs/graphql.md and docs/live.md do. */

import explanation from './examples/explanation.graphql?raw'
import live from './examples/live.graphql?raw'
import person from './examples/person.graphql?raw'
import relations from './examples/relations.graphql?raw'

export const EXAMPLES = [person, relations, explanation, live].map((query) => ({ query }))
