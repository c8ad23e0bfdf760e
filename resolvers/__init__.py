"""The GraphQL room: it answers from the reading functions of graph/, shapes what they return, and holds no rule."""
