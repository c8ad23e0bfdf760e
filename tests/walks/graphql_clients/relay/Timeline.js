// Read by Relay's compiler; what runs is what it makes of this.
const {graphql} = require('react-relay')

graphql`
  query TimelineQuery($by: ProfileLookup!) {
    profile(by: $by) {
      id
      ...Timeline_profile
    }
  }
`

graphql`
  fragment Timeline_profile on Profile
  @refetchable(queryName: "TimelinePaginationQuery")
  @argumentDefinitions(count: {type: "Int", defaultValue: 60}, cursor: {type: "String"}) {
    interactions(first: $count, after: $cursor) @connection(key: "Timeline_interactions") {
      edges {
        node {
          id
          at
          name
          actor { value identifier { __typename id ... on Device { active } } }
        }
      }
    }
  }
`

graphql`
  mutation TimelineMergeMutation($from: ProfileLookup!, $into: ProfileLookup!, $what: SegmentInput!) {
    mergeProfiles(from: $from, into: $into, dryRun: true) {
      ... on Decided { after { id } }
      ... on Problem { code }
    }
    defineSegment(name: "relay", definition: $what) { ... on SegmentDefined { segment { id } } }
  }
`
