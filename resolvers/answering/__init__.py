"""How a request to /graphql is answered: read, parsed once, measured, executed. The subjects stand one room higher."""
