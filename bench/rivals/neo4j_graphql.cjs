// @neo4j/graphql with its usual server, Apollo, on the graph of the bench. It announces its port as Selfsame does.
const { ApolloServer } = require("@apollo/server");
const { startStandaloneServer } = require("@apollo/server/standalone");
const { Neo4jGraphQL } = require("@neo4j/graphql");
const neo4j = require("neo4j-driver");

// The timeline by hand, in the order of the index, since the library cannot say "the newest of several actors".
const typeDefs = `#graphql
  type Profile @node {
    id: ID!
    known: Boolean!
    contacts: [Contact!]! @relationship(type: "IDENTIFIES", direction: IN)
    devices: [Device!]! @relationship(type: "IDENTIFIES", direction: IN)
    interactions(first: Int!): [Interaction!]! @cypher(
      statement: """
      MATCH (this)<-[:IDENTIFIES]-(identifier:Identifier)
      CALL (identifier) {
        MATCH (each:Interaction)
        USING INDEX SEEK each:Interaction(actor, at, id)
        WHERE each.actor = identifier.key AND each.at IS NOT NULL AND each.id IS NOT NULL
        RETURN each
        ORDER BY each.actor DESC, each.at DESC, each.id DESC
        LIMIT $first
      }
      RETURN each
      ORDER BY each.at DESC, each.id DESC
      LIMIT $first
      """
      columnName: "each"
    )
  }

  type Contact @node(labels: ["Identifier", "Contact"]) {
    key: String!
    namespace: String!
    value: String!
    profile: [Profile!]! @relationship(type: "IDENTIFIES", direction: OUT)
  }

  type Device @node(labels: ["Identifier", "Device"]) {
    key: String!
    namespace: String!
    value: String!
    firstSeen: BigInt! @alias(property: "first_seen")
    lastSeen: BigInt! @alias(property: "last_seen")
  }

  type Interaction @node {
    id: ID!
    at: BigInt!
    type: String!
    name: String
    channel: String
  }
`;

async function main() {
  const { SELFSAME_NEO4J_URI: uri, SELFSAME_NEO4J_USER: user, SELFSAME_NEO4J_PASSWORD: password } = process.env;
  const driver = neo4j.driver(uri, neo4j.auth.basic(user, password));
  const schema = await new Neo4jGraphQL({ typeDefs, driver }).getSchema();
  const server = new ApolloServer({ schema, introspection: false });
  const { url } = await startStandaloneServer(server, {
    listen: { host: "127.0.0.1", port: 0 },
    context: async () => ({ sessionConfig: { database: "neo4j", defaultAccessMode: neo4j.session.READ } }),
  });
  process.stderr.write(`@neo4j/graphql answers at ${url.replace(/\/$/, "")} now\n`);
}

main();
