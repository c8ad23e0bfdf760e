"""Where what is known goes: webhooks that tell others what happened. It speaks to the graph by functions of graph/."""
